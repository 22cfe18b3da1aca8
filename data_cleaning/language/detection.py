"""Two detectors of the language of short texts: lingua, and the English words of the leads themselves.

Lingua knows running text and takes "Procurement Manager" for French, but the leads have its words in many other
titles. A title of known English words alone is English, whatever lingua says.
"""

from collections.abc import Callable, Iterable
from typing import Self

import polars as pl
from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

from data_cleaning.language.language_settings import ENGLISH, LanguageSettings

_DETECTED = {"text": pl.String(), "nearest": pl.String(), "margin": pl.Float64()}

_CHUNK_TEXTS = 10_000  # bounds the confidences held at a time (10 per text), and allows progress reports


def fold_texts(titles: pl.Series) -> pl.Series:
    """Reduce titles to what lingua looks at: words of letters in lower case, one space between; shape (n_titles,)."""
    return titles.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}]+", " ").str.strip_chars(" ").alias("text")


class Detector:
    """Lingua over English and some other languages; a context manager, to unload its models after use."""

    def __init__(self, languages: Iterable[str]) -> None:
        codes = {ENGLISH, *languages}
        self._languages = {Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())): code for code in codes}
        # Loaded here and not within the detecting threads, which would wait for each other.
        builder = LanguageDetectorBuilder.from_languages(*self._languages)
        self._detector = builder.with_preloaded_language_models().build()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._detector.unload_language_models()

    def detect(
        self, texts: pl.Series, report: Callable[[int, int], None] = lambda start, n_texts: None
    ) -> pl.DataFrame:
        """Detect the languages of distinct texts, as `fold_texts` makes them, in parallel.

        `report` is called after each chunk of texts with its start and length.

        Returns:
            One row per text: `text`; `nearest`, the likeliest language, null where no language uses such letters;
            `margin`, its confidence minus that of English, 0 where it is English itself.
        """
        chunks = [pl.DataFrame(schema=_DETECTED)]
        for start in range(0, len(texts), _CHUNK_TEXTS):
            chunk = texts.slice(start, _CHUNK_TEXTS)
            nearest: list[str | None] = []
            margins: list[float] = []
            for values in self._detector.compute_language_confidence_values_in_parallel(chunk.to_list()):
                first = values[0]  # the likeliest comes first
                english = next(value.value for value in values if value.language == Language.ENGLISH)
                nearest.append(self._languages[first.language] if first.value > 0 else None)
                margins.append(0.0 if first.language == Language.ENGLISH else first.value - english)
            chunks.append(pl.DataFrame({"text": chunk, "nearest": nearest, "margin": margins}, schema=_DETECTED))
            report(start, len(chunk))
        return pl.concat(chunks)


def learn_english_words(detected: pl.DataFrame, settings: LanguageSettings) -> pl.Series:
    """Return the words of English titles and those that only English words surround; in lower case, sorted.

    The texts are distinct, with their `count` of records, and `nearest` and `margin` of `Detector.detect`.
    """
    of_titles = detected.select("count", "nearest", "margin", word=pl.col("text").str.split(" ").list.unique())
    by_title = of_titles.with_row_index("row").explode("word").filter(pl.col("word") != "")
    in_english = _in_english_titles(by_title, settings)
    return pl.concat([in_english, _among_english_words(by_title, in_english, settings)]).sort()


def all_known(texts: pl.Series, words: pl.Series) -> pl.Series:
    """Tell for each text whether every word of it is among `words`; shape (n_texts,)."""
    of_texts = texts.str.split(" ")
    known = of_texts.explode().is_in(words.implode())
    # Each text has at least one word (an empty text has an empty one), so that no row is lost.
    row = pl.select(pl.int_range(len(texts)).repeat_by(of_texts.list.len()).explode()).to_series()
    per_text = pl.DataFrame({"row": row, "known": known}).group_by("row").agg(pl.col("known").all()).sort("row")
    return per_text["known"]


def _in_english_titles(by_title: pl.DataFrame, settings: LanguageSettings) -> pl.Series:
    """Learn from the titles that lingua takes for English.

    The share counts titles alike and is not weighed against how many are foreign: among leads that are mostly foreign,
    few words are learned and lingua decides, but a foreign word that lingua mistakes for English is never learned.
    """
    words = by_title.group_by("word").agg(
        (pl.col("nearest") == ENGLISH).sum().alias("english"),
        (pl.col("margin") > settings.learning_margin).sum().alias("foreign"),
    )
    enough = pl.col("english") >= settings.min_word_titles
    mostly = pl.col("english") >= settings.min_english_share * (pl.col("english") + pl.col("foreign"))
    return words.filter(enough & mostly)["word"]


def _among_english_words(by_title: pl.DataFrame, in_english: pl.Series, settings: LanguageSettings) -> pl.Series:
    """Learn the words that lingua is never sure of, such as procurement, malware and helpdesk.

    In most records with such a word, all other words are English. That is also true of "Sviluppatore Java" and
    "Leiter Marketing", but lingua is sure of these, so the margin counts as well. Records decide and not titles,
    as most titles of one record add a company, a place or a typing error.
    """
    by_title = by_title.with_columns(by_title["word"].is_in(in_english.implode()).alias("known"))
    n_words, n_known = pl.len().over("row"), pl.col("known").sum().over("row")
    by_title = by_title.with_columns(n_words=n_words, surrounded=n_known == n_words - 1)
    words = (
        by_title.filter(~pl.col("known"), pl.col("n_words") > 1)
        .group_by("word")
        .agg(
            pl.col("surrounded").sum().alias("n_titles"),
            (pl.col("surrounded") * pl.col("count")).sum().alias("surrounded_records"),
            pl.col("count").sum().alias("records"),
            pl.col("margin").filter("surrounded").mean(),
        )
    )
    # The leads have few titles with malware or OSINT, but many people have them.
    of_many = (pl.col("n_titles") >= 2) & (pl.col("surrounded_records") >= settings.min_surrounded_records)
    return words.filter(
        (pl.col("n_titles") >= settings.min_surrounded_titles) | of_many,
        pl.col("surrounded_records") >= settings.min_surrounded_share * pl.col("records"),
        pl.col("margin") <= settings.max_surrounded_margin,
    )["word"]
