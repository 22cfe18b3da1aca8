"""One table with what a reader must know to read it: worded for people, written as Markdown, CSV and LaTeX."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, Literal, TypeVar

import pandas as pd
import polars as pl
from tabulate import tabulate

_MARKDOWN_SIGNS = re.compile(r"[\\`*\[\]|]|&(?=#?\w+;)")
"""Of code, emphasis, links, columns of a table and entities."""

_SYSTEM_COLUMNS = ("split", "learned_from", "system")

Frame = TypeVar("Frame", pd.DataFrame, pl.DataFrame)


@dataclass(frozen=True)
class ShownTable:
    """The part of a table that people are shown, every cell a text."""

    columns: tuple[str, ...]
    """As the frame has them."""
    is_number: tuple[bool, ...]
    """Whether each column is aligned to the right."""
    rows: list[tuple[str, ...]]
    n_more: int
    """Rows that are not shown."""


@dataclass(frozen=True)
class Table(Generic[Frame]):
    """One table with what a reader must know to read it."""

    name: str
    """Of its files."""
    title: str
    note: str
    frame: Frame
    """Numbers stay numbers, and shares are in [0, 1]; `shown` words them."""
    max_rows: int | None = None
    """Rows that people are shown, of a table that is too long to read; the CSV file has all of them."""
    whole: str = ""
    """What the shares are a part of, such as "the 9 records with a title"; for the axis of a plot."""
    wording: Literal["scores", "shares"] = "scores"
    """`scores` have three digits; `shares` are in per cent, long text is cut and headers have no underscores."""
    longest_cell: int = 90
    """Characters from which on text is cut, where it is."""

    def shown(self, max_rows: int | None = None) -> ShownTable:
        """Return the first rows, worded, `max_rows` of them or the table's own number.

        Columns that say the same in every row of a long table are left out, and so is what a system learned from where
        that is the same for all.
        """
        max_rows = self.max_rows if max_rows is None else max_rows
        head = self.frame if max_rows is None else self.frame.head(max_rows)
        names = [name for name in head.columns if not self._says_nothing(head, name)]
        columns = [head[name].to_list() if isinstance(head, pl.DataFrame) else head[name].tolist() for name in names]
        word = _word_score if self.wording == "scores" else partial(_word_share, self.longest_cell)
        worded = [[word(str(name), value) for value in column] for name, column in zip(names, columns, strict=True)]
        return ShownTable(
            columns=tuple(map(str, names)),
            is_number=tuple(self._is_number(name) for name in names),
            rows=list(zip(*worded, strict=True)),
            n_more=len(self.frame) - len(head),
        )

    def _is_number(self, column: Hashable) -> bool:
        if isinstance(self.frame, pl.DataFrame):
            return self.frame.schema[str(column)].is_numeric()
        return bool(pd.api.types.is_numeric_dtype(self.frame[column]))

    def _says_nothing(self, head: Frame, column: Hashable) -> bool:
        if self.wording == "shares" or column not in _SYSTEM_COLUMNS:
            return False
        alike = self.max_rows is not None and len(set(head[column])) <= 1
        return alike or (column == "learned_from" and len(set(head[column]) - {""}) == 1)


def write_tables(
    tables: Sequence[Table], folder: Path, *, with_latex: bool = True, max_rows: int | None = None
) -> None:
    """Write each table to files of its name: whole as `.csv`, as `.md` and, for papers, as `.tex`.

    A `.md` file has `max_rows` rows, or those that the table shows, and says how many more there are.
    """
    from data_cleaning.files.spreadsheet_text import escape_cell  # on use: a table that is shown needs no writer
    from data_cleaning.files.written_tables import write_table

    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        n_more = len(table.frame) - (max_rows or len(table.frame))
        more = f"\n\n{n_more:,} more rows in {table.name}.csv." if n_more > 0 else ""
        text = f"# {table.title}\n\n{table.note}\n\n{as_markdown(table, max_rows)}{more}\n"
        (folder / f"{table.name}.md").write_text(text, encoding="utf-8")
        if isinstance(table.frame, pl.DataFrame):
            write_table(table.frame, folder / f"{table.name}.csv")
        else:
            safe = table.frame.map(lambda cell: escape_cell(cell) if isinstance(cell, str) else cell)
            safe.rename(columns=escape_cell).to_csv(folder / f"{table.name}.csv", index=False)
        if with_latex:
            (folder / f"{table.name}.tex").write_text(_as_latex(table), encoding="utf-8")


def as_markdown(table: Table, max_rows: int | None = None) -> str:
    """Return the rows that are shown as a Markdown table."""
    shown = table.shown(max_rows)
    headers = [name.replace("_", " ") if table.wording == "shares" else name for name in shown.columns]
    sides = ["right" if is_number else "left" for is_number in shown.is_number]
    rows = [[markdown_text(cell) for cell in row] for row in shown.rows]
    return tabulate(
        rows, [markdown_text(name) for name in headers], tablefmt="pipe", disable_numparse=True, colalign=sides
    )


def markdown_text(text: str) -> str:
    """Return Markdown that shows a text from a file as it is, on one line."""
    on_one_line = " ".join(text.split())
    return _MARKDOWN_SIGNS.sub(r"\\\g<0>", on_one_line).replace("<", "&lt;")


def _as_latex(table: Table) -> str:
    shown = table.shown()
    sides = "".join("r" if is_number else "l" for is_number in shown.is_number)
    frame = pd.DataFrame(shown.rows, columns=list(shown.columns))
    label = f"tab:{table.name}"
    return frame.to_latex(index=False, escape=True, caption=table.title, label=label, column_format=sides)


def ahead_or_behind(row: pd.Series) -> str:
    """Say whether the interval of a difference, from `low` to `high`, leaves out 0."""
    if pd.isna(row["low"]):
        return "too few titles"
    return "ahead" if row["low"] > 0 else "behind" if row["high"] < 0 else "no difference shown"


def cut(text: str, max_characters: int) -> str:
    """Shorten a text to `max_characters`, the last of them an ellipsis where something is left out."""
    return text if len(text) <= max_characters else text[: max_characters - 1].rstrip() + "…"


def percent(share: float) -> str:
    """Word a share in [0, 1]; only all is 100%, and only none is 0%."""
    if share in (0, 1):
        return f"{share:.0%}"
    return "<0.01%" if share < 0.0001 else ">99.99%" if share > 0.9999 else f"{share:.2%}"


def _word_score(column: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) <= 1 else f"{value:,.1f}"
    return f"{value:,}"


def _word_share(longest: int, column: str, value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return cut(" ".join(value.split()), longest)
    if isinstance(value, float):
        if "share" in column or "deviation" in column:
            return percent(value)
        return f"{value:,.0f}" if value >= 100 or value.is_integer() else f"{value:,.3f}"
    return f"{value:,}"
