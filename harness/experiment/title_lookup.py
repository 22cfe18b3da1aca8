"""What every system of a run answers for the titles of its test part, small enough for the page of the run to hold."""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from baselines.keyword import KeywordClassifier
from data_cleaning.files.frames import read_frame
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import UNKNOWN, Predictions
from harness.experiment.arms import Arm, arms, unseen_split
from harness.experiment.config import RunConfig
from harness.experiment.stages import MODEL, PREDICTIONS, REFERENCE_ROWS, Folders
from harness.experiment.system_contract import TitleClassifier
from harness.scoring.scores_file import Verdict

_MAX_BYTES = 1_500_000
"""Of the answers as JSON, so that a page stays below 5 MB."""
_MAX_EXPLAINED = 5_000
"""Titles whose words are tried, so that the page is made in seconds; explain tries those of any title and system."""
_WORDS_OF = ("tfidf",)
"""Systems that are asked for every title without one of its words; the network would take minutes."""


def lookup(
    config: RunConfig,
    taxonomy: Taxonomy,
    done: Folders,
    verdict: Verdict | None,
    reference: str,
    max_bytes: int = _MAX_BYTES,
) -> dict[str, Any]:
    """Gather the answers for the distinct titles of the test part that decides, those with most records first.

    Each system answers with the labels that serve it best.

    Returns:
        `titles` and `records`; `targets` and `classes`; `labels` by `reference`; per system `answers`, `confidence` in
        per cent and, for a keyword table and for TF-IDF, `reasons`: which of `texts` decided, the keyword or the word
        without which the answer is least likely; and `note`, which says what is left out. Labels, answers and reasons
        are positions, one after the other for each title and target, -1 for none.
    """
    by = verdict.evidence.split if verdict else unseen_split(config)
    rows = read_frame(done[f"references/{by}"] / REFERENCE_ROWS)
    counted = _titles(rows, reference, taxonomy)
    chosen = _arms_shown(config, verdict, by)
    gathered = {arm: _Answers(config, taxonomy, done, arm, counted["title"]) for arm in chosen}
    n_titles = len(counted)
    while True:
        found = _first(n_titles, counted, gathered, taxonomy, reference)
        size = len(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())
        if size <= max_bytes or not n_titles:
            break
        n_titles = int(n_titles * 0.95 * max_bytes / size)
    left_out = f" The {n_titles:,} with most records are here." if n_titles < len(counted) else ""
    found["note"] = (
        f"What each system answers for the {len(counted):,} titles of the test part, split by {by}.{left_out} Answers "
        f"that differ from the label by {reference} are marked ✗. The last column has the keyword that decided and, "
        "for tfidf, the word that counts most. The verb explain says which words count for every system."
    )
    return found


class _Answers:
    """What one system answers for titles, as positions."""

    def __init__(self, config: RunConfig, taxonomy: Taxonomy, done: Folders, arm: Arm, titles: pl.Series) -> None:
        self.name = arm.system
        predictions = Predictions.read(done[arm.stage("predict")] / PREDICTIONS, taxonomy)
        places = predictions.rows_of(titles.to_numpy())
        self.answers = np.column_stack([predictions.predicted(name)[places] for name in taxonomy.names])
        sure = np.min([predictions.confidences(name)[places] for name in taxonomy.names], axis=0)
        self.confidence: npt.NDArray[np.int64] = np.floor(100 * sure).astype(np.int64)
        self.reasons: list[str] | None = None
        """The keyword or word that decided, for each title and target in turn; "" for none."""
        place = done[arm.stage("fit")] / MODEL
        if config.all_systems[arm.system].explains == "keywords":
            system = KeywordClassifier.load(place)
            won = system.decide(titles.to_list())[1]
            keywords = np.append(system.table.rows["keyword"].to_numpy(dtype=object), "")
            self.reasons = keywords[np.column_stack([won[name] for name in taxonomy.names])].ravel().tolist()
        elif arm.system in _WORDS_OF:
            asked = config.all_systems[arm.system].load(place)
            self.reasons = _decisive_words(asked, titles.head(_MAX_EXPLAINED).to_list(), predictions)
            self.reasons += [""] * (self.answers.size - len(self.reasons))


def _decisive_words(system: TitleClassifier, titles: list[str], predictions: Predictions) -> list[str]:
    """Return for each title and target the word without which the answer loses most of its probability, or ""."""
    words = [title.split() for title in titles]
    shorter = [" ".join(of[:at] + of[at + 1 :]) for of in words for at in range(len(of))]
    without = system.predict_proba(shorter)
    owner = np.repeat(np.arange(len(titles)), [len(of) for of in words])
    starts = np.cumsum([0, *map(len, words)])
    rows = predictions.rows_of(titles)
    chosen = []
    for target in predictions.taxonomy.names:
        answer = predictions.predicted(target)[rows]
        left = without[target][np.arange(len(owner)), answer[owner]] - predictions.confidences(target)[rows][owner]
        drops = [left[start:end] for start, end in pairwise(starts)]
        chosen.append(
            [of[drop.argmin()] if drop.min(initial=0) < 0 else "" for of, drop in zip(words, drops, strict=True)]
        )
    return [word for of_title in zip(*chosen, strict=True) for word in of_title]


def _titles(rows: pl.DataFrame, reference: str, taxonomy: Taxonomy) -> pl.DataFrame:
    """Return every title with its records and its most frequent label by a reference, which some have not."""
    records = (
        rows.group_by("reference", "title").agg(pl.col("records").sum()).group_by("title").agg(pl.col("records").max())
    )
    known = rows.filter(pl.col("reference") == reference).sort("records", descending=True, maintain_order=True)
    labels = known.unique("title", keep="first", maintain_order=True).select("title", *taxonomy.names)
    return records.join(labels, on="title", how="left").sort(["records", "title"], descending=[True, False])


def _arms_shown(config: RunConfig, verdict: Verdict | None, by: str) -> list[Arm]:
    """Return one fit of each system: the one that does best where the verdict tells, or else the last one."""
    best: dict[str, str | None] = {}
    if verdict is not None:
        for one in verdict.standings:
            best.setdefault(one.system, one.learned_from)
        best[verdict.use] = verdict.learned_from
    of_system: dict[str, list[Arm]] = {}
    for arm in arms(config):
        if arm.by == by:
            of_system.setdefault(arm.system, []).append(arm)
    return [
        next((arm for arm in fits if str(arm.label_set) == best.get(system)), fits[-1])
        for system, fits in of_system.items()
    ]


def _first(
    n_titles: int, counted: pl.DataFrame, gathered: Mapping[Arm, _Answers], taxonomy: Taxonomy, reference: str
) -> dict[str, Any]:
    """Return the answers for the first titles as plain values."""
    head = counted.head(n_titles)
    labels = np.full((len(head), len(taxonomy.names)), UNKNOWN)
    for at, target in enumerate(taxonomy.targets):
        known = head[target.name].is_not_null().to_numpy()
        labels[known, at] = target.encode(head[target.name].drop_nulls().to_pandas())
    texts: dict[str, int] = {}
    systems = []
    for answers in gathered.values():
        of_system: dict[str, Any] = {
            "name": answers.name,
            "answers": answers.answers[:n_titles].ravel().tolist(),
            "confidence": answers.confidence[:n_titles].tolist(),
        }
        if answers.reasons is not None:
            reasons = answers.reasons[: n_titles * len(taxonomy.names)]
            of_system["reasons"] = [texts.setdefault(text, len(texts)) if text else -1 for text in reasons]
        systems.append(of_system)
    return {
        "reference": reference,
        "targets": list(taxonomy.names),
        "classes": [list(target.classes) for target in taxonomy.targets],
        "titles": head["title"].to_list(),
        "records": head["records"].to_list(),
        "labels": labels.ravel().tolist(),
        "systems": systems,
        "texts": list(texts),
    }
