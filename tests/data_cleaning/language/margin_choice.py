"""How the default margins were chosen: on one half of titles whose language is known, reported on the other."""

import hashlib
from collections.abc import Iterable

import polars as pl

from data_cleaning.language.detection import Detector, all_known, learn_english_words
from data_cleaning.language.judging import decide, read_titles, unsettled_texts
from data_cleaning.language.language_settings import ENGLISH, LanguageSettings

PLAIN_MARGIN = 0.2
"""Of plain lingua, and where the search begins."""
CAUGHT_OF_MISSED = 0.05
"""Share of what plain lingua misses that is to be caught; more would cost English titles, which weighs heavier."""


def in_choosing_half(titles: pl.Series) -> pl.Series:
    """Split titles in two by a hash of each, the same on every machine; shape (n_titles,), true where to choose."""
    return pl.Series("choosing", [hashlib.sha256(title.encode()).digest()[0] % 2 == 0 for title in titles])


def weigh(labelled: pl.DataFrame, leads: pl.DataFrame, settings: LanguageSettings) -> pl.DataFrame:
    """Gather everything but the margins that decides a language, with the vocabulary of some leads.

    Args:
        labelled: distinct `title` and its language `lang`; nothing is learned from them.
        leads: `title` and `count`, as `judge_languages` takes them; those that are labelled too, whatever their case
            and punctuation, are left out.
        settings: of the vocabulary and the forms.

    Returns:
        One row per labelled title, in order: `title`, `lang`, the columns of `settle_by_form`, `nearest` and `margin`
        of lingua for every title, and `known`, true where the vocabulary overrules lingua.
    """
    frame = read_titles(labelled.select("title", count=pl.lit(1)), settings).with_columns(labelled["lang"])
    unsettled = unsettled_texts(read_titles(leads, settings)).join(frame, on="text", how="anti", maintain_order="left")
    learning = unsettled.head(settings.max_learning_titles)
    with Detector(settings.used_margins) as detector:
        learned_from = detector.detect(learning["text"]).with_columns(learning["count"])
        detected = detector.detect(frame["text"].unique())
    words = learn_english_words(learned_from, settings)
    detected = detected.with_columns(all_known(detected["text"], words))
    return frame.join(detected, on="text", how="left", maintain_order="left")


def compare_with_plain(weighed: pl.DataFrame, settings: LanguageSettings) -> pl.DataFrame:
    """Compare our decisions with those of lingua alone.

    Args:
        weighed: as `weigh` returns it.
        settings: the margins, and those that `weighed` was made with.

    Returns:
        One row per language, by code: `lang`, `n_titles`, `plain` and `ours`, the shares of its titles that are judged
        rightly: kept where English, quarantined where not.
    """
    reason = decide(weighed.with_columns(nearest=pl.when(~pl.col("known")).then("nearest")), settings)["reason"]
    is_english = pl.col("lang") == ENGLISH
    judged = weighed.select(
        "lang",
        plain=(pl.col("margin") > PLAIN_MARGIN) != is_english,
        ours=reason.is_not_null() != weighed["lang"].eq(ENGLISH),
    )
    return judged.group_by("lang").agg(pl.len().alias("n_titles"), pl.col("plain", "ours").mean()).sort("lang")


def choose_margins(weighed: pl.DataFrame, languages: Iterable[str]) -> dict[str, float]:
    """Give each language the highest margin that catches `CAUGHT_OF_MISSED` of its titles that plain lingua misses.

    The vocabulary has no part in it, as it differs from leads to leads; nor have the English titles, of which plain
    lingua loses so few that the gaps between them are chance.

    Args:
        weighed: of the choosing half, as `weigh` returns it.
        languages: codes of the foreign languages; one of which plain lingua misses nothing keeps its margin.

    Returns:
        A margin per language, for `LanguageSettings.margins`.
    """
    return {language: _highest_margin(weighed.filter(pl.col("lang") == language), language) for language in languages}


def _highest_margin(titles: pl.DataFrame, language: str) -> float:
    missed = titles.filter(pl.col("margin") <= PLAIN_MARGIN)
    # Only a title that lingua finds nearest to its own language is caught by lowering that language's margin.
    within_reach = missed.filter((pl.col("nearest") == language) & ~pl.col("settled"))
    wanted = CAUGHT_OF_MISSED * len(missed)
    candidates = [hundredths / 100 for hundredths in range(round(PLAIN_MARGIN * 100), -1, -1)]
    enough = (margin for margin in candidates if (within_reach["margin"] > margin).sum() >= wanted)
    return next(enough, candidates[-1])
