"""What the exploratory tables are made of: the tidied leads, and shares, missing values, lengths and growth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import gammaln

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired
from data_cleaning.titles import IntArray
from data_cleaning.words import title_records, unique_words

ANY_OUTPUT, ANY = "any output", "any"
"""Missing at least one label; missing at least the title or one label."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """What every table is made of, and what each step adds to the first table and to what the profile lacks."""

    leads: pl.DataFrame
    """Missing titles and labels are null, and labels have no white space around them."""
    targets: tuple[str, ...]
    """Those that the leads have a column for."""
    taxonomy: Taxonomy | None
    titles: pl.DataFrame
    """`title` and `records`, the most frequent first."""
    words: pl.DataFrame
    """`word` and `records`, the most frequent first."""
    left_out: list[str]
    """What the profile lacks, and why."""
    figures: list[dict[str, object]] = field(default_factory=list)
    """Rows of the first table."""

    @property
    def n_records(self) -> int:
        """Records of the file."""
        return int(self.leads["count"].sum())

    @property
    def n_titled(self) -> int:
        """Records with a title."""
        return int(self.titles["records"].sum())

    def add(self, figure: str, number: int, whole: int | None = None, of: str | None = None) -> None:
        """Append one row of the first table; its share is `number` of `whole`, which `of` names."""
        share = number / whole if whole else None
        self.figures.append({"figure": figure, "number": number, "share": share, "share_of": of if whole else None})


def gather(leads: pl.DataFrame, targets: Sequence[str], taxonomy: Taxonomy | None) -> Material:
    """Tidy the leads, repair their titles and count their titles and words.

    Raises:
        BadInput: there are no leads.
    """
    if leads.is_empty():
        raise BadInput("There are no leads to profile; expected at least one record.")
    present = tuple(target for target in targets if target in leads.columns)
    absent = [target for target in targets if target not in present]
    leads = leads.with_columns(repaired(leads["title"])).with_columns(
        *(pl.when(~is_missing(target)).then(pl.col(target).str.strip_chars()).alias(target) for target in present),
        pl.when(~is_missing("title")).then(pl.col("title")).alias("title"),
    )
    titles = title_records(leads["title"], leads["count"])
    return Material(
        leads=leads,
        targets=present,
        taxonomy=taxonomy,
        titles=titles,
        words=unique_words(titles["title"], titles["records"]),
        left_out=[f"No figures on {target}: the leads have no such column." for target in absent],
    )


def is_missing(column: str) -> pl.Expr:
    """Return whether each cell of a text column is empty or blank."""
    return pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")


def share_table(labels: pl.Series, counts: pl.Series | None = None) -> pl.DataFrame:
    """Count the records of each label; null and blank ones are left out, white space around a label is not part of it.

    Returns:
        `label`, `records`, `share` of the records that have a label, and `cumulative_share`, the most frequent first,
        then by label; no row where every label is missing.
    """
    stripped = labels.str.strip_chars().alias("title")
    named = title_records(stripped.set(stripped == "", None), counts).rename({"title": "label"})
    return with_shares(named)


def with_shares(frame: pl.DataFrame) -> pl.DataFrame:
    """Append `share` and `cumulative_share` of the column `records`, in the order of the rows."""
    records = frame["records"].to_numpy()
    total = records.sum()
    # By numpy: polars multiplies by 1 / total, and the last cumulative share would not always be 1.
    return frame.with_columns(
        pl.Series("share", records / total), pl.Series("cumulative_share", records.cumsum() / total)
    )


def missing_shares(leads: pl.DataFrame, targets: Sequence[str]) -> dict[str, float]:
    """Return the share of records that lack a value, in [0, 1], of at least one row as `leads.read_leads` returns it.

    Returns:
        "title" and each target to its share, then "any output" (where there are targets) and "any".
    """
    outputs = [is_missing(target) for target in targets]
    asked = {"title": is_missing("title"), **dict(zip(targets, outputs, strict=True))}
    if outputs:
        asked[ANY_OUTPUT] = pl.any_horizontal(outputs)
    asked[ANY] = pl.any_horizontal(is_missing("title"), *outputs)
    count = pl.col("count")
    shares = [((count * lacks).sum() / count.sum()).alias(name) for name, lacks in asked.items()]
    return leads.select(shares).row(0, named=True)


def length_table(lengths: IntArray, records: IntArray) -> pl.DataFrame:
    """Count the records of each length, from the length and the records of each title.

    Returns:
        `length` (ascending, lengths that no title has left out), `records`, `share`, `cumulative_share`.
    """
    frame = pl.DataFrame({"length": lengths, "records": records}, schema={"length": pl.Int64, "records": pl.Int64})
    return with_shares(frame.group_by("length").agg(pl.col("records").sum()).sort("length"))


def length_summary(table: pl.DataFrame) -> dict[str, float]:
    """Return `mean`, `median`, `nine_in_ten`, `ninety_nine_in_a_hundred` and `longest` of a table of lengths.

    The table is as `length_table` returns it, with at least one row. A quantile is the shortest length that at least
    that share of the records does not exceed.
    """
    lengths, records = table["length"].to_numpy(), table["records"].to_numpy()
    reached = records.cumsum()
    total = int(reached[-1])

    def at_most(percent: int) -> float:
        # In whole numbers, as a share such as 0.9 of 10 records must not round past the ninth; and in Python's, as
        # percent * total may not fit into 64 bits.
        return float(lengths[int(np.searchsorted(reached, -(-percent * total // 100)))])

    return {
        "mean": float(np.dot(lengths.astype(np.float64), records.astype(np.float64)) / total),
        "median": at_most(50),
        "nine_in_ten": at_most(90),
        "ninety_nine_in_a_hundred": at_most(99),
        "longest": float(lengths[-1]),
    }


def growth_curve(titles: pl.Series, sizes: Sequence[int], counts: pl.Series | None = None) -> pl.DataFrame:
    """Return how many unique titles and words a random sample of the records holds on average, for several sizes.

    The exact expectation over all samples without replacement, so neither the order of the file nor a seed matters;
    a sample of every record gives the counts themselves.

    Returns:
        `size`, `unique_titles`, `unique_words`, one row per size; the counts are averages and need not be whole.

    Raises:
        BadInput: a size is not from 1 to the records with a title.

    Source: Hurlbert 1971, "The nonconcept of species diversity", Ecology 52(4), equation 14 (rarefaction).
    """
    distinct = title_records(titles, counts)
    n_records = int(distinct["records"].sum())
    outside = [size for size in sizes if not 1 <= size <= n_records]
    if outside:
        raise BadInput(f"A sample of {outside[0]:,} records cannot be drawn; expected 1 to {n_records:,}.")
    words = unique_words(distinct["title"], distinct["records"])
    n_titles, n_words = (_expected_distinct(each["records"], n_records, sizes) for each in (distinct, words))
    schema = {"size": pl.Int64, "unique_titles": pl.Float64, "unique_words": pl.Float64}
    return pl.DataFrame([list(sizes), n_titles, n_words], schema=schema, orient="col")


def _expected_distinct(records: pl.Series, n_records: int, sizes: Sequence[int]) -> list[float]:
    """Return the expected number of things seen in samples, where each thing is in `records` of `n_records`."""
    held, n_things = np.unique(records.to_numpy(), return_counts=True)  # few distinct values, so the loop is cheap
    expected = []
    for size in sizes:
        left = n_records - size
        absent: npt.NDArray[np.float64] = np.zeros(len(held))
        can_be = held <= left  # a thing in more records than stay outside the sample is in every sample
        some = held[can_be]
        log_absent = gammaln(n_records - some + 1) - gammaln(left - some + 1) - gammaln(n_records + 1)
        absent[can_be] = np.exp(log_absent + gammaln(left + 1))
        expected.append(float((n_things * (1 - absent)).sum()))
    return expected


class HeapsFit(NamedTuple):
    """The curve `k * size ** exponent`."""

    k: float
    exponent: float
    """1 where every record adds something new, 0 where none does."""
    largest_deviation: float
    """Largest of |curve / value - 1| over the values that were fitted."""


def fit_heaps(sizes: npt.ArrayLike, values: npt.ArrayLike) -> HeapsFit:
    """Fit a Heaps curve by least squares on the logarithms of numbers of records and of what is unique at each.

    Raises:
        BadInput: fewer than two sizes, or a size or value is not above 0.

    Source: Heaps 1978, "Information Retrieval: Computational and Theoretical Aspects", section 7.5.
    """
    x, y = np.asarray(sizes, dtype=np.float64), np.asarray(values, dtype=np.float64)
    n_sizes = len(np.unique(x))
    if n_sizes < 2 or (x <= 0).any() or (y <= 0).any():
        raise BadInput(f"A growth curve needs two sizes or more, and all above 0 like the values; got {n_sizes} sizes.")
    exponent, log_k = np.polyfit(np.log(x), np.log(y), 1)
    fitted = np.exp(log_k) * x**exponent
    return HeapsFit(float(np.exp(log_k)), float(exponent), float(np.abs(fitted / y - 1).max()))


def round_sizes(n_records: int) -> list[int]:
    """Return the sizes 1, 2, 5, 10, … of three decades up to `n_records`, which is always the last."""
    series = [step * 10**power for power in range(len(str(n_records))) for step in (1, 2, 5)]
    return [size for size in series if n_records / 1000 <= size < n_records] + [n_records]
