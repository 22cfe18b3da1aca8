"""Simulated leads from end to end: titles drawn or given, labelled by their history, with the truth beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from data_cleaning.errors import BadInput, first_few
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.leads import check_distinct
from data_cleaning.progress import Progress, silent
from data_cleaning.simulate.catalogue import catalogue
from data_cleaning.simulate.grammar import TRUTH_TARGETS, draw_titles
from data_cleaning.simulate.history import (
    HistorySettings,
    Revision,
    check_revisions,
    draw_countries,
    draw_days,
    revisions_in_force,
)
from data_cleaning.simulate.tagging_history import Records, blank, tag
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import StrArray

COLUMNS: Mapping[str, str] = LeadColumns().targets
"""Target to its column in the leads; another target's column is called as the target is."""

MAX_RECORDS = 100_000_000
"""Largest sum of the counts of a list of titles."""


@dataclass(frozen=True, kw_only=True)
class SimulatedLeads:
    """Leads as a marketing database would hold them, and what is known about them."""

    leads: pl.DataFrame
    """Record (1..n), Title, a column of raw labels per target, Country, Date; rows in date order, blanks are null."""
    truth: pl.DataFrame
    """Record, title (never blank), revision in force, cause_<target>; from the grammar also a class per target,
    persona, planted word or null."""


def simulate_leads(*, n_records: int, seed: int, taxonomy: Taxonomy, revisions: Sequence[Revision],
                   settings: HistorySettings | None = None, titles: pd.DataFrame | None = None,
                   columns: Mapping[str, str] = COLUMNS, progress: Progress = silent) -> SimulatedLeads:  # fmt: skip
    """Make leads from the title grammar, or from a list of real titles.

    Args:
        n_records: records to make; ignored where `titles` are given.
        seed: equal arguments and seed give equal leads.
        taxonomy: names the targets and knows every raw label; the grammar's truth needs the grouped three.
        revisions: the keyword tables in date order, the first in force before the first record.
        settings: the history; None takes the defaults.
        titles: `title` and `count`; every title gets exactly its count of records and is never blanked.
        columns: target to its column in the leads.
        progress: called during the slow steps.

    Raises:
        BadInput: the arguments contradict each other, or a tagger writes a label that the taxonomy lacks.
    """
    settings = settings or HistorySettings()
    check_revisions(revisions, settings)
    # Separate streams, so that a change in the history leaves the titles as they are.
    title_stream, record_stream, label_stream, blank_stream = (np.random.default_rng([seed, part]) for part in range(4))
    if titles is None:
        _check_taxonomy(taxonomy)
        if n_records < 1:
            raise BadInput(f"n_records is {n_records}; expected at least 1.")
        drawn = draw_titles(n_records, title_stream, progress)
        names, title_of_record = drawn.titles, drawn.title_of_record
    else:
        drawn = None
        names, title_of_record = _listed(titles, record_stream)
    languages_from = drawn.countries[title_of_record] if drawn else np.full(len(title_of_record), "", dtype=object)
    days = draw_days(len(title_of_record), settings, record_stream)
    countries = draw_countries(languages_from, settings, record_stream)
    meant = {target: taxonomy[target].encode(classes) for target, classes in drawn.truth.items()} if drawn else {}
    records = Records(
        title=title_of_record,
        revision=revisions_in_force(revisions, days, countries, settings),
        country=countries,
        truth=meant or None,
    )
    tagged = tag(records, names.tolist(), taxonomy, revisions, settings, label_stream, progress)
    without_title = np.zeros(len(records), dtype=bool)
    if drawn:
        without_title = blank_stream.random(len(records)) < settings.title_blank_share
    tagged = blank(tagged, without_title, settings, blank_stream)

    title_column = pl.Series(names.tolist(), dtype=pl.String).gather(title_of_record)
    record_column = pl.int_range(1, len(records) + 1, eager=True, dtype=pl.Int64)
    labels = {columns.get(target, target): _text(values) for target, values in tagged.labels.items()}
    leads = pl.DataFrame({
        "Record": record_column,
        "Title": pl.select(pl.when(pl.lit(pl.Series(~without_title))).then(title_column)).to_series(),
        **labels, "Country": _text(records.country), "Date": pl.Series(days),
    })  # fmt: skip
    truth: dict[str, pl.Series] = {"Record": record_column, "title": title_column}
    if drawn:
        meanings = {**drawn.truth, "persona": drawn.personas, "planted": drawn.planted}
        truth |= {name: _text(values).gather(title_of_record) for name, values in meanings.items()}
    in_force = np.array([revision.name for revision in revisions], dtype=object)[records.revision]
    causes = {f"cause_{target}": _text(cause) for target, cause in tagged.causes.items()}
    return SimulatedLeads(leads=leads, truth=pl.DataFrame({**truth, "revision": _text(in_force), **causes}))


def _text(values: StrArray) -> pl.Series:
    return pl.Series(values.tolist(), dtype=pl.String)


def _check_taxonomy(taxonomy: Taxonomy) -> None:
    """Check that the taxonomy has the targets, and no others, and classes that the grammar knows the truth of."""
    needed = {target: {getattr(title, target) for title in catalogue().titles} for target in TRUTH_TARGETS}
    known = {target.name: set(target.classes) for target in taxonomy.targets}
    if set(known) != set(needed) or any(needed[target] - known[target] for target in needed):
        listed = "; ".join(f"{target}: {', '.join(sorted(classes))}" for target, classes in needed.items())
        raise BadInput(
            f"The title grammar knows the truth of exactly these targets and classes: {listed}. The taxonomy has "
            f"{', '.join(known)} and differs; give a list of titles instead."
        )


def _listed(titles: pd.DataFrame, generator: np.random.Generator) -> tuple[StrArray, npt.NDArray[np.int64]]:
    """Return the distinct titles of a list and, in random order, as many records of each as its count says."""
    absent = [name for name in ("title", "count") if name not in titles.columns]
    if absent or titles.empty:
        raise BadInput(
            f"A list of titles needs rows with 'title' and 'count'; got {len(titles)} rows of {list(titles.columns)}."
        )
    names = pl.Series([name if isinstance(name, str) else None for name in titles["title"]], dtype=pl.String)
    check_distinct(names, "The list of titles", lambda row: f"row {row + 1}")
    counts = pd.to_numeric(titles["count"], errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~((counts >= 1) & (counts == np.floor(counts))))
    if len(wrong):
        shown = first_few(f"{names[row]!r} in row {row + 1}: {titles['count'].iloc[row]}" for row in wrong.tolist())
        raise BadInput(f"The list of titles needs whole counts of at least 1; got {shown}. Correct these.")
    if counts.sum() > MAX_RECORDS:
        raise BadInput(
            f"The list of titles counts {counts.sum():,.0f} records in all; expected at most {MAX_RECORDS:,}. The "
            f"largest count is {counts.max():,.0f}, of {names[int(counts.argmax())]!r}. Scale the counts down."
        )
    records = generator.permutation(np.repeat(np.arange(len(names)), counts.astype(np.int64)))
    return names.to_numpy().astype(object), records
