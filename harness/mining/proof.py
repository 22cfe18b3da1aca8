"""What changes of a table are worth: their evidence on validation, and on titles that they were not chosen on."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import first_few
from data_cleaning.titles import FloatArray, Predictions, StrArray
from harness.keywords.suggestions import Evidence, Suggestion, amend
from harness.mining.evidence import class_changes, example_titles, fixed_and_broken
from harness.mining.phrases import titles_matching
from harness.mining.placement import Placed
from harness.mining.title_labels import TitleLabels, label_titles
from harness.scoring.metrics import EVERY_HISTORY, score_rows
from harness.scoring.pairs import compare_rows

FIRST_FOR_RECALL, FIRST_FOR_PRECISION = 100, 50
"""How many of the best candidates of a target are searched for planted words, and are compared with the truth."""

_COUNTS = (
    *("reviewed_fixed", "reviewed_broken", "believed_fixed", "believed_broken", "variants_fixed", "variants_broken"),
)
EVIDENCE_COLUMNS = (*_COUNTS, "p_value", "lift")
_MAX_ENDING = 4
_GIVEN = "(given)"
"""What the system that others are compared with is called among them."""


def suggest(
    placed: Sequence[Placed], given: KeywordTable, table: KeywordTable, labels: TitleLabels, judge: str
) -> list[Suggestion]:
    """Return placed changes as suggestions, in the same order.

    Args:
        placed: from a placement that began with `table`.
        given: the table that they are suggested for.
        table: the same with groups of changes; the rows of the given one come first.
        labels: of the judged titles.
        judge: whose labels these are, for the reader.
    """
    hits = table.hits(labels.titles).tocsc()
    suggestions = []
    for change in placed:
        option, subject, outcome = change.option, change.subject, change.outcome
        if option.row is None:
            assert subject.number is not None, "only a row of the table is retired"
            matched = hits.indices[hits.indptr[subject.number] : hits.indptr[subject.number + 1]]
        else:
            matched = option.row.titles
        fixed, broken = change.titles
        evidence = Evidence(
            support_titles=len(matched),
            support_records=int(labels.records[matched].sum()),
            judge=judge,
            lift=outcome.points / len(labels),
            p_value=outcome.p_value,
            reviewed_fixed=outcome.reviewed[0],
            reviewed_broken=outcome.reviewed[1],
            believed_fixed=outcome.believed[0],
            believed_broken=outcome.believed[1],
            variants_fixed=outcome.variants[0],
            variants_broken=outcome.variants[1],
            examples=example_titles(labels, fixed),
            counter_examples=example_titles(labels, broken),
            importance=subject.importance,
        )
        own = None if subject.number is None else given.rows.iloc[subject.number]
        suggestion = Suggestion(
            action=option.action,
            keyword=subject.keyword,
            priority=option.priority,
            match=option.match,
            labels={target: option.labels.get(target, "") for target in given.taxonomy.names},
            line=None if own is None else int(own["line"]),
            old_priority=None if own is None else float(own["priority"]),
            old_match=None if own is None else str(own["match"]),
            evidence=evidence,
            rationale=_sentence(change, given, evidence),
            group=change.pair,
        )
        suggestions.append(suggestion)
    return suggestions


def merged(groups: Sequence[Suggestion], singles: Sequence[Suggestion]) -> list[Suggestion]:
    """Return the changes of groups and single ones together, each row of the table being changed at most once.

    A single change of a row that a group changed takes its place, and none is left where it undoes the group's.
    """
    of_line = {one.line: one for one in singles if one.line is not None}
    kept = [one for one in groups if one.line not in of_line]
    undone = {
        line
        for line, one in of_line.items()
        if one.action != "retire" and (one.match, one.priority) == (one.old_match, one.old_priority)
    }
    return [*kept, *(one for one in singles if one.line is None or one.line not in undone)]


def steps(suggestions: Sequence[Suggestion]) -> list[tuple[Suggestion, ...]]:
    """Return the suggestions that were tried as one together, and each other one alone."""
    by_group = groupby(enumerate(suggestions), key=lambda one: (one[1].group, -1 if one[1].group else one[0]))
    return [tuple(suggestion for _, suggestion in some) for _, some in by_group]


def suggestions_frame(suggestions: Sequence[Suggestion]) -> pd.DataFrame:
    """Return what is proposed and its evidence: a row for each step, in which counts of a group are summed."""
    rows = []
    for order, step in enumerate(steps(suggestions), start=1):
        first = step[0]
        sums = {name: sum(getattr(one.evidence, name) for one in step) for name in (*_COUNTS, "lift")}
        evidence = {**sums, "p_value": first.evidence.p_value}
        rows.append({"order": order, "group": first.group, **_facts(step), **evidence, "why": first.rationale})
    columns = ["order", "group", "action", "keyword", "match", "priority", "sets", *EVIDENCE_COLUMNS, "why"]
    return pd.DataFrame(rows, columns=columns)


def _facts(step: Sequence[Suggestion]) -> dict[str, Any]:
    """Return what a step changes; a value that its changes do not share is left empty."""
    found: dict[str, Any] = {"keyword": first_few((one.keyword for one in step), 3)}
    for name in ("action", "match", "priority"):
        values = {getattr(one, name) for one in step}
        found[name] = values.pop() if len(values) == 1 else None
    labels = {"; ".join(f"{name}: {label}" for name, label in one.labels.items() if label) for one in step}
    return {**found, "sets": labels.pop() if len(labels) == 1 else None}


def _sentence(change: Placed, table: KeywordTable, evidence: Evidence) -> str:
    """Say in one sentence what is proposed and why."""
    keyword, option = change.subject.keyword, change.option
    together = f" (together: {change.pair})" if change.pair else ""
    variants = evidence.variants_fixed, evidence.variants_broken
    derived = f", and of derived ones {variants[0]} and {variants[1]}" if any(variants) else ""
    outcome = (
        f"of reviewed titles {evidence.reviewed_fixed} are fixed and {evidence.reviewed_broken} broken, of others "
        f"{evidence.believed_fixed} and {evidence.believed_broken}{derived}{together}"
    )
    labels = " and ".join(f"{target} {label}" for target, label in option.labels.items())
    if option.action == "add":
        share = evidence.importance
        by_network = "" if share is None else f", to which the network attributes {share:.0%} of its importance"
        way = {"word": "a word", "gap": "with words between"}.get(option.match, "the beginning of a word")
        return f"{keyword!r} ({way}{by_network}) indicates {labels}, which the table does not know: {outcome}."
    assert change.subject.number is not None, "only a new row has no number"
    own = table.rows.iloc[change.subject.number]
    if option.action == "narrow":
        if option.match == own["match"]:
            return f"{keyword!r} is to stay as it is, other than its group: {outcome}."
        way = "a whole word" if option.match == "word" else "the beginning of a word"
        return f"{keyword!r} also matches inside longer words; if it matches {way} only, {outcome}."
    if option.action == "re-prioritise":
        moved = "be outranked by more keywords" if option.priority > own["priority"] else "outrank more keywords"
        narrowed = f" and be matched as {option.match}" if option.match != own["match"] else ""
        change_of = f"priority {own['priority']:g} to {option.priority:g}"
        return f"{keyword!r} should {moved}{narrowed} ({change_of}): {outcome}."
    return f"{keyword!r} does more harm than good in setting {labels}: without it, {outcome}."


def table_predictions(table: KeywordTable, titles: StrArray) -> Predictions:
    """Return a table's classes of distinct titles as predictions with probability 1."""
    probabilities: dict[str, FloatArray] = {
        target: np.eye(table.taxonomy.n_classes(target), dtype=np.float32)[codes]
        for target, codes in table.classes(titles).items()
    }
    return Predictions(taxonomy=table.taxonomy, titles=titles, probabilities=probabilities)


def lifts(tables: Mapping[str, KeywordTable], baseline: KeywordTable, rows: pl.DataFrame, seed: int) -> pd.DataFrame:
    """Measure how far amended tables, by name, are ahead of the original; returns what `differences` does."""
    titles = rows["title"].unique().sort().to_numpy()
    answers = {source: table_predictions(table, titles) for source, table in tables.items()}
    return differences(rows, answers, table_predictions(baseline, titles), seed)


def differences(rows: pl.DataFrame, answers: Mapping[str, Predictions], given: Predictions, seed: int) -> pd.DataFrame:
    """Compare the predictions of systems, by name, with those of another system, against every reference.

    Args:
        rows: as `references.make_references` gathers them.
        answers: name of a system to its predictions.
        given: predictions of the system that they are compared with.
        seed: of the bootstrap over titles.

    Returns:
        `reference`, `weighting`, `target`, `titles`, `records`, `before`, `after`, and `difference` with the bounds
        `low` and `high` of its 95% interval, titles resampled with all their records; then `source`.
    """
    keys = ["reference", "weighting", "target"]
    # The accuracy of the other system is counted once, however many are compared with it.
    scores = score_rows(rows, given, seed=0)
    chosen = scores[(scores["metric"] == "accuracy") & (scores["history"] == EVERY_HISTORY)]
    before = chosen[[*keys, "value"]].rename(columns={"value": "before"})
    counted = rows.group_by("reference").agg(pl.col("title").n_unique().alias("titles"), pl.col("records").sum())
    known = before.merge(counted.to_pandas(), on="reference")
    pairs = [(source, _GIVEN) for source in answers]
    compared = compare_rows(rows, {**answers, _GIVEN: given}, pairs, seed).rename(columns={"compared": "source"})
    found = compared.merge(known, on=keys, how="left")
    columns = [*keys, "titles", "records", "before", "after", "difference", "low", "high", "source"]
    return found.assign(after=found["before"] + found["difference"])[columns]


def prove_changes(table: KeywordTable, changes: Sequence[Suggestion], rows: pl.DataFrame) -> pd.DataFrame:
    """Count what each change fixes and breaks in some labelled titles, on top of the changes before it.

    Args:
        table: the original table.
        changes: in order.
        rows: `title`, a label per target and `records`; of several labels of a title that of most records counts.

    Returns:
        A row per step: `order` from 1, `action`, `keyword`, `match`, `priority`, what it `sets`, `fixed` and `broken`
        (titles with more and with fewer targets right), `fixed_records` and `broken_records`, `fixed_titles` and
        `broken_titles` (at most three examples each).
    """
    labelled = rows.rename({"records": "count"}).with_columns(pl.lit("scored").alias("source"))
    labels = label_titles(labelled, table.taxonomy, None)
    classes = table.classes(labels.titles)
    found = []
    made: list[Suggestion] = []
    for order, step in enumerate(steps(changes), start=1):
        made += step
        after = amend(table, made).classes(labels.titles)
        fixed, broken = fixed_and_broken(class_changes(classes, after), labels)
        classes = after
        found.append(
            {
                "order": order,
                **_facts(step),
                "fixed": int(fixed.sum()),
                "broken": int(broken.sum()),
                "fixed_records": int(labels.records[fixed].sum()),
                "broken_records": int(labels.records[broken].sum()),
                "fixed_titles": "; ".join(example_titles(labels, fixed)),
                "broken_titles": "; ".join(example_titles(labels, broken)),
            }
        )
    counts = ["fixed", "broken", "fixed_records", "broken_records", "fixed_titles", "broken_titles"]
    columns = ["order", "action", "keyword", "match", "priority", "sets", *counts]
    return pd.DataFrame(found, columns=columns)


def recovery(
    candidates: Mapping[str, Mapping[str, pd.DataFrame]],
    truth: pl.DataFrame,
    table: KeywordTable,
    planted: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """Compare lists of candidates by the planted words that they contain and by what they are worth.

    Args:
        candidates: source to target to candidates, the best first.
        truth: distinct `title` with its true class per target.
        table: the candidates would be added to it.
        planted: planted word to its class of each target that it indicates.

    Returns:
        `source`, `target`, `candidates`, `planted`, `recovered`, `recall` (in the first 100), `useful` (share of the
        first 50 that would fix more titles than they break), `true` (share of them whose class most of their titles
        have), and the planted words `missed`.
    """
    found = []
    for source, of_target in candidates.items():
        for target, frame in of_target.items():
            sought = {word: classes[target] for word, classes in planted.items() if target in classes}
            named = recovered(frame, sought)
            judged = judge_candidates(frame.head(FIRST_FOR_PRECISION), target, truth, table)
            found.append(
                {
                    "source": source,
                    "target": target,
                    "candidates": len(frame),
                    "planted": len(sought),
                    "recovered": len(named),
                    "recall": len(named) / len(sought) if sought else None,
                    "useful": float((judged["fixed"] > judged["broken"]).mean()) if len(judged) else None,
                    "true": float((judged["true_share"] > 0.5).mean()) if len(judged) else None,
                    "missed": ", ".join(word for word in sought if word not in named),
                }
            )
    return pd.DataFrame(found)


def names_the_same(keyword: str, planted: str) -> bool:
    """Say whether a keyword is a planted word except for the last ending, as "threat hunter" is "threat hunt"."""
    ours, theirs = keyword.split(), planted.split()
    if len(ours) != len(theirs) or ours[:-1] != theirs[:-1]:
        return False
    shorter, longer = sorted((ours[-1], theirs[-1]), key=len)
    return longer.startswith(shorter) and len(longer) - len(shorter) <= _MAX_ENDING


def recovered(candidates: pd.DataFrame, planted: Mapping[str, str]) -> list[str]:
    """Return the planted words that are among the first candidates of a target, with the class that `planted` has."""
    first = candidates.head(FIRST_FOR_RECALL)
    listed = list(zip(first["keyword"], first["class"], strict=True))
    return [
        word
        for word, right in planted.items()
        if any(label == right and names_the_same(keyword, word) for keyword, label in listed)
    ]


def judge_candidates(candidates: pd.DataFrame, target: str, truth: pl.DataFrame, table: KeywordTable) -> pd.DataFrame:
    """Compare each candidate of a target with true labels; the arguments are those of `recovery`.

    Returns:
        The candidates with `true_share` (of the titles that contain it, the share with its class; missing if there are
        none), `fixed` (titles that the table gets wrong and the class would be right for) and `broken` (titles that the
        table gets right and the class would be wrong for).
    """
    titles = truth["title"].to_numpy()
    gold = table.taxonomy[target].encode(truth[target].to_list())
    given = table.classes(titles)[target]
    figures = []
    found = titles_matching(candidates["keyword"], candidates["match"], titles)
    for label, matching in zip(candidates["class"], found, strict=True):
        code = table.taxonomy[target].class_index[label]
        right, before = gold[matching] == code, given[matching]
        fixed, broken = right & (before != code), ~right & (before == gold[matching])
        figures.append((right.mean() if len(matching) else np.nan, int(fixed.sum()), int(broken.sum())))
    return candidates.assign(**pd.DataFrame(figures, columns=["true_share", "fixed", "broken"], index=candidates.index))
