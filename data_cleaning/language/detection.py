"""The language of short texts by lingua, which reads their letters."""

from collections.abc import Callable, Iterable
from typing import Self

import polars as pl
from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

from data_cleaning.language.language_settings import ENGLISH

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
