"""`scores.json` of a run: its verdict, the evidence for it, and every score, for programs and for other verbs.

The module imports neither scikit-learn nor pandas, so that tagging a file does not wait for them. Its JSON Schema is
docs/scores.schema.json, which `make docs` writes.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_cleaning.errors import BadInput

FILE = "scores.json"
FORMAT: Literal[1] = 1

Kind = Literal["people", "simulated truth", "consensus", "legacy"]
"""Whose word a reference is, the most trustworthy first: titles that people labelled; the known truth of simulated
leads; the usual labels of each title; the labels that were recorded."""

Origin = Literal["real", "simulated", "smoke"]
"""What a run says something about: real titles; simulated leads alone; or nothing, as it only shows that all works."""

Shown = Literal["ahead", "kept", "level", "unknown"]
"""What the evidence shows about the system that is to be used."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Evidence(_Part):
    """What systems were judged by."""

    kind: Kind
    reference: str
    """The reference of the scores: truth, reviewed, consensus or legacy."""
    split: str
    """title: the titles were seen by no system; record: some of their other records were."""
    titles: int
    """Distinct titles."""
    records: int
    """Records with these titles."""


class Difference(_Part):
    """How far the system that is used, or else its best rival, is ahead of another on the same titles."""

    system: str
    """The one that is ahead where the difference is above 0."""
    than: str
    """The one it is compared with."""
    difference: float
    """Of the shares of records with all labels right, in [-1, 1]."""
    low: float | None
    """Lower bound of the 95% interval, titles resampled with all their records; null below 20 titles."""
    high: float | None
    """Upper bound."""


class Cost(_Part):
    """What a system costs, as the run measured it."""

    seconds_per_million_titles: float
    """Wall seconds to answer for a million distinct titles on the machine of the run."""
    fit_seconds: float
    """Wall seconds of the fit."""
    model_mb: float
    """Megabytes on disk."""
    memory_mb: float
    """Megabytes of memory that loading it and answering takes, beyond those of the program."""
    needs_torch: bool
    """Whether it answers only where torch is installed."""


class Standing(_Part):
    """How one fit stands by the evidence that decides."""

    system: str
    learned_from: str | None
    """Its label set; null where that makes no difference."""
    score: float
    """Share of records with all labels right, in [0, 1]."""
    low: float | None
    """Lower bound of its 95% interval; null below 20 titles."""
    high: float | None
    """Upper bound."""
    against_table: Difference | None
    """How far it is ahead of the table in force; null for that itself, and where the run has none."""
    may_be_best: bool
    """Whether no other fit is shown to be ahead of it."""
    cost: Cost


class Verdict(_Part):
    """The one decision of a run: which system to use."""

    use: str
    """The system."""
    learned_from: str | None
    """The label set that it learned from; null where that makes no difference."""
    shown: Shown
    """ahead: it is better than the table in force by more than chance. kept: it is the table in force, and no other is
    shown to be better. level: the run has no table in force, or nothing else. unknown: the labels cannot tell."""
    score: float
    """Share of records with all labels right, in [0, 1]."""
    low: float | None
    """Lower bound of its 95% interval."""
    high: float | None
    """Upper bound."""
    against: Difference | None
    """The comparison that decided; null where there is nothing to compare with."""
    tied: tuple[str, ...]
    """The other systems that may be the best as well: the difference is within noise, and none of them is simpler."""
    evidence: Evidence
    origin: Origin
    cost: Cost
    standings: tuple[Standing, ...]
    """Every fit that may be used, the highest score first; fits of one system that always agree are one."""
    headline: str
    """The decision in one sentence."""
    reasons: tuple[str, ...]
    """How sure it is, on what evidence, what it costs and what would change it, in sentences."""
    without_own_code: str | None = None
    """Where a system of one's own is to be used: the project's system to use where its code shall not run."""


WARNINGS: dict[Origin, str] = {
    "real": "",
    "simulated": "This run was judged on simulated leads, which are not yours. Label 200 of your own titles (review "
    "pick) before you trust it.",
    "smoke": "This is a smoke run: it shows that everything works and nothing about your titles. Do not use its "
    "labels.",
}
"""What the user of an answer must know first, by what the run was judged on."""


class Score(_Part):
    """One score of one fit."""

    reference: str
    weighting: str
    """per record or per title."""
    metric: str
    """accuracy or macro_f1."""
    target: str
    """A target of the taxonomy; all, every target right at once; or weighted, their mean by importance."""
    value: float
    low: float | None
    high: float | None


class GoldenScore(_Part):
    """What a fit makes of one kind of golden titles."""

    kind: str
    titles: int
    right: int


class FitScores(_Part):
    """A system that was fitted on one split from one label set."""

    split: str
    learned_from: str
    system: str
    cost: Cost
    scores: tuple[Score, ...]
    golden: tuple[GoldenScore, ...] = ()


class ReferenceSize(_Part):
    """How many titles and records one reference has in the test part of one split."""

    split: str
    reference: str
    titles: int
    records: int


class RunScores(_Part):
    """Everything that a run has measured."""

    format: Literal[1] = FORMAT
    config: str
    """Name of the config."""
    seed: int
    made_at: str
    """Time at which the run folder was written, ISO 8601."""
    commit: str | None
    """Of the program that made the run."""
    fingerprint: str
    """Of everything that the run reads."""
    data_hash: str
    """Of the leads."""
    split_hash: dict[str, str]
    """Split to the hash of who is in which part."""
    verdict: Verdict | None
    """Null where a run has only a floor, which is never a system to use."""
    references: tuple[ReferenceSize, ...]
    fits: tuple[FitScores, ...] = Field(min_length=1)

    def fit(self, split: str, system: str, learned_from: str | None = None) -> FitScores | None:
        """Return a fit of a system, on the last label set unless one is given; None where the run has none."""
        found = [fit for fit in self.fits if (fit.split, fit.system) == (split, system)]
        named = [fit for fit in found if learned_from in (None, fit.learned_from)]
        return named[-1] if named else None


def write_scores(scores: RunScores, folder: Path) -> None:
    """Write the scores of a run into its folder."""
    (folder / FILE).write_text(scores.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_scores(path: Path) -> RunScores | None:
    """Read `scores.json`, given itself or its folder; None where a run of an earlier release has none.

    Raises:
        BadInput: it is damaged.
    """
    path = path / FILE if path.is_dir() else path
    try:
        return RunScores.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        fault = str(error).splitlines()[0]
        raise BadInput(f"{path} is not readable as the scores of a run ({fault}). Make the run again.") from None
