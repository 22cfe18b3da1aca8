"""Stage `fit`: one system learns from train and chooses on validation; it is handed no other row."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from data_cleaning.consensus import MAJORITY, learn_majority
from data_cleaning.errors import BadInput
from data_cleaning.files.frames import read_frame
from data_cleaning.files.whole_files import scratch
from data_cleaning.language import LanguageSettings, judge_languages
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles, LabelSet
from harness.experiment.recipes import Recipe
from harness.experiment.stages import FIT_FACTS, LEARN, MINED_TABLE, MODEL, Folders
from harness.experiment.stages.measuring import measured
from harness.experiment.system_contract import TitleClassifier
from harness.experiment.systems import find_system
from harness.scoring.reliability import Reliability

_MAX_HELD = 2_000
"""Validation rows on which the reliability of answers is measured."""

_LEARNED_LEADS = (pl.col("part") == "train") & (pl.col("source") == "legacy")


@dataclass(frozen=True, kw_only=True)
class RowSettings:
    """Which rows of train and validation are learned from, and what they weigh."""

    label_set: LabelSet
    reviewed_share: float | None
    """Share of the weight that reviewed titles have together; None where there are none to learn from."""
    language: LanguageSettings | None
    """How English titles are told from others; None where titles of any language are learned from."""
    known: tuple[str, ...] = ()
    """Keywords of the business, whose words count as English, as `known_keywords` returns them."""
    max_titles: int | None = None
    """Titles of leads in train to learn from, drawn at random; None takes all."""
    max_reviewed: int | None = None
    """Reviewed titles to learn from, drawn at random; None takes all."""
    seed: int = 0
    """Of these draws; a larger number of titles holds those of a smaller one."""


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """What is fitted, and on what."""

    recipe: Recipe
    rows: RowSettings


def fit(settings: FitSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Fit one system on the rows of one split that may be learned from, and save it with what it learned from.

    Raises:
        BadInput: only English titles are to be learned from, and train has none.
    """
    mined = inputs.get("mine")
    fitted = {role: inputs[role] / MODEL for role in ("warm_start", "asked") if role in inputs}
    folders = {
        "scratch": scratch(out),
        **fitted,
        "mined_table": mined / MINED_TABLE if mined else None,
    }
    fit_and_save(settings, inputs["split"] / LEARN, out, on_progress, **folders)


def fit_and_save(settings: FitSettings, learn: Path, out: Path, on_progress: Progress, **folders: Path | None) -> None:
    """Do what `fit` does, with the rows of train and validation from one file; `folders` are those of a `Request`."""
    taxonomy = settings.recipe.taxonomy
    divided = rows_to_learn_from(settings.rows, taxonomy, learn, on_progress)
    if settings.rows.reviewed_share is None:
        train, valid = (labelled_titles(divided, part, taxonomy) for part in ("train", "valid"))
    else:
        train, valid = weighed_parts(divided, settings.rows.reviewed_share, taxonomy)
    classifier = settings.recipe.build(on_progress, **folders)
    with measured() as cost:
        classifier.fit(train, valid)
    reliability = reliability_of(classifier, valid, settings.recipe.seed)
    find_system(settings.recipe.listed).save(classifier, out / MODEL, reliability)
    size = sum(file.stat().st_size for file in (out / MODEL).rglob("*") if file.is_file())
    facts = {
        "fit_seconds": cost.seconds,
        "fit_memory_bytes": cost.memory_bytes,
        "model_bytes": size,
        "learned_from": classifier.fit_summary(),
    }
    (out / FIT_FACTS).write_text(json.dumps(facts))


def reliability_of(classifier: TitleClassifier, valid: LabelledTitles, seed: int) -> Reliability | None:
    """Say how reliable a fitted system is on validation titles, on the reviewed ones where there are any.

    A system that learns from validation too measures it itself, out of fold.
    """
    own: Reliability | None = getattr(classifier, "reliability_", None)
    if own is not None:
        return own
    reviewed = valid.sources == "reviewed"
    held = valid.select(reviewed) if reviewed.any() else valid
    drawn = np.random.default_rng(seed).permutation(len(held))[:_MAX_HELD]
    held = held.select(np.sort(drawn))
    return Reliability.of(classifier.predict_proba(held.titles.tolist()), held.labels) if len(held) else None


def rows_to_learn_from(settings: RowSettings, taxonomy: Taxonomy, learn: Path, on_progress: Progress) -> pl.DataFrame:
    """Return the rows of train and validation that a label set has, reviewed ones among them where it has any.

    Args:
        settings: say which label set.
        taxonomy: names the targets.
        learn: file of the rows of one split that may be learned from.
        on_progress: told how many titles are judged by their language.

    Raises:
        BadInput: only English titles are to be learned from, and train has none.
    """
    divided = read_frame(learn)
    if settings.language is not None:
        # Before the majorities, which rename the source that tells leads of train from other rows.
        known = (*settings.known, *taxonomy.raw_labels)
        divided = with_english_titles(divided, settings.language, on_progress, known)
    if settings.label_set.labels != "legacy":
        divided = with_consensus(divided, taxonomy.names)
    is_reviewed = pl.col("source") == "reviewed"
    divided = _drawn(divided, ~is_reviewed & (pl.col("part") == "train"), settings.max_titles, settings.seed)
    divided = _drawn(divided, is_reviewed, settings.max_reviewed, settings.seed)
    return divided if settings.label_set.reviewed else divided.filter(~is_reviewed)


def _drawn(divided: pl.DataFrame, rows: pl.Expr, max_titles: int | None, seed: int) -> pl.DataFrame:
    """Keep, of some of the rows, those of so many titles."""
    if max_titles is None:
        return divided
    titles = divided.filter(rows)["title"].unique().sort()
    drawn = titles[np.random.default_rng(seed).permutation(len(titles))[:max_titles]]
    return divided.filter(~rows | pl.col("title").is_in(drawn.implode()))


def with_english_titles(
    divided: pl.DataFrame, settings: LanguageSettings, on_progress: Progress = silent, known: Iterable[str] = ()
) -> pl.DataFrame:
    """Drop legacy rows of train whose title is in another language or undecodable.

    Validation stays as it is, so that all fits are chosen on the same, and so do reviewed rows, which cleaning does not
    judge either.

    Args:
        divided: `title`, `part`, `source` and `count`; titles are normalised.
        settings: how languages are told apart.
        on_progress: told how many titles are judged.
        known: keywords and labels of the business, whose words count as English.

    Raises:
        BadInput: no legacy row of train is left.
    """
    titles = divided.filter(_LEARNED_LEADS).group_by("title").agg(pl.col("count").sum())
    judged = judge_languages(titles, settings, on_progress, known)
    foreign = judged.filter(pl.col("reason").is_not_null())["title"]
    if len(foreign) == len(titles):
        raise BadInput(
            f"learn_from has consensus-english, but none of the {len(titles):,} titles in train is in English. Drop it "
            "from learn_from, or raise the margins of clean.language."
        )
    return divided.filter(~(_LEARNED_LEADS & pl.col("title").is_in(foreign.implode())))


def with_consensus(divided: pl.DataFrame, targets: tuple[str, ...]) -> pl.DataFrame:
    """Give legacy rows of train the most frequent labels of their title in train, and call their source consensus.

    Tied titles and those with a single record keep their labels. Rows that lack a label have no say in the majority,
    and are given it. Validation keeps the recorded ones, so that all fits are chosen on the same.

    Args:
        divided: `title`, `part`, `source`, a label per target and `count`.
        targets: names of the label columns.
    """
    train = divided.filter(_LEARNED_LEADS)
    relabelled = learn_majority(train.drop_nulls(targets), targets).relabel(train)
    source = pl.when(pl.col("majority_status") == MAJORITY).then(pl.lit("consensus")).otherwise("source")
    keys = ["title", "part", "source", *targets]
    merged = relabelled.with_columns(source.alias("source")).group_by(keys).agg(pl.col("count").sum()).sort(keys)
    return pl.concat([merged.select(divided.columns), divided.filter(~_LEARNED_LEADS)])


def believe_reviewed(divided: pl.DataFrame) -> pl.DataFrame:
    """Drop other rows of titles that a person labelled, near duplicates included: two answers teach less than one."""
    divided = divided.with_columns(near_duplicate_keys(divided["title"]))
    reviewed = divided.filter(pl.col("source") == "reviewed")["key"].unique()
    contradicted = (pl.col("source") != "reviewed") & pl.col("key").is_in(reviewed.implode())
    return divided.filter(~contradicted).drop("key")


def weigh_reviewed(rows: LabelledTitles, share: float) -> LabelledTitles:
    """Give reviewed rows a weight with which they make up `share` of the total; a lone source is left alone."""
    reviewed = rows.sources == "reviewed"
    total = rows.fit_weights[~reviewed].sum()
    if not reviewed.any() or total == 0:
        return rows
    weight = share / (1 - share) * total / rows.fit_weights[reviewed].sum()
    return dataclasses.replace(rows, weights=np.where(reviewed, rows.weights * weight, rows.weights))


def weighed_parts(divided: pl.DataFrame, share: float, taxonomy: Taxonomy) -> tuple[LabelledTitles, LabelledTitles]:
    """Return train and validation where a person's word goes before other rows, and weighs `share` of each part."""
    believed = believe_reviewed(divided)
    train, valid = (weigh_reviewed(labelled_titles(believed, part, taxonomy), share) for part in ("train", "valid"))
    return train, valid


def labelled_titles(divided: pl.DataFrame, part: str, taxonomy: Taxonomy) -> LabelledTitles:
    """Return the rows of one part."""
    return LabelledTitles.from_frame(divided.filter(pl.col("part") == part).to_pandas(), taxonomy)
