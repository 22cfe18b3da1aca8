"""Text in files that people open in a spreadsheet, where a cell such as "=1+1" would be run as a formula."""

import re

import polars as pl

_RISKY = r"'*[=+\-@\t\r\n]"
"""How a cell begins that is taken for a formula, or that would look like an escaped one.

Source: OWASP, "CSV injection", owasp.org/www-community/attacks/CSV_Injection.
"""

_ESCAPED = r"'+[=+\-@\t\r\n]"


def escape_cell(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run, or that has such an apostrophe already."""
    return f"'{text}" if re.match(_RISKY, text) else text


def unescape_cell(text: str) -> str:
    """Return what `escape_cell` was given; a text that was never escaped comes back as it is, save an escaped one."""
    return text[1:] if re.match(_ESCAPED, text) else text


def escape_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """Escape every cell of every column of text, as `escape_cell` does; numbers stay as they are."""
    return frame.with_columns(pl.col(pl.String).str.replace(f"^({_RISKY})", "'${1}"))
