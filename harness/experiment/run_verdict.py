"""What a run decides and measures, for its `scores.json`: every fit judged by every reference, and the verdict."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from data_cleaning.files.frames import read_frame
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.arms import Arm, arms, unseen_split
from harness.experiment.config import RunConfig
from harness.experiment.stages import PREDICTIONS, REFERENCE_ROWS, Folders
from harness.experiment.systems import CASCADE, HYBRID, MINED, NETWORK
from harness.reporting.tables import RunFigures
from harness.scoring.hits import ALL, Hits
from harness.scoring.metrics import EVERY_HISTORY
from harness.scoring.references import WEIGHTINGS
from harness.scoring.scores_file import (
    Cost,
    Evidence,
    FitScores,
    GoldenScore,
    Kind,
    Origin,
    ReferenceSize,
    RunScores,
    Score,
    Verdict,
)
from harness.scoring.verdict import Candidate, Judged, decide

_SIMPLICITY = {
    "keyword": 1,
    "keyword-corrected": 2,
    MINED: 2,
    "tfidf": 3,
    "sklearn": 3,
    CASCADE: 4,
    HYBRID: 5,
    NETWORK: 6,
}
_OWN_SYSTEM = 7
_NEED_TORCH = (NETWORK, HYBRID, CASCADE)


def verdict_of(config: RunConfig, taxonomy: Taxonomy, done: Folders, costs: pd.DataFrame) -> Verdict | None:
    """Decide which system of a run to use; None where the run has a floor only.

    Unseen titles decide where the run has a split by title.

    Args:
        config: of the run.
        taxonomy: of the run.
        done: the folders of its stages.
        costs: as `RunFigures` has them.
    """
    by = unseen_split(config)
    systems = config.all_systems
    judged_arms = [arm for arm in arms(config) if arm.by == by and not systems[arm.system].is_floor]
    if not judged_arms:
        return None
    rows = read_frame(done[f"references/{by}"] / REFERENCE_ROWS)
    groups = {str(name): group for (name,), group in rows.group_by("reference", maintain_order=True)}
    predictions = [Predictions.read(done[arm.stage("predict")] / PREDICTIONS, taxonomy) for arm in judged_arms]
    right = {}
    for name, group in groups.items():
        hits = [Hits(group, answers) for answers in predictions]
        found = [of_arm.points(WEIGHTINGS[0]) for of_arm in hits]
        whole = hits[0].names.index(ALL)
        right[name] = (np.column_stack([points[:, whole] for points, _ in found]), found[0][1])
    every = np.concatenate([points for points, _ in right.values()])
    kept, candidates = [], []
    for position, arm in enumerate(judged_arms):
        alike = [at for at, other in enumerate(judged_arms) if other.system == arm.system]
        same = len(alike) > 1 and all((every[:, at] == every[:, position]).all() for at in alike)
        if same and position != alike[0]:
            continue
        system = systems[arm.system]
        kept.append(position)
        candidates.append(
            Candidate(
                system=arm.system,
                learned_from=None if same or len(config.label_sets) == 1 else str(arm.label_set),
                simplicity=_SIMPLICITY.get(arm.system, _OWN_SYSTEM),
                in_force=system.in_force,
                is_own=system.own is not None,
                cost=_cost(costs, arm),
            )
        )
    offered = []
    for name, (points, records) in right.items():
        kind = _kind(config, name)
        sizes = {"titles": len(records), "records": int(records.sum())}
        offered.append(
            Judged(
                evidence=Evidence(kind=kind, reference=name, split=by, **sizes),
                right=points[:, kept],
                records=records,
                is_own_answer=config.leads.labels == "table" and kind != "people",
            )
        )
    origin: Origin = "smoke" if config.smoke else "simulated" if config.leads.simulate else "real"
    return decide(candidates, offered, origin, config.seed)


def _kind(config: RunConfig, reference: str) -> Kind:
    """Say whose word a reference of a run is."""
    if reference == "truth":
        return "people" if config.truth else "simulated truth"
    if reference == "reviewed":
        return "people" if config.reviewed and config.reviewed.path else "simulated truth"
    return "consensus" if reference == "consensus" else "legacy"


def _cost(costs: pd.DataFrame, arm: Arm) -> Cost:
    row = arm.rows(costs).iloc[0]
    return Cost(
        seconds_per_million_titles=1e6 / max(1, row["titles per second"]),
        fit_seconds=row["fit seconds"],
        model_mb=row["model MB"],
        memory_mb=row["answer MB"],
        needs_torch=arm.system in _NEED_TORCH,
    )


def scores_of(config: RunConfig, figures: RunFigures, facts: Mapping[str, Any]) -> RunScores:
    """Return what `scores.json` of a run says; `facts` are those of its `run.json`."""
    scores = figures.scores[figures.scores["history"] == EVERY_HISTORY]
    scores = scores.astype({"low": object, "high": object}).where(scores.notna(), None)
    fits = []
    for arm in arms(config):
        of_arm = arm.rows(scores)
        golden = () if figures.golden is None else _golden(figures.golden, arm)
        listed = tuple(map(Score.model_validate, of_arm[list(Score.model_fields)].to_dict("records")))
        fits.append(FitScores(**arm.columns, cost=_cost(figures.costs, arm), scores=listed, golden=golden))
    sizes = scores[["split", "reference", "titles", "records"]].drop_duplicates().to_dict("records")
    stamps = ("seed", "made_at", "commit", "fingerprint", "data_hash", "split_hash")
    return RunScores(
        config=config.name,
        verdict=figures.verdict,
        references=tuple(map(ReferenceSize.model_validate, sizes)),
        fits=tuple(fits),
        **{name: facts[name] for name in stamps},
    )


def _golden(golden: pd.DataFrame, arm: Arm) -> tuple[GoldenScore, ...]:
    of_arm = arm.rows(golden)
    counted = of_arm.groupby("kind", sort=False)["right"].agg(["size", "sum"])
    return tuple(
        GoldenScore(kind=str(kind), titles=int(row["size"]), right=int(row["sum"])) for kind, row in counted.iterrows()
    )
