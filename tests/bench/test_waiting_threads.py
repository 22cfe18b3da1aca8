"""Training steps alone and beside one busy process, with threads that sleep while they wait and with those that spin.

A process of its own takes the steps of the default settings each time, since OpenMP reads its settings once. Spinning
is what OpenMP does by itself: 300,000 turns, its documented default, before a thread sleeps.

    python -m pytest tests/bench/test_waiting_threads.py -o addopts= -s
"""

import os
import subprocess
import sys
import time
from statistics import median

import numpy as np
import psutil
import pytest

from tests.bench.commands import ROOT

N_TITLES, N_STEPS, N_WARM_UP, N_ROUNDS = 2_000, 8, 2, 3
ASLEEP, SPINNING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}, {"GOMP_SPINCOUNT": "300000"}
MIN_LEAD_BUSY, MIN_SHARE_QUIET = 1.5, 0.6
"""Times that sleeping is faster than spinning beside other work, and the share of the speed that it keeps alone."""
STEPS = "from tests.bench.test_waiting_threads import take_steps; take_steps()"
BUSY = "while True: pass"


def take_steps() -> None:
    """Take the steps in this process, and print the titles per second."""
    import neural  # noqa: F401, I001 - before torch, as it settles how threads wait
    import torch

    from data_cleaning.simulate.grammar import draw_titles
    from data_cleaning.taxonomy import Taxonomy
    from neural.batches import Examples, tokenize
    from neural.encoder import load_encoder
    from neural.network import MultiHead
    from neural.neural_settings import NeuralSettings
    from neural.training import Trainer

    rng = np.random.default_rng(0)
    drawn, taxonomy = draw_titles(4 * N_TITLES, rng), Taxonomy.read(ROOT / "configs" / "taxonomy.yaml")
    settings = NeuralSettings(device="cpu")
    encoder, tokenizer = load_encoder(settings.encoder)
    titles = tokenize(list(drawn.titles[:N_TITLES]), tokenizer, settings.max_tokens)
    labels = {name: taxonomy[name].encode(drawn.truth[name][:N_TITLES]) for name in taxonomy.names}
    torch.manual_seed(0)
    n_classes = {target.name: target.n_classes for target in taxonomy.targets}
    model = MultiHead(encoder, n_classes, settings.pooling, settings.dropout)
    examples = Examples(titles=titles, labels=labels, weights=np.ones(len(titles)))
    ends: list[tuple[float, int]] = []

    def after_a_step(_step: str, n_done: int, _total: int, _unit: str = "titles") -> None:
        ends.append((time.perf_counter(), n_done))
        if len(ends) > N_WARM_UP + N_STEPS:
            (began, before), (ended, after) = ends[N_WARM_UP], ends[-1]
            sys.stdout.write(str((after - before) / (ended - began)))
            sys.exit()

    Trainer(model, examples, None, settings, rng, after_a_step).run()


def titles_per_second(waiting: dict[str, str], *, busy: bool) -> float:
    others = [subprocess.Popen([sys.executable, "-c", BUSY])] if busy else []
    try:
        done = subprocess.run(
            [sys.executable, "-c", STEPS],
            env=os.environ | waiting,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        for other in others:
            other.kill()
            other.wait()
    return float(done.stdout)


@pytest.mark.skipif(len(psutil.Process().cpu_affinity()) < 2, reason="one thread waits for no other")
def test_sleeping_threads_train_faster_beside_other_work_and_little_slower_alone(benchmark):
    rates = {}
    for _ in range(N_ROUNDS):
        for busy in (False, True):
            for name, waiting in (("asleep", ASLEEP), ("spinning", SPINNING)):
                rates.setdefault((name, busy), []).append(titles_per_second(waiting, busy=busy))
    found = {key: median(values) for key, values in rates.items()}
    for (name, busy), rate in found.items():
        spread = f"{min(rates[name, busy]):,.0f} to {max(rates[name, busy]):,.0f}"
        where = "beside one busy process" if busy else "alone"
        sys.stdout.write(f"\nthreads wait {name}, {where}: {rate:,.0f} titles/s ({spread})")
    benchmark.extra_info.update(
        {f"{name}, {'busy' if busy else 'alone'}": rate for (name, busy), rate in found.items()}
    )
    benchmark.pedantic(titles_per_second, args=(ASLEEP,), kwargs={"busy": False}, rounds=1)
    assert found["asleep", True] > MIN_LEAD_BUSY * found["spinning", True]
    assert found["asleep", False] > MIN_SHARE_QUIET * found["spinning", False]
