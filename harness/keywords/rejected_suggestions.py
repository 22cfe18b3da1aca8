"""Suggestions that a person rejected, remembered in a CSV file beside the keyword table so that they stay rejected."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.spreadsheet_text import escape_cell
from data_cleaning.files.table_reader import read_table, require_text
from harness.keywords.suggestions import ACTIONS, Suggestion

MEMORY_NAME = "rejected_suggestions.csv"
COLUMNS = ("date", "action", "keyword", "table", "key")
"""Of the file; a person may add others. Only `key` is read again, so a suggestion is forgotten by deleting its row."""


def memory_beside(table: Path) -> Path:
    """Return where the rejected suggestions for a table, and for its other revisions, are kept."""
    return table.with_name(MEMORY_NAME)


def read_memory(path: Path) -> pl.DataFrame:
    """Read every column of the file, of any kind, as text; without a file there are no rows.

    Raises:
        BadInput: the file cannot be read, has no column `key`, or a row in it has no key of a suggestion.
    """
    if not path.exists():
        return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    table = read_table(path, allow_no_rows=True)
    require_text(table.frame, path)
    frame = table.frame.cast(pl.String).rename(str.strip)
    if "key" not in frame.columns:
        raise BadInput(f"{path} has no column 'key' but {first_few(map(repr, frame.columns))}; name it in line 1.")
    faults = [
        f"{table.place(row)}: {key or ''!r} is no key of a suggestion"
        for row, key in enumerate(frame["key"])
        if not _is_key(key or "")
    ]
    if faults:
        example = "add|keyword"
        raise BadInput(f"{path}: {first_few(faults)}. A key is written as {example!r}; fix or delete these rows.")
    return frame


def read_rejected(path: Path) -> list[str]:
    """Return the keys of the suggestions that were rejected; none without a file.

    Raises:
        BadInput: as `read_memory`.
    """
    return read_memory(path)["key"].to_list()


def updated(
    memory: pl.DataFrame, *, accepted: Sequence[str], rejected: Sequence[Suggestion], table_name: str, day: date
) -> pl.DataFrame:
    """Forget what is accepted now, and note what is rejected and not yet in the memory.

    Args:
        memory: as `read_memory` returns it.
        accepted: keys of suggestions.
        rejected: in the order in which they are to be noted.
        table_name: of the table that they were made for.
        day: on which they were rejected.
    """
    kept = memory.filter(~pl.col("key").is_in(list(accepted)))
    known = set(kept["key"])
    new = {one.key: one for one in rejected if one.key not in known}
    cells = [
        (day.isoformat(), one.action, escape_cell(one.keyword), escape_cell(table_name), key)
        for key, one in new.items()
    ]
    noted = pl.DataFrame(cells, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return pl.concat([kept, noted], how="diagonal")


def _is_key(text: str) -> bool:
    """Say whether a text is built as the key of a suggestion: an action and a keyword, and for some labels."""
    action, _, rest = text.partition("|")
    return action in ACTIONS and bool(rest)
