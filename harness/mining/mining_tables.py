"""The tables of what was mined, what it is worth, and how the network was explained."""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from data_cleaning.report_table import Table, ahead_or_behind
from harness.mining.miner import MINED
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
    """`Mined.priorities`."""
    inversions: pd.DataFrame
    """What `strengths.find_inversions` returns."""
    folds: pd.DataFrame | None
    """What `proof.differences` returns, on reviewed titles held out in turn; None where nobody asked."""
    faithfulness: pd.DataFrame | None
    """What `faithfulness.compare_methods` returns; None where nobody asked."""
    reviewed: Collection[str]
    """Those values of `learned_from` that include reviewed titles."""


def mining_tables(figures: MiningFigures, reference: str) -> list[Table]:
    """Return the tables of one run, the one to read first in front; `reference` is its most trustworthy one."""
    arm, bounds = ["split", "learned_from", "source"], ["before", "after", "difference", "low", "high", "verdict"]
    lifts = _with_verdict(figures.lifts.merge(figures.counts, on=arm))
    tables = [
        Table(
            "mined_lift",
            "What is mining worth?",
            f"Accuracy of the keyword table per record against {reference}, all targets right, before and after the "
            "changes that each source proposes, with the 95% interval of the difference (titles resampled with all "
            f"their records). {MINED!r} adds rows and changes existing ones; a baseline proposes new rows from the "
            "same phrases, ranked without a network and placed in the same way.",
            _per_record(lifts[lifts["reference"] == reference])[[*arm, "changes", *bounds]],
        )
    ]
    if figures.folds is not None:
        note = (
            "Reviewed titles, each fold of which was held out once: the network, the candidates, their placement and "
            "the priorities come from the other folds. All targets right, with the 95% interval of the difference from "
            "the table."
        )
        folds = _with_verdict(_per_record(figures.folds))[[*arm, "titles", *bounds]]
        tables.append(Table("mined_folds", "What is mining worth on reviewed titles?", note, folds))
    tables += _changes(figures.changes)
    if figures.recovery is not None:
        tables.append(_recovery(figures.recovery))
    columns = ["split", "learned_from", "reference", "weighting", "source", "target", "titles", "records", *bounds]
    tables.append(
        Table(
            "mined_lift_all",
            "What is mining worth by every reference?",
            "As above against every reference, for each target, for all right at once and for the mean weighted by "
            "importance; per record, and with every title weighing the same. All rows: mined_lift_all.csv.",
            lifts[columns],
            _FIRST,
        )
    )
    tables += _strengths(figures)
    if figures.faithfulness is not None:
        tables.append(_faithfulness(figures.faithfulness))
    return tables


def _with_whole_priorities(frame: pd.DataFrame) -> pd.DataFrame:
    """Write whole priorities as whole numbers, as the keyword table has them."""
    priorities = {name: frame[name].map("{:g}".format) for name in ("priority", "over_priority") if name in frame}
    return frame.assign(**priorities)


def _with_verdict(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(verdict=frame.apply(ahead_or_behind, axis=1))


def _per_record(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of all targets at once, in which every record counts the same."""
    return frame[(frame["target"] == ALL) & (frame["weighting"] == WEIGHTINGS[0])]


def _recovery(found: pd.DataFrame) -> Table:
    note = (
        "Planted words that are among the first 100 candidates of a source for a target, with the right class. Of the "
        "first 50, useful is the share that would fix more titles than they break, and true the share whose class is "
        "that of most titles with them; a baseline can be true of what the table knows already. Held against the truth "
        "of all simulated titles; candidates know only the truth of reviewed titles."
    )
    columns = ["split", "learned_from", "source", "target", "candidates", "planted", "recovered", "recall"]
    return Table("mined_candidates", "How good are the candidates?", note, found[[*columns, "useful", "true"]])


def _changes(changes: pd.DataFrame) -> list[Table]:
    """Return the changes of the arm that is exported, the first ones shown, and titles that they fix and break."""
    exported = changes[changes["exported"]]
    where = reference = ""
    if len(exported):
        arm = exported.iloc[0]
        where = f", split by {arm['split']} and learned from {arm['learned_from']}"
        reference = f", held against {arm['reference']}"
    note = (
        f"Every proposed change{where}, in the order in which they were placed, each on top of those before it. "
        f"Lift is on validation; fixed and broken are test titles with more and with fewer targets right{reference}. "
        "suggestions.xlsx has the evidence and a column in which to accept them."
    )
    columns = ["order", "action", "keyword", "match", "priority", "lift", "lift_low", "fixed", "broken", "why"]
    titles = ["order", "keyword", "fixed_records", "broken_records", "fixed_titles", "broken_titles"]
    shown = _with_whole_priorities(exported)[columns]
    examples = f"At most three of either for each change above, the most frequent first, in the test part{reference}."
    return [
        Table("mined_changes", "What is proposed, and what is it worth?", note, shown, _FIRST),
        Table("mined_examples", "Which titles does each change fix or break?", examples, exported[titles], _FIRST),
    ]


def _strengths(figures: MiningFigures) -> list[Table]:
    """Return the priorities that keywords ask for, the most different first, and the conflicts the wrong row wins."""

    def from_reviewed(frame: pd.DataFrame) -> pd.DataFrame:
        by_reviewed = frame["learned_from"].isin(figures.reviewed)
        return frame[by_reviewed] if by_reviewed.any() else frame

    asked = from_reviewed(figures.priorities)
    outside = (asked["priority"] < asked["asked_low"]) | (asked["priority"] > asked["asked_high"])
    by_distance = (asked["asked"] - asked["priority"]).abs().where(outside, 0.0).sort_values(ascending=False)
    note = (
        "A Bradley-Terry strength for every row that conflicts with others in a title of train, translated to the "
        "table's own scale of priorities, with its 95% interval; rows whose priority is farthest outside it come "
        "first. Asked is by the labels that judge the changes, then by the network, the recorded labels and reviewed "
        "titles alone. All rows: mined_priorities.csv."
    )
    return [
        Table(
            "mined_priorities",
            "Which priorities do keywords ask for?",
            note,
            _with_whole_priorities(asked.loc[by_distance.index]),
            _FIRST,
        ),
        Table(
            "mined_inversions",
            "Which keywords win that should lose?",
            "Pairs of rows that conflict in titles of train, of which the table lets the weaker one win, by more than "
            "chance. Wins and losses are weighted titles whose label is the class of the one or the other row.",
            _with_whole_priorities(from_reviewed(figures.inversions)),
            _FIRST,
        ),
    ]


def _faithfulness(table: pd.DataFrame) -> Table:
    arm = table.iloc[0]
    note = (
        f"Network split by {arm['split']} and learned from {arm['learned_from']}; titles of validation with two "
        "words or more. Comprehensiveness is how far the probability of the explained class falls when the most "
        "important words are deleted, sufficiency how far when only they are kept (lower is better); over random is "
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
    frame = table.rename(columns=shown)[[*shown.values()]]
    return Table("faithfulness", "Which explanation names the words that count?", note, frame)
