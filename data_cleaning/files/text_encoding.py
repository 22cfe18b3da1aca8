"""The encoding of a text file, found in one pass over all of it, and its text as a stream of UTF-8."""

import codecs
import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np

from data_cleaning.errors import BadInput
from data_cleaning.files.sources import readable, unpacked

_BLOCK_BYTES = 1 << 23
_HEAD_BYTES = 1 << 12
LONGEST_HEADER = 1 << 20
"""Bytes from the beginning of a file, in which its header must end."""
_LINE_ENDS = b"\n\r\x15\x25"
"""The last two are those of EBCDIC."""
_FREE_BYTES, _MAX_RATIO = 1 << 28, 200
"""A packed file may unpack to `_FREE_BYTES`, beyond that to `_MAX_RATIO` times its size; tables reach a tenth of it."""
_MARKS = {
    codecs.BOM_UTF8: ("utf-8", "UTF-8"),
    codecs.BOM_UTF32_LE: ("utf-32-le", "UTF-32"),
    codecs.BOM_UTF32_BE: ("utf-32-be", "UTF-32"),
    codecs.BOM_UTF16_LE: ("utf-16-le", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16-be", "UTF-16"),
}
"""Byte order marks, the longer first, as one begins with another."""

_C1_RANGE = bytes(range(0x80, 0xA0))
"""Control characters in Latin-1, where Windows-1252 has quotes, dashes and the euro."""
_NO_WINDOWS = frozenset(b"\x81\x8d\x8f\x90\x9d")
_CONTROLS = frozenset(range(1, 32)) - frozenset(b"\t\n\v\f\r\x1f")
"""Control bytes, which text in a single-byte encoding hardly ever has; the unit separator may part its fields."""
_NOT_C1 = bytes(byte for byte in range(256) if byte not in _C1_RANGE)
_MARKED = "data_cleaning.files: mark bytes"
_FIRST_MARK = 0xDC00
_NO_TEXT = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which stand for bytes that cannot be decoded."""


@dataclass(frozen=True)
class Encoding:
    """How the bytes of a file become text."""

    codec: str
    """Python's name for it."""
    name: str
    """What a person calls it."""
    reason: str = ""
    """How it was found, where a person should know."""
    n_mark: int = 0
    """Length of the byte order mark, in bytes."""

    @property
    def is_utf8(self) -> bool:
        """Whether the file can be read without conversion."""
        return self.codec == "utf-8"


@dataclass(frozen=True)
class Scan:
    """What one pass over a file finds."""

    encoding: Encoding
    n_breaks: int
    """Line breaks; in encodings of several bytes a few more may be counted."""
    n_not_utf8: int = 0
    """Lines that are not UTF-8 in a file that otherwise is."""


def scan(path: Path, asked: str | None, max_bytes: int, *, gzipped: bool) -> Scan:
    """Read a file once: its encoding, its line breaks, and whether it can be read to its end.

    Without a name the encoding is that of the byte order mark; else UTF-16 where NUL bytes say so; else UTF-8 where all
    of it is, or where the lines with accents that are UTF-8 number at least half of those that are not; else
    Windows-1252 where bytes are used that only this defines, else Latin-1.

    Raises:
        BadInput: the encoding that was asked for is unknown, the file cannot be read to its end, or it is gzipped and
            unpacks to more than `max_bytes`.
    """
    named = _named(asked) if asked is not None else None
    blocks = _blocks(path, max_bytes, gzipped)
    first = next(blocks, b"")
    if not first:
        raise BadInput(f"{path} is empty; expected a header line and at least one row.")
    encoding = _decided(first, named)
    if encoding is None:
        _refuse_nul_bytes(path, first[:_HEAD_BYTES])
    head = first[:LONGEST_HEADER]
    if len(head) == LONGEST_HEADER and not any(byte in head for byte in _LINE_ENDS):
        size = f"{len(head):,} bytes"
        raise BadInput(
            f"{path} has no header in its first {size}; expected a line of column names and at least one row."
        )
    line_ends = [text.encode(encoding.codec if encoding else "utf-8") for text in ("\n", "\r", "\r\n")]
    check = _Utf8Check()
    n_breaks = 0
    for block in chain([first], blocks):
        n_breaks += _count_breaks(block, *line_ends)
        if encoding is None:
            check.add(block)
    if encoding is not None:
        return Scan(encoding, n_breaks)
    n_other = 0
    if not check.holds():
        n_utf8, n_other, codec = _count_accented_lines(_blocks(path, max_bytes, gzipped))
        if 2 * n_utf8 < n_other:
            return Scan(Encoding(codec, "Windows-1252" if codec == "cp1252" else "Latin-1", "not UTF-8"), n_breaks)
    return Scan(Encoding("utf-8", "UTF-8"), n_breaks, n_not_utf8=n_other)


def _named(name: str) -> Encoding:
    try:
        "\r\n".encode(name)  # refuses unknown names, and codecs that are not for text
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):  # the second: a NUL in the name, or a codec that knows no line breaks
        known = "a name such as utf-8, utf-16, cp1252 or latin-1"
        raise BadInput(f"Unknown encoding {name!r}; expected {known}, or none to find it out.") from None
    return Encoding("utf-8" if codec == "utf-8-sig" else codec, name, "as given")


def _decided(start: bytes, named: Encoding | None) -> Encoding | None:
    """Return the encoding where the first bytes or the person settle it."""
    found = _by_mark(start, named)
    if found is None and (named is None or named.codec == "utf-16"):
        found = _by_nul_bytes(start[:_HEAD_BYTES])
    if found is None and named is not None and named.codec in ("utf-16", "utf-32"):
        return replace(named, codec=f"{named.codec}-le")  # as Windows writes them
    return found or named


def _by_mark(start: bytes, named: Encoding | None) -> Encoding | None:
    """Return the encoding of the byte order mark, unless another one than those of Unicode was asked for."""
    if named is not None and not named.codec.startswith(("utf-8", "utf-16", "utf-32")):
        return None
    for mark, (codec, name) in _MARKS.items():
        if start.startswith(mark):
            return Encoding(codec, name, "byte order mark", len(mark))
    return None


def _by_nul_bytes(head: bytes) -> Encoding | None:
    """Know UTF-16 without a mark: of Latin letters every second byte is NUL, from the first on, and no other one."""
    pairs = len(head) // 2
    n_first, n_second = head[::2].count(0), head[1::2].count(0)
    few, many = sorted((n_first, n_second))
    starts = head[:2].count(0) == 1 and (head[0] == 0) == (n_first > n_second)
    if not starts or 2 * many < pairs or 50 * few > many:
        return _by_line_ends(head)
    codec = "utf-16-le" if n_second > n_first else "utf-16-be"
    return Encoding(codec, "UTF-16", "every second byte is NUL")


def _by_line_ends(head: bytes) -> Encoding | None:
    """Recognise UTF-16 of letters beyond Latin-1, such as Cyrillic, by its line ends."""
    if 0 not in head or (_is_utf8_so_far(head) and not _CONTROLS.intersection(head)):
        return None
    n_ends = head.count(b"\n") + head.count(b"\r")
    for codec in ("utf-16-le", "utf-16-be"):
        with suppress(UnicodeDecodeError):
            text = codecs.getincrementaldecoder(codec)().decode(head)
            if "\0" not in text and 4 * (text.count("\n") + text.count("\r")) > n_ends:
                return Encoding(codec, "UTF-16", "line ends of two bytes")
    return None


def _refuse_nul_bytes(path: Path, head: bytes) -> None:
    line = head.partition(b"\n")[0]
    if 4 * line.count(0) > len(line):
        raise BadInput(
            f"{path}: many bytes of its first line are NUL, as in UTF-16 or UTF-32, but it cannot be read as UTF-16. "
            "Name its encoding, or save it as UTF-8."
        )


def _is_utf8_so_far(head: bytes) -> bool:
    check = _Utf8Check()
    check.add(head)
    return check.valid


def _count_breaks(block: bytes, line_feed: bytes, carriage_return: bytes, both: bytes) -> int:
    if len(line_feed) == 1:  # numpy counts what is frequent several times as fast
        n_breaks = int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == ord(line_feed)))
    else:
        n_breaks = block.count(line_feed)
    if carriage_return in block:
        n_breaks += block.count(carriage_return) - block.count(both)
    return n_breaks


class _Utf8Check:
    """Whether blocks together are UTF-8; stops looking at the first fault."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._within = False  # a character that began in the block before
        self.valid = True
        """Whether nothing so far shows that they are not."""

    def add(self, block: bytes) -> None:
        if not self.valid or (block.isascii() and not self._within):
            return
        try:
            self._decoder.decode(block)
            self._within = bool(self._decoder.getstate()[0])
        except UnicodeDecodeError:
            self.valid = False

    def holds(self) -> bool:
        return self.valid and not self._within


def _count_accented_lines(blocks: Iterator[bytes]) -> tuple[int, int, str]:
    """Count lines beyond ASCII that are UTF-8 and that are not; return which single-byte codec has all the bytes."""
    n_lines = [0, 0]  # not UTF-8, UTF-8
    windows_bytes: set[int] = set()
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).replace(b"\r", b"\n").split(b"\n")
        windows_bytes.update(block.translate(None, _NOT_C1))
        if len(rest) > _BLOCK_BYTES:  # a line without end is counted in pieces
            whole, rest = [*whole, rest], b""
        for line in whole:
            if not line.isascii():
                n_lines[_is_utf8(line)] += 1
    if not rest.isascii():
        n_lines[_is_utf8(rest)] += 1
    fits = windows_bytes and not windows_bytes & _NO_WINDOWS
    return n_lines[True], n_lines[False], "cp1252" if fits else "latin-1"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _blocks(path: Path, max_bytes: int, gzipped: bool) -> Iterator[bytes]:
    n_bytes = 0
    with readable(path), unpacked(path, gzipped=gzipped) as file:
        while block := file.read(_BLOCK_BYTES):
            n_bytes += len(block)
            if gzipped:
                n_packed = cast(Any, file).fileobj.tell()
                limit = min(max_bytes, max(_FREE_BYTES, _MAX_RATIO * n_packed))
                if n_bytes > limit:
                    raise BadInput(
                        f"{path} unpacks to more than {limit:,} bytes, the limit for a file that is packed as this is. "
                        "Unpack it first if that is right, or split it."
                    )
            yield block


def _mark_bytes(error: UnicodeError) -> tuple[str, int]:
    """Replace each byte that cannot be decoded by a lone surrogate, U+DC00 plus its value, which no text has."""
    assert isinstance(error, UnicodeDecodeError), "only decoding marks bytes"
    return "".join(chr(_FIRST_MARK + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARKED, _mark_bytes)


def undecodable(encoding: Encoding) -> str:
    """Return the error handler to decode what `utf8_blocks` yields, which keeps undecodable bytes as surrogates."""
    return "surrogateescape" if encoding.is_utf8 else "surrogatepass"


def bad_byte(text: str) -> int | None:
    """Return the first undecodable byte of text that was decoded with `undecodable`; None where there is none."""
    found = _NO_TEXT.search(text)
    return ord(found[0]) & 0xFF if found else None


def shown(text: str) -> str:
    """Return such a text as a reject shows it: without its last line end, undecodable bytes in hexadecimal."""
    line_end = 2 if text.endswith("\r\n") else int(text.endswith(("\n", "\r")))
    return _NO_TEXT.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", text[: len(text) - line_end])


def utf8_blocks(path: Path, encoding: Encoding, n_bytes: int, *, gzipped: bool) -> Generator[bytes, None, None]:
    """Yield a file's text as UTF-8, without its byte order mark.

    Bytes that are not in the encoding stay invalid UTF-8, so that nothing is repaired in silence: those of a UTF-8
    file stay as they are, others become lone surrogates in the form of UTF-8. A block is what `n_bytes` of the file
    become; those of another encoding may grow.

    Raises:
        BadInput: the file can no longer be read.
    """
    with readable(path), unpacked(path, gzipped=gzipped) as file:
        file.seek(encoding.n_mark)
        if encoding.is_utf8:
            while block := file.read(n_bytes):
                yield block
            return
        decoder = codecs.getincrementaldecoder(encoding.codec)(errors=_MARKED)
        ended = False
        while not ended:
            block = file.read(n_bytes)
            ended = not block
            try:
                text = decoder.decode(block, final=ended)
            except UnicodeError as error:  # of the few codecs that do not ask the error handler
                raise BadInput(
                    f"{path} is not {encoding.name}: {error}. Name another encoding, or save it as UTF-8."
                ) from None
            if text:
                yield text.encode("utf-8", "surrogatepass")
