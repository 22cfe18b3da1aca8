"""How many spelling variants of 40 real titles change an answer of the systems of the newest run of the default config.

    python -m harness run all
    python -m pytest tests/bench/test_spelling_changes.py -o addopts= -s

Figures of the network, seeds and what each costs are in docs/EXPERIMENTS.md.
"""

import sys
from collections import Counter
from pathlib import Path

import pytest

from harness.experiment.systems import load_system
from tests.spelling_variants import REAL_TITLES, common_titles, count_changes, most_probable

RUNS = sorted((Path(__file__).parents[2] / "results").glob("default-*/models"), key=lambda path: path.stat().st_mtime)
MOST_CHANGES = {"keyword-corrected": 4, "tfidf": 4, "neural": 2}


@pytest.mark.skipif(not RUNS, reason="there is no run of the default config")
@pytest.mark.skipif(not REAL_TITLES.is_file(), reason="the real titles are not beside the checkout")
@pytest.mark.parametrize("system", MOST_CHANGES)
def test_few_spellings_change_an_answer(system):
    n_changed = {}
    for folder in sorted(RUNS[-1].glob(f"*/*/{system}")):
        classes_of = most_probable(load_system(system, folder, batch_invariant=True))
        changed, n_variants = count_changes(classes_of, common_titles())
        n_changed[folder] = len(changed)
        kinds = ", ".join(f"{kind} {n}" for kind, n in Counter(kind for *_, kind in changed).items())
        learned = "/".join(folder.parts[-3:])
        sys.stderr.write(f"\n{learned}: {len(changed)} of {n_variants} ({kinds})")
    assert n_changed
    assert max(n_changed.values()) <= MOST_CHANGES[system]
