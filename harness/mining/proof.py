"""What changes of a table are worth on titles that they were neither mined from nor chosen on."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, Predictions, StrArray
from harness.keywords.suggestions import Suggestion
from harness.mining.evidence import example_titles, right_targets
from harness.mining.phrases import titles_matching
from harness.mining.title_labels import TitleLabels, label_titles
from harness.mining.trial_table import Row, TrialTable
from harness.scoring.metrics import EVERY_HISTORY, compare_rows, score_rows

FIRST_FOR_RECALL, FIRST_FOR_PRECISION = 100, 50
"""How many of the best candidates of a target are searched for planted words, and are held against the truth."""

_MAX_ENDING = 4


def table_predictions(table: KeywordTable, titles: StrArray) -> Predictions:
    """Return a table's classes of distinct titles as predictions with probability 1."""
    winners = table.winners(titles)
    probabilities: dict[str, FloatArray] = {}
    for target in table.taxonomy.targets:
        classes = table.class_positions[target.name][winners[target.name]]
        probabilities[target.name] = np.eye(target.n_classes, dtype=np.float32)[classes]
    return Predictions(taxonomy=table.taxonomy, titles=titles, probabilities=probabilities)


def lifts(tables: Mapping[str, KeywordTable], baseline: KeywordTable, rows: pl.DataFrame, seed: int) -> pd.DataFrame:
    """Measure how far amended tables are ahead of the original, against every reference of a scored part.

    Args:
        tables: name to amended table.
        baseline: the original table.
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
    """Compare the predictions of any systems, by name, with those of another system; returns what `lifts` does."""
    # The accuracy of the other system is counted once, however many are compared with it.
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
    return pd.DataFrame(found, columns=_columns(table.taxonomy))


def _columns(taxonomy: Taxonomy) -> list[str]:
    counts = ["fixed", "broken", "fixed_records", "broken_records", "fixed_titles", "broken_titles"]
    return ["order", "action", "keyword", "match", "priority", *taxonomy.names, *counts]


def _row(change: Suggestion, table: KeywordTable, labels: TitleLabels) -> Row | None:
    """Return a change as a row over some titles; None where it retires the row."""
    if change.action == "retire":
        return None
    cells = {"keyword": change.keyword, "priority": change.priority, "match": change.match, **change.labels}
    alone = KeywordTable.from_frame(pd.DataFrame([cells]), table.taxonomy, "a suggestion")
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
    """Return the planted words that are among the first candidates of a target, with the right class.

    Args:
        candidates: of one target, the best first: `keyword`, `class`.
        planted: word to its class of that target.
    """
    first = candidates.head(FIRST_FOR_RECALL)
    listed = list(zip(first["keyword"], first["class"], strict=True))
    return [
        word
        for word, right in planted.items()
        if any(label == right and names_the_same(keyword, word) for keyword, label in listed)
    ]


def judge_candidates(candidates: pd.DataFrame, target: str, truth: pl.DataFrame, table: KeywordTable) -> pd.DataFrame:
    """Hold each candidate of a target against true labels.

    Args:
        candidates: `keyword`, `match` (word or prefix), `class`.
        target: of the candidates.
        truth: distinct `title` and its true class as the target's column.
        table: the candidates would be added to it.

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
        right = gold[matching] == code
        figures.append(
            (
                right.mean() if len(matching) else np.nan,
                int((right & (given[matching] != code)).sum()),
                int((~right & (given[matching] == gold[matching])).sum()),
            )
        )
    return candidates.assign(**pd.DataFrame(figures, columns=["true_share", "fixed", "broken"], index=candidates.index))
