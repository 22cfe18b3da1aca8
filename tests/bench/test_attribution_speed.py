"""Titles explained per second by each method, beside a plain pass of the same network.

The packaged encoder with untrained heads for the default taxonomy explains the class that it predicts for every
target, from text to word importances in fp32; the plain pass goes from tokens to logits. Passes are timed before and
after each method, as a machine busy with something else slows both.

    python -m pytest tests/bench/test_attribution_speed.py -o addopts= -s
"""

import sys
import time
from dataclasses import replace

import pytest
import torch

from neural.attribution import METHODS, N_STEPS, explain
from neural.batches import tokenize
from neural.classifier import NeuralClassifier
from neural.encoder import load_encoder
from neural.network import MultiHead, predict_logits
from tests.bench.leads import complete_leads

N_LEADS, N_TITLES, N_THREADS = 12_000, 2_000, 2
MOST_PASSES = {"gradient-x-input": 8, "integrated-gradients": 8 * N_STEPS, "grad-cam": 3}
"""What a method may take, in plain passes; a pass back takes about one for each of three targets."""


@pytest.fixture(autouse=True)
def threads():
    """Tests run in one thread; the three minutes that 10,000 titles may take are meant on two cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(N_THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def titles():
    titles = complete_leads(N_LEADS)[2].sample(fraction=1, shuffle=True, seed=0)["title"]
    return list(dict.fromkeys(titles.to_list()))[:N_TITLES]


@pytest.fixture(scope="module")
def system():
    """Return the packaged encoder with untrained heads, as if it had been fitted."""
    config, taxonomy, _ = complete_leads(100)
    system = NeuralClassifier(replace(config.neural, encoder="packaged:minilm", device="cpu"))
    encoder, system.tokenizer_ = load_encoder(system.settings.encoder)
    system.taxonomy_ = taxonomy
    torch.manual_seed(0)
    n_classes = {target.name: target.n_classes for target in taxonomy.targets}
    system.model_ = MultiHead(encoder, n_classes, system.settings.pooling, system.settings.dropout).eval()
    system.summary_ = {}
    return system


def seconds_of(run) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


@pytest.mark.parametrize("method", METHODS)
def test_explaining_takes_few_plain_passes(benchmark, titles, system, method):
    assert len(titles) == N_TITLES
    tokenized = tokenize(titles, system.tokenizer_, system.settings.max_tokens)

    def plain_pass():
        predict_logits(system.model_, tokenized, "fp32")

    for run in (plain_pass, lambda: explain(system, titles[:64], method)):
        run()
    plain = [seconds_of(plain_pass)]
    seconds = benchmark.pedantic(seconds_of, args=(lambda: explain(system, titles, method),), rounds=1)
    plain.append(seconds_of(plain_pass))
    passes = seconds / (sum(plain) / len(plain))
    sys.stdout.write(
        f"\n{method}: {N_TITLES / seconds:,.0f} titles/s, 10,000 in {10_000 / N_TITLES * seconds:,.0f} s, "
        f"{passes:.1f} x a plain pass of {N_TITLES * len(plain) / sum(plain):,.0f} titles/s"
    )
    benchmark.extra_info.update({"titles/s": N_TITLES / seconds, "plain passes": passes})
    assert passes <= MOST_PASSES[method]
