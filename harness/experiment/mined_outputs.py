"""What a run passes on of what was mined: figures for its tables, and files for whoever owns the keyword table."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from baselines.keyword_table import KeywordTable
from data_cleaning.files.frames import read_frame
from data_cleaning.files.written_tables import write_table
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.arms import Arm, exported_arm, mined_arms
from harness.experiment.config import RunConfig
from harness.experiment.stages import (
    FAITHFULNESS,
    LIFTS,
    MINE_FACTS,
    MINED_CANDIDATES,
    MINED_NEARLY,
    MINED_TABLE,
    PROVED_CHANGES,
    RECOVERY,
    Folders,
)
from harness.experiment.stages.mine_table import read_suggestions
from harness.keywords.suggestion_sheets import Origin, write_suggestions
from harness.mining.miner import MINED
from harness.mining.mining_tables import MiningFigures
from harness.mining.proof import EVIDENCE_COLUMNS, suggestions_frame

FOLDER = "mined"


def mining_figures(config: RunConfig, done: Folders) -> MiningFigures | None:
    """Gather what the stages of mining found; None where a run mines nothing."""
    mined = mined_arms(config)
    if not mined:
        return None
    exported = exported_arm(config)
    changes, counts = [], []
    for arm in mined:
        suggestions = read_suggestions(done[arm.stage("mine")])
        proved = pd.read_parquet(done[arm.stage("prove")] / PROVED_CHANGES)
        evidence = suggestions_frame(suggestions[MINED])
        for name in ("group", *EVIDENCE_COLUMNS):
            proved.insert(list(proved).index("fixed"), name, evidence[name])
        proved = proved.assign(why=evidence["why"], exported=arm == exported)
        changes.append(_of_arm(proved, arm))
        number = pd.DataFrame({"source": list(suggestions), "changes": [len(each) for each in suggestions.values()]})
        counts.append(_of_arm(number, arm))
    lifts = _gathered(mined, done, "prove", LIFTS)
    assert lifts is not None, "every mined table is proved"
    nearly = _gathered([exported], done, "mine", MINED_NEARLY)
    assert nearly is not None, "every mined table has the changes that were nearly made"
    return MiningFigures(
        lifts=lifts,
        changes=pd.concat(changes, ignore_index=True),
        counts=pd.concat(counts, ignore_index=True),
        recovery=_gathered(mined, done, "prove", RECOVERY),
        nearly=nearly,
        folds=_gathered(mined, done, "mine_folds", LIFTS),
        faithfulness=_gathered(mined, done, "faithfulness", FAITHFULNESS),
    )


def write_mined_outputs(folder: Path, config: RunConfig, taxonomy: Taxonomy, done: Folders) -> None:
    """Write suggestions, amended table and candidates of every arm, and the suggestions of one as the run's own."""
    for arm in mined_arms(config):
        assert config.keyword is not None, "the config is checked to name a table for mining"
        place, stage = folder / FOLDER / arm.by / str(arm.label_set), done[arm.stage("mine")]
        place.mkdir(parents=True)
        suggestions = read_suggestions(stage)[MINED]
        origin = Origin.of(
            config.keyword.table,
            taxonomy.names,
            run=config.name,
            split=arm.by,
            learned_from=str(arm.label_set),
            read=KeywordTable.read(config.keyword.table, taxonomy),
        )
        write_suggestions(place, suggestions, origin)
        if arm == exported_arm(config):
            write_suggestions(folder, suggestions, origin)
        shutil.copyfile(stage / MINED_TABLE, place / MINED_TABLE)
        write_table(read_frame(stage / MINED_CANDIDATES), place / "candidates.csv")


def mining_facts(config: RunConfig, done: Folders) -> dict[str, Any]:
    """Return what was counted while mining, by split and labels."""
    return {
        f"{arm.by}/{arm.label_set}": json.loads((done[arm.stage("mine")] / MINE_FACTS).read_text(encoding="utf-8"))
        for arm in mined_arms(config)
    }


def _gathered(mined: list[Arm], done: Folders, step: str, name: str) -> pd.DataFrame | None:
    """Join one file of each arm that has it."""
    found = [_of_arm(frame, arm) for arm, frame in _frames(mined, done, step, name)]
    return pd.concat(found, ignore_index=True) if found else None


def _frames(mined: list[Arm], done: Folders, step: str, name: str) -> Iterator[tuple[Arm, pd.DataFrame]]:
    for arm in mined:
        stage = done.get(arm.stage(step))
        if stage is not None and (stage / name).exists():
            yield arm, pd.read_parquet(stage / name)


def _of_arm(frame: pd.DataFrame, arm: Arm) -> pd.DataFrame:
    """Put split and labels before the columns of a frame."""
    named = frame.assign(split=arm.by, learned_from=str(arm.label_set))
    return named[["split", "learned_from", *frame.columns]]
