"""Stage `mine`: candidates, placement and re-pricing from one fitted network, on train and validation."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter

from baselines.keyword_table import KeywordTable
from harness.experiment.config import REVIEWED, RunConfig
from harness.experiment.stages.fit_system import rows_to_learn_from
from harness.experiment.stages.stage_files import (
    MINE_FACTS,
    MINED_CANDIDATES,
    MINED_INVERSIONS,
    MINED_PRIORITIES,
    MINED_SUGGESTIONS,
    MINED_TABLE,
    MINED_TABLES,
)
from harness.experiment.systems import Request, load_system
from harness.keywords.rejected_suggestions import memory_beside, read_rejected
from harness.keywords.suggestions import Suggestion, amend
from harness.mining.miner import MINED, Mined, MiningSettings, mine

_SUGGESTIONS = TypeAdapter(dict[str, list[Suggestion]])


def mine_table(request: Request, block: str, learn: Path, model: Path, folder: Path) -> None:
    """Mine one network and write what was found, and the tables that come of it.

    Args:
        request: names the config and the targets.
        block: of labels that the network learned from.
        learn: file of the rows of one split that may be learned from.
        model: folder of the network.
        folder: to write to.
    """
    table = base_table(request)
    mined = mine(
        load_system("neural", model),  # type: ignore[arg-type]
        table,
        rows_to_learn_from(request, block, learn),
        mining_settings(request.config),
        reviewed_share=reviewed_share(request.config, block),
        seed=request.config.seed,
        refused=read_rejected(rejected_file(request.config)),
        on_progress=request.on_progress,
    )
    write_mined(mined, table, folder)


def base_table(request: Request) -> KeywordTable:
    """Return the table that changes are mined for."""
    assert request.config.keyword is not None, "the config is checked to name a table for mining"
    return KeywordTable.read(request.config.keyword.table, request.taxonomy)


def mining_settings(config: RunConfig) -> MiningSettings:
    """Return how much a run mines."""
    section = config.mining
    return MiningSettings(
        attribution=section.attribution,
        explained_titles=section.explained_titles,
        min_titles=section.least_titles,
        candidates=section.candidates,
        suggestions=section.suggestions,
    )


def reviewed_share(config: RunConfig, block: str) -> float | None:
    """Return the share of the weight that reviewed titles have in a block; None where it has none."""
    return config.reviewed.share if config.reviewed and block.endswith(REVIEWED) else None


def rejected_file(config: RunConfig) -> Path:
    """Return where rejected suggestions are remembered; there need be no such file yet."""
    assert config.keyword is not None, "the config is checked to name a table for mining"
    return config.mining.rejected or memory_beside(config.keyword.table)


def write_mined(mined: Mined, table: KeywordTable, folder: Path) -> None:
    """Write everything that was found, for the stages that prove it and for the run folder."""
    (folder / MINED_SUGGESTIONS).write_bytes(_SUGGESTIONS.dump_json(dict(mined.suggestions), indent=1))
    (folder / MINED_TABLES).mkdir()
    for number, changes in enumerate(mined.suggestions.values()):
        amend(table, changes).to_csv(folder / MINED_TABLES / f"{number}.csv")
    amend(table, mined.suggestions[MINED]).to_csv(folder / MINED_TABLE)
    candidates_frame(mined.candidates).to_parquet(folder / MINED_CANDIDATES, index=False)
    mined.priorities.to_parquet(folder / MINED_PRIORITIES, index=False)
    mined.inversions.to_parquet(folder / MINED_INVERSIONS, index=False)
    (folder / MINE_FACTS).write_text(json.dumps(mined.facts))


def candidates_frame(candidates: Mapping[str, Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return all candidates in one frame: `source`, `target`, `rank` from 1, and their own columns."""
    pieces = []
    for source, of_target in candidates.items():
        for target, frame in of_target.items():
            numbered = frame.assign(source=source, target=target, rank=range(1, len(frame) + 1))
            pieces.append(numbered[["source", "target", "rank", *frame.columns]])
    return pd.concat(pieces, ignore_index=True)


def read_candidates(folder: Path) -> dict[str, dict[str, pd.DataFrame]]:
    """Read the candidates that `write_mined` wrote, source to target to frame."""
    whole = pd.read_parquet(folder / MINED_CANDIDATES)
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for (source, target), frame in whole.groupby(["source", "target"], sort=False):
        found.setdefault(str(source), {})[str(target)] = frame.drop(columns=["source", "target", "rank"])
    return found


def read_suggestions(folder: Path) -> dict[str, list[Suggestion]]:
    """Read the suggestions that `write_mined` wrote, by source."""
    return _SUGGESTIONS.validate_json((folder / MINED_SUGGESTIONS).read_bytes())


def read_tables(folder: Path, request: Request) -> dict[str, KeywordTable]:
    """Read the amended tables that `write_mined` wrote, by source."""
    return {
        source: KeywordTable.read(folder / MINED_TABLES / f"{number}.csv", request.taxonomy)
        for number, source in enumerate(read_suggestions(folder))
    }
