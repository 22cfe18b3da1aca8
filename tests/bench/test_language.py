"""Finding foreign titles, beside lingua alone on the same distinct titles.

Lingua's own rate is that of its parallel call, models loaded, over the titles as they are; ours counts the loading,
the vocabulary and the verdicts as well. Both use every core.

    python -m pytest tests/bench/test_language.py -o addopts= -s
"""

import time
from statistics import median

import numpy as np
import polars as pl
from lingua import IsoCode639_1, LanguageDetectorBuilder

from data_cleaning.language import LanguageSettings, judge_languages
from data_cleaning.language.language_settings import ENGLISH
from data_cleaning.progress import silent
from data_cleaning.simulate.grammar import draw_titles
from data_cleaning.words import normalise_titles

N_RECORDS = 100_000
ROUNDS = 5
LEAST_SHARE = 0.9  # of lingua's own rate


def leads():
    """Draw simulated leads; distinct titles with their records."""
    drawn = draw_titles(N_RECORDS, np.random.default_rng(0), silent)
    titles = normalise_titles(pl.Series(drawn.titles.tolist()))
    per_record = pl.DataFrame({"title": titles.gather(drawn.title_of_record)})
    return per_record.group_by("title").agg(count=pl.len()).sort("title")


def test_language_step_keeps_up_with_lingua(benchmark):
    frame = leads()
    titles = frame["title"].to_list()
    codes = [getattr(IsoCode639_1, code.upper()) for code in (ENGLISH, *LanguageSettings().used_margins)]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_preloaded_language_models().build()

    lingua_seconds = []

    def before_each():
        # Alternating with ours, so that whatever else the machine does hits both.
        started = time.perf_counter()
        detector.compute_language_confidence_values_in_parallel(titles)
        lingua_seconds.append(time.perf_counter() - started)
        return (frame,), {}

    judged = benchmark.pedantic(judge_languages, setup=before_each, rounds=ROUNDS)
    assert judged["title"].to_list() == titles

    # Neighbours in time share the load of the machine, so each round is compared with its own.
    our_seconds = benchmark.stats.stats.data
    ratio = median(plain / ours for plain, ours in zip(lingua_seconds, our_seconds, strict=True))
    ours, plain = min(our_seconds), min(lingua_seconds)
    benchmark.extra_info.update(titles=len(titles), ratio=ratio, lingua_seconds=plain)
    report = [f"{len(titles):,} distinct titles of {N_RECORDS:,} records"]
    report += [f"  {name:7} {took:7.2f} s  {len(titles) / took:10,.0f} titles/s"
               for name, took in (("lingua", plain), ("ours", ours))]  # fmt: skip
    print("\n" + "\n".join([*report, f"  ratio   {ratio:7.2f}"]))  # noqa: T201 - what a benchmark is run for
    assert ratio >= LEAST_SHARE, f"{ratio:.2f} of lingua's own rate; at least {LEAST_SHARE} is expected"
