"""Where answers differ from the recorded labels, and whether the label or the system is more likely to be wrong."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray, Predictions

LABEL_SUSPECT, SYSTEM_SUSPECT, OPEN = "label suspect", "system suspect", "open"

TRUSTED = ("truth", "reviewed")
"""References that tell a wrong label from a right one; the first that knows a title counts."""
_BETWEEN = "; "
_MIN_PROBABILITY = 1e-12
"""A class that a system rules out costs 27.6 nats, not infinitely many."""


def rank_errors(
    rows: pl.DataFrame, answers: Mapping[str, Predictions], voters: Sequence[str], max_rows: int
) -> pd.DataFrame:
    """List the recorded labels that each system contradicts, those to which it gives the least chance first.

    None of the systems has learned from these titles, so that the others are witnesses: where most of them give the
    same answer, the label is suspect; where most of them give the label, the system is.

    Args:
        rows: as `references.make_references` gathers them.
        answers: predictions of every system, by its name.
        voters: the systems that are asked.
        max_rows: errors of each system that are listed, at most.

    Returns:
        `system`, `title`, `label`, `answer` and `known` (what a person says, or the truth; empty where neither is
        known), each the classes of all targets; `records`, `loss` in nats (the mean of the targets' cross-entropies,
        weighted by importance), `for_label` and `for_answer` (how many other systems give it), and the `mark`.
    """
    taxonomy = next(iter(answers.values())).taxonomy
    recorded = rows.filter(pl.col("reference") == "legacy")
    labels = {target.name: target.encode(recorded[target.name]) for target in taxonomy.targets}
    label = _combined(taxonomy, labels)
    titles = recorded["title"].to_numpy()
    places = {name: predictions.rows_of(titles) for name, predictions in answers.items()}
    given = {name: _answers(predictions)[places[name]] for name, predictions in answers.items()}
    trusted = trusted_rows(rows).select("title", pl.concat_str(taxonomy.names, separator=_BETWEEN))
    known = dict(trusted.iter_rows())
    nobody = np.zeros(len(label), dtype=np.int64)
    found = []
    for name, predictions in answers.items():
        others = [given[other] for other in voters if other != name]
        for_label = sum(((other == label) for other in others), nobody)
        for_answer = sum(((other == given[name]) for other in others), nobody)
        marks = np.select(
            [2 * for_answer > len(others), 2 * for_label > len(others)], [LABEL_SUSPECT, SYSTEM_SUSPECT], OPEN
        )
        listed = recorded.select("title", "records").with_columns(
            label=label,
            answer=given[name],
            loss=_losses(predictions, places[name], labels),
            for_label=for_label,
            for_answer=for_answer,
            mark=pl.Series(marks.tolist(), dtype=pl.String),
        )
        wrong = listed.filter(pl.col("label") != pl.col("answer"))
        order = ["loss", "records", "title", "label"]
        first = wrong.sort(order, descending=[True, True, False, False]).head(max_rows).to_pandas()
        named = {column: _named(taxonomy, first[column].to_numpy()) for column in ("label", "answer")}
        found.append(first.assign(system=name, **named, known=[known.get(title, "") for title in first["title"]]))
    columns = ["system", "title", "label", "answer", "known", "records", "loss", "for_label", "for_answer", "mark"]
    return pd.concat(found, ignore_index=True)[columns]


def three_way(rows: pl.DataFrame, answers: Mapping[str, Predictions]) -> pd.DataFrame | None:
    """Count the records by whether the recorded labels, a system and what is known of their titles agree.

    Args:
        rows: as `references.make_references` gathers them.
        answers: predictions of every system, by its name.

    Returns:
        `system`, `known` (the references), `titles`, `records`, then the records of which `all_agree`, of which the
        label (`label_wrong`) or the system (`system_wrong`) alone contradicts what is known, of which both do and are
        alike (`both_wrong_alike`), and of which `all_differ`. None where nothing is known.
    """
    taxonomy = next(iter(answers.values())).taxonomy
    trusted = trusted_rows(rows)
    known_as = trusted.select("title", "reference", *(pl.col(name).alias(f"known_{name}") for name in taxonomy.names))
    recorded = rows.filter(pl.col("reference") == "legacy").drop("reference")
    both = recorded.join(known_as, on="title", maintain_order="left")
    if both.is_empty():
        return None
    reference = " or ".join(name for name in TRUSTED if (both["reference"] == name).any())
    label, known = (
        _combined(taxonomy, {target.name: target.encode(both[prefix + target.name]) for target in taxonomy.targets})
        for prefix in ("", "known_")
    )
    records, titles = both["records"].to_numpy(), both["title"].to_numpy()
    found = []
    for name, predictions in answers.items():
        answer = _answers(predictions)[predictions.rows_of(titles)]
        patterns = {
            "all_agree": (label == known) & (answer == known),
            "label_wrong": (label != known) & (answer == known),
            "system_wrong": (label == known) & (answer != known),
            "both_wrong_alike": (label != known) & (answer == label),
            "all_differ": (label != known) & (answer != known) & (answer != label),
        }
        counted = {pattern: int(records[where].sum()) for pattern, where in patterns.items()}
        about = {"system": name, "known": reference, "titles": len(set(titles)), "records": int(records.sum())}
        found.append({**about, **counted})
    return pd.DataFrame(found)


def trusted_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each title of which the truth is known or, without that, what a person says."""
    trusted = rows.filter(pl.col("reference").is_in(TRUSTED))
    order = pl.col("reference").replace_strict({name: at for at, name in enumerate(TRUSTED)}, return_dtype=pl.Int64)
    first = trusted.sort(order, -pl.col("records"), maintain_order=True)
    return first.unique("title", keep="first", maintain_order=True)


def _combined(taxonomy: Taxonomy, codes: Mapping[str, IntArray]) -> npt.NDArray[np.int64]:
    """Return one number for the classes of all targets, (n_rows,)."""
    shape = [target.n_classes for target in taxonomy.targets]
    return np.asarray(np.ravel_multi_index([codes[name].astype(np.int64) for name in taxonomy.names], shape))


def _named(taxonomy: Taxonomy, codes: npt.NDArray[np.int64]) -> list[str]:
    positions = np.unravel_index(codes, [target.n_classes for target in taxonomy.targets])
    classes = [np.array(target.classes)[at] for target, at in zip(taxonomy.targets, positions, strict=True)]
    return [_BETWEEN.join(names) for names in zip(*classes, strict=True)]


def _answers(predictions: Predictions) -> npt.NDArray[np.int64]:
    return _combined(predictions.taxonomy, {name: predictions.predicted(name) for name in predictions.taxonomy.names})


def _losses(predictions: Predictions, places: IntArray, labels: Mapping[str, IntArray]) -> npt.NDArray[np.float64]:
    loss, total = np.zeros(len(places)), 0.0
    for target in predictions.taxonomy.targets:
        chances = predictions.probabilities[target.name][places, labels[target.name]].astype(np.float64)
        loss -= target.importance * np.log(np.maximum(chances, _MIN_PROBABILITY))
        total += target.importance
    return np.asarray(loss / total)
