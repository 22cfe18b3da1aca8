"""Mining from end to end: candidates of a network and of controls, strengths of rows, and where changes do good."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import FloatArray
from harness.keywords.suggestions import Suggestion
from harness.mining.beliefs import Beliefs, beliefs_of
from harness.mining.candidates import may_be_keywords, rank_candidates
from harness.mining.evidence import suggest
from harness.mining.mining_baselines import rank_controls
from harness.mining.network_evidence import choose_to_explain, explain_words
from harness.mining.phrases import find_phrases, split_titles
from harness.mining.placement import Placement, changed_rows, new_rows, not_refused
from harness.mining.qualifiers import MOST_OFTEN, qualifying_shares
from harness.mining.strengths import (
    asked_priorities,
    find_inversions,
    find_meetings,
    fit_strengths,
    priorities_to_try,
)

if TYPE_CHECKING:
    from harness.experiment.config import MiningSection
    from neural.classifier import NeuralClassifier

MINED, NEW_ROWS = "mined", "mined, new rows only"
"""All that mining proposes; and its new rows alone, which is what controls propose."""

NETWORK, RECORDS = "the network, or a person where one labelled the title", "the recorded labels"
"""Who judges where there are reviewed titles to learn from, and where there are none."""


@dataclass(frozen=True, kw_only=True)
class Mined:
    """What was found in one part of train and validation."""

    candidates: Mapping[str, Mapping[str, pd.DataFrame]]
    """`MINED` or a control, to target, to its candidates, the best first."""
    suggestions: Mapping[str, list[Suggestion]]
    """`MINED`, `NEW_ROWS` or a control, to changes in the order in which they do good."""
    priorities: pd.DataFrame
    """What `strengths.asked_priorities` returns by the judge, and `asked_by_<judge>` by each that there is."""
    inversions: pd.DataFrame
    """What `strengths.find_inversions` returns by the judge."""
    facts: Mapping[str, object]
    """What was counted on the way."""


def mine(
    system: "NeuralClassifier",
    table: KeywordTable,
    parted: pl.DataFrame,
    settings: "MiningSection",
    *,
    reviewed_share: float | None,
    seed: int,
    refused: Collection[str] = (),
    on_progress: Progress = silent,
) -> Mined:
    """Mine a fitted network for changes of a keyword table.

    Candidates come from train alone. Where reviewed titles are learned from, what is believed about a title is what the
    network says, and a reviewer's word where there is one; where there are none, the network has learned the table's
    own labels, so changes are judged by the labels that were recorded.

    Args:
        system: fitted on the train part.
        table: the table in force.
        parted: rows of train and validation: `title`, `part`, `source`, a label per target, `count`.
        settings: how much to mine.
        reviewed_share: share of the weight that reviewed titles carry in the controls; None where there are none.
        seed: of the random control.
        refused: keys of suggestions that were rejected before.
        on_progress: told of the titles explained.
    """
    parts = {name: parted.filter(pl.col("part") == name) for name in ("train", "valid")}
    recorded = {name: beliefs_of(rows, table.taxonomy, None) for name, rows in parts.items()}
    heard = {
        name: beliefs_of(rows, table.taxonomy, _answers(system, recorded[name], on_progress))
        for name, rows in parts.items()
    }
    train, valid = (recorded if reviewed_share is None else heard).values()
    judge = RECORDS if reviewed_share is None else NETWORK

    words = split_titles(heard["train"].titles)
    phrases = find_phrases(words, least_titles=settings.least_titles)
    winners = table.winners(train.titles)
    classes = {target: table.class_positions[target][rows] for target, rows in winners.items()}
    chosen = choose_to_explain(heard["train"], classes, settings.explained_titles)
    shares = explain_words(system, heard["train"], words, chosen, settings.attribution, on_progress)
    names_a_job = qualifying_shares(heard["train"].titles, words, phrases) < MOST_OFTEN
    possible = {target: may_be & names_a_job for target, may_be in may_be_keywords(phrases, table).items()}
    candidates = {
        MINED: rank_candidates(phrases, heard["train"], shares, classes, possible, settings.candidates),
    }
    candidates |= rank_controls(
        phrases,
        recorded["train"],
        possible,
        candidates[MINED],
        most=settings.candidates,
        reviewed_share=reviewed_share or 0.5,
        seed=seed,
    )

    meetings = find_meetings(table, train)
    strengths = fit_strengths(meetings, len(table))
    priorities = asked_priorities(table, strengths)
    suggestions = {}
    for source in (MINED, NEW_ROWS, *(name for name in candidates if name != MINED)):
        placement = Placement.begin(table, train, valid)
        subjects = new_rows(candidates[MINED if source == NEW_ROWS else source], table, train, valid)
        if source == MINED:
            levels = np.unique(table.rows["priority"].to_numpy(dtype=np.float64))
            subjects += changed_rows(table, placement, priorities_to_try(priorities, levels))
        placed = placement.run([not_refused(subject, refused) for subject in subjects], settings.suggestions)
        suggestions[source] = suggest(placed, table, train, valid, judge)
    return Mined(
        candidates=candidates,
        suggestions=suggestions,
        priorities=priorities.assign(
            **_asked_by_each(table, recorded["train"], heard["train"], reviewed_share is not None)
        ),
        inversions=find_inversions(table, meetings, strengths),
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


def _asked_by_each(
    table: KeywordTable, recorded: Beliefs, heard: Beliefs, with_reviewed: bool
) -> dict[str, FloatArray]:
    """Return the priorities that each judge asks for: the network, the recorded labels, and reviewed titles alone."""
    judges = {"network": heard, "records": recorded}
    if with_reviewed:
        judges["reviewers"] = recorded.select(recorded.reviewed)
    asked = {}
    for name, beliefs in judges.items():
        strengths = fit_strengths(find_meetings(table, beliefs), len(table))
        asked[f"asked_by_{name}"] = asked_priorities(table, strengths)["asked"].to_numpy()
    return asked


def _answers(system: "NeuralClassifier", beliefs: Beliefs, on_progress: Progress) -> Mapping[str, FloatArray]:
    """Return the network's probabilities for the titles, target to (n_titles, n_classes)."""
    answers: Mapping[str, FloatArray] = system.predict_proba(beliefs.titles.tolist())
    on_progress("ask the network", len(beliefs), len(beliefs))
    return answers
