"""What the words of a title say about its language, by how often wordfreq has seen each word in every language.

Lingua reads letters, and takes "Banker" for Dutch and "Software Tester" for German; both are words of everyday English.
The other way round, it takes "stagiair software" for English, although English has no stagiair.
"""

from collections.abc import Iterable
from functools import cache

import polars as pl

from data_cleaning.language.language_settings import ENGLISH, LanguageSettings

WORD_EVIDENCE = {
    "text": pl.String(), "evidence": pl.Float64(), "language": pl.String(), "is_english": pl.Boolean(),
    "all_known": pl.Boolean(),
}  # fmt: skip

_NEVER = 1.0
"""Zipf frequency of a word that a list does not have: ten uses in a billion words are about where lists end."""

_UNSPACED = frozenset({"ja", "ko", "th", "zh"})
"""Languages whose titles are not split into words."""

_MAX_NEUTRAL_LETTERS = 2
"""Words no longer than this, such as IT, HR and VP, are in titles of every language, and do not speak for English."""


def weigh_words(texts: pl.Series, settings: LanguageSettings, known: Iterable[str] = ()) -> pl.DataFrame:
    """Compare how often the words of each text are used in English and in every other language.

    Args:
        texts: distinct texts, as `detection.fold_texts` makes them; shape (n_texts,).
        settings: which languages are compared, and how often an English word is used.
        known: words of the business, in lower case. Each counts as an English one, however rare; a short one as an
            acronym, which tells no language.

    Returns:
        One row per text, in order: `text`; `evidence`, the power of ten by which its words are used more often in
        `language` than in English, 0 where no word is; `is_english`, whether English has every word; `all_known`,
        whether every word is known.
    """
    # One letter is no word, and a text of such letters alone has nothing that is foreign.
    words = pl.DataFrame({"text": texts, "word": texts.str.split(" ")}).explode("word")
    words = words.filter(pl.col("word").str.len_chars() > 1)
    languages = sorted(settings.used_margins.keys() - _UNSPACED)
    frequencies = _frequencies(words["word"].unique(), [ENGLISH, *languages])
    is_known = pl.col("word").is_in(list(known))
    is_acronym = is_known & (pl.col("word").str.len_chars() <= settings.max_acronym_letters)
    english = (
        pl.when(is_known).then(pl.max_horizontal(ENGLISH, pl.lit(settings.min_english_frequency))).otherwise(ENGLISH)
    )
    is_neutral = pl.col("word").str.len_chars() <= _MAX_NEUTRAL_LETTERS
    more = {
        language: pl.when(is_acronym).then(0.0).when(is_neutral & (pl.col(language) < english)).then(0.0)
        .otherwise(pl.col(language) - english)
        for language in languages
    }  # fmt: skip
    by_text = (
        words.join(frequencies, on="word", how="left")
        .group_by("text")
        .agg(
            (english >= settings.min_english_frequency).all().alias("is_english"),
            is_known.all().alias("all_known"),
            *(more[name].sum().alias(name) for name in languages),
            *(more[name].max().alias(f"most {name}") for name in languages),
        )
    )
    nothing = pl.lit(0.0)
    # The text as a whole must be used more often, and a single word of it must be: many small differences are chance.
    evidence = pl.max_horizontal(nothing, *(pl.min_horizontal(name, f"most {name}") for name in languages))
    likeliest = pl.max_horizontal(nothing, *languages)
    language = pl.coalesce(pl.when(pl.col(name) == likeliest).then(pl.lit(name)) for name in languages)
    weighed = texts.rename("text").to_frame().join(by_text, on="text", how="left", maintain_order="left")
    weighed = weighed.with_columns(pl.col("is_english", "all_known").fill_null(True))
    return weighed.with_columns(evidence.alias("evidence"), language.alias("language")).select(list(WORD_EVIDENCE))


def _frequencies(words: pl.Series, languages: list[str]) -> pl.DataFrame:
    """Return `word`, and its Zipf frequency in a column per language; `_NEVER` where the list does not have it."""
    found = words.rename("word").to_frame()
    for language in languages:
        listed = _word_list(language).rename({"frequency": language})
        found = found.join(listed, on="word", how="left").with_columns(pl.col(language).fill_null(_NEVER))
    return found


@cache
def _word_list(language: str) -> pl.DataFrame:
    """Return `word` and its Zipf `frequency`, at least `_NEVER`; no row for a language that has no list."""
    import wordfreq  # on use: it takes a seventh of a second to import

    # The words of each frequency, in hundredths of a power of ten; the library would keep them as Python texts.
    by_frequency = wordfreq.get_frequency_list(language) if language in wordfreq.available_languages() else []
    wordfreq.get_frequency_list.cache_clear()
    listed = pl.DataFrame({"word": by_frequency}, schema={"word": pl.List(pl.String)}).with_row_index("hundredths")
    frequency = pl.max_horizontal(9 - pl.col("hundredths") / 100, pl.lit(_NEVER)).alias("frequency")
    return listed.explode("word").drop_nulls("word").select("word", frequency)
