"""Train, validation and test: by record, as in the study, or by title, where near duplicates are never in two splits.

Both are seeded, hashed and checked for leaks. Reviewed titles are split by title in either case.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.files.frames import read_frame
from data_cleaning.labelled_files import SCORE, SIDE
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.review_sample import choose_titles_to_review
from harness.experiment.stages import LEARN, TEST

PARTS = ("train", "valid", "test")
SPLIT_COLUMNS = ("title", "part", "source", "count")


@dataclass(frozen=True, kw_only=True)
class ToReview:
    """Titles of the leads that get their true label, as if a person had labelled them."""

    n_titles: Mapping[str, int]
    """Part to how many of its titles."""
    labels: pl.DataFrame
    """Every `title` with its label per target."""


class LeakError(AssertionError):
    """Something of one split is also in another; a fault of the program, never of the data."""


def split_rows(
    rows: pl.DataFrame,
    *,
    by: str,
    shares: tuple[float, float],
    seed: int,
    test_rows: pl.DataFrame | None = None,
    reviewed: pl.DataFrame | None = None,
    to_review: ToReview | None = None,
    truth_titles: Sequence[str] = (),
) -> pl.DataFrame:
    """Split labelled rows into train, validation and test.

    Args:
        rows: `title`, a label per target and the `count` of equal records. Rows that lack a label are learned from, if
            their title is in train, and are in no other part.
        by: "record" draws records; "title" draws near-duplicate keys.
        shares: of validation and of test.
        seed: of the draw.
        test_rows: the test part, where it is a file of its own; `rows` is then divided into train and validation.
        reviewed: titles that a person labelled, with the same label columns. Those in train and validation are
            not scored, and neither are their near duplicates. A column `side` says which titles may only be learned
            from, or only scored; a title that lacks a label is not scored.
        to_review: which titles of train and validation count as reviewed, in place of `reviewed`.
        truth_titles: titles of the truth; they and their near duplicates are removed from train and validation.

    Returns:
        `title`, `part`, `source`, labels and `count`; a title's records may be in several parts when split by record.

    Raises:
        BadInput: a part has fewer titles than are to be reviewed.
        LeakError: the result has a leak.
    """
    rng = np.random.default_rng(seed)
    targets = [name for name in rows.columns if name not in ("title", "count")]
    rows = rows.with_columns(near_duplicate_keys(rows["title"]), pl.lit("legacy").alias("source"))
    whole = ~pl.any_horizontal(pl.col(targets).is_null())
    if test_rows is not None:
        shares = (shares[0] / (1 - shares[1]), 0.0)
    # One draw of keys serves leads and reviewed titles, so that "by title" holds across both.
    reviewed_keys = near_duplicate_keys(reviewed["title"]) if reviewed is not None else pl.Series("key", [], pl.String)
    # Rows that lack a label have no say in it, so that those which are scored do not depend on them.
    keys = pl.concat([rows.filter(whole)["key"], reviewed_keys]).unique().sort()
    part_of_key = pl.DataFrame({"key": keys, "part": _draw(len(keys), shares, rng)})
    if reviewed is not None and SIDE in reviewed.columns:
        part_of_key = _keep_sides(part_of_key, reviewed.select(reviewed_keys, SIDE))
    if to_review is not None:
        reviewed = _review(rows.filter(whole), part_of_key, to_review)
        reviewed_keys = near_duplicate_keys(reviewed["title"])
    if by == "title":
        divided = rows.join(part_of_key, on="key", how="left", maintain_order="left")
        divided = divided.with_columns(pl.col("part").fill_null("train"))
        pieces = [divided.filter(whole | (pl.col("part") == "train"))]
    else:
        partly = rows.filter(~whole).with_columns(pl.lit("train").alias("part"))
        pieces = [_split_records(rows.filter(whole), shares, rng), partly]
    if test_rows is not None:
        pieces.append(_as_test(test_rows.drop_nulls(targets)))
    if reviewed is not None:
        extra = reviewed.with_columns(
            reviewed_keys, pl.lit("reviewed").alias("source"), pl.lit(1, dtype=pl.Int64).alias("count")
        )
        extra = extra.join(part_of_key, on="key", how="left", maintain_order="left")
        pieces.append(extra.filter(whole | (pl.col("part") != "test")))
    columns = [*SPLIT_COLUMNS[:3], *targets, "count", "key"]
    divided = pl.concat([piece.select(columns) for piece in pieces])

    judged = near_duplicate_keys(list(truth_titles)).unique()
    learned = pl.col("part") != "test"
    if test_rows is not None and by == "title":
        judged = pl.concat([judged, near_duplicate_keys(test_rows["title"])]).unique()
    divided = divided.filter(~(learned & pl.col("key").is_in(judged.implode())))
    taught = divided.filter(learned & (pl.col("source") == "reviewed"))["key"].unique()
    divided = divided.filter(learned | ~pl.col("key").is_in(taught.implode()))
    check_leaks(divided, by=by, judged_keys=judged)
    return divided.drop("key").sort("part", "source", "title", *targets)


def _keep_sides(part_of_key: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """Move the keys of titles with a `side` to a part that it allows; one that is for scoring on any side is scored."""
    fixed = sides.drop_nulls(SIDE).group_by("key").agg((pl.col(SIDE) == SCORE).any().alias("scored"))
    joined = part_of_key.join(fixed, on="key", how="left", maintain_order="left")
    learned = pl.when(pl.col("part") == "test").then(pl.lit("train")).otherwise("part")
    part = pl.when("scored").then(pl.lit("test")).when(~pl.col("scored")).then(learned).otherwise("part")
    return joined.select("key", part.alias("part"))


def check_leaks(divided: pl.DataFrame, *, by: str, judged_keys: pl.Series) -> None:
    """Check that nothing leaks from one split into another.

    Args:
        divided: rows with `key`, `part` and `source`.
        by: "record" or "title"; reviewed rows are always checked by title, and no scored row may repeat one.
        judged_keys: keys that neither train nor validation may hold.

    Raises:
        LeakError: naming an example.
    """
    held = divided if by == "title" else divided.filter(pl.col("source") == "reviewed")
    spread = held.group_by("key").agg(pl.col("part").n_unique()).filter(pl.col("part") > 1)
    if len(spread):
        raise LeakError(f"{len(spread)} near-duplicate keys are in two parts, {spread['key'][0]!r} among them.")
    taught = divided.filter((pl.col("part") != "test") & (pl.col("source") == "reviewed"))["key"].unique()
    scored = divided.filter((pl.col("part") == "test") & pl.col("key").is_in(taught.implode()))
    if len(scored):
        raise LeakError(f"{len(scored)} scored rows repeat a reviewed title, {scored['title'][0]!r} among them.")
    seen = divided.filter((pl.col("part") != "test") & pl.col("key").is_in(judged_keys.implode()))
    if len(seen):
        raise LeakError(
            f"{len(seen)} rows of train or validation repeat a title of the truth or test file, {seen['title'][0]!r}."
        )


def titles_of_parts(splits: Sequence[Path]) -> pl.DataFrame:
    """Gather the titles of the leads from the folders of finished splits.

    Returns:
        Sorted `title`, its records as `count`, and whether it is `held_out`: no split lets a system learn from it or a
        near duplicate, or a split by title keeps it for its scores.
    """
    pieces = []
    for number, folder in enumerate(splits):
        parts = [read_frame(folder / name).select("title", "source", "part", "count") for name in (LEARN, TEST)]
        pieces.append(pl.concat(parts, how="vertical_relaxed").with_columns(pl.lit(number).alias("split")))
    rows = pl.concat(pieces)
    rows = rows.with_columns(near_duplicate_keys(rows["title"]), (pl.col("part") != "test").alias("learned"))
    held = rows.group_by("key", "split").agg(pl.col("learned").any()).group_by("key").agg(~pl.col("learned").all())
    leads = rows.filter(pl.col("source") == "legacy", pl.col("split") == 0)
    titles = leads.group_by("title", "key").agg(pl.col("count").sum())
    joined = titles.join(held.rename({"learned": "held_out"}), on="key", how="left")
    return joined.select("title", "count", "held_out").sort("title")


def reviewed_of_parts(split: Path) -> pl.DataFrame:
    """Gather the reviewed titles from the folder of a finished split, sorted: `title` and its labels."""
    parts = pl.concat([read_frame(split / name) for name in (LEARN, TEST)], how="diagonal_relaxed")
    reviewed = parts.filter(pl.col("source") == "reviewed").sort("title")
    return reviewed.drop("source", "part", "count")


def split_hash(divided: pl.DataFrame) -> str:
    """Hash the splits; equal hashes mean that the same records are in the same splits."""
    return hashlib.sha256(divided.write_csv().encode()).hexdigest()[:16]


def _review(rows: pl.DataFrame, part_of_key: pl.DataFrame, to_review: ToReview) -> pl.DataFrame:
    """Choose titles of each part, and give them their labels."""
    titles = rows.group_by("title", "key").agg(pl.col("count").sum()).join(part_of_key, on="key")
    known = titles.join(to_review.labels.select("title"), on="title", how="semi")
    chosen = []
    for part, n_titles in to_review.n_titles.items():
        offered = known.filter(pl.col("part") == part)
        if offered["key"].n_unique() < n_titles:
            raise BadInput(
                f"{n_titles:,} titles of the {part} part are to be reviewed, but it has {offered['key'].n_unique():,}. "
                "Give more leads, or lower reviewed.simulate."
            )
        chosen.append(choose_titles_to_review(offered.select("title", "count"), n_titles).select("title"))
    return pl.concat(chosen).join(to_review.labels, on="title", maintain_order="left")


def _draw(n: int, shares: tuple[float, float], rng: np.random.Generator) -> npt.NDArray[np.object_]:
    """Assign each of `n` things to a split, shape (n,); the shares are exact except for rounding."""
    n_valid, n_test = round(n * shares[0]), round(n * shares[1])
    parts = np.full(n, "train", dtype=object)
    order = rng.permutation(n)
    parts[order[:n_valid]] = "valid"
    parts[order[n_valid : n_valid + n_test]] = "test"
    return parts


def _split_records(rows: pl.DataFrame, shares: tuple[float, float], rng: np.random.Generator) -> pl.DataFrame:
    """Draw each record separately, so that a row of many records may become one row in each split."""
    row_of_record = np.repeat(np.arange(len(rows)), rows["count"].to_numpy())
    part_of_record = _draw(len(row_of_record), shares, rng)
    pieces = []
    for part in PARTS:
        counts = np.bincount(row_of_record[part_of_record == part], minlength=len(rows))
        piece = rows.with_columns(pl.Series("count", counts, dtype=pl.Int64), pl.lit(part).alias("part"))
        pieces.append(piece.filter(pl.col("count") > 0))
    return pl.concat(pieces)


def _as_test(test_rows: pl.DataFrame) -> pl.DataFrame:
    keys = near_duplicate_keys(test_rows["title"])
    return test_rows.with_columns(keys, pl.lit("legacy").alias("source"), pl.lit("test").alias("part"))
