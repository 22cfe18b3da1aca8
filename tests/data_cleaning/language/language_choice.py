"""How the thresholds of the language step were chosen: on one half of real titles, reported on the other."""

import hashlib
from dataclasses import replace
from itertools import product
from pathlib import Path

import polars as pl

from data_cleaning.language.detection import Detector
from data_cleaning.language.judging import decide, keep_near_duplicates, read_titles, settle_texts, weigh_texts
from data_cleaning.language.language_settings import ENGLISH, LanguageSettings

DATA = Path(__file__).parents[4] / "shared" / "data"
LISTS = {
    "salary survey": ("infosec-jobs",),
    "occupations": ("onet-reported", "onet-alternate", "onet-acronym"),
    "visa filings": ("lca-variants",),
}
"""Long-tailed lists of English titles, and the sources of `real_titles.csv` that each is made of."""
TRANSLATED = "translated titles"
"""The titles of known language."""

BEFORE = {
    "de": 0.929, "es": 0.977, "fr": 0.942, "it": 0.940, "ja": 1.0, "nl": 0.886, "pl": 0.978, "pt": 0.962, "zh": 1.0,
}  # fmt: skip
"""Share of each language's titles in the choosing half that was caught before words were compared between languages,
with a vocabulary learned from the leads; docs/EXPERIMENTS.md has these figures of 2026-11-23."""
PLAIN_MARGIN = 0.2
"""Of lingua alone."""
MARGINS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
EVIDENCE = (1.0, 1.5, 2.0, 2.5)


def in_choosing_half(titles: pl.Series) -> pl.Series:
    """Split titles in two by a hash of each, the same on every machine; shape (n_titles,), true where to choose."""
    return pl.Series("choosing", [hashlib.sha256(title.encode()).digest()[0] % 2 == 0 for title in titles])


def read_lists() -> pl.DataFrame:
    """Return every title of every list: `list`, `title`, `count` and `lang`."""
    real = pl.read_csv(DATA / "real_titles.csv")
    of_sources = [
        real.filter(pl.col("source").is_in(sources))
        .group_by("title", maintain_order=True)
        .agg(pl.col("count").sum())
        .select(pl.lit(name).alias("list"), "title", "count", pl.lit(ENGLISH).alias("lang"))
        for name, sources in LISTS.items()
    ]
    translated = pl.read_csv(DATA / "titles_by_language.csv").unique("title", keep="first", maintain_order=True)
    one = pl.lit(1, pl.Int64).alias("count")
    return pl.concat([*of_sources, translated.select(pl.lit(TRANSLATED).alias("list"), "title", one, "lang")])


class Weighed:
    """The titles of one list with all that decides their language but the thresholds, to try many of these."""

    def __init__(self, titles: pl.DataFrame, settings: LanguageSettings, known: list[str]) -> None:
        self.titles = titles
        self._frame = read_titles(titles, settings)
        texts = weigh_texts(self._frame, settings, known)
        with Detector(settings.used_margins) as detector:
            # Of every text, as other thresholds leave others open.
            self._texts = texts.join(detector.detect(texts["text"]), on="text", maintain_order="left")

    def shares(self, settings: LanguageSettings) -> pl.DataFrame:
        """Return per language `lang`, `titles`, `kept_titles` and `kept_records`, the shares that would be kept."""
        judged = keep_near_duplicates(decide(self._frame, settle_texts(self._texts, settings), settings))
        return self._by_language(judged["reason"].is_null())

    def plain_shares(self) -> pl.DataFrame:
        """Return the same for lingua alone, with one margin for all languages."""
        joined = self._frame.join(self._texts, on="text", how="left", maintain_order="left")
        kept = (joined["margin"].fill_null(0) <= PLAIN_MARGIN) & joined["form_language"].is_null()
        return self._by_language(kept)

    def _by_language(self, kept: pl.Series) -> pl.DataFrame:
        return (
            self.titles.with_columns(kept=kept)
            .group_by("lang")
            .agg(
                pl.len().alias("titles"),
                pl.col("kept").mean().alias("kept_titles"),
                ((pl.col("kept") * pl.col("count")).sum() / pl.col("count").sum()).alias("kept_records"),
            )
            .sort("lang")
        )


def weigh_lists(lists: pl.DataFrame, settings: LanguageSettings, known: list[str]) -> dict[str, Weighed]:
    """Weigh the titles of each list by itself, as the language step does with a file."""
    return {
        str(name): Weighed(of_list.drop("list"), settings, known)
        for (name,), of_list in lists.group_by("list", maintain_order=True)
    }


def english_kept(weighed: dict[str, Weighed], settings: LanguageSettings) -> dict[str, float]:
    """Return the share of the English records of each list that would be kept."""
    tables = {name: of_list.shares(settings) for name, of_list in weighed.items()}
    return {name: table.filter(lang=ENGLISH)["kept_records"].item() for name, table in tables.items()}


def caught(shares: pl.DataFrame) -> dict[str, float]:
    """Return the share of the titles of each foreign language that would be set aside."""
    foreign = shares.filter(pl.col("lang") != ENGLISH)
    return dict(foreign.select("lang", 1 - pl.col("kept_titles")).iter_rows())


def choose_thresholds(weighed: dict[str, Weighed], settings: LanguageSettings) -> tuple[float, float]:
    """Choose the margin of all languages and the evidence of words that keep most English records.

    Only thresholds count with which no language is caught less often than `BEFORE`. The share of English is the mean of
    the lists; where it is equal, the thresholds that catch more are chosen.
    """
    tried = []
    for margin, evidence in product(MARGINS, EVIDENCE):
        changed = replace(
            settings,
            margins=dict.fromkeys(settings.used_margins, margin),
            min_evidence=evidence,
            sure_evidence=max(evidence, settings.sure_evidence),
        )
        found = caught(weighed[TRANSLATED].shares(changed))
        if all(round(found[language], 3) >= share for language, share in BEFORE.items()):
            english = english_kept(weighed, changed)
            order = (round(sum(english.values()) / len(english), 5), sum(found.values()))
            tried.append((order, (margin, evidence)))
    return max(tried)[1]
