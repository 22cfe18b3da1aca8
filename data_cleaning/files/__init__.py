"""Tables of any kind and size, read in batches: no row is lost, and what is not a row is returned as a reject."""

from data_cleaning.files.opening import open_source
from data_cleaning.files.sources import MAX_BYTES, Batch, Reject, Source
from data_cleaning.files.table_layout import Layout

__all__ = ["MAX_BYTES", "Batch", "Layout", "Reject", "Source", "open_source"]
