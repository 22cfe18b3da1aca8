"""The verb `review status`: who reviewed how much, how far people agree, and what it has brought."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import cohen_kappa_score

from data_cleaning.errors import BadInput, counted
from data_cleaning.labelled_files import DATE, LEARN, REVIEWER, SCORE, SIDE, combine_opinions, one_title
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles
from harness.tagging.reviewing.add_reviews import read_opinions
from harness.tagging.reviewing.learning_curve import MIN_TITLES, LearningCurve, learning_curve

_MORE = 100
"""Titles whose worth is foretold."""

_NOBODY = "(nobody named)"


@dataclass(frozen=True, kw_only=True)
class ReviewStatus:
    """Tables, and what they mean in sentences."""

    tables: Sequence[Table]
    sentences: Sequence[str]


def review_status(path: Path, taxonomy: Taxonomy, leads: pl.DataFrame | None, on_progress: Progress) -> ReviewStatus:
    """Say where reviewing stands.

    Args:
        path: CSV file of reviewed titles.
        taxonomy: of its labels.
        leads: distinct `title` and `count`, of which the reviewed share is counted; None for no leads.
        on_progress: told how far the learning curve is.

    Raises:
        BadInput: there is no such file, or it is faulty.
    """
    if not path.is_file():
        raise BadInput(f"No reviewed titles at {path}. Pick some with 'review pick', and add them with 'review add'.")
    rows = read_opinions(path, taxonomy).rows.with_columns(pl.col(REVIEWER).fill_null(_NOBODY))
    combined = combine_opinions(rows, taxonomy.names)
    tables = [_people(rows, taxonomy), _targets(rows, combined, taxonomy)]
    agreement = _agreement(rows, taxonomy)
    if len(agreement):
        note = "Kappa is 1 where two people always agree, and 0 where they agree as often as by chance."
        tables.append(Table("agreement", "How far do reviewers agree on titles that both judged?", note, agreement))
    learned = combined.filter(pl.col(SIDE).fill_null(LEARN) == LEARN)
    curve = learning_curve(LabelledTitles.from_frame(learned.to_pandas(), taxonomy, "reviewed"), on_progress)
    if curve is not None:
        note = "TF-IDF on reviewed titles alone, cross-validated: a cheap stand-in, less accurate than hybrid."
        frame = pl.DataFrame({"reviewed titles": curve.n_titles, "all known labels right": curve.mean})
        tables.append(Table("curve", "What have reviewed titles brought so far?", note, frame, wording="shares"))
    sentences = [*_how_many(rows, combined), *_coverage(rows, leads), *_foretold(curve, learned)]
    return ReviewStatus(tables=tables, sentences=sentences)


def _people(rows: pl.DataFrame, taxonomy: Taxonomy) -> Table:
    nothing = pl.all_horizontal(pl.col(name).is_null() for name in taxonomy.names)
    people = rows.group_by(REVIEWER, maintain_order=True).agg(
        one_title("title").n_unique().cast(pl.Int64).alias("titles"),
        nothing.sum().cast(pl.Int64).alias("could not tell"),
        (pl.col(SIDE) == SCORE).sum().cast(pl.Int64).alias("to score with"),
        pl.col(DATE).min().alias("first"),
        pl.col(DATE).max().alias("last"),
    )
    return Table("people", "Who reviewed how much?", "", people)


def _targets(rows: pl.DataFrame, combined: pl.DataFrame, taxonomy: Taxonomy) -> Table:
    one = rows.with_columns(one_title("title").alias("_one"))
    known = combined.with_columns(one_title("title").alias("_one")).unique("_one")
    found = []
    for name in taxonomy.names:
        n_classes = one.group_by("_one").agg(pl.col(name).drop_nulls().n_unique().alias("n"))["n"]
        n_known = int(known[name].is_not_null().sum())
        found.append((name, n_known, int((n_classes > 1).sum()), int((n_classes == 0).sum())))
    columns = {"target": pl.String, "titles": pl.Int64, "opinions differ": pl.Int64, "nothing said": pl.Int64}
    note = "Titles with a label; where opinions differ, the most frequent one counts, and a tie says nothing."
    return Table("targets", "What is known of each target?", note, pl.DataFrame(found, schema=columns, orient="row"))


def _agreement(rows: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Compare each two reviewers on the titles that both gave a label, per target."""
    one = rows.with_columns(one_title("title").alias("_one"))
    found = []
    for first, second in itertools.combinations(rows[REVIEWER].unique(maintain_order=True), 2):
        for name in taxonomy.names:
            own = [
                one.filter(pl.col(REVIEWER) == who).select("_one", name).drop_nulls().unique("_one")
                for who in (first, second)
            ]
            both = own[0].join(own[1], on="_one", suffix=" of the other")
            if len(both):
                mine, theirs = (both[column].to_list() for column in (name, f"{name} of the other"))
                # With one class in all there is no chance to disagree, and kappa is not defined.
                kappa = cohen_kappa_score(mine, theirs) if len({*mine, *theirs}) > 1 else None
                agreed = float(np.mean([one == other for one, other in zip(mine, theirs, strict=True)]))
                found.append((first, second, name, len(both), agreed, kappa))
    numbers = {"titles": pl.Int64, "agreed": pl.Float64, "kappa": pl.Float64}
    schema = {**dict.fromkeys(("reviewer", "and", "target"), pl.String), **numbers}
    return pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.col("agreed", "kappa").round(3))


def _how_many(rows: pl.DataFrame, combined: pl.DataFrame) -> Iterator[str]:
    n_titles = rows.select(one_title("title").n_unique()).item()
    n_score = combined.filter(pl.col(SIDE) == SCORE).select(one_title("title").n_unique()).item()
    said = f"{counted(n_titles, 'title')} reviewed by {counted(rows[REVIEWER].n_unique(), 'person')}"
    yield f"{said.replace('persons', 'people')}; {n_score:,} of them are kept to score with and never learned from."


def _coverage(rows: pl.DataFrame, leads: pl.DataFrame | None) -> Iterator[str]:
    if leads is None:
        yield "Name the leads or a run with --leads to see which share of their records has a reviewed title."
        return
    keys = near_duplicate_keys(leads["title"])
    covered = leads.filter(keys.is_in(near_duplicate_keys(rows["title"]).implode()))
    share = int(covered["count"].sum()) / max(int(leads["count"].sum()), 1)
    yield (
        f"{share:.1%} of the {int(leads['count'].sum()):,} records have a reviewed title or a near duplicate of one: "
        f"{len(covered):,} of {counted(len(leads), 'title')}."
    )


def _foretold(curve: LearningCurve | None, learned: pl.DataFrame) -> Iterator[str]:
    n_now = learned["title"].n_unique()
    if curve is None:
        yield (
            f"{counted(n_now, 'title')} to learn from {'is' if n_now == 1 else 'are'} too few to say what more would "
            f"bring; review at least {MIN_TITLES}, near duplicates counted once."
        )
        return
    gain, low, high = curve.gain(n_now, _MORE)
    sure = "It may as well be nothing" if low <= 0 else f"Nine times in ten it is between {low:.1%} and {high:.1%}"
    yield (
        f"{_MORE} more titles to learn from would bring about {gain:.1%} more right titles, if the curve goes on as it "
        f"did. {sure}. Picked titles are harder than others, so that the gain over all records differs."
    )
