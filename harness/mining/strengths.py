"""The strength of each keyword in pairwise conflicts, on a Bradley-Terry scale, and the priority that it implies."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.stats import norm
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import FloatArray, IntArray
from harness.mining.title_labels import TitleLabels

_TWO_SIDED = float(norm.ppf(0.975))
_PRIOR_DEVIATION = 2.0
"""Prior standard deviation of a strength, so that a keyword that wins all of a few conflicts stays within reason."""


@dataclass(frozen=True, kw_only=True)
class PairwiseConflicts:
    """Pairs of rows that match the same title and set different classes; all arrays have length n_pairs."""

    first: IntArray
    """The row that the table lets win, from 0."""
    second: IntArray
    titles: IntArray
    """Distinct titles, counted once for each target in which the rows conflict."""
    records: IntArray
    first_wins: npt.NDArray[np.float64]
    """Share of the first row's class in the soft labels, summed over titles; targets are weighted by importance, titles
    by the root of their records."""
    second_wins: npt.NDArray[np.float64]


def find_pairwise_conflicts(table: KeywordTable, labels: TitleLabels) -> PairwiseConflicts:
    """Find the pairs of rows that conflict in labelled titles, and how often each of the two is right."""
    hits = table.hits(labels.titles).tocoo()
    rank = np.empty(len(table), dtype=np.int64)
    rank[table.order] = np.arange(len(table))
    importance = sum(target.importance for target in table.taxonomy.targets)
    pieces = []
    for target in table.taxonomy.targets:
        name = target.name
        sets = table.sets[name][hits.col]  # (n_hits,)
        first, second, at = _pairs(hits.row[sets].astype(np.int64), rank[hits.col[sets]])
        first, second = table.order[first], table.order[second]
        classes = table.class_positions[name]
        differ = classes[first] != classes[second]
        first, second, at = first[differ], second[differ], at[differ]
        weight = labels.weights[at] * target.importance / importance
        wins, losses = (weight * labels.shares[name][at, classes[rows]] for rows in (first, second))
        counts = {"titles": 1, "records": labels.records[at]}
        pieces.append(
            pd.DataFrame({"first": first, "second": second, **counts, "first_wins": wins, "second_wins": losses})
        )
    found = pd.concat(pieces, ignore_index=True).groupby(["first", "second"], as_index=False).sum()
    return PairwiseConflicts(**{str(name): found[name].to_numpy() for name in found})


def _pairs(titles: IntArray, ranks: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return every two ranks of one title, the lower first, and the title, (n_pairs,) each."""
    order = np.lexsort((ranks, titles))
    titles, ranks = titles[order], ranks[order]
    first, second, at = [], [], []
    for step in range(1, len(titles)):
        together = titles[step:] == titles[:-step]
        if not together.any():
            break
        first.append(ranks[:-step][together])
        second.append(ranks[step:][together])
        at.append(titles[step:][together])
    nothing = [np.zeros(0, dtype=np.int64)]
    return np.concatenate(first or nothing), np.concatenate(second or nothing), np.concatenate(at or nothing)


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """The strength of each row of a table on one scale, higher wins; arrays of length n_rows."""

    values: npt.NDArray[np.float64]
    """In logits; 0 for a row without conflicts."""
    covariance: npt.NDArray[np.float64]
    """Of the values, (n_rows, n_rows)."""
    has_conflicts: npt.NDArray[np.bool_]
    """Whether the row conflicts with any other where the soft labels favour one of them."""

    @property
    def deviations(self) -> npt.NDArray[np.float64]:
        """Standard deviation of each value, (n_rows,)."""
        return np.sqrt(np.diag(self.covariance))


def fit_strengths(conflicts: PairwiseConflicts, n_rows: int) -> Strengths:
    """Fit a Bradley-Terry model: row a wins over b with the logistic function of the difference of their strengths.

    Strengths have a normal prior around 0, which keeps those of keywords that never lose finite; the covariance is
    Laplace's.

    Source: Bradley and Terry 1952, doi:10.2307/2334029, as a logistic regression without intercept.
    """
    wins = np.concatenate([conflicts.first_wins, conflicts.second_wins])
    n_pairs = len(conflicts.first)
    signs = np.concatenate([np.ones(n_pairs), -np.ones(n_pairs)])
    columns = np.concatenate([conflicts.first, conflicts.second])
    design = sparse.csr_matrix((signs, (np.tile(np.arange(n_pairs), 2), columns)), shape=(n_pairs, n_rows))
    has_conflicts = np.zeros(n_rows, dtype=bool)
    decided = conflicts.first_wins + conflicts.second_wins > 0
    has_conflicts[conflicts.first[decided]] = has_conflicts[conflicts.second[decided]] = True
    values = np.zeros(n_rows)
    outcomes = np.concatenate([np.ones(n_pairs), np.zeros(n_pairs)])
    if decided.any():
        model = LogisticRegression(C=_PRIOR_DEVIATION**2, fit_intercept=False, max_iter=1000)
        with threadpool_limits(1):
            model.fit(sparse.vstack([design, design]), outcomes, sample_weight=wins)
        values = model.coef_[0]
    chance = 1 / (1 + np.exp(-(design @ values)))
    curvature = (conflicts.first_wins + conflicts.second_wins) * chance * (1 - chance)
    information = (design.T @ sparse.diags_array(curvature) @ design).toarray()
    covariance = np.linalg.inv(information + np.eye(n_rows) / _PRIOR_DEVIATION**2)
    return Strengths(values=values, covariance=covariance, has_conflicts=has_conflicts)


def asked_priorities(table: KeywordTable, strengths: Strengths) -> pd.DataFrame:
    """Translate strengths to the table's own scale of priorities: the stronger a row, the lower its number.

    The scale is the decreasing step function of strength that is nearest to the current priorities of the rows.

    Returns:
        A row per row of the table: `line`, `keyword`, `priority`, `strength`, `deviation`, and `asked`, the priority
        that the strength implies, with `asked_low` and `asked_high`, its 95% interval; the latter three are missing for
        a row without conflicts.
    """
    now = table.rows["priority"].to_numpy()
    frame = table.rows[["line", "keyword", "priority"]].assign(
        strength=strengths.values, deviation=strengths.deviations
    )
    known = strengths.has_conflicts
    if not known.any():
        return frame.assign(asked=np.nan, asked_low=np.nan, asked_high=np.nan)
    scale = IsotonicRegression(increasing=False, out_of_bounds="clip")
    scale.fit(strengths.values[known], now[known], sample_weight=1 / strengths.deviations[known] ** 2)
    room = _TWO_SIDED * strengths.deviations
    asked = {
        "asked": scale.predict(strengths.values),
        "asked_low": scale.predict(strengths.values + room),
        "asked_high": scale.predict(strengths.values - room),
    }
    return frame.assign(**{name: np.where(known, values, np.nan) for name, values in asked.items()})


def find_inversions(table: KeywordTable, conflicts: PairwiseConflicts, strengths: Strengths) -> pd.DataFrame:
    """List conflicts in which the table lets the weaker row win, and the difference is more than chance.

    Returns:
        `line`, `keyword`, `priority` of the row that wins now, then `over_line`, `over`, `over_priority` of the
        stronger row that loses now, `titles`, `records`, `wins` and `losses` of the row that wins now, in weighted
        titles, and `deviations`, by how many standard deviations it is weaker; most records first.
    """
    variance = np.diag(strengths.covariance)
    first, second = conflicts.first, conflicts.second
    spread = np.sqrt(variance[first] + variance[second] - 2 * strengths.covariance[first, second])
    weaker = (strengths.values[second] - strengths.values[first]) / spread
    kept = (weaker > _TWO_SIDED) & (conflicts.second_wins > conflicts.first_wins)
    rows = table.rows[["line", "keyword", "priority"]]
    winning, losing = rows.iloc[first].reset_index(drop=True), rows.iloc[second].reset_index(drop=True)
    losing.columns = ["over_line", "over", "over_priority"]
    frame = pd.concat([winning, losing], axis=1).assign(
        titles=conflicts.titles,
        records=conflicts.records,
        wins=conflicts.first_wins,
        losses=conflicts.second_wins,
        deviations=weaker,
    )[kept]
    return frame.sort_values(["records", "line", "over_line"], ascending=[False, True, True]).reset_index(drop=True)


def priorities_to_try(asked: pd.DataFrame, levels: FloatArray) -> Mapping[int, list[float]]:
    """Return the priorities within the interval of each row, row number to priorities other than its own.

    Args:
        asked: from `asked_priorities`.
        levels: priorities to choose from.
    """
    allowed = {}
    rows = asked[["priority", "asked_low", "asked_high"]].itertuples(index=False)
    for number, (priority, low, high) in enumerate(rows):
        inside = [float(level) for level in levels if low <= level <= high and level != priority]
        if inside:
            # The nearest to the current priority comes first, as it changes least.
            allowed[number] = sorted(inside, key=lambda level: abs(level - priority))
    return allowed
