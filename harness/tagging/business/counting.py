"""Counts the records of a file in bounded memory, a piece of the file at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.files.table_reader import NO_TEXT
from harness.tagging.answers import Answers

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


@dataclass(frozen=True)
class Counts:
    """Records of the whole file."""

    whole: pl.DataFrame
    """A row per combination: labels (struct of target to class position), leaf, contradiction, node, band, records."""
    by: Mapping[str, pl.DataFrame]
    """Column to a row per combination: value (null where the cell is empty), node, band, records."""
    given_up: frozenset[str]
    """Columns with more than `MAX_VALUES` values; their frames have no values."""


class RecordCounter:
    """Counts the records of a file, a piece at a time."""

    def __init__(self) -> None:
        self._whole: list[pl.DataFrame] = []
        self._by: dict[str, _CountsByValue] = {}

    def add(self, answers: Answers, targets: Sequence[str], by: Mapping[str, pl.Series]) -> None:
        """Count the rows of one piece by their answers; one without a title is at -1 in everything, whatever it holds.

        They are counted by the columns of `by` as well, each (n_rows,) and of any type; spaces around a text do not
        count. Every piece has the same targets and columns.

        Raises:
            BadInput: a column to count by holds lists or the like.
        """
        records, labels = answers.records, answers.records["labels"]  # (n_answers,), (n_answers, n_targets)
        codes = {name: records[name] for name in ("leaf", "contradiction", "node", "band")}
        codes |= {f"label {name}": labels[:, position] for position, name in enumerate(targets)}
        placed = pl.DataFrame(
            {name: np.where(labels[:, 0] >= 0, code, -1).astype(np.int16) for name, code in codes.items()}
        )
        n_rows = np.bincount(answers.of_row, minlength=len(records)).astype(np.int64)
        counted = placed.with_columns(pl.Series("records", n_rows)).filter(pl.col("records") > 0)
        # Grouping by fields of their own is faster than by a struct of them.
        of_file = counted.group_by(placed.columns).sum()
        struct = pl.struct(pl.col(f"label {name}").alias(name) for name in targets)
        self._add_whole(of_file.select(struct.alias("labels"), *_WHOLE[1:], "records"))
        for name, column in by.items():
            values = placed.select("node", "band")[answers.of_row].with_columns(_texts(name, column).alias("value"))
            # Texts are trimmed after grouping, when they are fewer.
            trimmed = pl.col("value").str.strip_chars().replace("", None)
            rows = values.group_by(_BY).len("records").with_columns(trimmed, _RECORDS)
            self._by.setdefault(name, _CountsByValue()).add(rows)

    def merge(self, counts: Counts) -> None:
        """Add what another counter has counted of other records, by the same columns and with the same targets."""
        self._add_whole(counts.whole)
        for name, rows in counts.by.items():
            own = self._by.setdefault(name, _CountsByValue())
            if name in counts.given_up:
                own.give_up()
            own.add(rows)

    def _add_whole(self, rows: pl.DataFrame) -> None:
        self._whole = [pl.concat([*self._whole, rows]).group_by(_WHOLE).sum()]

    def total(self) -> Counts:
        """Return the counts of the whole file, of which at least one piece was added, even one without rows."""
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
        if not self.is_given_up:
            new = rows.select(pl.col("value").unique()).join(self._values, on="value", how="anti", nulls_equal=True)
            numbers = np.arange(len(self._values), len(self._values) + len(new), dtype=np.int64)
            self._values = self._values.vstack(new.with_columns(pl.Series("number", numbers)))
            if len(self._values) - 1 > MAX_VALUES:
                self.give_up()
        numbered = rows.join(self._values, on="value", how="left", nulls_equal=True, maintain_order="left")
        number = numbered["number"].fill_null(0).to_numpy()
        node, band = (rows[name].to_numpy().astype(np.int64) + 1 for name in ("node", "band"))
        self._codes.append(number * _OF_NUMBER + node * _OF_NODE + band)
        self._records.append(rows["records"].to_numpy())
        # Waiting for as many codes again as are added up already keeps the work in proportion to the rows.
        if sum(map(len, self._codes[1:])) > max(_MAX_WAITING, len(self._codes[0])):
            self._add_up()

    def give_up(self) -> None:
        self.is_given_up, self._values = True, self._values.head(1)

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


def _texts(name: str, column: pl.Series) -> pl.Series:
    if column.to_frame().select(NO_TEXT).columns:
        raise BadInput(
            f"Column {name!r} holds {column.dtype}, by which records cannot be counted; expected text, numbers or "
            "dates. Leave it out of --by."
        )
    return column.cast(pl.String)
