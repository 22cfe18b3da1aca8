"""What every exploratory table is made of: the leads tidied, their titles and words counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.profile.measures import is_missing
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import title_records, unique_words

_OWN_COLUMNS = frozenset({"title", "label", "class", "records", "share", "cumulative_share", "combinations", "rank"})


@dataclass(frozen=True, kw_only=True)
class Material:
    """What every table is made of."""

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
    """What the profile lacks, and why; each step adds its own."""
    figures: list[dict[str, object]] = field(default_factory=list)
    """Rows of the first table; each step adds its own."""

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
    """Tidy the leads and count their titles and words.

    Raises:
        BadInput: there are no leads, or a target is called as a column of the tables is.
    """
    if leads.is_empty():
        raise BadInput("There are no leads to profile; expected at least one record.")
    taken = sorted(_OWN_COLUMNS.intersection(targets))
    if taken:
        raise BadInput(f"Targets cannot be called {', '.join(taken)}: the tables have columns of that name.")
    present = tuple(target for target in targets if target in leads.columns)
    left_out = [
        f"No figures on {target}: the leads have no such column." for target in targets if target not in present
    ]
    leads = leads.with_columns(
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
        left_out=left_out,
    )
