"""Whether a system's confidence means what it says, and how right it is where it answers only what it is sure of."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from data_cleaning.titles import Predictions
from harness.scoring.hits import ALL, Hits

_N_BINS = 10
_COVERAGES = np.arange(1, 21) / 20


def confidence_scores(rows: pl.DataFrame, predictions: Predictions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the confidence of answers with how often they are right, per record.

    The confidence of all targets at once is the lowest of theirs, as it is where titles are picked for review.

    Args:
        rows: as `references.make_references` gathers them.
        predictions: of one system, for at least their titles.

    Returns:
        Bins of equal width: `reference`, `target`, `above` and `up_to` (the bounds of the confidence), `records`, mean
        `confidence`, and the share `right`; empty bins are left out. And the trade of risk and coverage, for all
        targets at once: `reference`, `coverage` (the share of records that is answered, the most confident first),
        `threshold` (their lowest confidence) and `accuracy`.
    """
    bins, curves = [], []
    for (reference,), group in rows.group_by("reference", maintain_order=True):
        hits = Hits(group, predictions)
        places = predictions.rows_of(hits.titles)[hits.title_codes]
        sure = {name: predictions.confidences(name)[places].astype(np.float64) for name in predictions.taxonomy.names}
        sure[ALL] = np.min(list(sure.values()), axis=0)
        for target, confidence in sure.items():
            right = hits.right[:, hits.names.index(target)]
            bins.append(_bins(confidence, right, hits.records).assign(reference=reference, target=target))
        right = hits.right[:, hits.names.index(ALL)]
        curves.append(_risk_coverage(sure[ALL], right, hits.records).assign(reference=reference))
    ordered = ["reference", "target", "above", "up_to", "records", "confidence", "right"]
    return (
        pd.concat(bins, ignore_index=True)[ordered],
        pd.concat(curves, ignore_index=True)[["reference", "coverage", "threshold", "accuracy"]],
    )


def calibration_errors(bins: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Sum up the bins of each system and target that `keys` name.

    Returns:
        The keys, `ece` (the mean distance between confidence and accuracy over the bins, each weighing its records),
        and `confidence` and `accuracy` of all records.

    Source: Naeini, Cooper and Hauskrecht 2015, doi:10.1609/aaai.v29i1.9602 (expected calibration error).
    """
    weighed = bins.assign(
        ece=(bins["confidence"] - bins["right"]).abs() * bins["records"],
        confidence=bins["confidence"] * bins["records"],
        accuracy=bins["right"] * bins["records"],
    )
    sums = weighed.groupby(keys, sort=False)[["ece", "confidence", "accuracy", "records"]].sum()
    return sums.div(sums["records"], axis=0).drop(columns="records").reset_index()


def _bins(
    confidence: npt.NDArray[np.float64], right: npt.NDArray[np.float64], records: npt.NDArray[np.float64]
) -> pd.DataFrame:
    number = np.clip(np.ceil(confidence * _N_BINS) - 1, 0, _N_BINS - 1).astype(np.int64)
    totals = [np.bincount(number, records * values, _N_BINS) for values in (np.ones_like(right), confidence, right)]
    held = np.flatnonzero(totals[0])
    count, sure, hit = (total[held] for total in totals)
    return pd.DataFrame(
        {
            "above": held / _N_BINS,
            "up_to": (held + 1) / _N_BINS,
            "records": count.astype(np.int64),
            "confidence": sure / count,
            "right": hit / count,
        }
    )


def _risk_coverage(
    confidence: npt.NDArray[np.float64], right: npt.NDArray[np.float64], records: npt.NDArray[np.float64]
) -> pd.DataFrame:
    order = np.argsort(-confidence, kind="stable")
    sorted_by_confidence = confidence[order]
    last_of_equals = np.append(np.diff(sorted_by_confidence) != 0, True)
    answered = np.append(0, np.cumsum(records[order])[last_of_equals])
    correct = np.append(0, np.cumsum((records * right)[order])[last_of_equals])
    wanted = _COVERAGES * answered[-1]
    # Of equally confident answers any may be left out, so that their share of right ones counts.
    accuracy = np.interp(wanted, answered, correct) / wanted
    step = np.searchsorted(answered[1:], wanted - 1e-6)
    return pd.DataFrame(
        {"coverage": _COVERAGES, "threshold": sorted_by_confidence[last_of_equals][step], "accuracy": accuracy}
    )
