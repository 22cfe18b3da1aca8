"""Finished runs as objects: what there are, how two of them differ, and whether one still meets what is asked of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.files.frames import read_frame
from data_cleaning.files.whole_files import is_unfinished
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.run_folder import PREDICTIONS, REFERENCES, RUN_FACTS, TAXONOMY, origin_of, run_config, run_facts
from harness.scoring.hits import ALL, Hits
from harness.scoring.pairs import compare_rows
from harness.scoring.references import WEIGHTINGS
from harness.scoring.scores_file import FitScores, RunScores, read_scores

_NONE = "–"
_MAX_CHANGES, _MAX_CELL = 10, 45
"""Changed answers that are printed, and characters of a cell."""
_REMEDY = "Make the run again with this version."


def runs_table(results: Path) -> Table:
    """Return one row per run in a folder, the newest first: what decided, and how well it scored.

    Raises:
        BadInput: there is no run in it.
    """
    places = [facts.parent for facts in results.glob(f"*/{RUN_FACTS}") if not is_unfinished(facts.parent)]
    if not places:
        raise BadInput(f"No run is under {results.absolute()}. Make one with 'python -m harness run all'.")
    places.sort(key=lambda folder: (folder / RUN_FACTS).stat().st_mtime_ns, reverse=True)
    note = (
        "The newest run first. The score is the share of records with all labels right that the verdict stands on. "
        "Where no run is named, predict takes the newest on real titles."
    )
    return Table("runs", f"Runs under {results}", note, pd.DataFrame([_in_a_row(folder) for folder in places]))


def _in_a_row(folder: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"folder": folder.name}
    try:
        facts, scores = run_facts(folder), read_scores(folder)
        row |= {"made": str(facts.get("made_at", ""))[:16], "config": facts.get("name"), "seed": str(facts.get("seed"))}
        verdict = None if scores is None else scores.verdict
        if verdict is None:
            return row | {"verdict": "no verdict", "judged on": f"{origin_of(folder)} titles"}
    except BadInput as error:
        return row | {"verdict": f"damaged: {error}"[:60]}
    return row | {
        "verdict": f"{'keep' if verdict.shown == 'kept' else 'use'} {verdict.use}",
        "judged on": f"{verdict.origin} titles",
        "judged by": f"{verdict.evidence.titles:,} titles, {verdict.evidence.kind}",
        "score": verdict.score,
        "low": verdict.low,
        "high": verdict.high,
    }


@dataclass(frozen=True)
class FinishedRun:
    """A run that is read again."""

    folder: Path
    facts: Mapping[str, Any]
    config: Mapping[str, Any]
    scores: RunScores
    taxonomy: Taxonomy

    @classmethod
    def open(cls, folder: Path) -> "FinishedRun":
        """Read a run folder.

        Raises:
            BadInput: it is no run, is damaged, or was made by an earlier release.
        """
        facts, scores = run_facts(folder), read_scores(folder)
        if scores is None:
            raise BadInput(f"{folder} was made by an earlier release, which wrote no scores.json. {_REMEDY}")
        return cls(folder, facts, run_config(folder), scores, Taxonomy.read(folder / TAXONOMY))

    def fit(self, split: str, system: str | None) -> FitScores:
        """Return the fit of a system on a split; None takes the verdict's, with the labels that it learned from.

        Raises:
            BadInput: there is none.
        """
        verdict = self.scores.verdict
        if system is None and verdict is None:
            raise BadInput(f"{self.folder} has no verdict, as it has only a floor. Name a system: --system.")
        name = system or (verdict.use if verdict else "")
        learned_from = verdict.learned_from if verdict is not None and verdict.use == name else None
        found = self.scores.fit(split, name, learned_from)
        if found is None:
            known = dict.fromkeys(f"{fit.system} split by {fit.split}" for fit in self.scores.fits)
            raise BadInput(f"{self.folder} has no {name!r} split by {split}; it has {', '.join(known)}.")
        return found

    def rows(self, split: str, reference: str) -> pl.DataFrame:
        """Return what a split was scored against: `title`, a label per target and `records`."""
        return _read(self.folder / REFERENCES / f"{split}.parquet").filter(pl.col("reference") == reference)

    def answers(self, fit: FitScores, taxonomy: Taxonomy) -> Predictions:
        """Return what a fit predicted.

        Raises:
            BadInput: for other targets or classes than the taxonomy has.
        """
        return Predictions.read(
            self.folder / PREDICTIONS / fit.split / fit.learned_from / f"{fit.system}.parquet", taxonomy
        )


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise BadInput(f"{path} is missing, so its titles cannot be scored. {_REMEDY}")
    return read_frame(path)


@dataclass(frozen=True)
class ComparedRuns:
    """How two runs differ."""

    tables: list[Table]
    """What was different when they were made, the scores on titles that both scored, and some answers that changed."""
    flipped: pl.DataFrame
    """Every title that the two systems in question answer differently."""
    sentences: list[str]


def compare_runs(old: FinishedRun, new: FinishedRun, system: str | None = None) -> ComparedRuns:
    """Compare two runs: their settings, data and code, their scores, and their answers.

    Both are scored on the titles that both have scored, by the labels of the first.

    Args:
        old: the one to be compared with.
        new: the other.
        system: whose answers are compared; None takes what each run decided for.

    Raises:
        BadInput: they have other targets or classes, or no split in common.
    """
    split, reference = common_ground(old, new)
    rows = _both_scored(old, new, split, reference)
    decided = old.fit(split, system), new.fit(split, system)
    pairs = [(decided[0], decided[1])]
    for fit in old.scores.fits:
        other = new.scores.fit(split, fit.system, fit.learned_from)
        if fit.split == split and other is not None and (fit, other) not in pairs:
            pairs.append((fit, other))
    scored = pd.DataFrame([_scored(old, new, rows, *pair) for pair in pairs])
    changed = _flipped(old, new, rows, *decided)
    n_titles = rows["title"].n_unique()
    note = (
        f"Share of records with all labels right against {reference}, split by {split}, on the {n_titles:,} titles "
        "that both have scored, by the labels of the first. Ahead and behind are the second run's, where the 95% "
        "interval leaves out 0 and McNemar's exact test agrees. The first row is what the two runs decided for."
    )
    settings = pd.DataFrame(list(_differing(old, new)), columns=["what", "first", "second"])
    told = (
        f"Settings, data, code and libraries that differ between {old.folder} (first) and {new.folder} (second). "
        "All others are the same."
    )
    tables = [Table("settings", "What is different", told, settings)] if len(settings) else []
    tables.append(Table("scores", "Scores on the same titles", note, scored))
    names = f"{decided[0].system} of {old.folder} and {decided[1].system} of {new.folder}"
    n_right = {side: int((changed["right"] == side).sum()) for side in ("first", "second", "neither")}
    right = (
        f" Of these, the first alone is right about {n_right['first']:,}, the second alone about "
        f"{n_right['second']:,}, neither about {n_right['neither']:,}."
    )
    sentences = [
        f"{len(changed):,} of {n_titles:,} titles are answered differently by {names}.{right if len(changed) else ''}"
    ]
    if not len(settings):
        sentences.insert(0, "The two runs have the same settings, data, code and libraries.")
    if len(changed):
        tables.append(_first_changes(changed, old.taxonomy.names))
    return ComparedRuns(tables, changed, sentences)


def _first_changes(changed: pl.DataFrame, names: Sequence[str]) -> Table:
    """Return the changed answers of most records, what each side said about all targets in one cell."""
    told = {"labels": "", "first": "first_", "second": "second_"}
    shown = changed.select(
        "title",
        "right",
        *(
            pl.concat_str([f"{prefix}{name}" for name in names], separator=" · ").alias(side)
            for side, prefix in told.items()
        ),
    )
    note = f"The {_MAX_CHANGES} of most records; --out writes them all."
    return Table("flipped", "Answers that changed", note, shown, _MAX_CHANGES, wording="shares", longest_cell=_MAX_CELL)


def common_ground(old: FinishedRun, new: FinishedRun) -> tuple[str, str]:
    """Return the split and the reference to compare two runs by, those of the first one's verdict if possible.

    Raises:
        BadInput: they have other targets or classes, or nothing in common.
    """
    classes = [{target.name: target.classes for target in run.taxonomy.targets} for run in (old, new)]
    if classes[0] != classes[1]:
        raise BadInput(f"{old.folder} and {new.folder} have other targets or classes, so no answer can be compared.")
    held = [{(size.split, size.reference) for size in run.scores.references} for run in (old, new)]
    common = sorted(held[0] & held[1], key=lambda ground: (ground[0] != "title", ground[1] == "legacy"))
    if not common:
        raise BadInput(f"{old.folder} and {new.folder} have no split and reference in common. Compare other runs.")
    verdict = old.scores.verdict
    wanted = (verdict.evidence.split, verdict.evidence.reference) if verdict is not None else common[0]
    return wanted if wanted in common else common[0]


def paired_difference(
    old: FinishedRun, new: FinishedRun, fits: tuple[FitScores, FitScores], reference: str, target: str = ALL
) -> pd.Series:
    """Return what `pairs.compare_rows` says of a fit of `new` against one of `old`, and the `titles` they share."""
    rows = _both_scored(old, new, fits[0].split, reference)
    return _paired(old, new, rows, fits, target)


def _both_scored(old: FinishedRun, new: FinishedRun, split: str, reference: str) -> pl.DataFrame:
    rows = old.rows(split, reference)
    both = rows.join(new.rows(split, reference).select("title").unique(), on="title", how="semi", maintain_order="left")
    if not len(both):
        raise BadInput(
            f"{old.folder} and {new.folder} have scored no title in common (split by {split}, {reference}). Compare "
            "runs of the same leads and seed."
        )
    return both


def _paired(
    old: FinishedRun, new: FinishedRun, rows: pl.DataFrame, fits: tuple[FitScores, FitScores], target: str = ALL
) -> pd.Series:
    answers = {"old": old.answers(fits[0], old.taxonomy), "new": new.answers(fits[1], old.taxonomy)}
    found = compare_rows(rows, answers, [("new", "old")], int(old.scores.seed))
    chosen = found[(found["weighting"] == WEIGHTINGS[0]) & (found["target"] == target)]
    return chosen.iloc[0]


def _scored(old: FinishedRun, new: FinishedRun, rows: pl.DataFrame, fit: FitScores, other: FitScores) -> dict[str, Any]:
    shares = []
    for run, one in ((old, fit), (new, other)):
        hits = Hits(rows, run.answers(one, old.taxonomy))
        points, records = hits.points(WEIGHTINGS[0])
        shares.append(float(records @ points[:, hits.names.index(ALL)] / records.sum()))
    gap = _paired(old, new, rows, (fit, other))
    same = (fit.system, fit.learned_from) == (other.system, other.learned_from)
    return {
        "system": fit.system if same else f"{fit.system} → {other.system}",
        "learned_from": fit.learned_from if fit.learned_from == other.learned_from else
        f"{fit.learned_from} → {other.learned_from}",
        "first": shares[0],
        "second": shares[1],
        "difference": gap["difference"],
        "low": gap["low"],
        "high": gap["high"],
        "verdict": gap["verdict"],
    }  # fmt: skip


def _flipped(old: FinishedRun, new: FinishedRun, rows: pl.DataFrame, fit: FitScores, other: FitScores) -> pl.DataFrame:
    """Return the titles whose answers differ, with their most frequent labels, and which answer is right."""
    names = old.taxonomy.names
    labels = rows.sort("records", descending=True, maintain_order=True).unique(
        "title", keep="first", maintain_order=True
    )
    records = rows.group_by("title").agg(pl.col("records").sum())
    found = labels.select("title", *names).join(records, on="title", how="left", maintain_order="left")
    for side, run, one in (("first", old, fit), ("second", new, other)):
        answers = run.answers(one, old.taxonomy)
        at = answers.rows_of(found["title"].to_numpy())
        for target in old.taxonomy.targets:
            said = [target.classes[code] for code in answers.predicted(target.name)[at]]
            found = found.with_columns(pl.Series(f"{side}_{target.name}", said, dtype=pl.String))

    def all_right(side: str) -> pl.Expr:
        return pl.all_horizontal(pl.col(name) == pl.col(f"{side}_{name}") for name in names)

    right = (
        pl.when(all_right("second"))
        .then(pl.lit("second"))
        .when(all_right("first"))
        .then(pl.lit("first"))
        .otherwise(pl.lit("neither"))
    )
    differ = pl.any_horizontal(pl.col(f"first_{name}") != pl.col(f"second_{name}") for name in names)
    ordered = found.filter(differ).with_columns(right.alias("right"))
    return ordered.select("title", "records", "right", pl.exclude("title", "records", "right")).sort(
        "records", "title", descending=[True, False]
    )


def _differing(old: FinishedRun, new: FinishedRun) -> Iterator[tuple[str, str, str]]:
    """Yield what differs of two runs, with both values."""
    settings = [dict(_flat(run.config, run.folder)) for run in (old, new)]
    yield from _unlike("", *settings)
    hashes = [{"data": run.scores.data_hash, **{f"split by {by}": one for by, one in run.scores.split_hash.items()}}
              for run in (old, new)]  # fmt: skip
    yield from _unlike("", *hashes)
    yield from _unlike("", {"code": old.scores.commit}, {"code": new.scores.commit})
    yield from _unlike("library ", old.facts.get("versions", {}), new.facts.get("versions", {}))


def _unlike(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys([*old, *new]):
        values = [str(run[name]) if name in run and run[name] is not None else _NONE for run in (old, new)]
        if values[0] != values[1]:
            yield f"{prefix}{name}", values[0], values[1]


def _flat(value: Any, folder: Path, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the settings of a saved config by their dotted keys; a path is what it leads to from the run folder."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, folder, f"{key}.{name}" if key else str(name))
    elif isinstance(value, str) and "/" in value and (folder / value).exists():
        yield key, (folder / value).resolve()
    else:
        yield key, value
