"""Mining from end to end: candidates of a network and of baselines, strengths of rows, and the changes that help."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.progress import Progress, silent
from harness.keywords.suggestions import Suggestion
from harness.mining.candidates import choose_to_explain, explain_words, may_be_keywords, rank_baselines, rank_candidates
from harness.mining.phrases import MAX_QUALIFYING_SHARE, find_phrases, qualifying_shares, split_titles
from harness.mining.placement import Placement, changed_rows, new_rows, not_refused
from harness.mining.proof import suggest
from harness.mining.strengths import (
    asked_priorities,
    find_inversions,
    find_pairwise_conflicts,
    fit_strengths,
    priorities_to_try,
)
from harness.mining.title_labels import TitleLabels, label_titles

if TYPE_CHECKING:
    from neural.classifier import NeuralClassifier

MINED, NEW_ROWS = "mined", "mined, new rows only"
"""All changes that mining proposes; and its new rows alone, to compare with the baselines, which propose only those."""

NETWORK, RECORDS = "the network, or a person where one labelled the title", "the recorded labels"
"""Whose labels changes are judged by: where reviewed titles were learned from, and where there are none."""


@dataclass(frozen=True, kw_only=True)
class MiningSettings:
    """How much to mine."""

    attribution: str
    """One of `neural.attribution.METHODS`."""
    explained_titles: int
    """Titles of train to explain."""
    min_titles: int
    """A phrase in fewer titles of train is no candidate."""
    candidates: int
    """Candidates to keep for each target."""
    suggestions: int
    """Most changes to propose."""


@dataclass(frozen=True, kw_only=True)
class Mined:
    """What was mined from train and validation."""

    candidates: Mapping[str, Mapping[str, pd.DataFrame]]
    """`MINED` or a baseline, to target, to its candidates, the best first."""
    suggestions: Mapping[str, list[Suggestion]]
    """`MINED`, `NEW_ROWS` or a baseline, to changes in the order in which they were placed."""
    priorities: pd.DataFrame
    """What `strengths.asked_priorities` returns by the labels that judge changes, then `asked` by each kind of labels:
    `asked_by_network`, `asked_by_records` and, where there are reviewed titles, `asked_by_reviewers`."""
    inversions: pd.DataFrame
    """What `strengths.find_inversions` returns by the labels that judge changes."""
    facts: Mapping[str, object]
    """What was counted on the way."""


def mine(
    system: "NeuralClassifier",
    table: KeywordTable,
    rows: pl.DataFrame,
    settings: MiningSettings,
    *,
    reviewed_share: float | None,
    seed: int,
    refused: Collection[str] = (),
    on_progress: Progress = silent,
) -> Mined:
    """Mine a fitted network for changes of a keyword table.

    Candidates come from train alone. Where reviewed titles were learned from, changes are judged by what the network
    predicts, and by the reviewer's label where there is one. Without reviewed titles the network has only learned the
    table's own labels, so changes are judged by the recorded labels.

    Args:
        system: fitted on the train part.
        table: the table in force.
        rows: of train and validation: `title`, `part`, `source`, a label per target, `count`.
        settings: how much to mine.
        reviewed_share: share of the weight that reviewed titles carry in the baselines; None where there are none.
        seed: of the random baseline.
        refused: keys of suggestions that were rejected before.
        on_progress: told of the titles explained.
    """
    recorded, predicted = {}, {}
    for part in ("train", "valid"):
        of_part = rows.filter(pl.col("part") == part)
        recorded[part] = label_titles(of_part, table.taxonomy, None)
        answers = system.predict_proba(recorded[part].titles.tolist())
        predicted[part] = label_titles(of_part, table.taxonomy, answers)
        on_progress("ask the network", len(recorded[part]), len(recorded[part]))
    train, valid = (recorded if reviewed_share is None else predicted).values()
    judge = RECORDS if reviewed_share is None else NETWORK

    words = split_titles(train.titles)
    phrases = find_phrases(words, min_titles=settings.min_titles)
    winners = table.winners(train.titles)
    classes = {target: table.class_positions[target][numbers] for target, numbers in winners.items()}
    chosen = choose_to_explain(predicted["train"], classes, settings.explained_titles)
    shares = explain_words(system, predicted["train"], words, chosen, settings.attribution, on_progress)
    names_a_job = qualifying_shares(train.titles, words, phrases) < MAX_QUALIFYING_SHARE
    possible = {target: may_be & names_a_job for target, may_be in may_be_keywords(phrases, table).items()}
    mined = rank_candidates(phrases, predicted["train"], shares, classes, possible, settings.candidates)
    baselines = rank_baselines(
        phrases,
        recorded["train"],
        possible,
        mined,
        max_candidates=settings.candidates,
        reviewed_share=reviewed_share or 0.5,
        seed=seed,
    )

    conflicts = find_pairwise_conflicts(table, train)
    strengths = fit_strengths(conflicts, len(table))
    priorities = asked_priorities(table, strengths)
    suggestions = {}
    for source, candidates in {MINED: mined, NEW_ROWS: mined, **baselines}.items():
        placement = Placement.begin(table, train, valid)
        subjects = new_rows(candidates, table, train, valid)
        if source == MINED:
            levels = np.unique(table.rows["priority"].to_numpy(dtype=np.float64))
            subjects += changed_rows(table, placement, priorities_to_try(priorities, levels))
        placed = placement.run([not_refused(subject, refused) for subject in subjects], settings.suggestions)
        suggestions[source] = suggest(placed, table, train, valid, judge)

    by_labels = {"network": predicted["train"], "records": recorded["train"]}
    if reviewed_share is not None:
        by_labels["reviewers"] = recorded["train"].select(recorded["train"].reviewed)
    asked = {
        f"asked_by_{name}": (priorities if labels is train else _asked(table, labels))["asked"].to_numpy()
        for name, labels in by_labels.items()
    }
    return Mined(
        candidates={MINED: mined, **baselines},
        suggestions=suggestions,
        priorities=priorities.assign(**asked),
        inversions=find_inversions(table, conflicts, strengths),
        facts={
            "judge": judge,
            "train_titles": len(train),
            "valid_titles": len(valid),
            "reviewed_train_titles": int(train.reviewed.sum()),
            "reviewed_valid_titles": int(valid.reviewed.sum()),
            "explained_titles": int(shares.explained.sum()),
            "phrases": len(phrases.texts),
        },
    )


def _asked(table: KeywordTable, labels: TitleLabels) -> pd.DataFrame:
    return asked_priorities(table, fit_strengths(find_pairwise_conflicts(table, labels), len(table)))
