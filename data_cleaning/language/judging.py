"""From titles to languages: first the form of a title, then the vocabulary of the leads, then lingua."""

import polars as pl

from data_cleaning.language.detection import Detector, all_known, fold_texts, learn_english_words
from data_cleaning.language.language_settings import LanguageSettings
from data_cleaning.progress import Progress, silent

UNDECODABLE = "undecodable title"

_SCRIPTS = {
    "Cyrillic": "ru", "Greek": "el", "Arabic": "ar", "Hebrew": "he", "Hangul": "ko", "Thai": "th", "Devanagari": "hi",
}  # fmt: skip
"""Scripts that English is not written in, to the language most often written in each. Chinese and Japanese share
theirs, and lingua distinguishes them."""


def judge_languages(
    titles: pl.DataFrame, settings: LanguageSettings | None = None, progress: Progress = silent
) -> pl.DataFrame:
    """Find the titles that are not English and those that cannot be read; where there is doubt, a title is kept.

    The English vocabulary is learned from these titles, the most frequent first. Of the others, those made of known
    words alone are kept without asking lingua.

    Args:
        titles: `title`, distinct, not null and normalised, and `count`, its records.
        settings: margins per language and the rest; None takes the defaults.
        progress: called for the step "finding languages".

    Returns:
        One row per title, in the given order: `title`; `language`, the ISO 639-1 code of the language, null where none
        was found; `reason`, null where the title is to be kept, else "foreign title (de)" or "undecodable title".
    """
    settings = settings or LanguageSettings()
    frame = read_titles(titles, settings)
    texts = unsettled_texts(frame)
    done = len(titles) - int(texts["n_titles"].sum())

    def report(finished: pl.DataFrame) -> None:
        nonlocal done
        if len(finished):
            done += int(finished["n_titles"].sum())
            progress("finding languages", done, len(titles), "titles")

    progress("finding languages", done, len(titles), "titles")
    if texts.is_empty():
        return decide(frame.with_columns(nearest=pl.lit(None, pl.String), margin=pl.lit(None, pl.Float64)), settings)
    learning, rest = texts.head(settings.max_learning_titles), texts.slice(settings.max_learning_titles)
    with Detector(settings.used_margins) as detector:
        detected = detector.detect(learning["text"], lambda *chunk: report(learning.slice(*chunk)))
        words = learn_english_words(detected.with_columns(learning["count"]), settings)
        known = all_known(rest["text"], words)
        report(rest.filter(known))
        unknown = rest.filter(~known)
        more = detector.detect(unknown["text"], lambda *chunk: report(unknown.slice(*chunk)))
        detected = pl.concat([detected, more])
    return decide(frame.join(overrule(detected, words), on="text", how="left", maintain_order="left"), settings)


def read_titles(titles: pl.DataFrame, settings: LanguageSettings) -> pl.DataFrame:
    """Return `title`, `count`, the `text` that lingua looks at, and the columns of `settle_by_form`; same order."""
    read = titles.select("title", "count", fold_texts(titles["title"]))
    read = pl.concat([read, settle_by_form(read["title"], settings)], how="horizontal")
    # Where someone writes ISSO, the Isso of another is the same acronym.
    unjudged = pl.col("settled") & pl.col("form_reason").is_null() & pl.col("form_language").is_null()
    return read.with_columns(pl.col("settled") | unjudged.any().over("text"))


def settle_by_form(titles: pl.Series, settings: LanguageSettings) -> pl.DataFrame:
    """Settle the titles, normalised and none null, that need no look at their words.

    Returns:
        One row per title, in order: `form_reason`, "undecodable title" or null; `form_language`, where most letters
        are of one script that shows it, else null; `settled`, true for both and for titles that are kept unchecked.
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
    """Write the pattern of one or two short words, or one acronym; Latin only, as two Chinese characters are enough."""
    short = rf"\p{{Latin}}{{1,{settings.max_short_letters}}}"
    acronym = rf"[\p{{Latin}}&&\p{{Lu}}]{{1,{settings.max_acronym_letters}}}"
    return rf"^\P{{L}}*(?:{short}(?:\P{{L}}+{short})?|{acronym})\P{{L}}*$"


def unsettled_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the distinct texts that are still open, with `count` and `n_titles`, those of most records first."""
    texts = frame.filter(~pl.col("settled")).group_by("text").agg(pl.col("count").sum(), pl.len().alias("n_titles"))
    return texts.sort("count", "text", descending=[True, False])


def overrule(detected: pl.DataFrame, words: pl.Series) -> pl.DataFrame:
    """Leave out the texts whose every word is known, so that lingua does not decide them."""
    return detected.filter(~all_known(detected["text"], words))


def decide(frame: pl.DataFrame, settings: LanguageSettings) -> pl.DataFrame:
    """Apply the margins to titles as `read_titles` returns them, and return what `judge_languages` does.

    They have `nearest` and `margin` of `Detector.detect`, null where it was not asked.
    """
    exceeded = pl.col("nearest").replace_strict(settings.used_margins, default=None, return_dtype=pl.Float64)
    by_lingua = pl.when(~pl.col("settled") & (pl.col("margin") > exceeded)).then("nearest")
    language = pl.coalesce("form_language", by_lingua)
    reason = pl.coalesce("form_reason", pl.format("foreign title ({})", language))
    return frame.select("title", language.alias("language"), reason.alias("reason"))
