"""What changes of a table are worth: their evidence on validation, and on titles that they were not chosen on."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import FloatArray, IntArray, Predictions, StrArray
from harness.keywords.suggestions import Evidence, Suggestion
from harness.mining.phrases import titles_matching
from harness.mining.placement import Placed
from harness.mining.title_labels import TitleLabels, label_titles
from harness.mining.trial_table import ClassChanges, Row, TrialTable
from harness.scoring.metrics import EVERY_HISTORY, compare_rows, score_rows
from harness.scoring.significance import wilson_interval

FIRST_FOR_RECALL, FIRST_FOR_PRECISION = 100, 50
"""How many of the best candidates of a target are searched for planted words, and are compared with the truth."""

_MAX_EXAMPLES = 3
_MAX_ENDING = 4


def suggest(
    placed: Sequence[Placed], table: KeywordTable, train: TitleLabels, valid: TitleLabels, judge: str
) -> list[Suggestion]:
    """Return placed changes as suggestions, in the same order.

    Args:
        placed: from a placement that began with the table.
        table: the base table.
        train: labels of train.
        valid: labels of validation.
        judge: whose labels these are, for the reader.
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
    weight = float(valid.weights.sum())
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
        lift=change.gain.total / weight,
        lift_low=change.gain.low / weight,
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


def table_predictions(table: KeywordTable, titles: StrArray) -> Predictions:
    """Return a table's classes of distinct titles as predictions with probability 1."""
    winners = table.winners(titles)
    probabilities: dict[str, FloatArray] = {}
    for target in table.taxonomy.targets:
        classes = table.class_positions[target.name][winners[target.name]]
        probabilities[target.name] = np.eye(target.n_classes, dtype=np.float32)[classes]
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
    found = []
    for source, own in answers.items():
        whole = compare_rows(rows, own, given, seed).merge(known, on=keys)
        found.append(whole.assign(after=whole["before"] + whole["difference"], source=source))
    columns = [*keys, "titles", "records", "before", "after", "difference", "low", "high", "source"]
    return pd.concat(found, ignore_index=True)[columns]


def prove_changes(table: KeywordTable, changes: Sequence[Suggestion], rows: pl.DataFrame) -> pd.DataFrame:
    """Count what each change fixes and breaks in some labelled titles, on top of the changes before it.

    Args:
        table: the original table.
        changes: in order.
        rows: `title`, a label per target and `records`; of several labels of a title that of most records counts.

    Returns:
        A row per change: `order` from 1, `action`, `keyword`, `match`, `priority`, a label per target, `fixed` and
        `broken` (titles with more and with fewer targets right), `fixed_records` and `broken_records`, `fixed_titles`
        and `broken_titles` (at most three examples each).
    """
    labelled = rows.rename({"records": "count"}).with_columns(pl.lit("scored").alias("source"))
    labels = label_titles(labelled, table.taxonomy, None)
    trial = TrialTable(table, labels.titles)
    number_of_line = {int(line): number for number, line in enumerate(table.rows["line"])}
    found = []
    for order, change in enumerate(changes, start=1):
        number = len(trial.rows) if change.line is None else number_of_line[change.line]
        row = _row(change, table, labels)
        before, after = right_targets(trial.try_row(number, row), labels)
        trial.put(number, row)
        fixed, broken = after > before, after < before
        found.append(
            {
                "order": order,
                "action": change.action,
                "keyword": change.keyword,
                "match": change.match,
                "priority": change.priority,
                **change.labels,
                "fixed": int(fixed.sum()),
                "broken": int(broken.sum()),
                "fixed_records": int(labels.records[fixed].sum()),
                "broken_records": int(labels.records[broken].sum()),
                "fixed_titles": "; ".join(example_titles(labels, fixed)),
                "broken_titles": "; ".join(example_titles(labels, broken)),
            }
        )
    counts = ["fixed", "broken", "fixed_records", "broken_records", "fixed_titles", "broken_titles"]
    columns = ["order", "action", "keyword", "match", "priority", *table.taxonomy.names, *counts]
    return pd.DataFrame(found, columns=columns)


def _row(change: Suggestion, table: KeywordTable, labels: TitleLabels) -> Row | None:
    """Return a change as a row over some titles; None where it retires the row."""
    if change.action == "retire":
        return None
    alone = KeywordTable.from_frame(pd.DataFrame([change.cells]), table.taxonomy, "a suggestion")
    classes = {name: int(alone.class_positions[name][0]) for name in table.taxonomy.names if change.labels[name]}
    titles = np.flatnonzero(alone.hits(labels.titles).toarray()[:, 0])
    return Row(titles=titles, priority=change.priority, length=len(change.keyword), classes=classes)


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
    given = table.class_positions[target][table.winners(titles)[target]]
    figures = []
    found = titles_matching(candidates["keyword"], candidates["match"], titles)
    for label, matching in zip(candidates["class"], found, strict=True):
        code = table.taxonomy[target].class_index[label]
        right, before = gold[matching] == code, given[matching]
        fixed, broken = right & (before != code), ~right & (before == gold[matching])
        figures.append((right.mean() if len(matching) else np.nan, int(fixed.sum()), int(broken.sum())))
    return candidates.assign(**pd.DataFrame(figures, columns=["true_share", "fixed", "broken"], index=candidates.index))
