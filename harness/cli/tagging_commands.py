"""The verbs for production use: check, predict, explain and export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_cleaning.errors import BadInput, counted
from harness.cli.options import (
    WITH_REJECTS,
    DetectedEncoding,
    Engine,
    ExportedFolder,
    Force,
    HeaderRow,
    HierarchyFile,
    LeadsFile,
    Quiet,
    Raw,
    Results,
    Resume,
    RunFolder,
    Sheet,
    TitleColumn,
    WorkerGpus,
    Workers,
    escaped_cells,
    ray_options,
    told_if_interrupted,
)
from harness.experiment.systems import SYSTEMS

if TYPE_CHECKING:
    from harness.tagging.models import Model
    from harness.tagging.predict import Tagged
    from harness.tagging.work import Job


def check_verb(
    leads: LeadsFile,
    table: Annotated[
        Path | None, typer.Option(help="Keyword table as CSV, Parquet or XLSX. By default the shipped one.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Column to break down by, such as Event. Repeatable. By default one called event or the like."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Workbook to write. By default <name of the leads>_check.xlsx beside the leads.")
    ] = None,
    taxonomy: Annotated[
        Path | None,
        typer.Option(help="YAML file of the labels' classes. By default the shipped one, or the table's own labels."),
    ] = None,
    hierarchy: Annotated[
        Path | None,
        typer.Option(
            help="YAML file of the hierarchy, or 'none'. By default the shipped one with the shipped taxonomy."
        ),
    ] = None,
    title_column: TitleColumn = None,
    encoding: DetectedEncoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Check leads without labels, a run or a config: whom they reach, which answers are doubtful, and what to do next.

    A workbook and the same as an HTML page are written.

    Example: python -m harness check leads.xlsx --table keywords.xlsx --by Event
    """
    from data_cleaning.files import Layout
    from harness.cli.console import announce, print_line, shown_progress
    from harness.tagging.checking.check_file import CheckJob, account, check_leads

    job = CheckJob(
        leads=leads,
        table=table,
        taxonomy=taxonomy,
        hierarchy=hierarchy,
        out=out,
        by=tuple(by or ()),
        title_column=title_column,
        encoding=encoding,
        layout=Layout(sheet, header_row),
        force=force,
    )
    with shown_progress() as on_progress:
        checked = check_leads(job, on_progress, announce)
    for line in account(checked):
        print_line(line)
    announce(f"Written to {checked.workbook} and {checked.page}.")


def predict_verb(
    leads: LeadsFile,
    out: Annotated[
        Path,
        typer.Option(
            help="File to write: .csv, .csv.gz, .parquet or .xlsx. The other files are written beside it. With "
            "--engine ray: a folder."
        ),
    ],
    system: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(SYSTEMS)}. By default the one that the run decided for.")
    ] = None,
    run: RunFolder = None,
    model: ExportedFolder = None,
    results: Results = Path("results"),
    hierarchy: HierarchyFile = None,
    layout: Annotated[
        Path | None, typer.Option(help="YAML file with the columns to write, their names and their order.")
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="Column to break the summary down by, such as Event. Repeatable.")
    ] = None,
    fields: Annotated[
        str, typer.Option(help="Columns to add: 'default', 'all', or names with commas: function,review.")
    ] = "default",
    prefix: Annotated[str, typer.Option(help="Text before the names of the added columns.")] = "",
    review_below: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Flag answers with a lower confidence than this for review; .7 by default."),
    ] = None,
    target_accuracy: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Flag for review as few answers as let this share of the others be right in all labels."
        ),
    ] = None,
    title_column: TitleColumn = None,
    encoding: DetectedEncoding = None,
    delimiter: Annotated[
        str | None, typer.Option(help="Delimiter of a CSV file's fields. By default it is detected.")
    ] = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    raw: Raw = False,
    spreadsheet_safe: Annotated[bool, typer.Option("--spreadsheet-safe", hidden=True)] = False,
    engine: Engine = "local",
    workers: Workers = None,
    worker_gpus: WorkerGpus = 0,
    resume: Resume = False,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Tag a file: labels, confidence, keyword, review flag and place in the hierarchy beside its own columns.

    A summary, a crosswalk and a follow-up list are written beside it. An interrupted call resumes when it is repeated.
    Exit codes: 0 complete, 2 bad input, 3 complete except for rows that could not be read, 130 interrupted.

    Example: python -m harness predict leads.csv --out tagged.csv --by Event
    """
    from data_cleaning.files import Layout
    from data_cleaning.files.whole_files import followed
    from harness.cli.console import announce, shown_progress
    from harness.scoring.reliability import threshold_for
    from harness.tagging.models import choose_model, find_hierarchy
    from harness.tagging.predict import tag_file
    from harness.tagging.work import DEFAULT_REVIEW_BELOW, Job

    if spreadsheet_safe and raw:
        raise BadInput("--raw and --spreadsheet-safe exclude each other. Leave out --spreadsheet-safe.")
    if spreadsheet_safe:  # until the next release
        announce("Warning: --spreadsheet-safe is what happens without it. Leave it out; --raw is its opposite.")
    if review_below is not None and target_accuracy is not None:
        raise BadInput("--review-below and --target-accuracy exclude each other. Leave out one.")
    spread = ray_options(engine, workers, resume, force, worker_gpus)
    chosen = choose_model(run, model, results, system)
    introduce(chosen, system)
    threshold = DEFAULT_REVIEW_BELOW if review_below is None else review_below
    if target_accuracy is not None:
        threshold = threshold_for(chosen.systems[chosen.system(system)], target_accuracy)
        announce(f"Answers with a confidence under {threshold:.3f} are for review: see --target-accuracy.")
    job = Job(
        leads=leads,
        out=followed(out),  # so that files beside it are on the same disk
        model=chosen,
        system=chosen.system(system),
        hierarchy=find_hierarchy(hierarchy, chosen),
        layout=layout or chosen.layout,
        title_column=title_column,
        encoding=encoding,
        delimiter=delimiter,
        table=Layout(sheet, header_row),
        by=tuple(by or ()),
        fields=fields,
        prefix=prefix,
        review_below=threshold,
        raw=raw,
        force=force,
    )
    if job.system not in SYSTEMS:
        announce(f"Running {job.system}.py …")
    kept = "The same command resumes; titles that were answered are not asked for again."
    with told_if_interrupted(spread, kept), shown_progress() as on_progress:
        if spread is None:
            tagged = tag_file(job, on_progress, announce)
        else:
            from harness.scale.tag_on_ray import tag_on_ray

            tagged = tag_on_ray(job, spread, on_progress, announce)
    for line in _account(job, tagged, in_parts=spread is not None):
        announce(line)
    if tagged.n_rejected:
        raise typer.Exit(WITH_REJECTS)


def introduce(model: "Model", asked_for: str | None) -> str:
    """Say first what answers and why, as a warning where its run says nothing about real titles; return the system."""
    from harness.cli.console import announce, warn

    system = model.system(asked_for)
    (announce if model.origin == "real" else warn)(model.introduced(system, asked_for=asked_for is not None))
    return system


def _account(job: "Job", tagged: "Tagged", *, in_parts: bool) -> list[str]:
    """Say what was done; the last line is about what could not be read."""
    from data_cleaning.files.output_places import REJECTS, rejects_file
    from data_cleaning.text_repair import repaired_in_words

    lines = [*(tagged.sentences or ()), *tagged.notes]
    if tagged.sentences is None:
        lines.append("Without a hierarchy there are no places, no summary and no follow-up list.")
    lines += tagged.left_out
    if tagged.n_skipped:
        lines.append(f"Blank lines or empty rows, skipped: {tagged.n_skipped:,}.")
    if tagged.n_repaired:
        lines.append(repaired_in_words(tagged.n_repaired))
    lines += escaped_cells(tagged.n_escaped)
    if tagged.n_cut or tagged.n_replaced:
        lines.append(
            f"A spreadsheet cannot hold everything: {counted(tagged.n_cut, 'cell')} cut at 32,767 characters, "
            f"{counted(tagged.n_replaced, 'cell')} with control characters replaced."
        )
    titles = "title" if in_parts else "distinct title"
    lines.append(
        f"Tagged {counted(tagged.n_rows, 'row')} with {job.system} of {job.model.described}: "
        f"{counted(tagged.n_answered, titles)} answered, {counted(tagged.n_untitled, 'row')} without a title, "
        f"{counted(tagged.n_review, 'row')} for review."
    )
    if tagged.earlier:
        lines.append(f"Left from an earlier job, not from this one: {', '.join(tagged.earlier)}.")
    beside = f"; {'in' if in_parts else 'beside'} it {', '.join(tagged.files)}" if tagged.files else ""
    lines.append(f"Written to {job.out}{beside}.")
    if tagged.n_rejected:
        rejects = job.out / REJECTS if in_parts else rejects_file(job.out)
        lines.append(f"{counted(tagged.n_rejected, 'row')} could not be read; see {rejects}.")
    else:
        lines.append("0 rows could not be read.")
    return lines


def explain_verb(
    titles: Annotated[list[str], typer.Argument(help="One or more titles, each in quotes.")],
    system: Annotated[
        str | None, typer.Option(help="Ask this system alone, such as keyword or one of your own. By default all.")
    ] = None,
    run: RunFolder = None,
    model: ExportedFolder = None,
    results: Results = Path("results"),
    hierarchy: HierarchyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    quiet: Quiet = False,
) -> None:
    """Say why a title is tagged as it is: every system's answer, the keywords and words behind it, and its place.

    Example: python -m harness explain "Deputy CISO" --run results/default-1a2b3c4d
    """
    from harness.cli.console import announce, print_json, print_line, show_table
    from harness.tagging.explain import explain_titles
    from harness.tagging.explain_tables import as_json_text, place_lines, tables_of
    from harness.tagging.models import choose_model, find_hierarchy, load_hierarchy
    from harness.tagging.nearest_reviewed import NearestReviewed

    chosen = choose_model(run, model, results, system)
    placed_in = load_hierarchy(find_hierarchy(hierarchy, chosen), chosen)
    default = introduce(chosen, system)
    asked = [name for name in chosen.systems if name in SYSTEMS] if system is None else [default]
    own = [name for name in chosen.systems if name not in SYSTEMS]
    announce(f"Asking {', '.join(asked)} of {chosen.described}.")
    if default not in SYSTEMS:
        announce(f"Running {default}.py …")
    elif own:
        announce(f"Not asked, as they would run code of your own: {', '.join(own)}. Name one with --system.")
    explained = explain_titles(chosen, titles, placed_in, system, reviewed=NearestReviewed.of(chosen))
    if as_json:
        print_json(as_json_text(chosen.described, default, explained))
        return
    for explanation in explained:
        for table in tables_of(explanation, default):
            show_table(table, grouped=False)
        for line in place_lines(explanation):
            print_line(line)
        print_line("")


def export_verb(
    run: Annotated[Path, typer.Argument(help="Run folder. Of each system, the fit that learned from most is taken.")],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    hierarchy: HierarchyFile = None,
    layout: Annotated[Path | None, typer.Option(help="YAML file with the columns of a tagged file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that was exported before.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write one folder that tags without the run: systems, tables, hierarchy, a model card and checksums.

    Example: python -m harness export results/default-1a2b3c4d model/
    """
    from harness.cli.console import announce, print_line
    from harness.tagging.export import export_model

    done = export_model(run, out, hierarchy=hierarchy, layout=layout, force=force)
    announce(done.introduced)
    placed = "no hierarchy" if done.hierarchy is None else f"the hierarchy {done.hierarchy}"
    announce(f"Exported {', '.join(done.systems)}, with {placed}; {done.default_system} answers by default.")
    print_line(
        f"{done.folder} ({done.n_bytes / 1e6:,.1f} MB) tags with: "
        f"python -m harness predict leads.csv --out tagged.csv --model {done.folder}"
    )


def serve_verb(
    source: Annotated[
        Path | None,
        typer.Argument(help="Folder of a run, or one that 'export' wrote. By default the newest run under results/."),
    ] = None,
    results: Results = Path("results"),
    reviewed: Annotated[Path, typer.Option(help="CSV file that reviewed titles are added to.")] = Path("reviewed.csv"),
    table: Annotated[
        Path | None, typer.Option(help="Keyword table as CSV, Parquet or XLSX. By default the run's own.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at. Any other than this computer's own asks for a password.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8501,
    max_upload: Annotated[int, typer.Option(min=1, max=4096, help="Largest upload, in MB.")] = 500,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    quiet: Quiet = False,
) -> None:
    """Open a page in the browser: understand answers, review titles, accept keywords, tag files, look at leads.

    Example: python -m harness serve results/default-1a2b3c4d
    """
    from harness.cli.console import announce
    from harness.page.serve import serve

    serve(
        source,
        results=results,
        reviewed=reviewed,
        table=table,
        host=host,
        port=port,
        max_upload_mb=max_upload,
        browser=browser,
        announce=announce,
    )
