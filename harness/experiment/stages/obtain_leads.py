"""Stage `leads`: make or read labelled leads; the truth, where it is known, goes to a file that no fit is given."""

from pathlib import Path

import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.leads import read_counted_titles, read_leads
from data_cleaning.progress import Progress
from data_cleaning.simulate import Revision, SimulatedLeads, simulate_leads
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import normalise_titles
from harness.experiment.config import RunConfig, SimulateSection
from harness.experiment.stages.stage_files import LEADS, TEST_LEADS, TRUTH


def obtain_leads(config: RunConfig, taxonomy: Taxonomy, leads_folder: Path, on_progress: Progress) -> None:
    """Write the leads, read from the config's file; or simulate them, with their truth beside them."""
    section = config.leads
    if section.simulate is None:
        assert section.path is not None, "the config is checked to name one origin"
        read_leads(section.path, section.columns, section.encoding).write_parquet(leads_folder / LEADS)
        if section.test_path is not None:
            test = read_leads(section.test_path, section.columns, section.encoding)
            test.write_parquet(leads_folder / TEST_LEADS)
        return
    simulated = simulate(section.simulate, config.seed, taxonomy, on_progress)
    written = leads_folder / "simulated.parquet"
    simulated.leads.write_parquet(written)
    # Simulated leads take the same way in as anybody's file, column mapping and checks included.
    read_leads(written, section.columns).write_parquet(leads_folder / LEADS)
    simulated.truth.write_parquet(leads_folder / TRUTH)


def read_truth(leads_folder: Path, taxonomy: Taxonomy) -> pl.DataFrame | None:
    """Return `title`, as cleaning spells it, and its true label per target; None where they are not known."""
    written = leads_folder / TRUTH
    if not written.exists() or set(taxonomy.names) - set(pl.read_parquet_schema(written)):
        return None
    known = pl.read_parquet(written).select("title", *taxonomy.names).drop_nulls("title")
    spelled = known.with_columns(normalise_titles(known["title"]).alias("title"))
    return spelled.unique("title", keep="first", maintain_order=True)


def simulate(settings: SimulateSection, seed: int, taxonomy: Taxonomy, on_progress: Progress) -> SimulatedLeads:
    """Make leads by the tagging history of a config, from the title grammar or from the config's list of titles.

    Raises:
        BadInput: a table or the list of titles is at fault, or they do not fit the taxonomy.
    """
    return simulate_leads(
        n_records=settings.records,
        seed=seed,
        taxonomy=taxonomy,
        revisions=[
            Revision(
                name=revision.table.stem,
                in_force_from=revision.in_force_from,
                tagger=table.raw_labels,
                contenders=table.contenders,
            )
            for revision in settings.revisions
            for table in [KeywordTable.read(revision.table, taxonomy)]
        ],
        settings=settings.history,
        titles=None if settings.titles is None else read_counted_titles(settings.titles).to_pandas(),
        progress=on_progress,
    )
