"""What `hierarchy check` and `hierarchy diff` do with files: show a tree, and compare two hierarchies on leads."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from data_cleaning.files import Layout, open_source
from data_cleaning.files.output_places import beside, check_table
from data_cleaning.files.whole_files import whole_file
from data_cleaning.files.written_tables import write_table
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray, StrArray
from data_cleaning.words import normalise_titles
from harness.experiment.config import PROJECT_CONFIGS
from harness.experiment.stages.predicting import predict_titles
from harness.experiment.systems import load_system
from harness.tagging.hierarchy import Hierarchy, diff, read_hierarchy
from harness.tagging.models import Model
from harness.tagging.work import find_titles

_MAX_SHOWN = 20
"""Rows of a table on a screen."""

_STEP = "reading titles"
_RECORDS = pl.col("records").sum()


@dataclass(frozen=True)
class ComparedOnLeads:
    """What differs between two hierarchies on the titles of a file."""

    tables: tuple[Table, ...]
    """Short enough for a screen."""
    n_changed: int
    """Titles with another answer."""
    n_titles: int
    changed_records: int
    records: int
    n_rejected: int
    """Rows that could not be read."""
    notes: tuple[str, ...]
    """How the leads were read, in sentences for a person."""
    files: tuple[Path, ...]
    """What was written."""


def read_for_labels(file: Path, taxonomy: Path | None) -> Hierarchy:
    """Read a hierarchy for the labels of a taxonomy.

    Without a file of the taxonomy it is configs/taxonomy.yaml of the current folder, or else the project's.

    Raises:
        BadInput: one of the files has faults.
    """
    own = Path("configs/taxonomy.yaml")
    return read_hierarchy(file, Taxonomy.read(taxonomy or (own if own.is_file() else PROJECT_CONFIGS / own.name)))


def tree_lines(hierarchy: Hierarchy) -> list[str]:
    """Return a line per node; leaves have their band, their new labels and the lines of the rules that lead to them."""
    shown = []
    for position, node in enumerate(hierarchy.nodes):
        said = node.name
        if node.leaf:
            lines = ", ".join(str(rule.line) for rule in hierarchy.rules if rule.leaf == position)
            about = [hierarchy.bands[node.band], *node.new_labels.values(), f"rules of lines {lines}"]
            said += f": {'; '.join(about)}"
        if node.path:
            shown.append("  " * (len(node.path) - 1) + said)
    return shown


def compare_on_leads(
    files: tuple[Path, Path],
    leads: Path,
    model: Model,
    system: str | None,
    *,
    out: Path | None,
    title_column: str | None,
    encoding: str | None,
    layout: Layout,
    force: bool,
    on_progress: Progress,
) -> ComparedOnLeads:
    """Place the titles of a file in two hierarchies.

    The first of the `files` is of the hierarchy in force, the second of the one that may replace it. `out` is a table
    of every way that titles go, beside which the nodes are written; without it nothing is written.

    Raises:
        BadInput: a file cannot be read or written, has faults or no titles, or there is no such system.
    """
    written = _output_files(out, leads, force=force)
    old, new = (read_hierarchy(file, model.taxonomy) for file in files)
    name = model.system(system)
    titles, records, n_rejected, notes = _count_titles(leads, model, title_column, encoding, layout, on_progress)
    loaded = load_system(name, model.systems[name], batch_invariant=True)
    answers = predict_titles(loaded, titles.tolist(), model.taxonomy, f"asking {name}", on_progress)
    found = diff(old, new, titles, answers.probabilities, records)
    for file, frame in zip(written, (found.moves, found.nodes), strict=False):
        with whole_file(file) as filling:
            write_table(pl.from_pandas(frame), filling)
    note = (
        f"Answers of {name} of {model.described}, placed in {files[0]} ({old.version}) and {files[1]} ({new.version})."
    )
    changed = found.nodes[found.nodes["records_before"] != found.nodes["records_after"]].reset_index(drop=True)
    return ComparedOnLeads(
        tables=(
            Table("moves", "What goes elsewhere, most records first", note, _short(found.moves)),
            Table("nodes", "Nodes whose records change", "Records at or below each node.", _short(changed)),
        ),
        n_changed=int(found.changed.sum()),
        n_titles=len(titles),
        changed_records=int(records[found.changed].sum()),
        records=int(records.sum()),
        n_rejected=n_rejected,
        notes=notes,
        files=written,
    )


def _output_files(out: Path | None, leads: Path, *, force: bool) -> tuple[Path, ...]:
    """Return the files for moves and nodes once they may be written, () if none are asked for."""
    if out is None:
        return ()
    files = (out, beside(out, ".nodes"))
    for file in files:
        check_table(file, leads, force=force)
    return files


def _count_titles(
    leads: Path,
    model: Model,
    title_column: str | None,
    encoding: str | None,
    layout: Layout,
    on_progress: Progress,
) -> tuple[StrArray, IntArray, int, tuple[str, ...]]:
    """Read the distinct titles of a file of any size, in the spelling that they are compared in.

    Returns:
        Distinct titles, the most frequent first, (n_titles,); their records, (n_titles,); how many rows could not be
        read; and how the file was read.
    """
    source = open_source(leads, encoding=encoding, layout=layout)
    place, _ = find_titles(source, leads, model, title_column)
    counts = pl.DataFrame(schema={"title": pl.String, "records": pl.Int64})
    n_rows = n_rejected = 0
    on_progress(_STEP, 0, source.n_rows + 1, "rows")
    for batch in source.batches():
        titles = pl.Series("title", pl.from_arrow(batch.rows.column(place))).cast(pl.String)
        new = titles.to_frame().group_by("title").len("records").with_columns(pl.col("records").cast(pl.Int64))
        counts = pl.concat([counts, new]).group_by("title").agg(_RECORDS)
        n_rows += len(titles)
        n_rejected += len(batch.rejects)
        on_progress(_STEP, n_rows, max(source.n_rows, n_rows) + 1, "rows")
    on_progress(_STEP, n_rows, n_rows, "rows")
    normal = counts.with_columns(normalise_titles(counts["title"])).drop_nulls("title").filter(pl.col("title") != "")
    normal = normal.group_by("title").agg(_RECORDS).sort("records", "title", descending=[True, False])
    records = normal["records"].to_numpy().astype(np.int64)
    return normal["title"].to_numpy(), records, n_rejected, (*source.notes, *source.left_out)


def _short(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what a screen has room for: the most frequent rows, the last name of each path, and one example."""
    short = frame.head(_MAX_SHOWN).copy()
    for name in ("from", "to", "path"):
        if name in short:
            short[name] = short[name].str.split(" > ").str[-1]
    if "examples" in short:
        short["examples"] = short["examples"].str.split("; ").str[0]
    return short.rename(columns={"examples": "example"})
