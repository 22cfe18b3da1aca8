"""Training steps of the fast recipe beside those of the study's, on the leads of the study's size.

Both train the same encoder from the same state on the same machine in the same run, 20 timed steps each after two that
warm up. A step of the study's recipe is 128 records padded to 64 tokens in fp32; one of the fast recipe is rows of
equal titles and labels, bucketed by length under a budget of tokens, in bf16 where the processor has it. A row counts
as the records that it stands for: rows per second of the timed steps, times the records of a row on average over all
rows, since 20 batches may or may not hold the one title that thousands of records have. The fast recipe has the
operations with which a fit trains on a CPU, the study's recipe those of torch.

    python -m pytest tests/bench/test_training_speed.py -o addopts= -s
"""

import sys
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch

from data_cleaning.clean import equal_rows
from data_cleaning.simulate.study import STUDY_RECORDS
from data_cleaning.titles import LabelledTitles
from harness.experiment.config_file import load_config
from neural.batches import Examples, tokenize
from neural.cpu_operations import Dropout, choose_attention
from neural.encoder import load_encoder
from neural.network import MultiHead
from neural.training import Trainer
from neural.training_rows import distinct_rows
from tests.bench.leads import CONFIGS, complete_leads

N_STEPS, N_WARM_UP = 20, 2
LEAST_LEAD = 40


class _Enough(Exception):
    """Ends a training after the steps that are timed."""


@pytest.fixture(scope="module")
def labelled():
    """Return every complete lead of the study's number, merged into rows."""
    _, taxonomy, grouped = complete_leads(STUDY_RECORDS)
    rows = equal_rows(grouped, taxonomy.names)
    return LabelledTitles.from_frame(rows.to_pandas(), taxonomy, source="legacy")


def settings_of(name: str, *overrides: str):
    config = load_config(CONFIGS / name, ["neural.encoder=packaged:minilm", *overrides])
    return replace(config.neural, device="cpu")


def records_per_second(labelled: LabelledTitles, settings, *, as_fits: bool = False) -> float:
    """Time the steps of one recipe."""
    torch.set_num_threads(1)  # as `run` trains, with a process per core
    rng = np.random.default_rng(0)
    if settings.merge_equal_rows:
        positions, weights = distinct_rows(labelled, settings.count_power)
        records_per_row = labelled.n_records / len(positions)
    else:
        positions = np.repeat(np.arange(len(labelled)), labelled.counts)
        # Enough records for the steps, drawn at random: tokenising all of them would say nothing more.
        positions = rng.choice(positions, size=(1 + N_STEPS + N_WARM_UP) * settings.titles_per_batch, replace=False)
        weights, records_per_row = np.ones(len(positions)), 1.0
    encoder, tokenizer = load_encoder(settings.encoder)
    examples = Examples(
        titles=tokenize(list(labelled.titles[positions]), tokenizer, settings.max_tokens),
        labels={target: codes[positions] for target, codes in labelled.labels.items()},
        weights=weights / weights.mean(),
    )
    n_classes = {target.name: target.n_classes for target in labelled.taxonomy.targets}
    if as_fits:
        choose_attention(encoder, short=True)
        Dropout.everywhere_in(encoder)
    torch.manual_seed(0)
    model = MultiHead(encoder, n_classes, settings.pooling, settings.dropout)
    ends: list[tuple[float, int]] = []

    def after_a_step(_step: str, n_done: int, _total: int, _unit: str = "titles") -> None:
        ends.append((time.perf_counter(), n_done))
        if len(ends) > N_WARM_UP + N_STEPS:
            raise _Enough

    with suppress(_Enough):
        Trainer(model, examples, None, settings, rng, after_a_step).run()
    (began, before), (ended, after) = ends[N_WARM_UP], ends[-1]
    return (after - before) / (ended - began) * records_per_row


def test_the_fast_recipe_learns_from_more_records_a_second(benchmark, labelled):
    """The study's recipe is timed as written, padded to 64; trimmed padding is shown beside it."""
    recipe = settings_of("recipe.yaml")
    rates = {
        "recipe, padded to 64": records_per_second(labelled, replace(recipe, pad_to_max=True)),
        "recipe, padding trimmed": records_per_second(labelled, recipe),
    }
    fast = settings_of("default.yaml")
    rates["fast"] = benchmark.pedantic(records_per_second, args=(labelled, fast), kwargs={"as_fits": True}, rounds=1)
    for name, rate in rates.items():
        sys.stdout.write(f"\n{name}: {rate:,.0f} records/s, {rates['fast'] / rate:.1f} x slower than fast")
    benchmark.extra_info.update(rates)
    assert rates["fast"] >= LEAST_LEAD * rates["recipe, padded to 64"]
