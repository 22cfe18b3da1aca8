"""Rows below a header that are no records: the header again, totals and remarks at the end, and a second table."""

import csv
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data_cleaning.errors import counted, first_few, shortened
from data_cleaning.files.other_tables import ROWS_ABOVE, ROWS_BELOW, names_other_columns
from data_cleaning.files.sources import Batch, Reject
from data_cleaning.files.table_layout import is_data, is_title_name, names_columns
from data_cleaning.files.text_edges import may_end_in

_LAST = ROWS_ABOVE + ROWS_BELOW
"""Rows at the end of a table among which totals and remarks are looked for."""
_MAX_SUSPECTS = 1_000
"""In a batch; where more rows follow a gap, gaps mean nothing."""
_MAX_REMARKS = 3
"""Above another header that belong to it."""
_LONGEST_SHOWN, _LONGEST_PARSED = 60, 10_000

_TOTAL = re.compile(
    r"((grand|overall|sub|report|final)?[\s-]*totals?( (of )?(number of )?(records?|rows?|entries|leads|contacts"
    r"|attendees|registrants|registrations|responses|count|headcount|employees|staff|people|persons|participants"
    r"|members|users|respondents|applications|cases))?|summe|gesamt(summe|ergebnis)?|total g[ée]n[ée]ral"
    r"|totale?( complessivo)?|totaal|eindtotaal|итого|合計|総計|总计|合计|총계|(record|row)s?( count)?|count)"
    r"(\s*\([^()]*\))?\s*[:=]?\s*(?P<number>[\d.,\s]*)",
    re.IGNORECASE,
)
_SUBTOTAL = r"(?i)^\s*(.+ )?(sub)?-?totals?\s*$"
_REMARK = re.compile(
    r"((report|data|list|file|document|export)\s+)?(generated|exported|created|printed|downloaded|produced|prepared|run)"
    r"( (on|by|at|from)\b|\s*:).*"
    r"|confidential( (and|information|data|report)\b|\s*[-–—:,;.(]).*|(strictly|private and|company) confidential.*"
    r"|.*\b(internal use only|do not distribute|all rights reserved)\b.*"
    r"|(copyright\s*)?(©|\(c\)).*|copyright\s+\d{4}.*|page \d+( (of|/) \d+)?|end of (report|file|list|data|export)\W*"
    r"|(source|notes?|disclaimer|filters?( applied)?|applied filters|report (name|id|date|period|run))\s*:.*"
    r"|\d[\d.,]* (records?|rows?|results?|entries)\b.*|as of (\w+ )?\d.*|n\s*=\s*\d+"
    r"|(erstellt|exportiert|stand)( am\b| von\b|\s*:).*|(streng )?vertraulich\s*[-–—:,;.].*"
    r"|(créé|exporté|généré) le\b.*",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class _Item:
    """A row, or a reject in place of one."""

    place: int
    cells: tuple[str, ...]
    """Without blanks around them."""
    text: str
    is_row: bool
    after_gap: bool
    """Whether a blank line or an empty row is above it."""
    may_be_remark: bool
    """Whether nothing shows that it has the fields of a record: it is a reject, short, or in a sheet."""

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]

    @property
    def label(self) -> str:
        """The first cell that is no number, as far as there is one."""
        return next((cell for cell in self.filled if not is_data(cell)), self.filled[0])

    @property
    def is_alone(self) -> bool:
        return len(self.filled) == 1

    @property
    def is_record(self) -> bool:
        """Whether it is surely a record."""
        return len(self.filled) > 1 and not self.is_footer

    @property
    def is_subtotal(self) -> bool:
        """Whether it is one text beside numbers alone, in a table in which that leaves cells empty."""
        n_labels = sum(not is_data(cell) for cell in self.filled)
        return n_labels == 1 and 1 < len(self.filled) < len(self.cells)

    @property
    def is_footer(self) -> bool:
        """Whether it surely is a total or a remark."""
        if not self.filled:
            return False
        labels = [cell for cell in self.filled if not is_data(cell)]
        if len(labels) == 1 and (total := _TOTAL.fullmatch(labels[0])) is not None:
            return len(self.cells) > 1 or bool(total["number"]) or "grand" in labels[0].lower()
        return _REMARK.fullmatch(self.filled[0]) is not None and len(self.filled) < 3


class Sifter:
    """Takes what is no record out of the batches of a table, and says what that was."""

    def __init__(self, heads: Iterable[Sequence[str]], unit: str, delimiter: str, *, is_sheet: bool) -> None:
        """Remember the rows of the header, each with its cells; `delimiter` is that of the text of rejects."""
        self._heads = [tuple(head) for head in heads]
        self._title_columns = {at for head in self._heads for at, name in enumerate(head) if is_title_name(name)}
        self._unit, self._delimiter, self._is_sheet = unit, delimiter, is_sheet
        self._again: list[int] = []
        self._footers: list[_Item] = []
        self._others: list[_Item] = []
        """The headers of other tables."""
        self._n_others = 0
        """Rows of other tables."""
        self._within_other = self._ends_at_gap = False
        self._last_looked_at = 0

    def sift(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the batches without what is no record; the last rows are held back until the end is known."""
        held: Batch | None = None
        n_done = 0  # the place up to which rows were looked at
        for batch in batches:
            merged = batch if held is None else _together(held, batch)
            # What the last rows are may depend on those that follow.
            end = min(_places(merged, ROWS_BELOW + 1), default=0)
            sifted = self._without_tables(merged, n_done, end)
            n_done = max(n_done, end - 1)
            ready, held = _split(sifted, _LAST)
            if ready.rows.num_rows or ready.rejects:
                yield ready
        if held is not None:
            end = max(_places(held, 1), default=0) + 1
            last = self._without_footer(self._without_tables(held, n_done, end), end)
            if last.rows.num_rows or last.rejects:
                yield last

    @property
    def said(self) -> tuple[str, ...]:
        """What was taken out so far, in sentences for a person."""
        said = []
        unit = self._unit
        if self._again:
            shown = first_few(map(str, self._again), max_items=5)
            said.append(f"The header again, not counted as a record: {unit} {shown}.")
        if self._footers:
            shown = first_few(
                (f"{unit} {one.place} ({shortened(one.label, _LONGEST_SHOWN)!r})" for one in self._footers), 5
            )
            said.append(f"Totals and remarks, not counted as records: {shown}.")
        for one in self._others[:1]:
            names = first_few(map(repr, one.filled), max_items=3)
            more = f" and {counted(len(self._others) - 1, 'other')} below" if len(self._others) > 1 else ""
            said.append(
                f"Another table begins in {unit} {one.place} ({names}){more}; not read: "
                f"{counted(self._n_others, 'row')}. To read it, give --header-row {one.place}."
            )
        return tuple(said)

    def _without_tables(self, batch: Batch, n_done: int, end: int) -> Batch:
        """Leave out headers that occur again, subtotals, and other tables, from what is before a place.

        Another table ends where the header of this one is repeated; one with unusual names ends at the next gap.
        """
        batch = self._without_subtotals(batch, n_done, end)
        again = [place for place in self._repeated(batch) if n_done < place < end]
        found = [*self._other_headers(batch, n_done), *self._unusual_headers(batch, n_done)]
        others = {one.place: one for one in found if one.place not in again and one.place < end}
        if not again and not others and not self._within_other:
            return batch
        places = _places(batch)
        left_out: set[int] = set()
        for place in places[bisect_right(places, n_done) : bisect_left(places, end)]:
            self._within_other &= not self._ends_at_gap or place == self._last_looked_at + 1
            if place in again or place in others:
                if not self._within_other:
                    left_out.update(self._remarks_above(batch, place))
                self._within_other = place in others
                self._ends_at_gap = self._within_other and not names_columns(others[place].filled)
                left_out.add(place)
                if place in others:
                    self._others.append(others[place])
                else:
                    self._again.append(place)
            elif self._within_other:
                self._n_others += 1
                left_out.add(place)
            self._last_looked_at = place
        return _without(batch, left_out)

    def _without_subtotals(self, batch: Batch, n_done: int, end: int) -> Batch:
        """Leave out the rows that end the groups of a pivot table, as in "RSA Total,,12"."""
        named = np.zeros(batch.rows.num_rows, dtype=bool)
        for column in batch.rows.columns:
            rows = may_end_in(column, [b"total", b"totals"])
            matched = pc.match_substring_regex(column.take(pa.array(rows)), _SUBTOTAL).fill_null(False)
            named[rows] |= matched.to_numpy()
        places = batch.places[named & (batch.places > n_done) & (batch.places < end)].tolist()
        found = [item for place in places for item in self._items(batch, place + 1, 1) if item.is_subtotal]
        self._footers += found
        return _without(batch, {one.place for one in found})

    def _repeated(self, batch: Batch) -> list[int]:
        """Return the places of rows and rejects that are a row of the header."""
        found: set[int] = set()
        for head in self._heads:
            names, rows = [name.strip() for name in head if name.strip()], None
            if not names or (len(names) == 1 and not is_title_name(names[0])):
                continue
            # The column with the longest name leaves the fewest rows to compare.
            cells = [*head, *[""] * batch.rows.num_columns][: batch.rows.num_columns]
            for at in sorted(range(len(cells)), key=lambda at: -len(cells[at])):
                rows = _equal(batch.rows.column(at), cells[at], rows)
            found.update(batch.places[rows].tolist())
            found.update(one.place for one in batch.rejects if [c for c in self._cells(one) if c] == names)
        return sorted(found)

    def _other_headers(self, batch: Batch, n_done: int) -> list[_Item]:
        """Return the rows and rejects that name the columns of another table."""
        if batch.rows.num_columns < 2:
            return []
        rejects = [one.place for one in batch.rejects if one.place > n_done and names_columns(self._cells(one))]
        suspects = self._suspects(batch, n_done)
        items = [item for place in (*rejects, *suspects) for item in self._items(batch, place + 1, 1)]
        return [one for one in items if names_columns(one.filled)]

    def _unusual_headers(self, batch: Batch, n_done: int) -> list[_Item]:
        """Return the rows below a gap that name the columns of another table by unusual names."""
        found, places = [], _places(batch)
        for place in self._suspects(batch, n_done) if batch.rows.num_columns > 1 else ():
            if any(map(is_data, self._items(batch, place + 1, 1)[0].filled)):
                continue
            end = places[min(bisect_left(places, place) + ROWS_BELOW, len(places) - 1)] + 1
            items = self._items(batch, end, ROWS_ABOVE + 1 + ROWS_BELOW)
            number = next(number for number, one in enumerate(items) if one.place == place)
            above = [one.cells for one in items[max(number - ROWS_ABOVE, 0) : number] if one.is_record]
            below = takewhile(lambda one: one.is_record and not one.after_gap, items[number + 1 :])
            if names_other_columns(above, items[number].cells, [one.cells for one in below], self._title_columns):
                found.append(items[number])
        return found

    def _suspects(self, batch: Batch, n_done: int) -> list[int]:
        """Return the places of rows below a gap that is no rejected record, or below a row or reject with one cell."""
        places, n_filled = batch.places, _n_filled(batch.rows)
        below = np.diff(places, prepend=places[:1]) > 1
        below[1:] |= n_filled[:-1] == 1
        rows = np.flatnonzero(below & (places > n_done) & (n_filled > 1))
        found = set(places[rows].tolist() if len(rows) <= _MAX_SUSPECTS else [])
        broken = [one.place + 1 for one in batch.rejects if one.place + 1 in found and len(self._cells(one)) > 1]
        return sorted(found.difference(broken))

    def _remarks_above(self, batch: Batch, place: int) -> set[int]:
        """Return the places of what is above another header and belongs to it, or ends the table before it."""
        items = self._items(batch, place, _LAST)
        left_out: set[int] = set()
        sparse = _is_sparse(items[:-1])
        while items and items[-1].is_alone and not items[-1].is_footer and len(left_out) < _MAX_REMARKS:
            one = items[-1]
            if not one.after_gap and (left_out or (one.is_row and sparse)):
                break
            left_out.add(items.pop().place)
            if one.after_gap:
                break
        footer = _footer(items)
        self._footers += [one for one in footer if one.filled]
        return left_out | {one.place for one in footer}

    def _without_footer(self, batch: Batch, end: int) -> Batch:
        """Leave out totals and remarks at the end; a remark that might be a record becomes a reject."""
        items = self._items(batch, end, _LAST)
        footer = _footer(items)
        self._footers += [one for one in footer if one.filled]
        rest = items[: len(items) - len(footer)]
        loose = [] if _is_sparse(rest) else _loose(rest)
        unclear = [one for one in loose if one.is_row and one.may_be_remark]
        sifted = _without(batch, {one.place for one in (*footer, *unclear)})
        reason = "stands alone below the table, as a remark does"
        rejects = [Reject(one.place, reason, one.text) for one in unclear]
        return replace(sifted, rejects=tuple(sorted((*sifted.rejects, *rejects), key=lambda one: one.place)))

    def _items(self, batch: Batch, end: int, n_last: int) -> list[_Item]:
        """Return the last rows and rejects before a place."""
        stop = bisect_left(batch.places, end)
        start = max(stop - n_last - 1, 0)
        rows = batch.rows.slice(start, stop - start)
        columns = [column.to_pylist() for column in rows.columns]
        found: list[tuple[int, tuple[str, ...], str, bool]] = []
        for at, cells in zip(range(start, stop), zip(*columns, strict=True), strict=True):
            texts = tuple(cell or "" for cell in cells)
            found.append((int(batch.places[at]), tuple(map(str.strip, texts)), self._delimiter.join(texts), True))
        n_before = bisect_left(batch.rejects, end, key=lambda one: one.place)
        rejects = batch.rejects[max(n_before - n_last - 1, 0) : n_before]
        found += [(one.place, self._cells(one), one.text, False) for one in rejects]
        found.sort(key=lambda one: one[0])
        before = 0
        items = []
        short = set(batch.short) if len(batch.short) else ()
        for place, cells, text, is_row in found:
            may_be_remark = not is_row or self._is_sheet or place in short
            items.append(_Item(place, cells, text, is_row, bool(before) and place > before, may_be_remark))
            before = place + 1 + (0 if self._is_sheet else len(re.findall(r"\r\n|\r|\n", text)))
            if not any(cells):
                before = place  # a row of empty cells is a gap
        return items[-n_last:]

    def _cells(self, reject: Reject) -> tuple[str, ...]:
        with suppress(csv.Error, StopIteration):
            cells = next(csv.reader([reject.text[:_LONGEST_PARSED]], delimiter=self._delimiter))
            return tuple(cell.strip() for cell in cells)
        return (reject.text,)


def _footer(items: Sequence[_Item]) -> Sequence[_Item]:
    """Return the items at the end that are totals and remarks, with what stands alone or empty among and below them."""
    first = next((at for at, one in enumerate(items) if one.is_footer), len(items))
    sparse = _is_sparse(items[:first])
    start = len(items)
    for at in range(len(items) - 1, -1, -1):
        one = items[at]
        if one.is_footer:
            start = at
        elif one.filled and (sparse or not one.is_alone):
            break
    while start < len(items) and start and not items[start - 1].filled:
        start -= 1
    return items[start:]


def _is_sparse(items: Sequence[_Item]) -> bool:
    """Say whether records with a single cell are usual, so that such a one is no sign of a remark."""
    above = items[: len(items) - len(_loose(items))]
    records = [one for one in above if one.is_row and one.filled and not one.is_footer]
    return not records or 4 * sum(one.is_alone for one in records) > len(records)


def _loose(items: Sequence[_Item]) -> Sequence[_Item]:
    """Return the few items at the end that stand alone below a gap, the only one of the table."""
    for number in range(1, min(_MAX_REMARKS, len(items) - 1) + 1):
        if not items[-number].is_alone:
            break
        if items[-number].after_gap:
            return () if any(one.after_gap for one in items[:-number]) else items[-number:]
    return ()


def _equal(column: pa.ChunkedArray, name: str, rows: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64]:
    """Return which of some rows hold a name, or nothing where there is none; None looks at all rows."""
    values = column if rows is None else column.take(pa.array(rows))
    wanted = pa.array([name, name.strip(), f"\ufeff{name}"] if name.strip() else [None, name], pa.string())
    equal = np.flatnonzero(pc.is_in(values, wanted).to_numpy())
    return equal if rows is None else rows[equal]


def _n_filled(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Count the filled cells of each row, (n_rows,)."""
    n_filled = np.full(rows.num_rows, rows.num_columns)
    for column in rows.columns:
        if column.null_count:
            n_filled -= column.is_null().to_numpy()
    return n_filled


def _places(batch: Batch, n_last: int = 0) -> list[int]:  # by default of all rows and rejects
    return sorted([*batch.places[-n_last:].tolist(), *(one.place for one in batch.rejects[-n_last:])])[-n_last:]


def _without(batch: Batch, places: set[int]) -> Batch:
    if not places:
        return batch
    keep = ~np.isin(batch.places, list(places))
    cells = None if batch.cells is None else [row for row, kept in zip(batch.cells, keep, strict=True) if kept]
    rejects = tuple(one for one in batch.rejects if one.place not in places)
    return Batch(batch.rows.filter(pa.array(keep)), rejects, cells, batch.places[keep], batch.short)


def _split(batch: Batch, n_last: int) -> tuple[Batch, Batch]:
    """Return a batch without its last rows and rejects, and these."""
    places = _places(batch, n_last)
    if batch.rows.num_rows + len(batch.rejects) <= n_last:
        return _part(batch, 0, 0, before=1), batch
    stop = places[0]
    at = bisect_left(batch.places, stop)
    return _part(batch, 0, at, before=stop), _part(batch, at, batch.rows.num_rows, since=stop)


def _part(batch: Batch, start: int, stop: int, *, since: int = 0, before: int = 0) -> Batch:
    rejects = tuple(one for one in batch.rejects if (one.place < before if before else one.place >= since))
    cells = None if batch.cells is None else batch.cells[start:stop]
    return Batch(batch.rows.slice(start, stop - start), rejects, cells, batch.places[start:stop], batch.short)


def _together(first: Batch, second: Batch) -> Batch:
    cells = None if first.cells is None or second.cells is None else [*first.cells, *second.cells]
    return Batch(
        pa.concat_tables([first.rows, second.rows]),
        first.rejects + second.rejects,
        cells,
        np.concatenate([first.places, second.places]),
        first.short[-_LAST:] + second.short,
    )
