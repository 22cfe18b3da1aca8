"""Small files that are made to break a reader, by name: what each verb answers must be right or a refusal."""

import gzip
import io
import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as encryption
import xlsxwriter

from tests.fuzz.parquet_footer import Struct, columns, row_groups, set_field, with_footer

TITLE, TITLES = "What you do", ["head nurse", "night cook", None, "chief surgeon"] * 5
HUGE, DEEP = 1 << 62, 100_000


def csv_files() -> Iterator[tuple[str, bytes]]:
    """Yield CSV files, some gzipped."""
    rows = b"head nurse,1\nnight cook,2\n"
    whole = b"What you do,Times\n" + rows
    yield from {
        "empty": b"",
        "a line end": b"\n",
        "only blanks": b" \n\t\n ,\n",
        "only a mark": b"\xef\xbb\xbf",
        "only NULs": b"\0" * 5_000,
        "only quotes": b'"' * 5_001,
        "only delimiters": b"," * 5_000 + b"\n",
        "an open quote": b'What you do,Times\n"head nurse,1\n' + rows * 50,
        "a quote within": b'What you do,Times\nhead "nurse,1\n' + rows,
        "carriage returns": whole.replace(b"\n", b"\r"),
        "mixed line ends": b"What you do,Times\r" + rows + b"\r\n\rcook,1\x0bnurse,2\x1c",
        "control characters": b"What you do,Times\n" + bytes(range(1, 32)) * 3 + b"\n",
        "names twice": b"What you do,What you do\n" + rows,
        "no names": b",\n" + rows,
        "names of control characters": b"\x1b[31mWhat you do,\x07\n" + rows,
        "a name of 100 kB": b"What you do," + b"x" * 100_000 + b"\n" + rows,
        "5,000 columns": b"What you do" + b",x" * 5_000 + b"\n" + rows,
        "a cell of 2 MB": whole + b"x" * 2_000_000 + b",1\n",
        "cut within a letter": whole + "élève".encode()[:1],
        "UTF-16 without a mark": whole.decode().encode("utf-16-le"),
        "UTF-16 of an odd length": whole.decode().encode("utf-16")[:-1],
        "UTF-32": whole.decode().encode("utf-32"),
        "UTF-16 surrogates": b"\xff\xfe" + whole.decode().encode("utf-16-le") + b"\x00\xd8\x00\xd8",
        "surrogates in UTF-8": whole + b"\xed\xa0\x80,1\n",
        "EBCDIC": whole.decode().encode("cp500"),
        "right to left marks": "What you do,Times\n\u202enurse\u202c,1\n".encode(),
        "formulas": b"What you do,Times\n=cmd|' /C calc'!A0,1\n@SUM(1),2\n",
        "markup": b"What you do,Times\n<script>alert(1)</script>,1\n",
        "counts that are none": b"What you do,Times\nnurse,-1\ncook,NaN\nhead,1e400\nchief," + b"9" * 400 + b"\n",
        "half a gzip file": gzip.compress(whole * 100)[:-20],
        "gzip in gzip": gzip.compress(gzip.compress(whole)),
        "gzip and more": gzip.compress(whole) + b"more",
        "gzip of nothing": gzip.compress(b""),
        "gzip with a false sum": gzip.compress(whole)[:-8] + b"\0" * 8,
        "a thousand gzip files": gzip.compress(b"") * 1_000 + gzip.compress(whole),
        "gzipped Parquet": gzip.compress(b"PAR1" + whole),
        "a zip file of nothing": b"PK\x05\x06" + b"\0" * 18,
        "a mark of Parquet": b"PAR1",
        "a mark of zip": b"PK\x03\x04" + b"\xff" * 200,
    }.items()


def parquet_bytes(table: pa.Table | None = None, **options) -> bytes:
    """Return a Parquet file of twenty rows in row groups of seven."""
    opened = io.BytesIO()
    table = pa.table({TITLE: TITLES, "Times": range(1, 21)}) if table is None else table
    pq.write_table(table, opened, **{"row_group_size": 7, **options})
    return opened.getvalue()


class _Keys(encryption.KmsClient):
    def __init__(self, _: object = None) -> None:
        super().__init__()

    def wrap_key(self, key_bytes: bytes, _: str) -> bytes:
        return b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, _: str) -> bytes:
        return b64decode(wrapped_key)


def encrypted(**options) -> bytes:
    """Return a Parquet file whose column of titles is encrypted."""
    factory = encryption.CryptoFactory(_Keys)
    wanted = encryption.EncryptionConfiguration(
        footer_key="key", column_keys={"key": [TITLE]}, double_wrapping=False, **options
    )
    connection = encryption.KmsConnectionConfig()
    properties = factory.file_encryption_properties(connection, wanted)
    return parquet_bytes(encryption_properties=properties)


STATISTICS: dict[str, Callable[[Struct], None]] = {
    "minima": lambda held: held.update({2: (8, b"zzzzzzzz"), 6: (8, b"zzzzzzzz")}),
    "maxima": lambda held: held.update({1: (8, b"\0" * 8), 5: (8, b"\0" * 8)}),
    "null counts": lambda held: held.update({3: (6, HUGE)}),
    "no nulls": lambda held: held.update({3: (6, 0)}),
    "all nulls": lambda held: held.update({3: (6, 7)}),
    "negative null counts": lambda held: held.update({3: (6, -5)}),
    "distinct counts": lambda held: held.update({4: (6, 1)}),
    "short values": lambda held: held.update({5: (8, b""), 6: (8, b"")}),
}
"""What the statistics of each chunk may say falsely."""


def false_statistics(lie: Callable[[Struct], None]) -> bytes:
    """Return a whole Parquet file whose statistics lie."""

    def change(footer: Struct) -> None:
        for column in columns(footer):
            lie(column[12][1])

    return with_footer(parquet_bytes(), change)


def parquet_files() -> Iterator[tuple[str, bytes]]:  # noqa: C901 - one list of cases
    """Yield Parquet files that are encrypted, lie about themselves, or hold odd types."""
    yield "encrypted", encrypted()
    yield "encrypted columns", encrypted(plaintext_footer=True)
    for name, lie in STATISTICS.items():
        yield f"false statistics, {name}", false_statistics(lie)

    def lies(each: Callable[[Struct], list[Struct]], number: int, value: int) -> Callable[[Struct], None]:
        def change(footer: Struct) -> None:
            for one in each(footer):
                if number in one:
                    set_field(one, number, value)

        return change

    parts = {
        "file": ((lambda footer: [footer]), {"version": 1, "rows": 3}),
        "row groups": (row_groups, {"bytes": 2, "rows": 3, "offset": 5, "packed bytes": 6}),
        "chunks": (
            columns,
            {"type": 1, "codec": 4, "values": 5, "bytes": 6, "packed bytes": 7, "data": 9, "values at": 11},
        ),
    }
    for part, (each, numbers) in parts.items():
        for said, number in numbers.items():
            for value in (-1, 0, 1, 6, 8, 1_000_000, HUGE):
                small = number in ((1,) if part == "file" else (1, 4) if part == "chunks" else ())
                if not small or value < 1_000_000:
                    yield (
                        f"false {said} of {part}, {value:,}",
                        with_footer(parquet_bytes(), lies(each, number, value)),
                    )
    whole = parquet_bytes()
    for share in (0.1, 0.5, 0.9, 0.99):
        yield f"the first {share:.0%}", whole[: int(len(whole) * share)]
    yield "a footer beyond the file", whole[:-8] + b"\xff\xff\xff\x7fPAR1"
    yield "no footer", whole[:-8] + b"\0\0\0\0PAR1"
    yield "pages of zeros", whole[:4] + b"\0" * 150 + whole[154:]
    yield "pages of ones", whole[:4] + b"\xff" * 150 + whole[154:]
    deep = "[" * DEEP
    for name, table in {
        "no rows": pa.table({TITLE: pa.array([], pa.string())}),
        "no columns": pa.table({}),
        "names twice": pa.Table.from_arrays([pa.array(["cook"])] * 2, names=[TITLE, TITLE]),
        "an empty name": pa.table({TITLE: ["cook"], "": [1]}),
        "only nulls": pa.table({TITLE: pa.nulls(5)}),
        "titles that are binary": pa.table({TITLE: pa.array([b"\xff\x00"])}),
        "titles that are lists": pa.table({TITLE: [["cook"], None]}),
        "titles that are structures": pa.table({TITLE: [{"a": {"b": "cook"}}]}),
        "titles that are numbers": pa.table({TITLE: [1.5, float("nan"), float("inf")]}),
        "titles that are times": pa.table({TITLE: pa.array([HUGE, -HUGE], pa.timestamp("us"))}),
        "titles that are codes": pa.table({TITLE: pa.array(["cook", None, "cook"]).dictionary_encode()}),
        "fixed text": pa.table({TITLE: pa.array([b"ab", b"\xff\xff"], pa.binary(2))}),
        "half floats": pa.table({TITLE: ["cook"], "Times": pa.array([1.5], pa.float16())}),
        "a decimal of 76 digits": pa.table({TITLE: ["cook"], "n": pa.array([1], pa.decimal256(76, 0))}),
        "lists of lists": pa.table({TITLE: ["cook"], "n": pa.array([[[[[[1]]]]]])}),
        "a map": pa.table({TITLE: ["cook"], "n": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))}),
        "pandas notes that are no JSON": pa.table({TITLE: ["cook"]}).replace_schema_metadata({"pandas": "{"}),
        "pandas notes 100,000 deep": pa.table({TITLE: ["cook"]}).replace_schema_metadata({"pandas": deep}),
        "pandas notes of other types": pa.table({TITLE: ["cook"]}).replace_schema_metadata(
            {"pandas": json.dumps({"index_columns": [3, {"kind": "range"}], "columns": 7})}
        ),
    }.items():
        yield name, parquet_bytes(table)

    def no_schema(footer: Struct) -> None:
        for number, (kind, pairs) in list(footer.items()):
            if number == 5:
                footer[number] = (kind, (pairs[0], [{**one, 2: (8, b"AAAA")} for one in pairs[1]]))

    yield "an Arrow schema that is none", with_footer(whole, no_schema)


SHEET = "xl/worksheets/sheet1.xml"


def workbook_parts() -> dict[str, bytes]:
    """Return the parts of a small workbook."""
    opened = io.BytesIO()
    with xlsxwriter.Workbook(opened) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([[TITLE, "Times"], ["head nurse", 1], ["night cook", 2.5], ["chief surgeon"]]):
            sheet.write_row(at, 0, row)
    with zipfile.ZipFile(opened) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    """Return a workbook of some parts."""
    opened = io.BytesIO()
    with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return opened.getvalue()


def workbooks() -> Iterator[tuple[str, bytes]]:
    """Yield workbooks without a part, with parts that are none, and with cells at odd places."""
    whole = workbook_parts()
    for name in whole:
        yield f"without {name}", zipped({other: part for other, part in whole.items() if other != name})
        for said, content in {"nothing": b"", "no XML": b"<a", "other XML": b"<a/>", "deep XML": b"<a>" * DEEP}.items():
            yield f"{said} as {name}", zipped({**whole, name: content})
    sheet = whole[SHEET]
    for old, new in (
        (b'r="A2"', b'r="A0"'),
        (b'r="A2"', b'r="2"'),
        (b'r="A2"', b'r="ZZZZZZ2"'),
        (b'r="A2"', b'r="A99999999999"'),
        (b'r="A2"', b'r="A1"'),
        (b'r="A2"', b'r="XFD1048576"'),
        (b'<row r="2"', b'<row r="-2"'),
        (b'<row r="2"', b'<row r="99999999999"'),
        (b'<row r="3"', b'<row r="1"'),
        (b"<v>1</v>", b"<v>1e999</v>"),
        (b"<v>1</v>", b"<v>x</v>"),
        (b'<c r="B2">', b'<c r="B2" t="s">'),
        (b't="s"', b't="d"'),
        (b't="s"', b't="e"'),
        (b't="s"', b't="b"'),
        (b"<v>0</v>", b"<v>-1</v>"),
        (b"<v>0</v>", b"<v>999999999999</v>"),
        (b"<dimension ref=", b'<dimension ref="A1:XFD1048576" x='),
        (b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
        (b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="B9:A1"/><mergeCell ref="?"/></mergeCells>'),
        (b"</worksheet>", b""),
    ):
        said = f"{new.decode() or 'nothing'} for {old.decode()}"
        yield said, zipped({**whole, SHEET: sheet.replace(old, new)})
    entities = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%b">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in range(98, 108)
    )
    text = whole["xl/sharedStrings.xml"]
    for part, content in {SHEET: sheet, "xl/sharedStrings.xml": text}.items():
        at = content.index(b"?>") + 2 if content.startswith(b"<?xml") else 0
        bomb = (
            content[:at] + entities + b"]>" + content[at:].replace(b"head nurse", b"&k;").replace(b"<v>1<", b"<v>&k;<")
        )
        yield f"entities in {part}", zipped({**whole, part: bomb})
        outside = b'<!DOCTYPE a [<!ENTITY k SYSTEM "file:///etc/passwd">]>'
        outside = content[:at] + outside + content[at:].replace(b"head nurse", b"&k;")
        yield f"a file's content in {part}", zipped({**whole, part: outside})
    yield "names that lead out", zipped({**whole, "../../out.xml": b"x", "/etc/x": b"x"})
    packed = zipped(whole)
    yield "a flipped byte", packed[:300] + bytes([packed[300] ^ 255]) + packed[301:]
    yield "the first half", packed[: len(packed) // 2]
    yield "encrypted parts", packed.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    yield "false sizes", packed.replace(b"PK\x01\x02", b"PK\x01\x02" + b"\xff" * 8, 1)


def yaml_files(keys: str) -> Iterator[tuple[str, bytes]]:
    """Yield YAML files; the keys are a valid file, or the beginning of one."""
    first = keys.partition(":")[0]
    yield from {
        "empty": b"",
        "no mapping": b"- a\n- b\n",
        "no YAML": b"a: [\n",
        "a key twice": f"{keys}\n{keys}\n".encode(),
        "a key twice in a mapping": f"{keys}\nx: {{a: 1, a: 2}}\n".encode(),
        "merged": f"x: &x {{a: 1}}\n<<: *x\n{keys}\n".encode(),
        "the key merged": f"x: &x\n  {keys.partition(chr(10))[0]}\n<<: *x\n".encode(),
        "merged twice": f"x: &x {{a: 1}}\n<<: *x\n<<: *x\n{keys}\n".encode(),
        "merged with no mapping": f"<<: 3\n{keys}\n".encode(),
        "merged with itself": b"x: &x\n  <<: *x\n",
        "aliases": f"{first}: &x [*x]\n".encode(),
        "an unknown alias": f"{first}: *x\n".encode(),
        "aliases that multiply": (
            b"a0: &a0 [1]\n"
            + b"".join(b"a%d: &a%d [%b]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 9))
        ),
        "100,000 deep": f"{first}: ".encode() + b"[" * DEEP,
        "1,000 deep": f"{first}: ".encode() + b"[" * 1_000 + b"]" * 1_000,
        "a tag of Python": f"{first}: !!python/object/apply:os.system [id]\n".encode(),
        "a binary": f"{first}: !!binary AAAA\n".encode(),
        "a set": f"{first}: !!set {{a, b}}\n".encode(),
        "several documents": f"{keys}\n---\n{keys}\n".encode(),
        "a key that is a list": b"? [a, b]\n: 1\n",
        "a null": f"{first}:\n".encode(),
        "a number": f"{first}: 3\n".encode(),
        "infinity": f"{first}: .inf\n".encode(),
        "an impossible date": f"{first}: 2026-99-99\n".encode(),
        "9,000 digits": f"{first}: {'9' * 9_000}\n".encode(),
        "a base of sixty": f"{first}: 99:99:99\n".encode(),
        "UTF-16": keys.encode("utf-16"),
        "no UTF-8": keys.encode() + b"\xff\n",
        "a NUL": keys.encode() + b"\0\n",
        "control characters": keys.encode() + b"x: \x1b[31m\x07\n",
        "tabs": f"{first}:\n\t- a\n".encode(),
        "an ampersand": b"&\n",
        "a directive": b"%YAML 9.9\n---\n" + keys.encode(),
    }.items()


def json_files(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what may be where a JSON file was, given the bytes of a whole one."""
    yield from {
        "empty": b"",
        "the first half": content[: len(content) // 2],
        "a list": b"[]",
        "a text": b'"a"',
        "a null": b"null",
        "nothing in it": b"{}",
        "lists 100,000 deep": b"[" * DEEP + b"]" * DEEP,
        "objects 100,000 deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        "deep within": content.rstrip()[:-1] + b',"more":' + b"[" * DEEP + b"]" * DEEP + b"}",
        "a key twice": content.rstrip()[:-1] + b',"version":9,"version":8}',
        "9,000 digits": b'{"version": ' + b"9" * 9_000 + b"}",
        "NaN": b'{"version": NaN, "origin": Infinity}',
        "no UTF-8": b"\xff" + content,
        "UTF-16": content.decode().encode("utf-16"),
        "half a surrogate": b'{"version": "\\ud800"}',
        "two objects": content + content,
    }.items()


TABLES = {
    ".csv": csv_files,
    ".parquet": parquet_files,
    ".xlsx": workbooks,
}
"""Ending of a name to the files of that kind."""


def tables() -> dict[str, tuple[str, bytes]]:
    """Return every table: its name to the ending of a file and its bytes."""
    return {f"{ending[1:]}: {name}": (ending, content) for ending, made in TABLES.items() for name, content in made()}
