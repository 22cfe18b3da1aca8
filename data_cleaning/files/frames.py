"""Read Parquet files that the program keeps for itself, from exactly the given path.

Folders may have names such as "[Event] 2026" or "res?", which polars takes for patterns by default.
"""

from pathlib import Path

import polars as pl


def read_frame(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a frame, or some of its columns."""
    return pl.read_parquet(path, columns=columns, glob=False)


def frame_columns(path: Path) -> list[str]:
    """Return the names of a frame's columns without reading its rows."""
    return pl.scan_parquet(path, glob=False).collect_schema().names()
