"""Repairs titles that programs on their way have damaged, so that they read as somebody typed them."""

import re
from collections.abc import Iterator
from contextlib import suppress

import polars as pl
from ftfy import TextFixerConfig, fix_encoding
from ftfy.fixes import fix_c1_controls, unescape_html

from data_cleaning.errors import counted

_ENTITY = r"&#?[0-9A-Za-z]{1,24};"
_CAPITALISED = ["&Amp;", "&Quot;", "&Apos;", "&Nbsp;", "&Lt;", "&Gt;"]
"""What entities become where a program capitalises each word; HTML knows them in lower and upper case alone."""

# The zero width space is dropped, as no reader sees it. The joiners U+200C and U+200D stay within an emoji and between
# letters that change their form, as in Persian.
_INVISIBLE = r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
_HYPHENATED = r"(\p{Ll})\u00ad(\p{Lu})"
_IDLE_JOINER = r"(^|[\p{Latin}\p{N}\p{P}\s])[\u200c\u200d]+"

_CODEPAGES = ("cp1250", "cp1251", "koi8-r", "cp1257", "iso8859-2")
"""Codepages of Central European, Cyrillic and Baltic letters, the most common first; their words are no valid UTF-8."""
_RARE = re.compile("[åùşþÊ]")
"""Letters that are rarer in titles than those that another codepage gives: á, ñ, ż, õ and é."""
_ACCENTED = re.compile("[À-ÖØ-öø-ž]")
_NOT_PLAIN = re.compile(
    "[^\0-\x7f\u2010-\u2026À-ÖØ-öø-ž]|(?<=[a-zß-öø-ÿ])[A-ZÀ-ÖØ-Þ]"
    "|(?<=[A-ZÀ-ÖØ-Þ])[À-ÖØ-Þ](?=[a-zß-öø-ÿ])|(?<![aeiouyäöü])ß"
)

_DECODING = TextFixerConfig(replace_lossy_sequences=False)  # which would lose what is left of a damaged letter


def repaired(titles: pl.Series) -> pl.Series:
    """Undo double-decoded text, HTML entities and invisible characters; null stays null.

    "GeschÃ¤ftsfÃ¼hrer" becomes "Geschäftsführer", "R&amp;D" becomes "R&D". Soft hyphens, zero-width characters and
    marks of writing direction go, but a soft hyphen before a capital becomes a hyphen. A no-break space becomes a
    space. All else stays as it is, curly quotes, case and ligatures included. What is repaired stays unchanged when it
    is repaired again.
    """
    beyond_ascii = titles.str.len_bytes() > titles.str.len_chars()
    rows = (beyond_ascii | titles.str.contains(_ENTITY)).fill_null(False).arg_true()
    if rows.is_empty():
        return titles
    damaged = titles.gather(rows)
    distinct = damaged.unique()
    known = distinct.str.replace_many(_CAPITALISED, [entity.lower() for entity in _CAPITALISED])
    # Not `ftfy.fix_text`, which by itself also changes quotes, ligatures, width and line ends.
    decoded = [fix_c1_controls(_decoded(unescape_html(title))) for title in known]
    fixed = pl.Series(decoded, dtype=pl.String)
    fixed = fixed.str.replace_all(_HYPHENATED, "${1}-${2}")
    fixed = fixed.str.replace_all(_INVISIBLE, "").str.replace_all(_IDLE_JOINER, "${1}").str.replace_all("\u00a0", " ")
    changed = (fixed != distinct).arg_true()
    if changed.is_empty():
        return titles
    # One repair may show the need for another, such as an entity that was written with a soft hyphen.
    of_changed = dict(zip(distinct.gather(changed), repaired(fixed.gather(changed)), strict=True))
    return titles.clone().scatter(rows, damaged.replace(of_changed))


def _decoded(title: str) -> str:
    if title.isascii() or "\ufffd" in title:  # which ftfy would take for the control character U+001A
        return title
    plain = list(filter(_is_plain, _as_utf8(title)))
    if len(set(plain)) > 1 and _RARE.search(plain[0]):
        return title  # both readings are possible
    return plain[0] if plain else fix_encoding(title, _DECODING)


def _as_utf8(title: str) -> Iterator[str]:
    """Yield what a title was if its UTF-8 was read in a codepage that ftfy does not know, or takes for another."""
    for codepage in _CODEPAGES:
        with suppress(UnicodeError):
            yield title.encode(codepage).decode()


def _is_plain(text: str) -> bool:
    """Say whether a text has accents as people write them: on Latin letters, ß after a vowel, no capital in a word."""
    return text.isascii() or (_NOT_PLAIN.search(text) is None and _ACCENTED.search(text) is not None)


def repaired_in_words(n_records: int) -> str:
    """Say in a sentence that so many records have a title that `repaired` changes."""
    return (
        f"Damaged titles, read as repaired and kept as they came: {counted(n_records, 'record')} with double-decoded "
        "text, HTML entities or invisible characters."
    )
