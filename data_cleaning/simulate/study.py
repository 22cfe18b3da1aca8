"""The published figures of the study beside those of some leads, each with its bounds.

The study sorted 1.6 million leads of a cybersecurity company (Netskope) into function, role and level with a keyword
table and a fine-tuned DistilBERT. Shares are of the values that are not missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from data_cleaning.consensus import learn_majority, noise_ceilings, relabelling_facts, single_record_share
from data_cleaning.profile.measures import fit_heaps, growth_curve, missing_shares, share_table
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import stop_words, unique_words

STUDY_RECORDS = 1_600_000
_TARGETS = ("function", "role", "level")
_MOST_COMMON = {"function": ("IT", 0.64, 0.90), "role": ("Information Security", 0.28, 0.91),
                "level": ("Contributor", 0.39, 0.99)}  # fmt: skip
"""Target to a raw label, its share, and the share of the five most common labels."""
_CEILINGS = {"function": 0.985, "role": 0.90, "level": 0.96}
_N_LABELS = {"function": 90, "role": 42, "level": 56}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of the study, and the same of some leads."""

    name: str
    study: str
    """As it was published."""
    measured: float
    lowest: float | None = None
    """Lower bound; None where there is none."""
    highest: float | None = None
    """Upper bound; None where there is none."""

    @property
    def holds(self) -> bool | None:
        """Whether the figure is within its bounds; None where it has none."""
        if self.lowest is None and self.highest is None:
            return None
        above = self.lowest is None or self.measured >= self.lowest
        return above and (self.highest is None or self.measured <= self.highest)


def study_figures(leads: pl.DataFrame, taxonomy: Taxonomy) -> list[Figure]:
    """Measure the study's figures on leads as `leads.read_leads` returns them, with `country`.

    Shares and missing values are bounded at any size. Below the study's size, the number of labels has only an upper
    bound, and figures that depend on how often titles repeat have no bounds.
    """
    at_full_size = int(leads["count"].sum()) >= STUDY_RECORDS
    complete = leads.filter(pl.all_horizontal(pl.col("title", *_TARGETS).is_not_null()))
    return [
        *_shares(leads),
        *_labels(leads, at_full_size=at_full_size),
        *_growth(leads, at_full_size=at_full_size),
        *_us_only(leads, complete, at_full_size=at_full_size),
        *_ceilings(complete, taxonomy, at_full_size=at_full_size),
    ]


def _near(name: str, study: str, measured: float, expected: float, room: float, *, bounded: bool = True) -> Figure:
    """Build a figure that must be within `room` of the expected value."""
    bounds = (expected - room, expected + room) if bounded else (None, None)
    return Figure(name=name, study=study, measured=measured, lowest=bounds[0], highest=bounds[1])


def _shares(leads: pl.DataFrame) -> Iterator[Figure]:
    for target, (label, share, of_five) in _MOST_COMMON.items():
        table = share_table(leads[target], leads["count"])
        found = table.filter(pl.col("label") == label)["share"].sum()
        yield _near(f"share of {label} among {target}s", f"{share:.2f}", float(found), share, 0.01)
        five = float(table["share"].head(5).sum())
        yield _near(f"share of the five most common {target}s", f"{of_five:.2f}", five, of_five, 0.01)
    missing = missing_shares(leads, _TARGETS)
    yield _near("share of records with an output missing", "0.07", missing["any output"], 0.07, 0.005)
    yield _near("share of records without a title", "0.03", missing["title"], 0.03, 0.005)
    yield Figure(name="share of records with anything missing", study="just over 0.07", measured=missing["any"],
                 lowest=0.07, highest=0.075)  # fmt: skip


def _labels(leads: pl.DataFrame, *, at_full_size: bool) -> Iterator[Figure]:
    for target, n_labels in _N_LABELS.items():
        lowest, n_found = n_labels if at_full_size else None, leads[target].drop_nulls().n_unique()
        yield Figure(name=f"raw {target}s", study=str(n_labels), measured=n_found, lowest=lowest, highest=n_labels)


def _growth(leads: pl.DataFrame, *, at_full_size: bool) -> Iterator[Figure]:
    """Yield unique titles and words, and how closely their growth follows a Heaps curve.

    The sizes of the curve run from 1/64 of the records with a title to all of them, each twice the one before.
    """
    titles, counts = leads["title"], leads["count"]
    words = unique_words(titles, counts)
    n_titles = titles.drop_nulls().n_unique()
    yield _near("unique titles", "over 330,000", n_titles, 330_000, 0.05 * 330_000, bounded=at_full_size)
    yield _near("unique words", "just under 64,000", len(words), 64_000, 0.1 * 64_000, bounded=at_full_size)
    n_stop_words = int(words["word"].is_in(sorted(stop_words())).sum())
    yield Figure(name="stop words among them", study="112", measured=n_stop_words)
    n_records = int(counts.filter(titles.is_not_null()).sum())
    sizes = [n_records >> shift for shift in reversed(range(7))]
    grown = growth_curve(titles, sizes, counts)
    for name in ("unique titles", "unique words"):
        fit = fit_heaps(sizes, grown[name.replace(" ", "_")].to_list())
        yield Figure(name=f"Heaps exponent of {name}", study="–", measured=fit.exponent)
        departure = f"largest departure of {name} from the Heaps curve"
        yield Figure(name=departure, study="–", measured=fit.largest_deviation, highest=0.1)


def _us_only(leads: pl.DataFrame, complete: pl.DataFrame, *, at_full_size: bool) -> Iterator[Figure]:
    from_us = int(leads.filter(pl.col("country") == "United States")["count"].sum()) / int(leads["count"].sum())
    yield _near("share of records left when only the US is kept", "0.54", from_us, 0.54, 0.01)
    for name, rows in (("US", complete.filter(pl.col("country") == "United States")),
                       ("other", complete.filter(pl.col("country") != "United States"))):  # fmt: skip
        facts = relabelling_facts(learn_majority(rows, _TARGETS).relabel(rows))
        changed = facts["changed_records"] / facts["records"]
        study = "0.08" if name == "US" else "more than in the US"
        figure = f"share of {name} records that majority relabelling of raw labels changes"
        yield _near(figure, study, changed, 0.08, 0.01, bounded=at_full_size and name == "US")


def _ceilings(complete: pl.DataFrame, taxonomy: Taxonomy, *, at_full_size: bool) -> Iterator[Figure]:
    grouped = complete.with_columns(pl.col(name).replace_strict(dict(taxonomy[name].raw_to_class)) for name in _TARGETS)
    ceilings = noise_ceilings(grouped, _TARGETS)
    for target, expected in _CEILINGS.items():
        value = ceilings["per record", target]
        yield _near(
            f"noise ceiling, grouped {target}s", f"near {expected}", value, expected, 0.01, bounded=at_full_size
        )
    yield Figure(name="noise ceiling, all three", study="–", measured=ceilings["per record", "all"])
    yield Figure(name="share of records whose title occurs once", study="–", measured=single_record_share(grouped))
