"""Rewrite the footer of a Parquet file, in Thrift's compact protocol, so that the file lies about itself."""

import struct
from collections.abc import Callable
from typing import Any

_MAGIC = b"PAR1"
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)

Struct = dict[int, Any]
"""Number of a field to (type, value)."""


def with_footer(content: bytes, change: Callable[[Struct], None]) -> bytes:
    """Return the bytes of a file whose footer was changed in place."""
    (length,) = struct.unpack("<I", content[-8:-4])
    footer, _ = _read(content[-8 - length : -8], 0, _STRUCT)
    change(footer)
    written = _written(_STRUCT, footer)
    return content[: -8 - length] + written + struct.pack("<I", len(written)) + _MAGIC


def set_field(within: Struct, number: int, value: Any) -> None:
    """Replace the value of a field that is there, keeping its type."""
    within[number] = (within[number][0], value)


def row_groups(footer: Struct) -> list[Struct]:
    """Return the row groups: field 1 has the columns, 2 the bytes, 3 the rows."""
    return footer[4][1][1]


def columns(footer: Struct) -> list[Struct]:
    """Return the metadata of every chunk: 5 values, 6 and 7 bytes, 9 and 11 offsets, 12 statistics."""
    return [column[3][1] for group in row_groups(footer) for column in group[1][1][1]]


def _read(data: bytes, at: int, kind: int) -> tuple[Any, int]:  # noqa: C901 - one case for each type
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind == _BYTE:
        return data[at], at + 1
    if kind in (_I16, _I32, _I64):
        number, at = _read_varint(data, at)
        return (number >> 1) ^ -(number & 1), at
    if kind == _DOUBLE:
        return data[at : at + 8], at + 8
    if kind == _BINARY:
        length, at = _read_varint(data, at)
        return data[at : at + length], at + length
    if kind in (_LIST, _SET):
        n_items, inner, at = data[at] >> 4, data[at] & 15, at + 1
        if n_items == 15:
            n_items, at = _read_varint(data, at)
        items = []
        for _ in range(n_items):
            if inner in (_TRUE, _FALSE):
                item, at = data[at] == _TRUE, at + 1
            else:
                item, at = _read(data, at, inner)
            items.append(item)
        return (inner, items), at
    assert kind == _STRUCT, "Parquet has no maps"
    found: Struct = {}
    number = 0
    while (head := data[at]) != 0:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _read(data, at, _I16)
        value, at = _read(data, at, head & 15)
        found[number] = (head & 15, value)
    return found, at + 1


def _written(kind: int, value: Any) -> bytes:
    if kind == _BYTE:
        return bytes([value])
    if kind in (_I16, _I32, _I64):
        return _varint((value << 1) ^ (value >> 63))
    if kind == _DOUBLE:
        return value
    if kind == _BINARY:
        return _varint(len(value)) + value
    if kind in (_LIST, _SET):
        inner, items = value
        head = bytes([len(items) << 4 | inner]) if len(items) < 15 else bytes([0xF0 | inner]) + _varint(len(items))
        is_bool = inner in (_TRUE, _FALSE)
        return head + b"".join(bytes([_TRUE if one else _FALSE]) if is_bool else _written(inner, one) for one in items)
    parts = []
    last = 0
    for number, (inner, held) in sorted(value.items()):
        if inner in (_TRUE, _FALSE):
            inner, body = (_TRUE if held else _FALSE), b""
        else:
            body = _written(inner, held)
        step = number - last
        parts.append((bytes([step << 4 | inner]) if step < 16 else bytes([inner]) + _varint(number << 1)) + body)
        last = number
    return b"".join(parts) + b"\0"


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number, shift, at = number | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return number, at


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes([*written, number])
