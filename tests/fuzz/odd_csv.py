"""CSV files of every kind, whole and broken, of which it is known what should come out of them."""

import gzip
import re
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.fuzz.odd_text import NOT_UTF8, texts

TITLE = "What you do"
MARKER = re.compile(r"id\d{5}")
_NAMES = [
    "note",
    "note",
    "",
    "Event",
    "=cmd",
    "a,b",
    'say "x"',
    "two\nlines",
    "naïve",
    " padded ",
    "[/bold]",
    "x" * 300,
]

Pieces = list[str | bytes]
"""Text, and bytes that no encoder would write."""


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file, or something in place of one."""

    pieces: Pieces
    """Without a line end."""
    marker: str | None
    cells: tuple[str, ...] | None
    """What should come out; None where the row is at fault or blank."""
    spills: bool = False
    """Whether lines around it may be read in several ways."""


@dataclass(frozen=True)
class CsvFile:
    """A file, how to read it, and what is in it."""

    content: bytes
    suffix: str
    encoding: str | None
    delimiter: str | None
    """What to ask for; None leaves it to be found out."""
    parted_by: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    is_known: bool
    """Whether all cells are, up to the first row that spills; otherwise the encoding may be mistaken for another."""
    may_be_refused: bool
    """UTF-16 that does not say so."""

    @property
    def markers(self) -> list[str]:
        """One for each row that may not get lost, in their order."""
        return [row.marker for row in self.rows if row.marker is not None]

    @property
    def is_clean(self) -> bool:
        """Whether every row should come out and nothing be rejected."""
        return self.is_known and all(row.cells is not None or row.marker is None for row in self.rows)

    @property
    def known_cells(self) -> list[tuple[str, ...]]:
        """The rows down to the first that spills."""
        spilling = next((number for number, row in enumerate(self.rows) if row.spills), len(self.rows))
        return [row.cells for row in self.rows[:spilling] if row.cells is not None] if self.is_known else []

    @property
    def is_settled(self) -> bool:
        """Whether no row spills, so that `known_cells` are all rows that should come out."""
        return self.is_known and not any(row.spills for row in self.rows)


@dataclass(frozen=True)
class _Form:
    codec: str
    parted_by: str
    names: tuple[str, ...]

    def quoted(self, cell: str, *, always: bool = False) -> str:
        needed = always or cell.startswith('"') or any(letter in cell for letter in f"{self.parted_by}\r\n")
        if len(self.names) == 1 and not cell:
            return ""
        return '"' + cell.replace('"', '""') + '"' if needed else cell

    @property
    def not_text(self) -> list[bytes]:
        """Bytes that are not in the encoding."""
        if self.codec == "utf-8":
            return NOT_UTF8
        if self.codec.startswith("utf-16"):
            return [text.encode(self.codec, "surrogatepass") for text in ("\ud800", "\udc00", "a\udfff", "\udbffb")]
        return [b"\x81", b"\x9d"] if self.codec == "cp1252" else []


@st.composite
def csv_files(draw: st.DrawFn, zipped: bool | None = None, least_rows: int = 0, most_repeats: int = 200) -> CsvFile:
    """Return a file.

    Args:
        draw: given by hypothesis.
        zipped: None leaves it to chance.
        least_rows: in the file, or what stands in place of one.
        most_repeats: how often the text of a large cell comes again.
    """
    form = draw(_forms())
    rows = draw(st.lists(_rows(form, most_repeats), min_size=least_rows, max_size=least_rows + 20))
    rows = [_numbered(row, number) for number, row in enumerate(rows)]
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"]]))
    closed = draw(st.booleans())
    header = form.parted_by.join(form.quoted(name, always=not re.fullmatch(r"\w[\w ]*", name)) for name in form.names)
    lines = [[header], *(row.pieces for row in rows)]
    above = draw(st.sampled_from([None] * 6 + ["", "sep=" + form.parted_by]))
    asks_delimiter = len(form.names) > 1 and (form.parted_by not in ",;\t|" or draw(st.booleans()))
    if above == "" or (above and form.parted_by in ",;\t|" and len(form.names) > 1):
        lines = [[above], *lines]
    line_ends = [draw(st.sampled_from(ends)) for _ in lines]
    if not closed:
        line_ends[-1] = ""
    for number in range(1, len(lines)):
        # With a blank line between them, CR and LF would be one line end.
        if lines[number] == [""] and line_ends[number - 1] == "\r" and line_ends[number].startswith("\n"):
            line_ends[number - 1] = "\r\n"
    content = b"".join(
        b"".join(piece if isinstance(piece, bytes) else piece.encode(form.codec) for piece in pieces)
        + end.encode(form.codec)
        for pieces, end in zip(lines, line_ends, strict=True)
    )
    has_mark = form.codec.startswith("utf") and draw(st.booleans())
    asks_encoding = draw(st.booleans())
    is_guessed = not asks_encoding and not has_mark
    if has_mark:
        content = "\ufeff".encode(form.codec) + content
    has_bad_bytes = any(isinstance(piece, bytes) for row in rows for piece in row.pieces)
    if zipped if zipped is not None else draw(st.integers(0, 4)) == 0:
        content, suffix = (
            _zipped(content, draw(st.integers(0, len(content)))),
            draw(st.sampled_from([".csv.gz", ".csv"])),
        )
    else:
        suffix = draw(st.sampled_from([".csv"] * 4 + [".CSV", ".txt", ".csv.gz"]))
    return CsvFile(
        content=content,
        suffix=suffix,
        encoding=form.codec if asks_encoding else None,
        delimiter=form.parted_by if asks_delimiter else None,
        parted_by=form.parted_by if len(form.names) > 1 else ",",
        names=form.names,
        rows=tuple(_without_last_blanks(rows, closed=closed) if len(form.names) == 1 else rows),
        is_known=not is_guessed or (form.codec == "utf-8" and not has_bad_bytes),
        may_be_refused=is_guessed and form.codec.startswith("utf-16"),
    )


@st.composite
def _forms(draw: st.DrawFn) -> _Form:
    codec = draw(st.sampled_from(["utf-8"] * 4 + ["utf-16-le", "utf-16-be", "latin-1", "cp1252"]))
    parted_by = draw(st.sampled_from([*",,,;;\t\t||", "^", " ", "\x1f", "~"]))
    if draw(st.integers(0, 9)) == 0:
        return _Form(codec, parted_by, (TITLE,))
    further = draw(st.lists(st.sampled_from(_NAMES), max_size=3))
    names = draw(st.permutations(["id", TITLE, *further]))
    return _Form(codec, parted_by, tuple(names))


@st.composite
def _rows(draw: st.DrawFn, form: _Form, most_repeats: int) -> Row:
    """Return a row whose marker is yet to be put in, in place of "id00000"."""
    kind = draw(st.sampled_from(["whole"] * 8 + ["ragged", "ragged", "blank", "bytes", "spilling", "whole, large"]))
    n_columns = len(form.names)
    if kind == "blank":
        text = draw(st.sampled_from(["", "  "])) if form.parted_by != " " else ""
        return Row([text], None, (text,) if n_columns == 1 else None)
    if kind == "spilling":
        scraps = st.sampled_from(
            ['"', '"', '""', form.parted_by, "\n", "\r\n", "\r", " ", "a", "é", "\0", '","', '"\n']
        )
        before, after = draw(st.lists(scraps, max_size=6)), draw(st.lists(scraps, max_size=6))
        return Row(["".join(before) + "id00000" + "".join(after)], "id00000", None, spills=True)
    cells = [draw(texts(form.codec)) for _ in form.names]
    if kind == "whole, large":
        cells[-1] *= most_repeats
    at = 0 if n_columns == 1 else form.names.index("id")
    cells[at] = f"id00000{cells[at]}" if draw(st.integers(0, 3)) == 0 or n_columns == 1 else "id00000"
    written = [form.quoted(cell, always=draw(st.integers(0, 3)) == 0) for cell in cells]
    if kind == "ragged" and n_columns > 1:
        more = draw(st.sampled_from([None, "more", "", " "]))
        return _ragged(cells, written, at, form, more, n_more=draw(st.sampled_from([1, 2, 40])))
    pieces: Pieces = [form.parted_by.join(written)]
    if kind == "bytes" and form.not_text:
        pieces = [pieces[0], draw(st.sampled_from(form.not_text))]
        if not written[-1].endswith('"') or len(cells[-1]) == len(written[-1]):
            return Row(pieces, "id00000", None)
        pieces = [pieces[0][:-1], pieces[1], '"']
        return Row(pieces, "id00000", None)
    return Row(pieces, "id00000", tuple(cells))


def _ragged(cells: list[str], written: list[str], at: int, form: _Form, more: str | None, n_more: int) -> Row:
    """Add fields, or leave one out where there are none to add; without content such fields change nothing.

    Lines that such a row has within quotes may be read for themselves.
    """
    expected: tuple[str, ...] | None = tuple(cells)
    if more is None:
        left_out = 1 - min(at, 1)
        written = [cell for n, cell in enumerate(written) if n != left_out]
        expected = (*(cell for n, cell in enumerate(cells) if n != left_out), "")
    else:
        written = written + [more] * n_more
        # A blank is a delimiter where a file has it for one, and then there are still more empty fields.
        expected = None if more.strip() else expected
    line = form.parted_by.join(written)
    return Row([line], "id00000", expected, spills="\n" in line or "\r" in line)


def _numbered(row: Row, number: int) -> Row:
    """Put in the marker."""
    if row.marker is None:
        return row
    marker = f"id{number:05d}"

    def marked(text: str) -> str:
        return text.replace("id00000", marker)

    pieces: Pieces = [marked(piece) if isinstance(piece, str) else piece for piece in row.pieces]
    cells = None if row.cells is None else tuple(map(marked, row.cells))
    return Row(pieces, marker, cells, row.spills)


def _without_last_blanks(rows: list[Row], *, closed: bool) -> list[Row]:
    """Leave out the blank line that ends a file of one column, which is no row; without its end it is no line."""
    rows = list(rows)
    if rows and not closed and rows[-1].pieces == [""]:
        rows.pop()
    if rows and rows[-1].pieces == [""]:
        rows.pop()
    return rows


def _zipped(content: bytes, at: int) -> bytes:
    """Zip in two members, as files have that were joined."""
    return gzip.compress(content[:at], 1, mtime=0) + gzip.compress(content[at:], 1, mtime=0)
