"""A CSV file as a source: blocks are parsed at once where that is safe, and line by line where something is odd."""

from collections.abc import Iterator
from contextlib import closing
from copy import copy
from pathlib import Path

import pyarrow as pa

from data_cleaning.files.csv_careful import begins_overlong, parse_carefully, parse_piece
from data_cleaning.files.csv_fast import parse_fast
from data_cleaning.files.csv_form import NO_DELIMITER, CsvForm, Parsed, Position, read_form
from data_cleaning.files.not_records import Sifter
from data_cleaning.files.sources import GZIP_SUFFIX, Batch, Source, is_gzip
from data_cleaning.files.table_layout import Layout
from data_cleaning.files.text_encoding import Scan, scan, utf8_blocks

BLOCK_BYTES = 15 << 20
LONGEST_ROW = 1 << 24
"""Limit for a record, in bytes: far beyond what a lead has, and the most that an unclosed quote may spoil."""
_CAREFUL_BYTES = 1 << 20
"""Read line by line at once, as rows in Python's lists take many times their size."""


class CsvSource(Source):
    """A CSV file, gzipped or not, in any encoding."""

    unit = "line"

    def __init__(
        self,
        path: Path,
        encoding: str | None,
        delimiter: str | None,
        max_bytes: int,
        layout: Layout = Layout(),
        *,
        block_bytes: int = BLOCK_BYTES,
        longest_row: int = LONGEST_ROW,
    ) -> None:
        """Scan a file and read its header; `open_source` says what is asked for and refused.

        At once `block_bytes` are read. A line longer than `longest_row`, in bytes, is rejected in pieces of this size,
        so that any line fits into memory.
        """
        self.path, self.layout = path, layout
        self._block_bytes, self._longest_row = block_bytes, longest_row
        self._gzipped = is_gzip(path)
        found = scan(path, encoding, max_bytes, gzipped=self._gzipped)
        self._form = read_form(path, found.encoding, delimiter, layout.header_row, gzipped=self._gzipped)
        self.codec, self.delimiter = found.encoding.codec, self._form.delimiter
        self.schema = self._form.schema
        self.n_rows = max(found.n_breaks + 1 - self._form.n_lines, 0)
        self.n_skipped = self._form.n_blank
        self.notes = _notes(path, self._form, found, gzipped=self._gzipped)

    def _read(self) -> Iterator[Batch]:
        self.left_out = ()
        form = self._form
        heads = [form.names, *(row.cells for row in form.header.rows)]
        sifter = Sifter(heads, self.unit, form.delimiter or NO_DELIMITER, is_sheet=False)
        yield from sifter.sift(self._batches())
        self.left_out = sifter.said

    def _batches(self) -> Iterator[Batch]:
        form = self._form
        self.n_skipped = form.n_blank
        blocks = utf8_blocks(self.path, form.encoding, self._block_bytes, gzipped=self._gzipped)
        with closing(blocks):
            for parsed in self._parsed(_Buffer(blocks)):
                self.n_skipped = parsed.end.skipped
                if parsed.rows.num_rows or parsed.rejects:
                    yield Batch(parsed.rows, parsed.rejects, places=parsed.lines, short=parsed.short)

    def first_rows(self) -> pa.Table:
        """Return rows from the beginning of the file, read in a small block."""
        small = copy(self)
        small._block_bytes = _CAREFUL_BYTES
        return super(CsvSource, small).first_rows()

    def _parsed(self, buffer: "_Buffer") -> Iterator[Parsed]:
        """Yield what is read of each block below the header."""
        position = Position(self._form.n_bytes, self._form.n_lines, self._form.n_blank)
        buffer.fill(position.byte)
        buffer.drop(position.byte)
        n_wanted = self._block_bytes
        careful_until = 0  # the byte up to which fast parsing is known to fail
        while buffer.fill(n_wanted):
            parsed = self._piece(buffer, position)
            if parsed is None and position.byte >= careful_until:
                if len(buffer.data) < self._longest_row:  # otherwise a row may be too long
                    parsed = parse_fast(buffer.data, self._form, position, is_last=buffer.is_last)
                if parsed is None:
                    careful_until = position.byte + len(buffer.data)
            if parsed is None:
                parsed = self._carefully(buffer, position)
            if n_bytes := parsed.end.byte - position.byte:
                buffer.drop(n_bytes)
                position = parsed.end
                n_wanted = self._block_bytes
                yield parsed
            else:  # a record that ends beyond the block
                assert not buffer.is_last, "the last line of a file is a row, a reject or blank"
                n_wanted = 2 * max(n_wanted, len(buffer.data))

    def _piece(self, buffer: "_Buffer", position: Position) -> Parsed | None:
        if not position.within_line and not begins_overlong(buffer.data, self._longest_row):
            return None
        return parse_piece(buffer.data, self._form, position, self._longest_row, is_last=buffer.is_last)

    def _carefully(self, buffer: "_Buffer", position: Position) -> Parsed:
        n_bytes = _CAREFUL_BYTES
        while True:
            is_last = buffer.is_last and n_bytes >= len(buffer.data)
            parsed = parse_carefully(buffer.data[:n_bytes], self._form, position, self._longest_row, is_last=is_last)
            if parsed.end.byte != position.byte or n_bytes >= len(buffer.data):
                return parsed
            n_bytes *= 2


class _Buffer:
    """Bytes that were read and not parsed yet, and the next block, so that the end of the file is known in time."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._next = next(blocks, b"")
        self._held = b""
        self.data = b""
        """The next bytes, as many as were wanted, or all there are."""

    @property
    def is_last(self) -> bool:
        """Whether the file ends with `data`."""
        return not self._next and len(self._held) == len(self.data)

    def fill(self, n_wanted: int) -> bytes:
        """Read on until there are as many bytes as wanted, or the file ends; return them."""
        while self._next and len(self._held) < n_wanted:
            self._held += self._next
            self._next = next(self._blocks, b"")
        self.data = self._held[:n_wanted]
        return self.data

    def drop(self, n_bytes: int) -> None:
        self._held = self._held[n_bytes:]


def _notes(path: Path, form: CsvForm, found: Scan, *, gzipped: bool) -> tuple[str, ...]:
    notes = [form.in_words, *form.header.notes]
    if found.n_not_utf8:
        lines = "A line is" if found.n_not_utf8 == 1 else f"{found.n_not_utf8:,} lines are"
        notes.append(f"{lines} not UTF-8, while others with accents are.")
    if not gzipped and path.name.lower().endswith(GZIP_SUFFIX):
        notes.append(f"The file is not gzipped, though its name ends in {GZIP_SUFFIX}.")
    return tuple(notes)
