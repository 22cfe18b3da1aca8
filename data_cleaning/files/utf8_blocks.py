"""The content of a text file as a stream of UTF-8, in whatever encoding it is written."""

import codecs
import re
from collections.abc import Generator
from pathlib import Path

from data_cleaning.errors import BadInput
from data_cleaning.files.encodings import Encoding
from data_cleaning.files.raw_files import readable, unpacked

_MARKED = "data_cleaning.files: mark bytes"
_FIRST_MARK = 0xDC00
_NO_TEXT = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which stand for bytes that are no text."""


def _mark_bytes(error: UnicodeError) -> tuple[str, int]:
    """Put each byte that is no text into a lone surrogate, U+DC00 and its value, as no text has them."""
    assert isinstance(error, UnicodeDecodeError), "only decoding marks bytes"
    return "".join(chr(_FIRST_MARK + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARKED, _mark_bytes)


def undecodable(encoding: Encoding) -> str:
    """Return the error handler that decodes what `utf8_blocks` yields, with bytes that are no text as surrogates."""
    return "surrogateescape" if encoding.is_utf8 else "surrogatepass"


def bad_byte(text: str) -> int | None:
    """Return the first byte that is no text, of text decoded with `undecodable`; None where all is text."""
    found = _NO_TEXT.search(text)
    return ord(found[0]) & 0xFF if found else None


def shown(text: str) -> str:
    """Return such a text as a reject shows it: no line end behind it, bytes that are no text in hexadecimal."""
    line_end = 2 if text.endswith("\r\n") else int(text.endswith(("\n", "\r")))
    return _NO_TEXT.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", text[: len(text) - line_end])


def utf8_blocks(
    path: Path, encoding: Encoding, n_bytes: int, start: int = 0, *, gzipped: bool
) -> Generator[bytes, None, None]:
    """Yield a file's text as UTF-8, without its byte order mark.

    Bytes that are not in the encoding stay no UTF-8, so that nothing is mended in silence: those of a UTF-8 file stay
    as they are, others become lone surrogates in the form of UTF-8.

    Args:
        path: of the file.
        encoding: of the file.
        n_bytes: to read at once; a block of another encoding may grow in becoming UTF-8.
        start: bytes of the stream to leave out.
        gzipped: whether the file is.

    Raises:
        BadInput: the file can no longer be read.
    """
    with readable(path), unpacked(path, gzipped=gzipped) as file:
        if encoding.is_utf8:
            file.seek(encoding.n_mark + start)
            while block := file.read(n_bytes):
                yield block
            return
        file.seek(encoding.n_mark)
        decoder = codecs.getincrementaldecoder(encoding.codec)(errors=_MARKED)
        ended = False
        while not ended:
            block = file.read(n_bytes)
            ended = not block
            text = _decoded(decoder, block, path, encoding)
            converted = text.encode("utf-8", "surrogatepass")
            if len(converted) > start:
                yield converted[start:]
            start = max(start - len(converted), 0)


def _decoded(decoder: codecs.IncrementalDecoder, block: bytes, path: Path, encoding: Encoding) -> str:
    try:
        return decoder.decode(block, final=not block)
    except UnicodeError as error:  # of the few codecs that do not ask the error handler
        raise BadInput(f"{path} is not {encoding.name}: {error}. Name another encoding, or save it as UTF-8.") from None
