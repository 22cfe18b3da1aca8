"""What changes of a table are worth on titles that they were neither mined from nor chosen by."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, Predictions, StrArray
from harness.keywords.suggestions import Suggestion
from harness.mining.beliefs import Beliefs, beliefs_of
from harness.mining.evidence import example_titles, right_targets
from harness.mining.recovery import FIRST_FOR_PRECISION, judge_candidates, recovered
from harness.mining.trial_table import Row, TrialTable
from harness.scoring.metrics import EVERY_HISTORY, compare_rows, score_rows


def table_predictions(table: KeywordTable, titles: StrArray) -> Predictions:
    """Return a table's verdicts for distinct titles as certainties."""
    winners = table.winners(titles)
    probabilities: dict[str, FloatArray] = {}
    for target in table.taxonomy.targets:
        classes = table.class_positions[target.name][winners[target.name]]
        probabilities[target.name] = np.eye(target.n_classes, dtype=np.float32)[classes]
    return Predictions(taxonomy=table.taxonomy, titles=titles, probabilities=probabilities)


def lifts(tables: Mapping[str, KeywordTable], baseline: KeywordTable, rows: pl.DataFrame, seed: int) -> pd.DataFrame:
    """Measure how far amended tables are ahead of the one they amend, against every reference of a scored part.

    Args:
        tables: name to amended table.
        baseline: the table before.
        rows: as `references.make_references` gathers them.
        seed: of the bootstrap over titles.

    Returns:
        `reference`, `weighting`, `target`, `titles`, `records`, `before`, `after`, and `difference` with the bounds
        `low` and `high` of its 95% interval, titles resampled with all their records; then `source`.
    """
    titles = rows["title"].unique().sort().to_numpy()
    answers = {source: table_predictions(table, titles) for source, table in tables.items()}
    return differences(rows, answers, table_predictions(baseline, titles), seed)


def differences(rows: pl.DataFrame, answers: Mapping[str, Predictions], given: Predictions, seed: int) -> pd.DataFrame:
    """Return what `lifts` does of any systems, by name, against another system's answers."""
    # What the other system has right is counted once, however many are held against it.
    before = _accuracies(rows, given)
    counted = rows.group_by("reference").agg(pl.col("title").n_unique().alias("titles"), pl.col("records").sum())
    known = before.merge(counted.to_pandas(), on="reference")
    found = []
    for source, own in answers.items():
        whole = compare_rows(rows, own, given, seed).merge(known, on=["reference", "weighting", "target"])
        found.append(whole.assign(after=whole["before"] + whole["difference"], source=source))
    head = ["reference", "weighting", "target", "titles", "records", "before", "after"]
    return pd.concat(found, ignore_index=True)[[*head, "difference", "low", "high", "source"]]


def _accuracies(rows: pl.DataFrame, given: Predictions) -> pd.DataFrame:
    """Return the accuracy of one system per reference, weighting and target, as `before`."""
    scores = score_rows(rows, given, seed=0)
    chosen = scores[(scores["metric"] == "accuracy") & (scores["history"] == EVERY_HISTORY)]
    return chosen[["reference", "weighting", "target", "value"]].rename(columns={"value": "before"})


def prove_changes(table: KeywordTable, changes: Sequence[Suggestion], rows: pl.DataFrame) -> pd.DataFrame:
    """Count what each change mends and spoils in some labelled titles, on top of the changes before it.

    Args:
        table: the table before.
        changes: in order.
        rows: `title`, a label per target and `records`; a title with several labels counts by the one of most records.

    Returns:
        A row per change: `order` from 1, `action`, `keyword`, `match`, `priority`, a label per target, `fixed` and
        `broken` (titles with more and with fewer targets right), `fixed_records` and `broken_records`, `fixed_titles`
        and `broken_titles` (at most three examples each).
    """
    labelled = rows.rename({"records": "count"}).with_columns(pl.lit("scored").alias("source"))
    beliefs = beliefs_of(labelled, table.taxonomy, None)
    trial = TrialTable(table, beliefs.titles)
    number_of_line = {int(line): number for number, line in enumerate(table.rows["line"])}
    found = []
    for order, change in enumerate(changes, start=1):
        number = len(trial.rows) if change.line is None else number_of_line[change.line]
        row = _row(change, table, beliefs)
        before, after = right_targets(trial.try_row(number, row), beliefs)
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
                "fixed_records": int(beliefs.records[fixed].sum()),
                "broken_records": int(beliefs.records[broken].sum()),
                "fixed_titles": "; ".join(example_titles(beliefs, fixed)),
                "broken_titles": "; ".join(example_titles(beliefs, broken)),
            }
        )
    return pd.DataFrame(found, columns=_columns(table.taxonomy))


def _columns(taxonomy: Taxonomy) -> list[str]:
    counts = ["fixed", "broken", "fixed_records", "broken_records", "fixed_titles", "broken_titles"]
    return ["order", "action", "keyword", "match", "priority", *taxonomy.names, *counts]


def _row(change: Suggestion, table: KeywordTable, beliefs: Beliefs) -> Row | None:
    """Return a change as a row over some titles; None where it takes the row away."""
    if change.action == "retire":
        return None
    cells = {"keyword": change.keyword, "priority": change.priority, "match": change.match, **change.labels}
    alone = KeywordTable.from_frame(pd.DataFrame([cells]), table.taxonomy, "a suggestion")
    classes = {name: int(alone.class_positions[name][0]) for name in table.taxonomy.names if change.labels[name]}
    titles = np.flatnonzero(alone.hits(beliefs.titles).toarray()[:, 0])
    return Row(titles=titles, priority=change.priority, length=len(change.keyword), classes=classes)


def recovery(
    candidates: Mapping[str, Mapping[str, pd.DataFrame]],
    truth: pl.DataFrame,
    table: KeywordTable,
    planted: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """Compare lists of candidates by the planted words that they find and by what they are worth.

    Args:
        candidates: source to target to candidates, the best first.
        truth: distinct `title` with its true class per target.
        table: what the candidates would be added to.
        planted: planted word to the class of each target that it speaks for.

    Returns:
        `source`, `target`, `candidates`, `planted`, `recovered`, `recall` (in the first 100), `useful` (share of the
        first 50 that set more titles right than they spoil), `true` (share of them whose class most of their titles
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
