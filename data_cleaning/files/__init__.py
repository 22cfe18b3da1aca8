"""Tables of any kind and size, read in batches: no row is lost, and what is not a row is returned as a reject."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_cleaning.files.opening import open_source
    from data_cleaning.files.sources import MAX_BYTES, Batch, Reject, Source
    from data_cleaning.files.table_layout import Layout

__all__ = ["MAX_BYTES", "Batch", "Layout", "Reject", "Source", "open_source"]


def __getattr__(name: str) -> Any:
    """Load the readers when they are asked for: `neural` writes whole files on machines without pyarrow."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from data_cleaning.files import opening, sources, table_layout

    home = {"open_source": opening, "Layout": table_layout}.get(name, sources)
    return getattr(home, name)
