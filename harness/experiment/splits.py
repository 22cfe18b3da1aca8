"""Train, validation and test: by record, as in the study, or by title, where near duplicates are never in two splits.

Both are seeded, hashed and checked for leaks. Reviewed titles are split by title in either case.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.review_sample import choose_titles_to_review

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
        rows: `title`, a label per target and the `count` of equal records.
        by: "record" draws records; "title" draws near-duplicate keys.
        shares: of validation and of test.
        seed: of the draw.
        test_rows: the test part, where it is a file of its own; `rows` is then divided into train and validation.
        reviewed: titles that a person labelled, with the same label columns. Those in train and validation are
            not scored, and neither are their near duplicates.
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
    if test_rows is not None:
        shares = (shares[0] / (1 - shares[1]), 0.0)
    # One draw of keys serves leads and reviewed titles, so that "by title" holds across both.
    reviewed_keys = near_duplicate_keys(reviewed["title"]) if reviewed is not None else pl.Series("key", [], pl.String)
    keys = pl.concat([rows["key"], reviewed_keys]).unique().sort()
    part_of_key = pl.DataFrame({"key": keys, "part": _draw(len(keys), shares, rng)})
    if to_review is not None:
        reviewed = _review(rows, part_of_key, to_review)
        reviewed_keys = near_duplicate_keys(reviewed["title"])
    if by == "title":
        divided = rows.join(part_of_key, on="key", how="left", maintain_order="left")
    else:
        divided = _split_records(rows, shares, rng)
    pieces = [divided]
    if test_rows is not None:
        pieces.append(_as_test(test_rows))
    if reviewed is not None:
        extra = reviewed.with_columns(
            reviewed_keys, pl.lit("reviewed").alias("source"), pl.lit(1, dtype=pl.Int64).alias("count")
        )
        pieces.append(extra.join(part_of_key, on="key", how="left", maintain_order="left"))
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
