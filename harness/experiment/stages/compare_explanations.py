"""Stage `faithfulness`: which way to explain a network names the words that it goes by."""

from pathlib import Path

import polars as pl

from harness.experiment.stages.stage_files import FAITHFULNESS
from harness.experiment.systems import Request, load_system


def compare_explanations(request: Request, learn: Path, model: Path, folder: Path) -> None:
    """Compare all methods on titles of validation, the most frequent of two words or more first.

    Args:
        request: names the config.
        learn: file of the rows of one split that may be learned from.
        model: folder of the network.
        folder: to write to.
    """
    from neural.faithfulness import compare_methods

    valid = pl.read_parquet(learn).filter(pl.col("part") == "valid").group_by("title").agg(pl.col("count").sum())
    frequent = valid.filter(pl.col("title").str.strip_chars().str.contains(" ")).sort(
        "count", "title", descending=[True, False]
    )
    titles = frequent["title"].head(request.config.mining.faithful_titles).to_list()
    table = compare_methods(
        load_system("neural", model),  # type: ignore[arg-type]
        titles,
        seed=request.config.seed,
        on_progress=request.on_progress,
    )
    table.to_parquet(folder / FAITHFULNESS, index=False)
