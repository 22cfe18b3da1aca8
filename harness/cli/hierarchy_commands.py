"""The verbs about the hierarchy: check one, and compare two on the same leads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_cleaning.errors import BadInput
from harness.cli.options import DetectedEncoding, ExportedFolder, Force, Quiet, Results, RunFolder, TitleColumn, counted

if TYPE_CHECKING:
    import pandas as pd

    from harness.tagging.hierarchy import Hierarchy

hierarchy = typer.Typer(help="Work with the company's hierarchy.", no_args_is_help=True)

_MOST_SHOWN = 20


@hierarchy.command("check")
def check_verb(
    file: Annotated[Path, typer.Argument(help="YAML file of the hierarchy.")],
    taxonomy: Annotated[
        Path | None, typer.Option(help="Taxonomy whose labels it is for; by default configs/taxonomy.yaml.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Check a hierarchy: every combination of labels reaches one leaf, every rule and every leaf is used.

    Prints its tree, and for each leaf the lines of the rules that lead to it.

    Example: python -m harness hierarchy check configs/hierarchy.yaml
    """
    from data_cleaning.taxonomy import Taxonomy
    from harness.cli.console import announce
    from harness.experiment.config import PROJECT_CONFIGS
    from harness.tagging.hierarchy import read_hierarchy

    own = Path("configs/taxonomy.yaml")
    labels = Taxonomy.read(taxonomy or (own if own.is_file() else PROJECT_CONFIGS / own.name))
    read = read_hierarchy(file, labels)
    _print_tree(read)
    n_leaves = sum(node.leaf for node in read.nodes)
    announce(f"{file}, version {read.version}: no faults in {counted(len(read.rules), 'rule')} and {n_leaves} leaves.")


@hierarchy.command("diff")
def diff_verb(
    old: Annotated[Path, typer.Argument(help="YAML file of the hierarchy in force.")],
    new: Annotated[Path, typer.Argument(help="YAML file of the one that may replace it.")],
    leads: Annotated[Path, typer.Option(help="CSV, gzipped CSV, Parquet or XLSX with a column of titles.")],
    system: Annotated[str | None, typer.Option(help="Which system answers; neural where there is one.")] = None,
    run: RunFolder = None,
    model: ExportedFolder = None,
    results: Results = Path("results"),
    out: Annotated[
        Path | None, typer.Option(help="CSV file for every way that titles go; the nodes go beside it.")
    ] = None,
    title_column: TitleColumn = None,
    encoding: DetectedEncoding = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Place the titles of a file in two hierarchies, and list which go where.

    Example: python -m harness hierarchy diff old.yaml new.yaml --leads leads.csv --out moved.csv
    """
    from data_cleaning.files.output_places import check_file
    from data_cleaning.report_table import Table
    from harness.cli.console import announce, show_table, shown_progress
    from harness.experiment.predicting import predict_titles
    from harness.experiment.systems import load_system
    from harness.tagging.counted_titles import count_titles
    from harness.tagging.hierarchy import diff, read_hierarchy
    from harness.tagging.models import choose_model

    if out is not None and out.suffix.lower() != ".csv":
        raise BadInput(f"--out {out} ends in {out.suffix or 'nothing'!r}; expected .csv.")
    beside = None if out is None else out.with_name(f"{out.stem}.nodes.csv")
    for file in (out, beside):
        if file is not None:
            check_file(file, leads, force=force)
    chosen = choose_model(run, model, results, system)
    before, after = read_hierarchy(old, chosen.taxonomy), read_hierarchy(new, chosen.taxonomy)
    name = chosen.system(system)
    with shown_progress() as on_progress:
        column, asked_for = title_column or chosen.title_column, title_column is not None
        titles, records, n_rejected = count_titles(
            leads, column, asked_for=asked_for, encoding=encoding, on_progress=on_progress
        )
        answers = predict_titles(
            load_system(name, chosen.systems[name], steady=True),
            titles.tolist(),
            chosen.taxonomy,
            f"asking {name}",
            on_progress,
        )
    found = diff(before, after, titles, answers.probabilities, records)
    note = f"Answers of {name} of {chosen.described}, placed in {old} ({before.version}) and {new} ({after.version})."
    show_table(Table("moves", "What goes elsewhere, most records first", note, _short(found.moves)))
    changed = found.nodes[found.nodes["records_before"] != found.nodes["records_after"]].reset_index(drop=True)
    show_table(Table("nodes", "Nodes whose records change", "Records at or below each node.", _short(changed)))
    written = ""
    if out is not None and beside is not None:
        for file, frame in ((out, found.moves), (beside, found.nodes)):
            _write(frame.to_csv(index=False), file)
        written = f"; written to {out} and {beside}"
    moved, all_records = int(records[found.changed].sum()), int(records.sum())
    announce(
        f"{counted(int(found.changed.sum()), 'title')} of {len(titles):,} ({moved:,} of {all_records:,} records) "
        f"{'has' if found.changed.sum() == 1 else 'have'} another answer{written}. Rows that could not be read: "
        f"{n_rejected:,}."
    )


def _short(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return what a screen has room for: the most frequent rows, the last name of each path, and one example."""
    short = frame.head(_MOST_SHOWN).copy()
    for name in ("from", "to", "path"):
        if name in short:
            short[name] = short[name].str.split(" > ").str[-1]
    if "examples" in short:
        short["examples"] = short["examples"].str.split("; ").str[0]
    return short.rename(columns={"examples": "example"})


def _write(text: str, file: Path) -> None:
    from data_cleaning.files.whole_files import whole_file

    with whole_file(file) as filling:
        filling.write_text(text, encoding="utf-8")


def _print_tree(read: "Hierarchy") -> None:
    """Print a line per node, leaves with their band, their new labels and the lines of the rules that lead to them."""
    from harness.cli.console import out

    for position, node in enumerate(read.nodes):
        said = node.name
        if node.leaf:
            lines = ", ".join(str(rule.line) for rule in read.rules if rule.leaf == position)
            about = [read.bands[node.band], *node.new_labels.values(), f"rules of lines {lines}"]
            said += f": {'; '.join(about)}"
        if node.path:
            indent = "  " * (len(node.path) - 1)
            out.print(f"{indent}{said}", soft_wrap=True, markup=False, highlight=False)
