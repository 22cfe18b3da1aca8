"""From titles to languages: first the form of a title, then how its words are used, then lingua."""

from collections.abc import Iterable

import polars as pl

from data_cleaning.language.detection import Detector, fold_texts
from data_cleaning.language.language_settings import LanguageSettings
from data_cleaning.language.word_evidence import weigh_words
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress, silent

UNDECODABLE = "undecodable title"

_SCRIPTS = {
    "Cyrillic": "ru", "Greek": "el", "Arabic": "ar", "Hebrew": "he", "Hangul": "ko", "Thai": "th", "Devanagari": "hi",
}  # fmt: skip
"""Scripts that English is not written in, to the language most often written in each. Chinese and Japanese share
theirs, and lingua distinguishes them."""


def judge_languages(
    titles: pl.DataFrame,
    settings: LanguageSettings | None = None,
    progress: Progress = silent,
    known: Iterable[str] = (),
) -> pl.DataFrame:
    """Find the titles that are not English and those that cannot be read; where there is doubt, a title is kept.

    The words of a title decide where they can: a word that another language uses much more often than English makes it
    foreign, and words of English alone make it English. Lingua decides the others. Frequent and known titles need more
    evidence, and a near duplicate of a title that is kept is kept as well.

    Args:
        titles: `title`, distinct, not null and normalised, and `count`, its records.
        settings: how sure the decision must be; None takes the defaults.
        progress: called for the step "finding languages".
        known: titles, keywords or labels of the business, such as the keyword table's, whose words count as English.

    Returns:
        One row per title, in the given order: `title`; `language`, the ISO 639-1 code of the language, null where none
        was found; `reason`, null where the title is to be kept, else "foreign title (de)" or "undecodable title".
    """
    settings = settings or LanguageSettings()
    frame = read_titles(titles, settings)
    texts = settle_texts(weigh_texts(frame, settings, known), settings)
    unsure = texts.filter(~pl.col("settled_by_words"))
    done = len(titles) - int(unsure["n_titles"].sum())

    def report(start: int, n_texts: int) -> None:
        nonlocal done
        done += int(unsure["n_titles"].slice(start, n_texts).sum())
        progress("finding languages", done, len(titles), "titles")

    progress("finding languages", done, len(titles), "titles")
    detected = pl.DataFrame(schema={"text": pl.String, "nearest": pl.String, "margin": pl.Float64})
    if len(unsure):
        with Detector(settings.used_margins) as detector:
            detected = detector.detect(unsure["text"], report)
    texts = texts.join(detected, on="text", how="left", maintain_order="left")
    return keep_near_duplicates(decide(frame, texts, settings))


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


def weigh_texts(frame: pl.DataFrame, settings: LanguageSettings, known: Iterable[str] = ()) -> pl.DataFrame:
    """Weigh the words of the distinct texts that the form of their titles leaves open.

    Args:
        frame: as `read_titles` returns it.
        settings: what is frequent, and what `weigh_words` needs.
        known: as for `judge_languages`.

    Returns:
        One row per text, those of most records first: the columns of `weigh_words`, `count`, `n_titles`, and
        `needs_sure`, whether the text is frequent or known.
    """
    texts = frame.filter(~pl.col("settled")).group_by("text").agg(pl.col("count").sum(), pl.len().alias("n_titles"))
    texts = texts.sort("count", "text", descending=[True, False])
    known_words = fold_texts(pl.Series(list(known), dtype=pl.String)).str.split(" ").explode().unique()
    weighed = weigh_words(texts["text"], settings, known_words).with_columns(texts["count"], texts["n_titles"])
    frequent = pl.col("count") >= settings.min_frequent_records
    return weighed.with_columns(needs_sure=frequent | (pl.col("all_known") & (len(known_words) > 0)))


def settle_texts(weighed: pl.DataFrame, settings: LanguageSettings) -> pl.DataFrame:
    """Settle the texts whose words decide their language.

    Returns:
        The weighed texts with `word_language`, null where their words do not show that they are foreign; and
        `settled_by_words`, false where lingua is to decide.
    """
    needed = pl.when("needs_sure").then(settings.sure_evidence).otherwise(settings.min_evidence)
    settled = weighed.with_columns(word_language=pl.when(pl.col("evidence") >= needed).then("language"))
    return settled.with_columns(settled_by_words=pl.col("word_language").is_not_null() | pl.col("is_english"))


def decide(frame: pl.DataFrame, texts: pl.DataFrame, settings: LanguageSettings) -> pl.DataFrame:
    """Return what `judge_languages` does, before near duplicates are compared.

    Args:
        frame: as `read_titles` returns it.
        texts: as `settle_texts` returns them, with `nearest` and `margin` of `Detector.detect`, null where it was not
            asked.
        settings: the margins.
    """
    margin = pl.col("nearest").replace_strict(settings.used_margins, default=None, return_dtype=pl.Float64)
    needed = pl.when("needs_sure").then(pl.max_horizontal(margin, pl.lit(settings.sure_margin))).otherwise(margin)
    by_lingua = pl.when(~pl.col("settled_by_words") & margin.is_not_null() & (pl.col("margin") > needed)).then(
        "nearest"
    )
    found = texts.select("text", text_language=pl.coalesce("word_language", by_lingua))
    joined = frame.join(found, on="text", how="left", maintain_order="left")
    of_words = pl.when(~pl.col("settled")).then("text_language")
    language = pl.coalesce("form_language", of_words)
    reason = pl.coalesce("form_reason", pl.format("foreign title ({})", language))
    return joined.select("title", language.alias("language"), reason.alias("reason"))


def keep_near_duplicates(judged: pl.DataFrame) -> pl.DataFrame:
    """Keep each foreign title that differs from one that is kept only in case, separators or the order of words."""
    if judged["language"].is_null().all():
        return judged
    keyed = judged.with_columns(near_duplicate_keys(judged["title"]))
    kept_keys = keyed.filter(pl.col("reason").is_null())["key"].unique()
    kept = pl.col("language").is_not_null() & keyed["key"].is_in(kept_keys.implode())
    return judged.with_columns(pl.when(~kept).then(name).alias(name) for name in ("language", "reason"))
