"""One table with what a reader must know to read it, as Markdown, CSV and LaTeX."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

_ARM = ("split", "learned_from", "system")


@dataclass(frozen=True)
class Table:
    """One table with what a reader must know to read it."""

    name: str
    title: str
    note: str
    frame: pd.DataFrame
    """Numbers stay numbers; `display` words them."""
    first: int | None = None
    """Rows that are shown, of a table that is too long to read; the CSV file has all of them."""

    @property
    def shown(self) -> pd.DataFrame:
        """The rows to show, worded; of those of a long table without the columns in which all of them are alike."""
        if self.first is None:
            return display(self.frame)
        head = self.frame.head(self.first)
        return display(head.drop(columns=[name for name in _ARM if name in head and len(set(head[name])) <= 1]))


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Word the numbers of a table: shares to three digits, counts with separators, a dash for what is missing.

    Which block of labels a system learned from is left out where there is only one.
    """
    if "learned_from" in frame and len(set(frame["learned_from"]) - {""}) == 1:
        frame = frame.drop(columns="learned_from")
    return frame.apply(lambda column: column.map(_word))


def is_number(table: Table, column: Hashable) -> bool:
    """Say whether a column of a table is set to the right."""
    return bool(pd.api.types.is_numeric_dtype(table.frame[column]))


def write_tables(tables: Sequence[Table], folder: Path, *, with_latex: bool = True) -> None:
    """Write each table as `.md`, `.csv` and, for papers, `.tex`."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        worded = table.shown
        sides = ["right" if is_number(table, name) else "left" for name in worded]
        # A bar inside a cell would open a column of its own.
        body = worded.map(lambda cell: cell.replace("|", r"\|")).to_markdown(
            index=False, disable_numparse=True, colalign=sides
        )
        (folder / f"{table.name}.md").write_text(f"# {table.title}\n\n{table.note}\n\n{body}\n", encoding="utf-8")
        table.frame.to_csv(folder / f"{table.name}.csv", index=False)
        if not with_latex:
            continue
        tex = worded.to_latex(
            index=False,
            escape=True,
            caption=table.title,
            label=f"tab:{table.name}",
            column_format="".join(side[0] for side in sides),
        )
        (folder / f"{table.name}.tex").write_text(tex, encoding="utf-8")


def verdict(row: pd.Series) -> str:
    """Say whether the interval from `low` to `high` leaves out 0."""
    if pd.isna(row["low"]):
        return "too few titles"
    return "ahead" if row["low"] > 0 else "behind" if row["high"] < 0 else "no difference shown"


def _word(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) <= 1 else f"{value:,.1f}"
    return f"{value:,}"
