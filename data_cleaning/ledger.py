"""The account of cleaning: one line per step, and where every record went."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

LEDGER_COLUMNS = (
    *("step", "records_in", "titles_in", "changed", "dropped", "records_out", "titles_out"),
    *("records_kept", "titles_kept", "why"),
)
"""The columns of a ledger; those of what is kept are shares of what the step was given."""
_UNREAD = "what could not be read as a record; its place, the fault and the text are in the file rejects"
POSITION = "position in the leads"
"""Name of a column that no file and no target has: the row of a record in the leads."""


class RecordsLost(RuntimeError):
    """Cleaning did not account for every record; a fault of the program, never of the data."""


@dataclass
class Ledger:
    """Filled step by step; frames have `title`, `count` and `POSITION`."""

    lines: list[dict[str, object]] = field(default_factory=list)
    dropped: list[pl.DataFrame] = field(default_factory=list)
    """`POSITION` and `reason` of the records that each step dropped."""
    _titles_before: int | None = None

    def enter(self, step: str, before: pl.DataFrame, after: pl.DataFrame, changed: int, why: str) -> None:
        """Write the line of one step; `changed` counts records."""
        # A step receives what the one before it left, so titles are counted once per step.
        n_before = _titles(before) if self._titles_before is None else self._titles_before
        n_after = _titles(after)
        n_in, n_out = records(before), records(after)
        shares = (kept_share(n_out, n_in), kept_share(n_after, n_before))
        values = (step, n_in, n_before, changed, n_in - n_out, n_out, n_after, *shares, why)
        self.lines.append(dict(zip(LEDGER_COLUMNS, values, strict=True)))
        self._titles_before = n_after

    def drop(self, step: str, before: pl.DataFrame, reasons: pl.Series, why: str) -> pl.DataFrame:
        """Drop the rows of `before` whose reason is not null, write the line of the step, and return the others."""
        after = before.filter(reasons.is_null())
        dropped = before.select(POSITION).with_columns(reasons.alias("reason")).filter(reasons.is_not_null())
        self.dropped.append(dropped)
        self.enter(step, before, after, 0, why)
        return after

    def table(self) -> pl.DataFrame:
        """Return the lines, with `LEDGER_COLUMNS`."""
        return pl.DataFrame(self.lines)


def with_unread_rows(ledger: pl.DataFrame, n_rows: int) -> pl.DataFrame:
    """Put a first line before those of a ledger for rows of the file that could not be read; none where there are none.

    Each of them counts as a record.
    """
    if not n_rows:
        return ledger
    first = ledger.row(0, named=True)
    n_records, n_titles = first["records_in"], first["titles_in"]
    shares = (kept_share(n_records, n_records + n_rows), 1.0)
    values = ("read the file", n_records + n_rows, n_titles, 0, n_rows, n_records, n_titles, *shares, _UNREAD)
    line = pl.DataFrame([values], schema=ledger.schema, orient="row")
    return pl.concat([line, ledger])


def kept_share(n_kept: int, n_given: int) -> float:
    """Return a share with four digits; 1 where nothing was given, so that nothing was lost."""
    return round(n_kept / n_given, 4) if n_given else 1.0


def records(frame: pl.DataFrame | pl.LazyFrame) -> int:
    """Return the number of records that the rows of a frame stand for."""
    return int(frame.lazy().select(pl.col("count").sum()).collect().item())


def require_account(leads: pl.DataFrame, kept: pl.Series, dropped: pl.Series, ledger: pl.DataFrame) -> None:
    """Check that every row of the leads is once among the positions kept or dropped, and that the ledger says so.

    Raises:
        RecordsLost: a record is in neither, or in both.
    """
    everywhere = pl.concat([kept, dropped]).sort().to_numpy()
    if not np.array_equal(everywhere, np.arange(len(leads))):
        raise RecordsLost(
            f"Of {len(leads):,} rows, {len(kept):,} were kept and {len(dropped):,} dropped, not each once."
        )
    n_left, n_dropped = (int(leads["count"].gather(part).sum()) for part in (kept, dropped))
    in_ledger = (int(ledger["records_out"][-1]), int(ledger["dropped"].sum()))
    if n_left + n_dropped != records(leads) or in_ledger != (n_left, n_dropped):
        raise RecordsLost(
            f"Of {records(leads):,} records, {n_left:,} were kept and {n_dropped:,} dropped; the "
            f"ledger says {in_ledger}."
        )


def _titles(frame: pl.DataFrame) -> int:
    return frame["title"].drop_nulls().n_unique()
