"""Kinds of titles and records on which systems may do better or worse, and how well each system does on them."""

import numpy as np
import pandas as pd
import polars as pl

from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.titles import BoolArray, Predictions
from data_cleaning.words import split_words, unique_words
from harness.scoring.hits import Hits
from harness.scoring.significance import MIN_TITLES, percentile_interval, resampled_means

SLICE_COLUMNS = ("slice", "value", "target", "records")
"""After `title` and a label per target, which are null where every record of a title is in the slice."""

_MAX_RARE = 2
_CAPITALS = r"\b\p{Lu}{2,5}\b"
_WORDS = pl.element()


def title_slices(titles: pl.Series, train: pl.Series) -> pl.DataFrame:
    """Sort titles by what train has of them, and by how they are written.

    Args:
        titles: distinct ones, in normal spelling.
        train: distinct titles that systems learn from.

    Returns:
        `title`, `slice`, `value`: one row per title and slice.
    """
    frame = titles.to_frame("title").with_columns(words=split_words(pl.col("title")))
    key = near_duplicate_keys(titles)
    is_near = key.is_in(near_duplicate_keys(train).unique().implode())
    in_train = unique_words(train)
    known, common = (in_train.filter(pl.col("records") > fewest)["word"].implode() for fewest in (0, _MAX_RARE))
    n_words = pl.col("words").list.len()
    has_acronym = pl.col("words").list.eval(_WORDS.is_in(_acronyms(pl.concat([titles, train])).implode())).list.any()

    def all_words(of: pl.Series) -> pl.Expr:
        return pl.col("words").list.eval(_WORDS.is_in(of)).list.all()

    slices = {
        "in train": pl.when(titles.is_in(train.implode())).then(pl.lit("as it is"))
        .when(is_near).then(pl.lit("in another spelling")).otherwise(pl.lit("no")),
        "words": pl.when(n_words >= 5).then(pl.lit("5 and more")).otherwise(n_words.cast(pl.String)),
        "rarest word": pl.when(all_words(common)).then(pl.lit("in 3 and more titles of train"))
        .when(all_words(known)).then(pl.lit("in 1 or 2 titles of train")).otherwise(pl.lit("new")),
        "acronym": pl.when(has_acronym).then(pl.lit("yes")).otherwise(pl.lit("no")),
    }  # fmt: skip
    return pl.concat(
        frame.select("title", pl.lit(name).alias("slice"), value.alias("value")) for name, value in slices.items()
    )


def rank_slices(titles: pl.Series, target: str, contenders: BoolArray) -> pl.DataFrame:
    """Sort titles by how many classes of an ordered target their keywords name, given as (n_titles, n_classes)."""
    named = np.minimum(contenders.sum(axis=1), 2)
    values = pl.Series(np.array(["none", "one", "several"], dtype=object)[named], dtype=pl.String)
    frame = pl.DataFrame({"title": titles, "value": values})
    return frame.select("title", pl.lit(f"classes of {target} named").alias("slice"), "value")


def score_slices(rows: pl.DataFrame, predictions: Predictions, slices: pl.DataFrame, seed: int) -> pd.DataFrame:
    """Score the slices of every reference per record.

    Args:
        rows: as `references.make_references` gathers them.
        predictions: of one system, for at least their titles.
        slices: `title`, a label per target, then `SLICE_COLUMNS`; of a title with records in several values of a slice
            (of equal labels where these are known), each value gets its share.
        seed: of the bootstrap.

    Returns:
        `reference`, `slice`, `value`, `titles`, `records`, `accuracy` (of the slice's own target, or all targets at
        once), and the bounds `low` and `high` of its 95% interval; missing below 20 titles.
    """
    found = []
    for (reference,), group in rows.group_by("reference", maintain_order=True):
        hits = Hits(group, predictions)
        member = _members(group, slices, list(predictions.taxonomy.names), by_label=reference == "legacy")
        named = member.select("slice", "value", "target").unique(maintain_order=True).with_row_index("column")
        member = member.join(named, on=["slice", "value"], how="left", maintain_order="left")
        row, column = member["row"].to_numpy(), member["column"].to_numpy().astype(np.int64)
        target = np.array([hits.names.index(name) for name in named["target"]], dtype=np.int64)[column]
        records = hits.records[row] * member["share"].to_numpy()
        n_slices = len(named)
        cell = hits.title_codes[row] * n_slices + column
        size = hits.n_titles * n_slices
        held, right = (
            np.bincount(cell, weights, minlength=size).reshape(hits.n_titles, n_slices).astype(np.float64)
            for weights in (records, records * hits.right[row, target])
        )
        n_titles, total = (held > 0).sum(axis=0), held.sum(axis=0)
        bounds = np.full((n_slices, 2), np.nan)
        if hits.n_titles >= MIN_TITLES:
            means = resampled_means(np.concatenate([right, held], axis=1), np.ones(hits.n_titles), seed)
            with np.errstate(invalid="ignore"):  # a resample may hold no title of a small slice
                bounds = percentile_interval(means[:, :n_slices] / means[:, n_slices:])
            bounds[n_titles < MIN_TITLES] = np.nan
        frame = named.select("slice", "value").to_pandas()
        found.append(
            frame.assign(
                reference=reference,
                titles=n_titles,
                records=np.round(total).astype(np.int64),
                accuracy=right.sum(axis=0) / total,
                low=bounds[:, 0],
                high=bounds[:, 1],
            )
        )
    columns = ["reference", "slice", "value", "titles", "records", "accuracy", "low", "high"]
    return pd.concat(found, ignore_index=True)[columns]


def _acronyms(titles: pl.Series) -> pl.Series:
    """Return the words, in lower case, that titles of mixed case mostly write in capitals."""
    mixed = titles.filter(titles.str.contains(r"\p{Ll}") & titles.str.contains(_CAPITALS)).unique()
    capitals = mixed.str.extract_all(_CAPITALS).list.unique().explode().drop_nulls().str.to_lowercase()
    counted = capitals.value_counts(name="capital").rename({capitals.name: "word"})
    either = titles.filter(titles.str.contains(r"\p{Ll}")).unique()
    both = counted.join(unique_words(either), on="word")
    return both.filter((pl.col("capital") * 2 > pl.col("records")) & (pl.col("capital") > 1))["word"]


def _members(group: pl.DataFrame, slices: pl.DataFrame, targets: list[str], *, by_label: bool) -> pl.DataFrame:
    """Return which share of each row is in which slice: `row`, `slice`, `value`, `target`, `share`."""
    rows = group.select("title", *targets).with_row_index("row")
    of_title = pl.col(targets[0]).is_null()
    found = []
    for chosen, keys in ((of_title, ["title"]), (~of_title, ["title", *(targets if by_label else [])])):
        held = slices.filter(chosen).group_by(*keys, "slice", "value", "target", maintain_order=True)
        counted = held.agg(pl.col("records").sum())
        share = pl.col("records") / pl.col("records").sum().over(*keys, "slice")
        found.append(
            rows.join(counted.with_columns(share=share), on=keys, maintain_order="right")
            .select("row", "slice", "value", "target", "share")
        )  # fmt: skip
    return pl.concat(found)
