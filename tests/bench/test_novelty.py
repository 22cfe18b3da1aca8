"""How well texts that are no titles are told from real titles that training lacks; see docs/EXPERIMENTS.md.

python -m pytest tests/bench/test_novelty.py -o addopts= -s
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from data_cleaning.novelty import TitleNovelty
from data_cleaning.progress import silent
from data_cleaning.simulate.grammar import draw_titles
from tests.not_titles import not_titles

SHARED = Path(__file__).parents[3] / "shared" / "data"
N_RECORDS, N_TEXTS = 40_000, 3_000
MIN_AUROC = 0.95


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real titles are not beside the checkout")
@pytest.mark.parametrize("learned_from", ["simulated", "real"])
def test_texts_that_are_no_titles_rank_above_unseen_real_titles(learned_from):
    real, reviewed, by_language = (
        pl.read_csv(SHARED / f"{name}.csv") for name in ("real_titles", "reviewed_titles", "titles_by_language")
    )
    titles = real.filter(~pl.col("title").is_in(reviewed["title"].implode()))["title"].to_list()
    train, held_out = titles[::2], titles[1::2]
    if learned_from == "simulated":
        drawn = draw_titles(N_RECORDS, np.random.default_rng(17), silent)
        train = [*dict.fromkeys(drawn.titles), *reviewed["title"]]
    novelty = TitleNovelty.learn(train[::10] + train[1::2], train[2::10])
    costs = novelty.costs(held_out)
    texts = {"foreign": by_language.filter(pl.col("lang") != "en")["title"].to_list(), **not_titles(N_TEXTS)}
    texts["all"] = [text for kind in texts.values() for text in kind]
    found = {}
    for kind, of_kind in texts.items():
        is_text = np.repeat([0, 1], [len(costs), len(of_kind)])
        found[kind] = roc_auc_score(is_text, np.concatenate([costs, novelty.costs(of_kind)]))
    flagged = np.mean(costs > novelty.threshold)
    shown = [f"{kind} {auroc:.3f} ({novelty.unlike(texts[kind]).mean():.2f})" for kind, auroc in found.items()]
    sys.stderr.write(f"\nlearned from {len(train):,} {learned_from} titles, {flagged:.3f} of unseen ones flagged\n")
    sys.stderr.write(f"AUROC (share flagged): {', '.join(shown)}\n")
    assert min(found.values()) >= MIN_AUROC
