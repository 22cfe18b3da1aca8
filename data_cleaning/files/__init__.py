"""Tables of any kind and size, read in batches: no row is lost, and what is not a row is returned as a reject."""

from data_cleaning.files.opening import open_source
from data_cleaning.files.sources import MAX_BYTES, Batch, Reject, Source

__all__ = ["MAX_BYTES", "Batch", "Reject", "Source", "open_source"]
