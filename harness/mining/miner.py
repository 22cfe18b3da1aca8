"""Mining from end to end: candidates of a network and of baselines, and the changes of the table that help."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from baselines.matching import as_series
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import FloatArray
from harness.keywords.suggestions import Suggestion
from harness.mining.candidates import choose_to_explain, explain_words, may_be_keywords, rank_baselines, rank_candidates
from harness.mining.gap_candidates import gap_candidates
from harness.mining.phrases import MAX_QUALIFYING_SHARE, find_phrases, qualifying_shares, split_titles
from harness.mining.placement import Placement, changed_rows, new_rows, not_refused
from harness.mining.proof import merged, suggest
from harness.mining.row_groups import place_groups, row_groups, variants_of
from harness.mining.title_labels import label_titles

if TYPE_CHECKING:
    from neural.classifier import NeuralClassifier

MINED, GROUPS, NEW_ROWS = "mined", "mined, groups only", "mined, new rows only"
"""All changes that mining proposes; those that it makes to many rows at once; and, to compare with the baselines, which
propose only those, its new rows alone, without any group."""

HYBRID, NETWORK, RECORDS = (
    *("hybrid, or a person where one labelled the title", "the network, or a person where one labelled the title"),
    "the recorded labels",
)
"""Whose labels changes are judged by: where reviewed titles were learned from, and where there are none."""


class Judge(Protocol):
    """A fitted system whose answers count as right."""

    def predict_proba(self, titles: Sequence[str]) -> Mapping[str, FloatArray]:
        """Return class probabilities per target, (n_titles, n_classes)."""


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
    """`MINED`, `GROUPS`, `NEW_ROWS` or a baseline, to changes in the order in which they were placed."""
    nearly: list[Suggestion]
    """The changes with the best evidence among those that were not proposed."""
    facts: Mapping[str, object]
    """What was counted on the way."""


def mine(
    system: "NeuralClassifier",
    table: KeywordTable,
    rows: pl.DataFrame,
    settings: MiningSettings,
    *,
    judge: Judge | None = None,
    reviewed_share: float | None,
    seed: int,
    refused: Collection[str] = (),
    on_progress: Progress = silent,
) -> Mined:
    """Mine a fitted network for changes of a keyword table.

    Candidates come from train alone. Where reviewed titles were learned from, changes are judged by what the judge
    predicts for all titles of train and validation, and by the reviewer's label where there is one. Without reviewed
    titles there are only the recorded labels. Former tables made most of them, so that agreeing with them may only
    bring an old table back: no change is proposed then, and those that they speak for most are returned as `nearly`.

    Args:
        system: fitted on the train part.
        table: the table in force.
        rows: of train and validation: `title`, `part`, `source`, a label per target, `count`.
        settings: how much to mine.
        judge: fitted on the same rows; None takes the network.
        reviewed_share: share of the weight that reviewed titles carry in the baselines; None where there are none.
        seed: of the random baseline.
        refused: keys of suggestions that were rejected before.
        on_progress: told of the titles explained.
    """
    train = rows.filter(pl.col("part") == "train")
    everything = label_titles(rows, table.taxonomy, None)
    recorded = label_titles(train, table.taxonomy, None)
    predicted = label_titles(train, table.taxonomy, system.predict_proba(recorded.titles.tolist()))
    on_progress("ask the network", len(recorded), len(recorded))
    named = RECORDS
    if reviewed_share is not None:
        answers = (judge or system).predict_proba(everything.titles.tolist())
        everything = label_titles(rows, table.taxonomy, answers)
        named = NETWORK if judge is None else HYBRID
        on_progress("ask the judge", len(everything), len(everything))
    judged = everything.joined(variants_of(everything, table))

    may_change = reviewed_share is not None
    proposed = row_groups(table, everything.titles, named, refused) if may_change else []
    groups = place_groups(table, proposed, judged)
    words = split_titles(recorded.titles)
    phrases = find_phrases(words, min_titles=settings.min_titles)
    classes = groups.table.classes(recorded.titles)
    chosen = choose_to_explain(predicted, classes, settings.explained_titles)
    shares = explain_words(system, predicted, words, chosen, settings.attribution, on_progress)
    names_a_job = qualifying_shares(recorded.titles, words, phrases) < MAX_QUALIFYING_SHARE
    possible = {target: may_be & names_a_job for target, may_be in may_be_keywords(phrases, groups.table).items()}
    mined = rank_candidates(phrases, predicted, shares, classes, possible, settings.candidates)
    baselines = rank_baselines(
        phrases,
        recorded,
        possible,
        mined,
        max_candidates=settings.candidates,
        reviewed_share=reviewed_share or 0.5,
        seed=seed,
    )

    # What a mask hides cannot be tried row by row, so these few titles only judge the masks.
    hidden = groups.table.gaps_and_masks.readings(as_series(judged.titles), table.taxonomy.names).masked
    seen = judged.select(np.setdiff1d(np.arange(len(judged)), hidden))
    of_known = judged.select(~np.isin(np.arange(len(judged)), hidden) & ~judged.variant)
    suggestions = {GROUPS: groups.suggestions}
    for source, candidates in {MINED: mined, NEW_ROWS: mined, **baselines}.items():
        grouped = groups if source == MINED else None
        start = grouped.table if grouped else table
        labels = seen if grouped else of_known
        placement = Placement.begin(start, labels, grouped.p_values if grouped else ())
        subjects = new_rows(candidates, start, labels)
        if grouped:
            gaps = gap_candidates(labels, placement.table.classes(), settings.min_titles, settings.candidates)
            subjects += new_rows(gaps, start, labels) + changed_rows(start, placement, table)
        most = settings.suggestions if may_change else 0
        placed = placement.run([not_refused(subject, refused) for subject in subjects], most)
        suggestions[source] = suggest(placed, table, start, labels, named)
        if grouped:
            nearly = [*grouped.nearly, *suggest(placement.nearly, table, start, labels, named)]
            suggestions[source] = merged(grouped.suggestions, suggestions[source])

    return Mined(
        candidates={MINED: mined, **baselines},
        suggestions={source: suggestions[source] for source in (MINED, GROUPS, NEW_ROWS, *baselines)},
        nearly=nearly,
        facts={
            "judge": named,
            "train_titles": len(recorded),
            "judged_titles": len(everything),
            "reviewed_titles": int(everything.reviewed.sum()),
            "variants": int(judged.variant.sum()),
            "explained_titles": int(shares.explained.sum()),
            "phrases": len(phrases.texts),
        },
    )
