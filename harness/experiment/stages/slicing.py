"""Stage `slices`: which kinds of titles and records the test part holds."""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.files.frames import frame_columns, read_frame
from data_cleaning.language import LanguageSettings, judge_languages
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.stages import CLEAN, CLEAN_TEST, LEARN, REFERENCE_ROWS, SLICES, TRUTH, Folders
from harness.scoring.hits import ALL
from harness.scoring.slices import SLICE_COLUMNS, rank_slices, title_slices

_MAX_COUNTRIES = 5
_YEAR = r"\b((?:19|20)\d\d)\b"


@dataclass(frozen=True, kw_only=True)
class SliceSettings:
    """How titles are sorted."""

    taxonomy: Taxonomy = field(repr=False)
    table: Path | None
    """Keyword table that tells the ranks in a title; None without one."""
    language: LanguageSettings | None
    """How English titles are told from others; None where cleaning leaves no others."""
    known: tuple[str, ...] = ()
    """Keywords of the business, whose words count as English."""


def find_slices(settings: SliceSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write `title`, a label per target and `slices.SLICE_COLUMNS`: by title alone, or by record where that is known.

    A slice that has one value only says nothing and is left out.
    """
    taxonomy = settings.taxonomy
    titles = read_frame(inputs["references"] / REFERENCE_ROWS, columns=["title"])["title"].unique().sort()
    learned = read_frame(inputs["split"] / LEARN)
    train = learned.filter(pl.col("part") == "train")["title"].unique()
    found = [title_slices(titles, train)]
    if settings.table is not None:
        contenders = KeywordTable.read(settings.table, taxonomy).contenders(titles.to_list())
        ordered = (target.name for target in taxonomy.targets if target.ordinal)
        found += [rank_slices(titles, name, contenders[name]) for name in ordered]
    if settings.language is not None:
        counted = pl.DataFrame({"title": titles}).with_columns(count=pl.lit(1, dtype=pl.Int64))
        judged = judge_languages(counted, settings.language, on_progress, settings.known)
        foreign = pl.when(pl.col("reason").is_null()).then(pl.lit("no")).otherwise(pl.lit("yes"))
        found.append(judged.select("title", pl.lit("foreign").alias("slice"), foreign.alias("value")))
    labels = [pl.lit(None, dtype=pl.String).alias(name) for name in taxonomy.names]
    rest = [pl.lit(ALL).alias("target"), pl.lit(1, dtype=pl.Int64).alias("records")]
    sorted_by_value = [one.sort("value", "title") for one in found]
    by_title = pl.concat(sorted_by_value).select("title", *labels, "slice", "value", *rest)
    by_record = _by_record(titles, taxonomy, inputs)
    slices = pl.concat([by_title, *by_record])
    slices.filter(pl.col("value").n_unique().over("slice") > 1).write_parquet(out / SLICES)


def _by_record(titles: pl.Series, taxonomy: Taxonomy, inputs: Folders) -> list[pl.DataFrame]:
    """Count the records of each title and labels by country, year, and the cause of a simulated label."""
    of_test = inputs["clean"] / CLEAN_TEST
    records = read_frame(of_test if of_test.exists() else inputs["clean"] / CLEAN)
    records = records.filter(pl.col("title").is_in(titles.implode())).drop_nulls(taxonomy.names)
    count = pl.col("count") if "count" in records.columns else pl.lit(1, dtype=pl.Int64)
    records = records.with_columns(count.cast(pl.Int64).alias("count"))
    values: dict[tuple[str, str], pl.Expr] = {}
    if "country" in records.columns:
        largest = records.drop_nulls("country").group_by("country").agg(pl.col("count").sum())
        named = largest.sort("count", "country", descending=[True, False])["country"].head(_MAX_COUNTRIES)
        values["country", ALL] = (
            pl.when(pl.col("country").is_in(named.implode())).then("country").otherwise(pl.lit("other"))
        )
    if "date" in records.columns:
        values["year", ALL] = pl.col("date").cast(pl.String).str.extract(_YEAR).fill_null("unknown")
    truth = inputs["leads"] / TRUTH
    causes = {f"cause_{name}": name for name in taxonomy.names}
    if truth.exists() and "record" in records.columns and set(causes) <= set(frame_columns(truth)):
        known = read_frame(truth).select(pl.col("Record").cast(pl.String).alias("record"), *causes)
        records = records.with_columns(pl.col("record").cast(pl.String)).join(known, on="record", how="left")
        values |= {(f"cause of {name}", name): pl.col(cause).fill_null("unknown") for cause, name in causes.items()}
    keys = ["title", *taxonomy.names, "slice", "value", "target"]
    return [
        records.select(
            "title",
            *taxonomy.names,
            pl.lit(name).alias("slice"),
            value.cast(pl.String).alias("value"),
            pl.lit(target).alias("target"),
            pl.col("count").alias("records"),
        )
        .group_by(keys)
        .agg(pl.col("records").sum())
        .sort("value", *keys)
        .select("title", *taxonomy.names, *SLICE_COLUMNS)
        for (name, target), value in values.items()
    ]
