"""A keyword table over fixed titles, in which one change after another can be tried without matching again."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import IntArray

_NO_ROW = -1
_NO_TITLES = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table on trial: where it matches, and the classes that it sets there."""

    titles: IntArray
    """Titles that it matches, ascending."""
    priority: float
    length: int
    """Characters of the keyword, by which ties are decided."""
    classes: Mapping[str, int]
    """Target to the class that the row sets."""


@dataclass(frozen=True, kw_only=True)
class ClassChanges:
    """The titles whose class of one target a change of the table would change."""

    titles: IntArray
    """Positions of these titles, (n_changed,)."""
    before: IntArray
    """Class of each before the change, (n_changed,)."""
    after: IntArray
    """Class of each after the change, (n_changed,)."""


class TrialTable:
    """The rows of a table, the row that decides each title, and the row that would decide it without that one.

    Rows are numbered from 0 in the order of the table; new ones come after the last.
    """

    def __init__(self, table: KeywordTable, titles: Sequence[str] | npt.NDArray[np.object_]) -> None:
        """Match every row of the table to start from once."""
        self.taxonomy = table.taxonomy
        self.rows: list[Row | None] = []
        """None for a row that was retired."""
        hits = table.hits(titles).tocsc()
        priorities, lengths = table.rows["priority"].to_numpy(), table.rows["keyword"].str.len().to_numpy()
        for at in range(len(table)):
            codes = {name: int(table.class_positions[name][at]) for name in table.taxonomy.names}
            row = Row(
                titles=np.sort(hits.indices[hits.indptr[at] : hits.indptr[at + 1]]).astype(np.int64),
                priority=float(priorities[at]),
                length=int(lengths[at]),
                classes={name: code for name, code in codes.items() if code >= 0},
            )
            self.rows.append(row)
        self._rank()
        # The last entry is the fallback, so index -1 means that no row won.
        self._codes = {
            target.name: np.array(
                [
                    *(row.classes.get(target.name, _NO_ROW) for row in self.rows if row),
                    target.class_index[target.fallback],
                ]
            )
            for target in self.taxonomy.targets
        }
        self._first = {name: np.full(len(titles), _NO_ROW) for name in self.taxonomy.names}
        self._second = {name: np.full(len(titles), _NO_ROW) for name in self.taxonomy.names}
        self._rows_of: list[set[int]] = [set() for _ in range(len(titles))]
        for number, matching in enumerate(self.rows):
            self._enter(number, matching)
        self._settle(np.arange(len(titles)))

    def try_row(self, number: int, row: Row | None) -> dict[str, ClassChanges]:
        """Say what would change, by target, if a row were replaced, or retired by None; the table stays as it is.

        A new row has the number after the last.
        """
        old = self.rows[number] if number < len(self.rows) else None
        touched = self._touched(old, row)
        matched = np.isin(touched, row.titles, assume_unique=True) if row else np.zeros(len(touched), dtype=bool)
        changes = {}
        for name in self.taxonomy.names:
            code = row.classes.get(name, _NO_ROW) if row else _NO_ROW
            if code == _NO_ROW and (old is None or name not in old.classes):
                continue
            others = self._others(name, number, touched)
            before, after = self._codes[name][self._first[name][touched]], self._codes[name][others]
            if row and code != _NO_ROW:
                after = np.where(matched & self._outranks(number, row, others), code, after)
            changed = before != after
            changes[name] = ClassChanges(titles=touched[changed], before=before[changed], after=after[changed])
        return changes

    def classes(self) -> dict[str, IntArray]:
        """Return the class of each title per target, (n_titles,)."""
        return {name: codes[self._first[name]] for name, codes in self._codes.items()}

    def put(self, number: int, row: Row | None) -> IntArray:
        """Replace a row, or retire it; return the titles that the old or the new row matches."""
        old = self.rows[number] if number < len(self.rows) else None
        if number == len(self.rows):
            self.rows.append(None)
            self._codes = {name: np.insert(codes, number, _NO_ROW) for name, codes in self._codes.items()}
        for title in old.titles if old else ():
            self._rows_of[title].discard(number)
        self.rows[number] = row
        self._rank()
        for name, codes in self._codes.items():
            codes[number] = row.classes.get(name, _NO_ROW) if row else _NO_ROW
        self._enter(number, row)
        touched = self._touched(old, row)
        self._settle(touched)
        return touched

    def _rank(self) -> None:
        """Put the rows in order; retired rows, and -1 for no row, come last."""
        self._order = sorted(_key(number, row) for number, row in enumerate(self.rows) if row)
        self._ranks = np.full(len(self.rows) + 1, len(self._order))
        self._ranks[[number for *_, number in self._order]] = np.arange(len(self._order))

    def _outranks(self, number: int, row: Row, others: IntArray) -> npt.NDArray[np.bool_]:
        """Say which of some other rows a row would outrank if it took the place of row `number`, (n_others,)."""
        return self._ranks[others] >= bisect_left(self._order, _key(number, row))

    def _enter(self, number: int, row: Row | None) -> None:
        for title in row.titles if row else ():
            self._rows_of[title].add(number)

    def _others(self, target: str, number: int, titles: IntArray) -> IntArray:
        """Return the row that decides each of some titles without row `number`, (n_asked,)."""
        first = self._first[target][titles]
        return np.where(first == number, self._second[target][titles], first)

    def _settle(self, titles: IntArray) -> None:
        """Find the first and the second of the rows that match each of some titles."""
        for title in titles:
            ranked = sorted(self._rows_of[title], key=self._ranks.__getitem__)
            for name, codes in self._codes.items():
                setting = [number for number in ranked if codes[number] != _NO_ROW]
                self._first[name][title] = setting[0] if setting else _NO_ROW
                self._second[name][title] = setting[1] if len(setting) > 1 else _NO_ROW

    @staticmethod
    def _touched(old: Row | None, new: Row | None) -> IntArray:
        """Return the titles that either row matches."""
        return np.union1d(old.titles if old else _NO_TITLES, new.titles if new else _NO_TITLES)


def _key(number: int, row: Row) -> tuple[float, int, int]:
    """Return the sort key of a row: the lower priority outranks, ties go to the longer, then the earlier row."""
    return row.priority, -row.length, number
