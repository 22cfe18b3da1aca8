"""Columns of tables for readers: text, records and shares, each under a name of its own."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.titles import IntArray
from harness.tagging.business.names import free_name
from harness.tagging.hierarchy import Hierarchy

Records = npt.NDArray[np.int64]

_DECIMALS = 6

UNTITLED = "no title"
"""Column of the records that cannot be placed for want of a title."""


class Columns:
    """The columns of a table in their order. What they are told by is their type: text, whole numbers, shares."""

    def __init__(self) -> None:
        self._columns: dict[str, pl.Series] = {}

    def texts(self, name: str, values: Sequence[str | None], prefix: str) -> str:
        """Add a column of text; return its name, which has the prefix before it where another column has it already."""
        return self._add(name, pl.Series(values, dtype=pl.String), prefix)

    def records(self, name: str, values: Records, prefix: str = "records") -> None:
        """Add a column of whole numbers."""
        self._add(name, pl.Series(values, dtype=pl.Int64), prefix)

    def shares(self, name: str, part: Records, whole: Records | int) -> None:
        """Add a column of part / whole."""
        self._add(name, pl.Series(share(part, whole), dtype=pl.Float64), "share")

    def frame(self) -> pl.DataFrame:
        """Return the table."""
        return pl.DataFrame(self._columns)

    def _add(self, name: str, column: pl.Series, prefix: str) -> str:
        free = free_name(name, self._columns, prefix)
        self._columns[free] = column
        return free


def share(part: Records, whole: Records | int) -> npt.NDArray[np.float64]:
    """Return part / whole, rounded; of nothing the share is 0."""
    return np.round(np.asarray(part, dtype=np.float64) / np.maximum(whole, 1), _DECIMALS)


def band_columns(hierarchy: Hierarchy) -> list[str]:
    """Return the bands, and a column each for a band that is not sure and for no title."""
    return [*hierarchy.bands, not_sure(hierarchy.band_name), UNTITLED]


def not_sure(name: str) -> str:
    """Return the column of the records for which a band or level is not sure."""
    return f"{spoken(name)} not sure"


def spoken(name: str) -> str:
    """Return a name of a configuration as people would say it."""
    return name.replace("_", " ")


def split_by_band(hierarchy: Hierarchy, node: IntArray, band: IntArray) -> Records:
    """Return the position in `band_columns` of each pair of node and band, (n_pairs,)."""
    n_bands = len(hierarchy.bands)
    return np.where(node < 0, n_bands + 1, np.where(band < 0, n_bands, band)).astype(np.int64)
