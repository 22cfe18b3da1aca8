"""The tables of what was mined, what it is worth, and how the network was asked."""

from dataclasses import dataclass

import pandas as pd

from harness.experiment.config import REVIEWED
from harness.mining.miner import MINED
from harness.reporting.table import Table, verdict
from harness.scoring.metrics import ALL
from harness.scoring.references import WEIGHTINGS

_FIRST = 20


@dataclass(frozen=True, kw_only=True)
class MiningFigures:
    """What the stages of mining found; every frame begins with `split` and `learned_from`."""

    lifts: pd.DataFrame
    """What `proof.lifts` returns."""
    changes: pd.DataFrame
    """What `proof.prove_changes` returns, with its `reference`, each `lift` and `lift_low`, `why` a change is made,
    and whether it is `exported` as the run's own."""
    counts: pd.DataFrame
    """`source` and the number of its `changes`."""
    recovery: pd.DataFrame | None
    """What `proof.recovery` returns; None where the truth of all titles is unknown."""
    priorities: pd.DataFrame
    """What `strengths.asked_priorities` returns, and what each judge asks for."""
    inversions: pd.DataFrame
    """What `strengths.find_inversions` returns."""
    folds: pd.DataFrame | None
    """What `proof.lifts` returns, on reviewed titles held out in turn; None where nobody asked."""
    faithfulness: pd.DataFrame | None
    """What `faithfulness.compare_methods` returns; None where nobody asked."""


def mining_tables(figures: MiningFigures, reference: str) -> list[Table]:
    """Return the tables, the one to read first in front.

    Args:
        figures: of one run.
        reference: the most trustworthy one of the run.
    """
    lifts = _with_verdict(figures.lifts.merge(figures.counts, on=["split", "learned_from", "source"]))
    whole = lifts["target"] == ALL
    main = lifts[whole & (lifts["reference"] == reference) & (lifts["weighting"] == WEIGHTINGS[0])]
    tables = [
        Table(
            "mined_lift",
            "What did mining buy?",
            f"Accuracy of the keyword table per record against {reference}, all targets right, before and after the "
            "changes that each source proposes, with the 95% interval of the difference (titles resampled with all "
            f"their records). {MINED!r} has new rows and changed ones; a control proposes new rows from the same "
            "phrases, ranked without a network, and they are placed in the same way.",
            main[
                [
                    "split",
                    "learned_from",
                    "source",
                    "changes",
                    "before",
                    "after",
                    "difference",
                    "low",
                    "high",
                    "verdict",
                ]
            ],
        )
    ]
    if figures.folds is not None:
        tables.append(_folds(figures.folds))
    tables += _changes(figures.changes)
    if figures.recovery is not None:
        tables.append(_recovery(figures.recovery))
    tables.append(
        Table(
            "mined_lift_all",
            "What did mining buy, by every reference?",
            "As above against every reference, for each target, for all right at once and for the mean weighted by "
            "importance; per record, and with every title weighing the same. All rows: mined_lift_all.csv.",
            lifts[
                [
                    *("split", "learned_from", "reference", "weighting", "source", "target", "titles", "records"),
                    *("before", "after", "difference", "low", "high", "verdict"),
                ]
            ],
            _FIRST,
        )
    )
    tables += _strengths(figures)
    if figures.faithfulness is not None:
        tables.append(_faithfulness(figures.faithfulness))
    return tables


def _as_in_the_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Write whole priorities as whole numbers, as the table has them."""
    priorities = {name: frame[name].map("{:g}".format) for name in ("priority", "over_priority") if name in frame}
    return frame.assign(**priorities)


def _with_verdict(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(verdict=frame.apply(verdict, axis=1))


def _folds(folds: pd.DataFrame) -> Table:
    chosen = _with_verdict(folds[(folds["target"] == ALL) & (folds["weighting"] == WEIGHTINGS[0])])
    note = (
        "Reviewed titles, each fold of which was held out once: the network, the candidates, their places and the "
        "priorities come from the others. All targets right, with the 95% interval of the difference from the table."
    )
    columns = ["split", "learned_from", "source", "titles", "before", "after", "difference", "low", "high", "verdict"]
    return Table("mined_folds", "What does mining buy on reviewed titles?", note, chosen[columns])


def _recovery(found: pd.DataFrame) -> Table:
    note = (
        "Planted words that a source names among its first 100 candidates of a target, with the right class. Of its "
        "first 50, useful is the share that would set more titles right than they spoil, and true the share whose "
        "class most titles with them have; a control can be true of what the table knows already. Against the truth of "
        "all simulated titles, of which candidates know that of reviewed titles alone."
    )
    columns = ["split", "learned_from", "source", "target", "candidates", "planted", "recovered", "recall"]
    return Table("mined_candidates", "How good are the candidates?", note, found[[*columns, "useful", "true"]])


def _changes(changes: pd.DataFrame) -> list[Table]:
    """Return the changes of the arm that is exported, the first ones shown, and titles that they mend and spoil."""
    exported = changes[changes["exported"]]
    arm = exported.iloc[0] if len(exported) else None
    where = "" if arm is None else f", split by {arm['split']} and learned from {arm['learned_from']}"
    reference = "" if arm is None else f", held against {arm['reference']}"
    note = (
        f"Every change that is proposed{where}, in the order in which they do good, each on top of those before it. "
        f"Lift is on validation; fixed and broken are test titles with more and with fewer targets right{reference}. "
        "suggestions.xlsx has the evidence and a column to accept them by."
    )
    columns = ["order", "action", "keyword", "match", "priority", "lift", "lift_low", "fixed", "broken", "why"]
    titles = ["order", "keyword", "fixed_records", "broken_records", "fixed_titles", "broken_titles"]
    return [
        Table(
            "mined_changes",
            "What is proposed, and what is it worth?",
            note,
            _as_in_the_table(exported)[columns],
            _FIRST,
        ),
        Table(
            "mined_examples",
            "Which titles does each change mend, and which does it spoil?",
            f"At most three of either for each change above, the most frequent first, in the test part{reference}.",
            exported[titles],
            _FIRST,
        ),
    ]


def _strengths(figures: MiningFigures) -> list[Table]:
    """Return the priorities that keywords ask for, farthest from theirs first, and the pairs that stand upside down."""
    last = figures.priorities["learned_from"].str.endswith(REVIEWED)
    asked = figures.priorities[last] if last.any() else figures.priorities
    outside = (asked["priority"] < asked["asked_low"]) | (asked["priority"] > asked["asked_high"])
    by_distance = (asked["asked"] - asked["priority"]).abs().where(outside, 0.0).sort_values(ascending=False)
    note = (
        "A Bradley-Terry strength for every row that meets others in a title of train, put on the table's own scale of "
        "priorities, with its 95% interval; rows first that lie farthest outside theirs. Asked is by the judge of the "
        "changes, then by the network, the recorded labels and reviewed titles alone. All rows: mined_priorities.csv."
    )
    pairs = figures.inversions
    kept = pairs["learned_from"].str.endswith(REVIEWED)
    return [
        Table(
            "mined_priorities",
            "Which priorities do keywords ask for?",
            note,
            _as_in_the_table(asked.loc[by_distance.index]),
            _FIRST,
        ),
        Table(
            "mined_inversions",
            "Which keywords win that should lose?",
            "Rows that meet in titles of train, of which the table lets the weaker one win, by more than chance. Wins "
            "and losses are weighted titles in which one of them is believed to be right.",
            _as_in_the_table(pairs[kept] if kept.any() else pairs),
            _FIRST,
        ),
    ]


def _faithfulness(table: pd.DataFrame) -> Table:
    arm = table.iloc[0]
    note = (
        f"Network split by {arm['split']} and learned from {arm['learned_from']}; titles of validation with two "
        "words or more. Comprehensiveness is how far the chance of the explained class falls when the most important "
        "words are deleted, sufficiency how far when only they are kept (lower is better); over random is "
        "comprehensiveness less that of deleting words in random order, with its 95% interval. Special is the share of "
        "importance on special tokens, delta the absolute convergence delta in logits. Seconds are for 10,000 titles, "
        "predicted classes of all targets."
    )
    shown = {
        **{name: name for name in ("method", "target", "titles", "comprehensiveness", "sufficiency")},
        **{"comprehensiveness_over_random": "over_random", "low": "low", "high": "high", "special_share": "special"},
        **{"median_convergence_delta": "median_delta", "worst_convergence_delta": "worst_delta"},
        **{"seconds_per_10000_titles": "seconds", "verdict": "verdict"},
    }
    return Table(
        "faithfulness",
        "Which explanation names the words that count?",
        note,
        table.rename(columns=shown)[[*shown.values()]],
    )
