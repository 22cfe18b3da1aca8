"""The tables of what was mined, what it is worth, and how the network was explained."""

from dataclasses import dataclass

import pandas as pd

from data_cleaning.report_table import Table, ahead_or_behind
from harness.mining.miner import MINED
from harness.scoring.hits import ALL
from harness.scoring.references import WEIGHTINGS

_FIRST = 20
_EVIDENCE = ("reviewed", "believed", "variants", "p_value")


@dataclass(frozen=True, kw_only=True)
class MiningFigures:
    """What the stages of mining found; every frame begins with `split` and `learned_from`."""

    lifts: pd.DataFrame
    """What `proof.lifts` returns."""
    changes: pd.DataFrame
    """What `proof.prove_changes` returns, with its `reference`, the `group` and evidence of each change, `why` it is
    made, and whether it is `exported` as the run's own."""
    counts: pd.DataFrame
    """`source` and the number of its `changes`."""
    recovery: pd.DataFrame | None
    """What `proof.recovery` returns; None where the truth of all titles is unknown."""
    nearly: pd.DataFrame
    """`Mined.nearly` of the arm that is exported."""
    folds: pd.DataFrame | None
    """What `proof.differences` returns, on reviewed titles held out in turn; None where nobody asked."""
    faithfulness: pd.DataFrame | None
    """What `faithfulness.compare_methods` returns; None where nobody asked."""


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
            "their evidence come from the other folds. All targets right, with the 95% interval of the difference from "
            "the table."
        )
        folds = _with_verdict(_per_record(figures.folds))[[*arm, "titles", *bounds]]
        tables.append(Table("mined_folds", "What is mining worth on reviewed titles?", note, folds))
    tables += [*_changes(figures.changes), _nearly(figures.nearly)]
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
    if figures.faithfulness is not None:
        tables.append(_faithfulness(figures.faithfulness))
    return tables


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Write fixed and broken titles in one column of each kind, and whole priorities as the keyword table has them."""
    kinds = {
        kind: [
            f"+{fixed} -{broken}" for fixed, broken in zip(frame[f"{kind}_fixed"], frame[f"{kind}_broken"], strict=True)
        ]
        for kind in ("reviewed", "believed", "variants")
    }
    small = frame["p_value"].map("{:.1e}".format)
    return frame.assign(**kinds, p_value=small, priority=frame["priority"].map("{:g}".format, na_action="ignore"))


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
        "Reviewed, believed and variants are titles of train and validation that it fixes (+) and breaks (-), one of "
        "a group for each of its rows. Fixed and broken are test titles with more and with fewer targets right"
        f"{reference}. A group was tried as one. suggestions.xlsx lists its rows, with their evidence and a column in "
        "which to accept them."
    )
    columns = ["order", "group", "action", "keyword", "match", "priority", *_EVIDENCE, "fixed", "broken", "why"]
    titles = ["order", "keyword", "fixed_records", "broken_records", "fixed_titles", "broken_titles"]
    shown = _shown(exported)[columns]
    examples = f"At most three of either for each change above, the most frequent first, in the test part{reference}."
    return [
        Table("mined_changes", "What is proposed, and what is it worth?", note, shown, _FIRST),
        Table("mined_examples", "Which titles does each change fix or break?", examples, exported[titles], _FIRST),
    ]


def _nearly(nearly: pd.DataFrame) -> Table:
    note = (
        "Changes that would gain, but not surely enough: their p-values do not pass at a false-discovery rate of 10% "
        "among those of all changes that were tried, or as many reviewed titles are broken as fixed. Best evidence "
        "first. Of a group, its first change stands for all. More reviewed titles with these words would settle them. "
        "Where nothing was reviewed, nothing is proposed, since former tables made most of the recorded labels."
    )
    columns = ["group", "action", "keyword", "match", "priority", "sets", *_EVIDENCE, "why"]
    return Table("mined_nearly", "What is nearly proposed?", note, _shown(nearly)[columns], _FIRST)


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
