"""Files read piece by piece, whatever their kind and size: no row is lost, and what is no row is handed out as such."""

from data_cleaning.files.opening import open_source
from data_cleaning.files.sources import MOST_BYTES, Batch, Reject, Source

__all__ = ["MOST_BYTES", "Batch", "Reject", "Source", "open_source"]
