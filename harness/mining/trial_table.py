"""A keyword table over fixed titles, in which one change after another can be tried without matching again."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import FloatArray, IntArray

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
        self._hits = table.hits(titles)
        hits = self._hits.tocsc()
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
        self._put: set[int] = set()
        """Rows that were replaced, retired or added since, about which the hits of the table say nothing."""
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

    def gains(self, number: int, rows: Sequence[Row | None], shares: Mapping[str, FloatArray]) -> FloatArray:
        """Return what each of some rows would gain in the place of row `number`, (n_rows,).

        A gain is the sum of `evidence.title_points` of what `try_row` says. Rows that share the array of their titles
        and the class that they set are looked at together, however many priorities there are.

        Args:
            number: of the row to replace, or the number after the last.
            rows: None retires the row.
            shares: target to the soft labels of the titles, each (n_titles, n_classes).
        """
        old = self.rows[number] if number < len(self.rows) else None
        importance = sum(target.importance for target in self.taxonomy.targets)
        points = np.zeros(len(rows))
        for target in self.taxonomy.targets:
            name, codes, labels = target.name, self._codes[target.name], shares[target.name]
            if old and name in old.classes:
                lost = old.titles[self._first[name][old.titles] == number]
                change = labels[lost, codes[self._second[name][lost]]] - labels[lost, old.classes[name]]
                points += change.sum() * target.importance / importance
            alike: dict[tuple[int, int], dict[int, Row]] = {}
            for at, row in enumerate(rows):
                if row and name in row.classes:
                    alike.setdefault((id(row.titles), row.classes[name]), {})[at] = row
            for (_, code), some in alike.items():
                titles = next(iter(some.values())).titles
                others = self._others(name, number, titles)
                rises = labels[titles, code] - labels[titles, codes[others]]
                places = [bisect_left(self._order, _key(number, row)) for row in some.values()]
                levels, level = np.unique(places, return_inverse=True)
                # A row outranks the others that come at its place or later, as those of later levels do.
                outranked = np.searchsorted(levels, self._ranks[others], side="right")
                sums = np.bincount(outranked, rises, len(levels) + 1)[:0:-1].cumsum()[::-1]
                points[list(some)] += sums[level] * target.importance / importance
        return points

    def classes(self) -> dict[str, IntArray]:
        """Return the class of each title per target, (n_titles,)."""
        return {name: codes[self._first[name]] for name, codes in self._codes.items()}

    def put(self, number: int, row: Row | None) -> IntArray:
        """Replace a row, or retire it; return the titles that the old or the new row matches."""
        old = self.rows[number] if number < len(self.rows) else None
        if number == len(self.rows):
            self.rows.append(None)
            self._codes = {name: np.insert(codes, number, _NO_ROW) for name, codes in self._codes.items()}
        self.rows[number] = row
        self._put.add(number)
        self._rank()
        for name, codes in self._codes.items():
            codes[number] = row.classes.get(name, _NO_ROW) if row else _NO_ROW
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

    def _others(self, target: str, number: int, titles: IntArray) -> IntArray:
        """Return the row that decides each of some titles without row `number`, (n_asked,)."""
        first = self._first[target][titles]
        return np.where(first == number, self._second[target][titles], first)

    def _settle(self, titles: IntArray) -> None:
        """Find the first and the second of the rows that match each of some titles."""
        held = self._hits[titles]
        at = np.repeat(np.arange(len(titles)), np.diff(held.indptr))  # (n_pairs,), as are the next two
        as_given = ~np.isin(held.indices, list(self._put))
        pairs = [(at[as_given], held.indices[as_given])]
        place = np.full(self._hits.shape[0], -1)
        place[titles] = np.arange(len(titles))
        for number in self._put:
            row = self.rows[number]
            at = place[row.titles] if row else _NO_TITLES
            pairs.append((at[at >= 0], np.full(np.count_nonzero(at >= 0), number)))
        at, rows = (np.concatenate(column) for column in zip(*pairs, strict=True))
        order = np.lexsort((self._ranks[rows], at))
        at, rows = at[order], rows[order]
        for name, codes in self._codes.items():
            setting = codes[rows] != _NO_ROW
            its, ranked = at[setting], rows[setting]
            begins = np.concatenate([[True], its[1:] != its[:-1]])[: len(its)]
            follows = np.flatnonzero(begins[:-1] & ~begins[1:]) + 1
            for found, chosen in ((self._first, begins), (self._second, follows)):
                found[name][titles] = _NO_ROW
                found[name][titles[its[chosen]]] = ranked[chosen]

    @staticmethod
    def _touched(old: Row | None, new: Row | None) -> IntArray:
        """Return the titles that either row matches."""
        return np.union1d(old.titles if old else _NO_TITLES, new.titles if new else _NO_TITLES)


def _key(number: int, row: Row) -> tuple[float, int, int]:
    """Return the sort key of a row: the lower priority outranks, ties go to the longer, then the earlier row."""
    return row.priority, -row.length, number
