"""Files read piece by piece, whatever their kind and size: no row is lost, and what is no row is handed out as such."""

from harness.tagging.sources.base import MOST_BYTES, Batch, Reject, Source
from harness.tagging.sources.opening import open_source

__all__ = ["MOST_BYTES", "Batch", "Reject", "Source", "open_source"]
