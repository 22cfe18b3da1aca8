"""Records counted a piece of the file at a time, and the counts of all pieces added up in bounded memory."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.files.table_reader import NO_TEXT
from data_cleaning.titles import IntArray

MAX_VALUES = 100_000
"""Distinct values of a column by which records are counted; a column with more is given up."""

_MAX_WAITING = 500_000
"""Rows of counts of a column that may wait for equal ones to be added up."""

_WHOLE = ("labels", "leaf", "contradiction", "node", "band")
_BY = ("value", "node", "band")
_RECORDS = pl.col("records").cast(pl.Int64)

_OF_NODE, _OF_NUMBER = 1 << 16, 1 << 32
"""What one node, and one number of a value, add to the code of a combination."""

_Codes = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """Records of the whole file."""

    whole: pl.DataFrame
    """A row per combination: labels (struct of target to class position), leaf, contradiction, node, band, records."""
    by: Mapping[str, pl.DataFrame]
    """Column to a row per combination: value (null where the cell is empty), node, band, records."""
    given_up: frozenset[str]
    """Columns with more than `MAX_VALUES` values; their frames have no values."""


def count_piece(
    node: IntArray,
    band: IntArray,
    labels: Mapping[str, IntArray],
    leaf: IntArray,
    contradiction: IntArray,
    titled: BoolArray,
    by: Mapping[str, pl.Series],
) -> pl.DataFrame:
    """Count the records of one piece; those without a title are at -1 in everything, whatever is given for them.

    Args:
        node: last place on the way down that is sure, 0 where none is, (n_rows,).
        band: -1 where it is not sure, (n_rows,).
        labels: target to class positions, each (n_rows,); the same targets in every piece.
        leaf: place that the labels lead to, sure or not, (n_rows,).
        contradiction: that the labels fall under, -1 for none, (n_rows,).
        titled: which rows have a title, (n_rows,).
        by: name to the column to count by as well, each (n_rows,) and of any type; spaces around a text do not count.

    Returns:
        A row per distinct combination and its `records`. Rows about the file have null in `by`, and say labels, leaf
        and contradiction; those about a column have its name there, and its `value`, null where the cell is empty. A
        column has a row of 0 records besides, so that it is known of even where the file has no rows.

    Raises:
        BadInput: a column to count by holds lists or the like.
    """
    given = {"leaf": leaf, "contradiction": contradiction, "node": node, "band": band}
    placed = pl.DataFrame({name: np.where(titled, codes, -1).astype(np.int16) for name, codes in given.items()})
    # Grouping by fields of their own is faster than by a struct of them.
    coded = pl.DataFrame(
        {f"label {name}": np.where(titled, codes, -1).astype(np.int16) for name, codes in labels.items()}
    )
    of_file = placed.hstack(coded).group_by(*placed.columns, *coded.columns).len("records")
    struct = pl.struct(pl.col(f"label {name}").alias(name) for name in labels)
    pieces = [of_file.select(pl.lit(None, pl.String).alias("by"), struct.alias("labels"), *placed.columns, _RECORDS)]
    for name, column in by.items():
        # Texts are trimmed after grouping, when they are fewer.
        values = placed.select("node", "band").with_columns(_texts(name, column).alias("value"))
        of_column = (
            values.group_by(_BY).len("records").with_columns(pl.col("value").str.strip_chars().replace("", None))
        )
        known = pl.DataFrame({"value": None, "node": -1, "band": -1, "records": 0}, schema=of_column.schema)
        pieces.append(pl.concat([known, of_column]).select(pl.lit(name).alias("by"), *_BY, _RECORDS))
    return pl.concat(pieces, how="diagonal")


class RecordCounter:
    """Adds up what `count_piece` returns for the pieces of a file."""

    def __init__(self) -> None:
        self._whole: list[pl.DataFrame] = []
        self._by: dict[str, _CountsByValue] = {}

    def add(self, piece: pl.DataFrame) -> None:
        """Take in the counts of one piece."""
        self._whole.append(piece.filter(pl.col("by").is_null()).select(*_WHOLE, "records"))
        self._whole = [pl.concat(self._whole).group_by(_WHOLE).sum()]
        for (name,), rows in piece.drop_nulls("by").partition_by("by", as_dict=True, maintain_order=True).items():
            self._by.setdefault(str(name), _CountsByValue()).add(rows)

    def total(self) -> Counts:
        """Return the counts of the whole file, of which at least one piece was added, be it without rows."""
        assert self._whole, "no piece was added"
        given_up = frozenset(name for name, counts in self._by.items() if counts.is_given_up)
        return Counts(self._whole[0], {name: counts.total() for name, counts in self._by.items()}, given_up)


class _CountsByValue:
    """Counts of one column; each combination of value, node and band has a code.

    There may be millions of them, for which sorted arrays take a fraction of the memory of a table by hash.
    """

    def __init__(self) -> None:
        self.is_given_up = False
        self._values = pl.DataFrame({"value": [None], "number": [0]}, {"value": pl.String, "number": pl.Int64})
        self._codes: list[_Codes] = [np.zeros(0, dtype=np.int64)]  # first those added up, sorted, then those that wait
        self._records: list[_Codes] = [np.zeros(0, dtype=np.int64)]  # of each code

    def add(self, rows: pl.DataFrame) -> None:
        """Take in the rows of one piece."""
        if not self.is_given_up:
            new = rows.select(pl.col("value").unique()).join(self._values, on="value", how="anti", nulls_equal=True)
            self._values = self._values.vstack(new.with_columns(_numbers(len(self._values), len(new))))
            if len(self._values) - 1 > MAX_VALUES:
                self.is_given_up, self._values = True, self._values.head(1)
        numbered = rows.join(self._values, on="value", how="left", nulls_equal=True, maintain_order="left")
        number = numbered["number"].fill_null(0).to_numpy()
        node, band = (rows[name].to_numpy().astype(np.int64) + 1 for name in ("node", "band"))
        self._codes.append(number * _OF_NUMBER + node * _OF_NODE + band)
        self._records.append(rows["records"].to_numpy())
        # Waiting for as many codes again as are added up already keeps the work in proportion to the rows.
        if sum(map(len, self._codes[1:])) > max(_MAX_WAITING, len(self._codes[0])):
            self._add_up()

    def total(self) -> pl.DataFrame:
        """Return the value, node, band and records of each combination that has records."""
        self._add_up()
        (codes,), (records,) = self._codes, self._records
        columns = {
            "number": codes // _OF_NUMBER,
            "node": codes // _OF_NODE % _OF_NODE - 1,
            "band": codes % _OF_NODE - 1,
        }
        summed = pl.DataFrame({**columns, "records": records}).filter(pl.col("records") > 0)
        summed = summed.with_columns(pl.col("node", "band").cast(pl.Int16))
        return summed.join(self._values, on="number", how="left", maintain_order="left").select(*_BY, "records")

    def _add_up(self) -> None:
        codes, records = np.concatenate(self._codes), np.concatenate(self._records)
        if self.is_given_up:  # its earlier rows still have values
            codes %= _OF_NUMBER
        order = np.argsort(codes, kind="stable")
        codes, records = codes[order], records[order]
        first = np.flatnonzero(np.diff(codes, prepend=-1))  # of each run of equal codes
        self._codes, self._records = [codes[first]], [np.add.reduceat(records, first)]


def _numbers(start: int, n: int) -> pl.Series:
    return pl.Series("number", np.arange(start, start + n, dtype=np.int64))


def _texts(name: str, column: pl.Series) -> pl.Series:
    if column.to_frame().select(NO_TEXT).columns:
        raise BadInput(
            f"Column {name!r} holds {column.dtype}, by which records cannot be counted; expected text, numbers or "
            "dates. Leave it out of --by."
        )
    return column.cast(pl.String)
