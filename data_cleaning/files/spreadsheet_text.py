"""Text for spreadsheets: cells such as "=1+1", which would run as formulas, and characters that no cell can hold."""

import re
from collections.abc import Collection

import polars as pl
import polars.selectors as cs
import pyarrow as pa

from data_cleaning.files.text_edges import may_begin

REPLACEMENT = "\ufffd"
"""Takes the place of each character that XML, and so a worksheet, cannot hold."""

_RISKY = r"^[=+\-@＝＋－＠\t\r\n]"
"""How a cell begins that is taken for a formula.

Source: OWASP, "CSV injection", owasp.org/www-community/attacks/CSV_Injection.
"""

_RISKY_BYTES = sorted({sign.encode()[0] for sign in "=+-@＝＋－＠\t\r\n"})

_HARMLESS = r"[+\-][ \u00a0+\-0-9.,()/%$€£]*(?:[eE][+\-]?[0-9]+)?"
"""Numbers, telephone numbers and dashes, the whole cell: without letters, nothing is there to run or to look up."""

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape_cell(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run; a text that is escaped already stays as it is."""
    return f"'{text}" if _is_risky(text) else text


def unescape_cell(text: str) -> str:
    """Return what `escape_cell` was given; a text that was never escaped stays as it is, unless it looks escaped."""
    return text[1:] if text.startswith("'") and _is_risky(text[1:]) else text


def escape_frame(frame: pl.DataFrame, harmless: Collection[str] = ()) -> tuple[pl.DataFrame, int]:
    """Escape every cell of every column of text, as `escape_cell` does; others and `harmless` ones stay as they are.

    Returns:
        The frame, and how many cells were escaped.
    """
    texts = cs.string() - cs.by_name(*harmless)
    risky = frame.select(_are_risky(texts.as_expr()))
    n_escaped = {column.name: int(column.sum()) for column in risky}
    columns = pl.col(name for name, n_cells in n_escaped.items() if n_cells)
    escaped = pl.when(_are_risky(columns)).then(pl.lit("'") + columns).otherwise(columns).name.keep()
    return frame.with_columns(escaped) if any(n_escaped.values()) else frame, sum(n_escaped.values())


def may_be_risky(column: pa.ChunkedArray) -> bool:
    """Say whether a column of text may hold a cell to escape, as far as its first bytes tell."""
    known = pa.types.is_string(column.type) or pa.types.is_string_view(column.type)
    return not known or may_begin(column, _RISKY_BYTES)


def unescape_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """Undo `escape_frame`, in each cell as `unescape_cell` does."""
    texts, rests = pl.col(pl.String), pl.col(pl.String).str.slice(1)
    escaped = texts.str.starts_with("'") & _are_risky(rests)
    return frame.with_columns(pl.when(escaped).then(rests).otherwise(texts).name.keep())


def _are_risky(texts: pl.Expr) -> pl.Expr:
    return texts.str.contains(_RISKY) & ~texts.str.contains(f"^(?:{_HARMLESS})$")


def _is_risky(text: str) -> bool:
    return bool(re.match(_RISKY, text)) and not re.fullmatch(_HARMLESS, text)


def replace_unwritable(text: str) -> str:
    """Put U+FFFD in the place of each character that XML cannot hold."""
    return _NO_XML.sub(REPLACEMENT, text)


def safe_text(text: str) -> str:
    """Return text that a spreadsheet can hold and does not run."""
    return escape_cell(replace_unwritable(text))
