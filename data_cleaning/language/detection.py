"""Lingua's opinion of many short texts: the likeliest language, and how much likelier than English it is."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import polars as pl
from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

from data_cleaning.language.language_settings import ENGLISH

DETECTED_SCHEMA = {"text": pl.String(), "nearest": pl.String(), "margin": pl.Float64()}

_CHUNK_TEXTS = 10_000  # bounds the confidences held at a time (10 per text), and lets progress be told


def fold_texts(titles: pl.Series) -> pl.Series:
    """Reduce titles to what lingua looks at: words of letters in lower case, one space between; shape (n_titles,)."""
    return titles.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}]+", " ").str.strip_chars(" ").alias("text")


class Detector:
    """Lingua over English and some other languages; a context, so that its models do not outstay their use."""

    def __init__(self, languages: Iterable[str]) -> None:
        codes = {ENGLISH, *languages}
        self._languages = {Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())): code for code in codes}
        # Loaded here and not within the threads that judge: they would wait for each other.
        builder = LanguageDetectorBuilder.from_languages(*self._languages)
        self._detector = builder.with_preloaded_language_models().build()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._detector.unload_language_models()

    def detect(self, texts: pl.Series, told: Callable[[int], None] = lambda n_texts: None) -> pl.DataFrame:
        """Judge texts in parallel.

        Args:
            texts: n_texts distinct texts, as `fold_texts` makes them.
            told: called with the number of texts judged since its last call.

        Returns:
            One row per text: `text`; `nearest`, the likeliest language, null where no language is written in such
            letters; `margin`, its confidence less that of English, 0 where that is English itself.
        """
        chunks = [pl.DataFrame(schema=DETECTED_SCHEMA)]
        for start in range(0, len(texts), _CHUNK_TEXTS):
            chunk = texts.slice(start, _CHUNK_TEXTS)
            nearest: list[str | None] = []
            margins: list[float] = []
            for values in self._detector.compute_language_confidence_values_in_parallel(chunk.to_list()):
                first = values[0]  # the likeliest comes first
                language = self._languages[first.language]
                nearest.append(language if first.value > 0 else None)
                margins.append(0.0 if language == ENGLISH else first.value - _english(values))
            chunks.append(pl.DataFrame({"text": chunk, "nearest": nearest, "margin": margins}, schema=DETECTED_SCHEMA))
            told(len(chunk))
        return pl.concat(chunks)


def _english(values: list) -> float:
    return next(value.value for value in values if value.language == Language.ENGLISH)
