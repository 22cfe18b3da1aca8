"""Text that breaks things: what people paste into forms, and what nobody should."""

from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

LARGEST = 1 << 20
"""Bytes of the longest titles."""

PLAIN = ["head nurse", "Chief Surgeon", "night cook", "trainee driver", "visitor", "VP, Sales", "R&D Manager; EMEA"]

NASTY = [
    # nothing, and what looks like nothing
    *("", " ", "   ", "\t", "\u00a0", "\u200b", "\u3000", "\u00ad", "\u200d", "\ufe0f", "\u3164", "\u2800"),
    # line ends and what some take for one
    *("\n", "\r", "\r\n", "head\nnurse", "head\rnurse", "head\r\nnurse", "\x85", "\u2028", "\u2029", "\x0b\x0c"),
    # quotes and escapes
    *('"', '""', '"""', '"a"', 'a"b', '5" disk', "'", "\\", '\\"', "``", "a\\nb", r"\xff"),
    # control characters
    *("\0", "\0\0", "nurse\0cook", "\x1a", "\x1b[31mred", "\x7f", "\x08\x08", "\x1c\x1d\x1e\x1f"),
    # right to left
    *("مدير المبيعات", "מנהל מכירות", "\u202eesrun daeh", "\u200fnurse\u200e", "\u2066cook\u2069", "nurse مدير"),
    # emoji
    *("👩‍⚕️", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "👍🏽 nurse", "1️⃣", "🧑🏿‍💻 Lead"),
    # combining marks
    *("\u0301", "\u0301" * 40, "\u20e3", "\u0e31\u0e31", "e\u0301\u0327", "c\u0300\u0316\u0334o\u0335\u0321ok"),
    # what Unicode normalisation changes, shrinks or lets grow
    *("ﬁre chief", "ﷺ", "Å", "ǅ", "ß", "İstanbul", "Ｃｏｏｋ", "①", "½", "²", "㍿"),
    *("\u1e9b\u0323", "가", "\u1100\u1161"),
    # ends of planes, marks of byte order, replacement
    *("\ufeff", "\ufeffnurse", "\ufffe", "\uffff", "\ufffd", "\U0010ffff", "\U0001d54f", "\ud7ff", "\ue000"),
    # formulas, and what is taken for a number, a date or nothing
    *("=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-nurse", "'=1", "''=1", "\t=1", "=HYPERLINK(1)"),
    *("NULL", "NaN", "None", "#N/A", "nan", "true", "1e999", "-0", "007", "2026-11-26", "1/2", "_x0041_", "inf"),
    # markup and patterns
    *("<b>&amp;</b>", "[bold]", "[/bold]", "{title}", "{{7*7}}", "%s%n", "$1", "(?P<a>", "a|b", "^.*$", "\\d+"),
    # other scripts
    *("医師", "главный врач", "Διευθυντής", "คนขับรถ", "शेफ", "አለቃ", "Ærø skibsfører", "José Anaïs"),
    # length
    *("nurse " * 400, "n" * 2_000, "n" * 2_001, "x" * 5_000, " " * 2_500 + "nurse", "é" * 3_000),
]  # fmt: skip

NOT_UTF8 = [
    *(b"\xff", b"\xfe\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x91", b"\xc0\xaf", b"\xf8\x88\x80\x80\x80"),
    *(b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xed\xa0\xbd\xed\xb1\xa9", b"\xf4\x90\x80\x80", b"caf\xe9", b"\xa4 nurse"),
]
"""Cut and overlong characters, surrogates alone and in pairs, beyond the last plane, Latin-1."""


@cache
def texts(codec: str) -> st.SearchStrategy[str]:
    """Return text that a codec can write, from nothing to thousands of characters."""
    known = [text for text in (*PLAIN, *NASTY) if _fits(text, codec)]
    one = st.sampled_from(known)
    joined = st.lists(one, min_size=2, max_size=4).map("".join)
    marks = st.text(st.characters(codec=codec, categories=["Mn", "Me", "Cf", "Zs"]), max_size=10)
    drawn = st.text(st.characters(codec=codec), max_size=12)
    return st.one_of(st.sampled_from(PLAIN), one, drawn, joined, *([marks] if codec.startswith("utf") else []))


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Return text as UTF-8 with some bytes put in or left out, which may still be UTF-8."""
    whole = draw(texts("utf-8")).encode()
    at = draw(st.integers(0, len(whole)))
    return whole[:at] + draw(st.sampled_from(NOT_UTF8) | st.binary(max_size=3)) + whole[at + draw(st.integers(0, 2)) :]


short_titles = st.one_of(
    st.binary(max_size=30),
    texts("utf-8").map(str.encode),
    broken(),
    st.sampled_from(NOT_UTF8),
)
"""Titles as bytes, most of which are no UTF-8."""


@dataclass(frozen=True)
class Long:
    """A title of 1 MiB; one that ends within a character is no UTF-8."""

    unit: bytes
    """What it says over and over."""
    start: bytes = b""

    @property
    def content(self) -> bytes:
        """The title."""
        return (self.start + self.unit * (LARGEST // len(self.unit) + 1))[:LARGEST]


_UNITS = st.binary(min_size=1, max_size=6) | texts("utf-8").map(str.encode).filter(bool)
long_titles = st.builds(Long, _UNITS, st.sampled_from([b"", b"nurse ", b"=", '"é'.encode()]))

NAMED = [
    *(text.encode() for text in NASTY),
    *NOT_UTF8,
    *(
        Long(unit.encode()).content
        for unit in ("n", "nurse ", " ", "\0", "\u0301", "👩‍⚕️", "مدير ", '"', "\n", "=1", "ﷺ")
    ),
]
"""Every one of the nasty titles, and long ones of each kind."""
