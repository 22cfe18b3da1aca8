"""Placed changes as suggestions with their evidence: figures, example titles and one plain sentence."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import IntArray
from harness.keywords.suggestions import Evidence, Suggestion
from harness.mining.placement import Placed
from harness.mining.title_labels import TitleLabels
from harness.mining.trial_table import ClassChanges
from harness.scoring.significance import wilson_interval

_MAX_EXAMPLES = 3


def suggest(
    placed: Sequence[Placed], table: KeywordTable, train: TitleLabels, valid: TitleLabels, judge: str
) -> list[Suggestion]:
    """Return placed changes as suggestions, in the same order.

    Args:
        placed: from a placement that began with the table.
        table: the base table.
        train: labels of train.
        valid: labels of validation.
        judge: where the labels come from, for the reader.
    """
    hits = table.hits(train.titles).tocsc()
    suggestions = []
    for change in placed:
        row = change.option.rows[0]
        matched = hits[:, change.number].indices if row is None else row.titles
        suggestions.append(_suggestion(change, table, train.records[matched], valid, judge))
    return suggestions


def right_targets(changes: Mapping[str, ClassChanges], labels: TitleLabels) -> tuple[IntArray, IntArray]:
    """Count how many of the targets that change are right for each title before and after, (n_titles,) each."""
    before, after = np.zeros(len(labels), dtype=np.int64), np.zeros(len(labels), dtype=np.int64)
    for target, changed in changes.items():
        right = labels.top_classes(target)[changed.titles]
        before[changed.titles] += changed.before == right
        after[changed.titles] += changed.after == right
    return before, after


def _suggestion(change: Placed, table: KeywordTable, support: IntArray, valid: TitleLabels, judge: str) -> Suggestion:
    """Describe one change; `support` are the records of each title of train that its row matches."""
    option, subject = change.option, change.subject
    before, after = right_targets(change.class_changes, valid)
    fixed, broken = after > before, after < before
    judged, right = _judged(change, valid, after)
    low, high = wilson_interval(int(right.sum()), len(right)) if len(right) else (None, None)
    evidence = Evidence(
        support_titles=len(support),
        support_records=int(support.sum()),
        judged_titles=len(judged),
        precision=float(right.mean()) if len(right) else None,
        precision_low=low,
        precision_high=high,
        judge=judge,
        lift=change.gain.total / float(valid.weights.sum()),
        lift_low=change.gain.low / float(valid.weights.sum()),
        fixed=int(fixed.sum()),
        broken=int(broken.sum()),
        examples=example_titles(valid, fixed),
        counter_examples=example_titles(valid, broken),
        importance=subject.importance,
    )
    own = None if subject.number is None else table.rows.iloc[subject.number]
    return Suggestion(
        action=option.action,
        keyword=subject.keyword,
        priority=option.priority,
        match=option.match,
        labels={target: option.labels.get(target, "") for target in table.taxonomy.names},
        line=None if own is None else int(own["line"]),
        old_priority=None if own is None else float(own["priority"]),
        old_match=None if own is None else str(own["match"]),
        evidence=evidence,
        rationale=_sentence(change, table, evidence),
    )


def _judged(change: Placed, valid: TitleLabels, after: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Return the titles that a change is judged by, and whether every target that it decides is right there."""
    if change.option.rows[1] is None:
        counted = np.zeros(len(valid), dtype=np.int64)
        for changed in change.class_changes.values():
            counted[changed.titles] += 1
        judged = np.flatnonzero(counted)
        return judged, after[judged] == counted[judged]
    wrong, decided = np.zeros(len(valid), dtype=bool), np.zeros(len(valid), dtype=bool)
    for target, titles in change.decided.items():
        decided[titles] = True
        wrong[titles] |= valid.top_classes(target)[titles] != change.option.rows[1].classes[target]
    judged = np.flatnonzero(decided)
    return judged, ~wrong[judged]


def example_titles(labels: TitleLabels, chosen: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    """Return at most three of the chosen titles, the most frequent first."""
    rows = np.flatnonzero(chosen)
    order = np.lexsort((labels.titles[rows].astype(str), -labels.records[rows]))
    return tuple(str(title) for title in labels.titles[rows[order[:_MAX_EXAMPLES]]])


def _sentence(change: Placed, table: KeywordTable, evidence: Evidence) -> str:
    """Say in one sentence what is proposed and why."""
    keyword, option = change.subject.keyword, change.option
    outcome = f"{evidence.fixed} validation titles are fixed and {evidence.broken} broken"
    labels = " and ".join(f"{target} {label}" for target, label in option.labels.items())
    if option.action == "add":
        share = evidence.importance
        by_network = "" if share is None else f", to which the network attributes {share:.0%} of its importance"
        way = "a word" if option.match == "word" else "the beginning of a word"
        return f"{keyword!r} ({way}{by_network}) indicates {labels}, which the table does not know: {outcome}."
    assert change.subject.number is not None, "only a new row has no number"
    own = table.rows.iloc[change.subject.number]
    if option.action == "narrow":
        way = "a whole word" if option.match == "word" else "the beginning of a word"
        return f"{keyword!r} also matches inside longer words; if it matches {way} only, {outcome}."
    if option.action == "re-prioritise":
        moved = "be outranked by more keywords" if option.priority > own["priority"] else "outrank more keywords"
        return f"{keyword!r} should {moved} (priority {own['priority']:g} to {option.priority:g}): {outcome}."
    return f"{keyword!r} does more harm than good in setting {labels}: without it, {outcome}."
