"""Titles per second of every way to run the network, beside the text-classification pipeline of transformers.

All run the same weights on the same titles in the same run, from text to probabilities, in turn for some rounds; a
rate is that of the median round. The pipeline has its defaults and batches of 128. On leads the pipeline answers every
record, and ours every distinct title.

    python -m pytest tests/bench/test_inference_speed.py -o addopts= -s
"""

import copy
import sys
import time
from statistics import median

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput

from data_cleaning.clean import equal_rows
from data_cleaning.titles import LabelledTitles
from neural.classifier import NeuralClassifier
from neural.cpu_operations import choose_attention
from neural.runtime import OnnxNetwork, parity
from tests.bench.leads import complete_leads

N_FITTED, N_LEADS, N_TITLES, N_ROUNDS = 20_000, 12_000, 3_000, 3
LEAST_LEAD = 5
"""5.8 on two cores of a Xeon with AMX on 2026-11-29, and 7.7 on an EPYC (Zen 5), both in bf16."""


@pytest.fixture(scope="module")
def simulated():
    """Return simulated leads, complete and grouped, in their order."""
    config, taxonomy, grouped = complete_leads(N_FITTED + N_LEADS)
    return config, taxonomy, grouped.sample(fraction=1, shuffle=True, seed=0)


@pytest.fixture(scope="module")
def system(simulated):
    """Return the network of the default settings, fitted on leads that are not timed."""
    config, taxonomy, leads = simulated

    def rows(part):
        return LabelledTitles.from_frame(equal_rows(part, taxonomy.names).to_pandas(), taxonomy, source="legacy")

    valid = N_FITTED // 10
    return NeuralClassifier(config.neural, config.seed).fit(rows(leads[valid:N_FITTED]), rows(leads[:valid]))


class ForPipeline(PreTrainedModel):
    """The fitted network as the pipeline expects one: the logits of all targets in one row."""

    _supports_sdpa = True

    def __init__(self, network):
        super().__init__(network.encoder.config)
        self.network = copy.deepcopy(network).eval()
        choose_attention(self.network.encoder, short=False)  # what the pipeline has of its own
        self.config.id2label = dict(enumerate(range(sum(network.n_classes.values()))))

    def forward(self, input_ids, attention_mask, **_):
        return SequenceClassifierOutput(logits=torch.cat(list(self.network(input_ids, attention_mask).values()), 1))


def runtimes(system: NeuralClassifier) -> dict[str, NeuralClassifier]:
    """Return the system with each of its runtimes."""
    plain = OnnxNetwork.in_fp32(system.model_)
    networks = {"torch": None, "ONNX, fp32": plain, "ONNX, int8": plain.in_int8()}
    found = {}
    for name, network in networks.items():
        found[name] = copy.copy(system)
        found[name].runtime_ = network
    return found


def seconds_of(runs, titles) -> float:
    began = time.perf_counter()
    runs(titles)
    return time.perf_counter() - began


def test_the_network_answers_more_titles_a_second_than_the_pipeline(benchmark, simulated, system):
    """The fastest runtime that passes parity is to lead on distinct titles; the others are shown beside it."""
    leads = simulated[2][N_FITTED:]["title"].to_list()
    distinct = list(dict.fromkeys(leads))[:N_TITLES]
    peer = pipeline("text-classification", model=ForPipeline(system.model_), tokenizer=system.tokenizer_)
    ways = {name: way.predict_proba for name, way in runtimes(system).items()}
    ways["pipeline"] = lambda titles: peer(titles, batch_size=128)
    chosen = {"torch": "torch", "onnx": "ONNX, fp32", "onnx-int8": "ONNX, int8"}[system.summary_["runtime"]["chosen"]]

    seconds = {name: [] for name in ways}
    for runs in ways.values():
        runs(distinct[:200])
    for _ in range(N_ROUNDS):
        for name, runs in ways.items():
            seconds[name].append(seconds_of(runs, distinct))
    rates = {name: len(distinct) / median(taken) for name, taken in seconds.items()}
    for name, rate in rates.items():
        sys.stdout.write(f"\n{name}: {rate:,.0f} distinct titles/s, {rate / rates['pipeline']:.1f} x the pipeline")

    on_leads = {name: len(leads) / seconds_of(ways[name], leads) for name in (chosen, "pipeline")}
    multiple = on_leads[chosen] / on_leads["pipeline"]
    sys.stdout.write(
        f"\n{chosen}, chosen, on {len(leads):,} leads of {len(set(leads)):,} distinct titles: "
        f"{on_leads[chosen]:,.0f} leads/s, {multiple:.1f} x the pipeline's {on_leads['pipeline']:,.0f}\n"
    )
    benchmark.extra_info.update(rates | {"leads": on_leads[chosen], "leads, pipeline": on_leads["pipeline"]})
    benchmark.pedantic(ways[chosen], args=(distinct,), rounds=1)
    assert rates[chosen] >= LEAST_LEAD * rates["pipeline"]


def test_every_runtime_in_use_gives_the_predictions_of_the_pipeline(simulated, system):
    """The pipeline computes in fp32 on whole batches; on titles that the network did not learn from.

    Texts that are unlike its titles are left out, since a system does not ask its network about them.
    """
    titles = list(dict.fromkeys(simulated[2][N_FITTED:]["title"].to_list()))[:1000]
    titles = [title for title, is_unlike in zip(titles, system.unlike(titles), strict=True) if not is_unlike]
    peer = pipeline("text-classification", model=ForPipeline(system.model_), tokenizer=system.tokenizer_)
    rows = peer(titles, batch_size=128, top_k=None, function_to_apply="none")
    flat = torch.tensor([[score["score"] for score in sorted(row, key=lambda one: one["label"])] for row in rows])
    sizes = list(system.model_.n_classes.values())
    expected = dict(zip(system.model_.n_classes, flat.split(sizes, dim=1), strict=True))
    for name, way in runtimes(system).items():
        logits = {target: torch.from_numpy(np.log(values)) for target, values in way.predict_proba(titles).items()}
        scaled = {target: values / system.temperatures_[target] for target, values in expected.items()}
        found = parity(scaled, logits)
        sys.stdout.write(f"\n{name}: same verdict {found.agreement:.4f}, mean difference {found.difference:.4f}")
        # A fit measures int8 by the same yardstick, and takes it only where it passes.
        assert found.passes or name == "ONNX, int8"
