"""What the form of a title settles before any word of it is weighed: unreadable, another script, too short."""

import polars as pl

from data_cleaning.language.language_settings import LanguageSettings

UNDECODABLE = "undecodable title"

_SCRIPTS = {
    "Cyrillic": "ru",
    "Greek": "el",
    "Arabic": "ar",
    "Hebrew": "he",
    "Hangul": "ko",
    "Thai": "th",
    "Devanagari": "hi",
}
"""Scripts that English is not written in, to the language most often written in each. Chinese and Japanese share
theirs, and lingua tells them apart."""


def settle_by_form(titles: pl.Series, settings: LanguageSettings) -> pl.DataFrame:
    """Settle the titles that need no look at their words.

    Args:
        titles: n_titles normalised titles, none null.
        settings: how short and how damaged is too much.

    Returns:
        One row per title, in order: `form_reason`, "undecodable title" or null; `form_language`, where most letters
        are of one script that tells it, else null; `settled`, true for both and for titles to be kept unjudged.
    """
    title, lost, letters = pl.col("title"), pl.col("lost"), pl.col("letters")
    counted = titles.to_frame("title").with_columns(
        letters=title.str.count_matches(r"\p{L}"),
        readable=title.str.count_matches(r"[\p{L}\p{N}]"),
        lost=title.str.extract_all(r"[?？]{2,}|\x{FFFD}").list.join("").str.len_chars(),
    )
    undecodable = (lost > 0) & (lost >= settings.min_lost_share * (lost + pl.col("readable")))
    by_script = pl.coalesce(
        pl.when(title.str.count_matches(rf"\p{{{script}}}") * 2 > letters).then(pl.lit(language))
        for script, language in _SCRIPTS.items()
    )
    found = counted.with_columns(
        form_reason=pl.when(undecodable).then(pl.lit(UNDECODABLE)),
        form_language=pl.when((letters > 0) & ~undecodable).then(by_script),
        unjudged=(letters == 0) | title.str.contains(_too_short(settings)),
    )
    settled = pl.any_horizontal("unjudged", pl.col("form_reason").is_not_null(), pl.col("form_language").is_not_null())
    return found.select("form_reason", "form_language", settled.alias("settled"))


def _too_short(settings: LanguageSettings) -> str:
    """Write the pattern of one or two short words, or one acronym; Latin, as two characters of Chinese tell enough."""
    short = rf"\p{{Latin}}{{1,{settings.max_short_letters}}}"
    acronym = rf"[\p{{Latin}}&&\p{{Lu}}]{{1,{settings.max_acronym_letters}}}"
    return rf"^\P{{L}}*(?:{short}(?:\P{{L}}+{short})?|{acronym})\P{{L}}*$"
