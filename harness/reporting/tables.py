"""The tables of a run, the most important one first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from data_cleaning.label_issues import ALL_CAUSES
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from harness.scoring.hits import ALL, WEIGHTED
from harness.scoring.metrics import EVERY_HISTORY
from harness.scoring.references import REFERENCES, WEIGHTINGS
from harness.scoring.scores_file import Verdict

CEILING = "(noise ceiling)"
ANY = "(any)"
"""What a system learned from, where its answers do not depend on it."""


@dataclass(frozen=True)
class RunFigures:
    """Everything that the tables of a run are made of."""

    taxonomy: Taxonomy
    verdict: Verdict | None
    """None where the run has only a floor."""
    reference: str
    """The one that tables of a single reference are about: the verdict's, where every split has it."""
    scores: pd.DataFrame
    """`split`, `learned_from`, `system`, then the columns of `metrics.score_rows`."""
    ceilings: Mapping[tuple[str, str, str], float]
    """(split, weighting, target or "all") to the noise ceiling of legacy labels."""
    label_differences: pd.DataFrame | None
    """`split`, `system`, then what `pairs.compare_rows` returns of the labels that each system learned from, instead of
    `compared` as `learned_from`; None for one kind of labels."""
    learned: pd.DataFrame | None
    """`split`, `learned_from`, `labels`, `rows`, `records`: what each fit was given; None where all fits are alike."""
    answered: pd.DataFrame
    """`split`, `learned_from`, `system`, then what `reliability.shares_answered` returns."""
    costs: pd.DataFrame
    """`split`, `learned_from`, `system`, then what was measured of the fit and of its answers."""
    ledger: pd.DataFrame
    parts: pd.DataFrame
    references: pd.DataFrame
    curve: pd.DataFrame | None = None
    """`counted` (which titles), `titles` (how many), `system`, `split`, then the columns of `metrics.score_rows`; None
    where nobody asked."""
    golden: pd.DataFrame | None = None
    """`split`, `learned_from`, `system`, a golden title with its `kind`, and whether the answer is `right`."""
    label_fixes: pd.DataFrame | None = None
    """What `label_issues.compare_label_fixes` returns; None where the truth is unknown or nobody asked."""
    labels_from_table: bool = False
    """Whether the keyword table labelled the leads, which have no labels of their own."""
    notes: Sequence[str] = ()
    """Which columns were read, in sentences."""
    comparison: Sequence[Table] = ()
    """Tables that compare systems, to follow the summary."""
    mining: Sequence[Table] = ()
    """Tables of what was mined, to follow the comparisons; none where the run mines nothing."""


def build_tables(figures: RunFigures) -> list[Table]:
    """Return every table of a run, the most important one first."""
    tables = [_summary(figures), *figures.comparison]
    if figures.label_differences is not None:
        tables += _label_differences(figures, figures.label_differences)
    if len(figures.answered):
        tables.append(Table("target_accuracy", "How much is answered at which accuracy", _ANSWERED, figures.answered))
    if figures.curve is not None:
        tables.append(_learning_curve(figures, figures.curve))
    if figures.golden is not None:
        tables += _golden(figures.golden)
    tables += figures.mining
    for split in figures.scores["split"].unique():
        tables.append(_all_scores(figures, str(split)))
    read = " ".join(figures.notes)
    ledger = f"Records that each step changed or dropped; the dropped ones are in quarantine_*.csv. {read}".rstrip()
    parts = "Split by record, a title may be in several parts; split by title, it is in one."
    references = "Consensus leaves out titles with one record or with tied majorities; they are counted here."
    tables += [
        _agreement(figures),
        Table("ledger", "What cleaning did", ledger, figures.ledger),
        Table("parts", "What is in the splits", parts, figures.parts),
        *([] if figures.learned is None else [_learned(figures.learned)]),
        Table("references", "What scores are compared with", references, figures.references),
    ]
    if figures.label_fixes is not None:
        tables += _label_fixes(figures.label_fixes)
    if figures.labels_from_table:
        judged = ("summary", "pairs", "by_target", "by_class", "confusion", "mined_lift", "agreement")
        tables = [
            replace(table, note=table.note.rstrip() + _FROM_TABLE)
            if table.name in judged or table.name.startswith("scores_by_")
            else table
            for table in tables
        ]
    return tables


_ANSWERED = (
    "What predict --target-accuracy does: the lowest confidence from which on answers were right as often as asked, on "
    "titles of validation; and on the test part, per record, the share that is then for review and the share of right "
    "answers among the others. No threshold means that the system never reaches that accuracy on validation."
)


def _learning_curve(figures: RunFigures, curve: pd.DataFrame) -> Table:
    reference = figures.reference
    shown = curve[(curve["reference"] == reference) & (curve["weighting"] == WEIGHTINGS[0])]
    columns = ["counted", "titles", "system"]
    wide = _wide(shown[shown["history"] == EVERY_HISTORY], figures.taxonomy, columns)
    note = (
        f"Accuracy per record against {reference} of systems that learned from so many titles, with the 95% interval "
        f"for all targets right. Split by {curve['split'].iloc[0]}. Reviewed titles are drawn from train and "
        "validation and learned beside all leads; titles of leads are drawn from train and learned alone. A smaller "
        "draw is part of every larger one."
    )
    return Table("learning_curve", "What do more titles bring?", note, wide.sort_values(columns, kind="stable"))


def _golden(judged: pd.DataFrame) -> list[Table]:
    """Return the share of golden titles that each system answers right, by kind, and the titles answered wrongly."""
    last = judged.iloc[-1]
    shown = judged[(judged["split"] == last["split"]) & (judged["learned_from"] == last["learned_from"])]
    systems = list(dict.fromkeys(shown["system"]))
    by_kind = shown.pivot_table(index="kind", columns="system", values="right", sort=False)[systems]
    by_kind.insert(0, "titles", shown[shown["system"] == systems[0]].groupby("kind").size())
    total = shown.groupby("system")["right"].mean()[systems]
    by_kind.loc["(all)"] = [len(shown) // len(systems), *total]
    by_kind["titles"] = by_kind["titles"].astype(int)
    note = (
        "Share of the titles of each kind of difficulty with all targets right. Golden titles are made up for this: "
        "they show what a system has understood, not how many of your leads it gets right. Shown for what is "
        f"learned from {last['learned_from']} labels, split by {last['split']}."
    )
    answers = judged[["split", "learned_from", "system", "kind", "title", "right", *_answered(judged)]]
    wrong = answers[~answers["right"]].sort_values(["kind", "title"], kind="stable")
    every = "Answers that are not right, with the right label beside each."
    return [
        Table("golden", "Difficult kinds of titles", note, by_kind.reset_index()),
        Table("golden_titles", "Golden titles that are answered wrongly", every, wrong, 20),
    ]


def _answered(judged: pd.DataFrame) -> list[str]:
    """Return the columns of each target's right label and of its answer, side by side."""
    answered = [name for name in judged.columns if name.startswith("predicted_")]
    return [name for answer in answered for name in (answer.removeprefix("predicted_"), answer)]


def _label_fixes(fixes: pd.DataFrame) -> list[Table]:
    note = (
        "Of the labels that are not the truth, the shares that a method changed (found) and set right; of the right "
        "ones, the share that it changed wrongly. Majority gives every record the most frequent labels of its title. "
        "cleanlab takes the likeliest class by probabilities from other folds: for as many labels as it estimates to "
        "be wrong, or wherever another class is likelier."
    )
    whole = fixes["cause"] == ALL_CAUSES
    return [
        Table("label_fixes", "How well fixing labels works", note, fixes[whole].drop(columns="cause")),
        Table("label_fixes_by_cause", "How well fixing labels works, by what caused them", note, fixes[~whole]),
    ]


_FROM_TABLE = (
    " The leads have no labels of their own: the keyword table labelled them (labels: table). The agreement of the "
    "system keyword with such legacy labels is 1 by construction, and a system that is right where the table is wrong "
    "counts as wrong. Only reviewed titles or a truth file can tell which system is better."
)


def headline_reference(scores: pd.DataFrame, verdict: Verdict | None, *, labels_from_table: bool) -> str:
    """Return the reference that tables of a single one are about.

    It is the verdict's where every split has it, or else the most trusted that every split has. Where the keyword table
    labelled the leads, the majority of a title's labels is the same answer for fewer titles.
    """
    present = set.intersection(*(set(group["reference"]) for _, group in scores.groupby("split")))
    if verdict is not None and verdict.evidence.reference in present and verdict.shown != "unknown":
        return verdict.evidence.reference
    passed_over = "consensus" if labels_from_table else "reviewed"
    return next(name for name in REFERENCES if name in present and name != passed_over)


def _wide(scores: pd.DataFrame, taxonomy: Taxonomy, keys: list[str]) -> pd.DataFrame:
    """Spread scores into one row per key, with the columns that every score table has."""
    order = scores[keys].drop_duplicates()
    accuracy = scores[scores["metric"] == "accuracy"]
    values = accuracy.pivot_table(index=keys, columns="target", values="value", sort=False)
    wide = values[[*taxonomy.names, ALL]]
    of_all = accuracy[accuracy["target"] == ALL].set_index(keys)
    wide = wide.assign(low=of_all["low"], high=of_all["high"], weighted=values[WEIGHTED])
    return order.merge(wide.reset_index(), on=keys)


def _once(frame: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    """Show a system once whose answers do not depend on what it learned from."""
    alike = [
        str(system)
        for system, group in frame.groupby("system", sort=False)
        if len(set(group["learned_from"])) > 1
        and len(group[["split", *values]].drop_duplicates()) == len(set(group["split"]))
    ]
    same = frame["system"].isin(alike)
    first = frame[same].drop_duplicates(["split", "system"]).assign(learned_from=ANY)
    return pd.concat([first, frame[~same]]).sort_index(kind="stable")


def _summary(figures: RunFigures) -> Table:
    keys = ["split", "learned_from", "system"]
    reference = figures.reference
    by_record = figures.scores["weighting"] == WEIGHTINGS[0]
    main = figures.scores[by_record & (figures.scores["history"] == EVERY_HISTORY)]
    wide = _wide(main[main["reference"] == reference], figures.taxonomy, keys)
    columns = ["all", "low", "high", "weighted"]
    if reference != "legacy":
        legacy = _wide(main[main["reference"] == "legacy"], figures.taxonomy, keys)
        wide = wide.merge(legacy[[*keys, "all"]].rename(columns={"all": "legacy all"}), on=keys)
        columns.append("legacy all")
    wide = _once(wide, [*figures.taxonomy.names, *columns])
    rows = []
    for split, group in wide.groupby("split", sort=False):
        rows.append(group.astype(object))
        if figures.ceilings[str(split), "per record", ALL] == 1:
            continue
        ceiling = dict.fromkeys(wide.columns) | {"split": split, "learned_from": "", "system": CEILING}
        if reference != "legacy":
            ceiling["legacy all"] = figures.ceilings[str(split), "per record", ALL]
        else:
            targets = {name: figures.ceilings[str(split), "per record", name] for name in figures.taxonomy.names}
            ceiling |= {**targets, "all": figures.ceilings[str(split), "per record", ALL]}
        rows.append(pd.DataFrame([ceiling], dtype=object))
    frame = pd.concat(rows)[[*keys, *figures.taxonomy.names, *columns]].infer_objects()
    known = figures.scores[figures.scores["reference"] == reference].iloc[0]
    legacy_part = figures.references[figures.references["reference"] == "legacy"]
    single = ", ".join(
        f"{one / records:.0%} split by {split}"
        for split, one, records in zip(
            legacy_part["split"], legacy_part["single_records"], legacy_part["records"], strict=True
        )
    )
    note = (
        f"Accuracy per record against {reference} ({known['titles']:,} titles, {known['records']:,} records in the "
        "first split's test part), one column per target, then all targets right at once with its 95% interval, and "
        "the mean weighted by importance. "
        + ("" if reference == "legacy" else "The last column is agreement with the legacy labels. ")
    )
    if not figures.labels_from_table and CEILING in set(frame["system"]):
        note += (
            "Legacy labels contradict each other, so no system that sees only titles can exceed the noise ceiling; "
            f"titles that occur once cannot contradict themselves and raise it ({single} of the scored records)."
        )
    return Table("summary", "Read this first", note, frame)


def _label_differences(figures: RunFigures, differences: pd.DataFrame) -> list[Table]:
    """Return the gain from learning from other labels, for all targets at once and for each."""
    keys = ["split", "reference", "system", "target", "learned_from"]
    by_record = figures.scores["weighting"] == WEIGHTINGS[0]
    main = figures.scores[by_record & (figures.scores["history"] == EVERY_HISTORY)]
    shares = main[(main["metric"] == "accuracy") & (main["target"] != WEIGHTED)].rename(columns={"value": "accuracy"})
    bought = differences[differences["weighting"] == WEIGHTINGS[0]]
    frame = shares[[*keys, "titles", "records", "accuracy"]].merge(
        bought[[*keys, "difference", "low", "high", "verdict"]], on=keys, how="left"
    )
    frame = frame.sort_values(keys, key=_in_table_order, kind="stable")
    # The answers of a keyword table do not depend on labels.
    learners = bought.loc[bought["difference"] != 0, "system"].unique()
    if not len(learners):
        return []
    frame = frame[frame["system"].isin(learners)]
    beaten = " or ".join(bought["baseline"].unique())
    note = (
        f"Accuracy per record by what was learned from, and its difference from {beaten} on the same titles, with the "
        "95% interval of the difference (titles resampled with all their records). Ahead or behind means that the "
        "interval leaves out 0 and McNemar's exact test over titles agrees. Systems whose answers are always the same "
        "are left out. Fits differ only in train: consensus gives its titles their majority, and consensus-english "
        "also leaves out those in other languages."
    )
    whole = frame["target"] == ALL
    return [
        Table("what_cleaning_bought", "How much did cleaning gain?", note, frame[whole].drop(columns="target")),
        Table("what_cleaning_bought_by_target", "How much did cleaning gain, target by target?", note, frame[~whole]),
    ]


def _in_table_order(column: pd.Series) -> pd.Series:
    """Rank references by trust and everything else in the order in which it first occurs."""
    order = REFERENCES if column.name == "reference" else column.unique().tolist()
    return column.map({name: position for position, name in enumerate(order)})


def _learned(learned: pd.DataFrame) -> Table:
    note = (
        "Rows of equal title and labels in train, and their records. Labels are legacy as they were "
        "recorded, also where a title has one record or a tie; consensus where the majority of the title replaced "
        "them; reviewed where a person gave them. Test is the same for all fits; validation too, save reviewed ones."
    )
    return Table("learned_from", "What each fit learned from", note, learned)


def _all_scores(figures: RunFigures, split: str) -> Table:
    taxonomy = figures.taxonomy
    keys = ["reference", "weighting", "learned_from", "system", "titles", "records"]
    scores = figures.scores[(figures.scores["split"] == split) & (figures.scores["history"] == EVERY_HISTORY)]
    wide = _wide(scores, taxonomy, keys)
    f1 = scores[scores["metric"] == "macro_f1"].pivot_table(index=keys, columns="target", values="value", sort=False)
    renamed = f1.reset_index().rename(columns={name: f"{name} F1" for name in taxonomy.names})
    wide = wide.merge(renamed, on=keys)
    order = {name: position for position, name in enumerate((*REFERENCES, *WEIGHTINGS))}
    ceilings = []
    for weighting in wide["weighting"].unique():
        legacy = wide[(wide["reference"] == "legacy") & (wide["weighting"] == weighting)].iloc[0]
        values = {name: figures.ceilings[split, weighting, name] for name in (*taxonomy.names, ALL)}
        if values[ALL] < 1:
            ceilings.append({**legacy[keys], "learned_from": "", "system": CEILING, **values})
    wide = pd.concat([wide, pd.DataFrame(ceilings)], ignore_index=True) if ceilings else wide
    wide = wide.sort_values(["reference", "weighting"], key=lambda column: column.map(order), kind="stable")
    of_targets = (label for name in taxonomy.names for label in (name, f"{name} F1"))
    columns = [*keys, *of_targets, "all", "low", "high", "weighted"]
    note = (
        "Accuracy and macro-F1 per target, all targets right at once with its 95% interval (titles resampled with all "
        "their records; Wilson where every title counts once), and the mean weighted by importance."
    )
    return Table(f"scores_by_{split}", f"Every score, split by {split}", note, wide[columns])


def _agreement(figures: RunFigures) -> Table:
    keys = ["split", "learned_from", "system", "history", "titles", "records"]
    split_up = figures.scores[figures.scores["history"] != EVERY_HISTORY]
    wide = _wide(split_up, figures.taxonomy, keys)
    note = (
        "Agreement with legacy labels per record, separately for titles that always had the same labels, titles with "
        "different labels, and titles that occur once. A good system disagrees with the second kind."
    )
    wide = wide.sort_values(["split", "learned_from", "history"], kind="stable")
    return Table("agreement", "Agreement with legacy labels, by how the title was labelled", note, wide)
