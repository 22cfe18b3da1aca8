"""A check as one spreadsheet and as the same on one page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_cleaning.errors import counted
from data_cleaning.files.workbooks import Workbook
from data_cleaning.report_table import Table
from data_cleaning.titles import IntArray
from harness.reporting.pages import Section, write_page
from harness.tagging.business.business_tables import NOT_SURE, sheet_names
from harness.tagging.business.business_workbook import (
    BOLD,
    TITLE,
    OverviewSheet,
    SheetTable,
    counted_table,
    penetration_tables,
    write_sheet,
)
from harness.tagging.checking.answered import Answered
from harness.tagging.checking.check_sentences import (
    FILE_SHEET,
    KEYWORDS_SHEET,
    SUSPICIOUS_SHEET,
    WORDS_SHEET,
    Check,
    actions,
    sentences,
)
from harness.tagging.checking.penetration import department_table, label_table
from harness.tagging.reviewing.review_sheet import labelling_table

_ON_PAGE, _LEVELS_ON_PAGE = 20, 2
_LONGEST_ON_PAGE = 200  # characters
_MOST_EVENTS = 2

_ABOUT = {
    SUSPICIOUS_SHEET: (
        "Titles whose answer is doubtful, those of most records first, with the reason, the answer, the rows behind it "
        "and what to do."
    ),
    KEYWORDS_SHEET: (
        "Rows of the table to narrow, to re-prioritise or to delete; those on which most records hang come first. Rows "
        "that decide nothing are last."
    ),
    WORDS_SHEET: (
        "Words and two-word phrases of these titles that no row of the table knows. Those in most records that no row "
        "matches at all come first, as a keyword gains most there."
    ),
    FILE_SHEET: "What is wrong with the file itself, what it costs, and how the file was read.",
}
_HOW_TO_LABEL = (
    "The titles most worth a label, doubtful and frequent ones. Choose a class in each yellow column from its list; "
    "judge the title alone, and leave the whole row empty if you cannot tell. Then save the workbook "
    "and write its name behind 'reviewed:' in a config; rows without any label are passed over."
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One sheet, and one section of the page."""

    sheet: SheetTable
    on_page: pl.DataFrame | None = None
    """What the page shows of it, if not its first rows."""


def write_check(workbook: Path, page: Path, check: Check, *, name: str) -> None:
    """Write the workbook, and the page, which links to it by `name`."""
    parts = list(_parts(check))
    said, todo = sentences(check), actions(check)
    heading = f"Check of {check.facts.path.name}"
    first, *names = sheet_names(["Overview", *(part.sheet.name for part in parts)])
    with Workbook(workbook, workbook.parent) as book:
        overview = OverviewSheet(book.sheet(first))
        overview.line(heading, TITLE)
        for sentence in said:
            overview.line(sentence)
        overview.gap()
        overview.line("What to do next", BOLD)
        for number, action in enumerate(todo, start=1):
            overview.line(f"{number}. {action}")
        overview.gap()
        overview.contents(dict(zip(names, (part.sheet for part in parts), strict=True)))
        for sheet_name, part in zip(names, parts, strict=True):
            write_sheet(book.sheet(sheet_name), part.sheet)
    sections = [Section(name="next", title="What to do next", sentences=todo)]
    sections += [_section(part, sheet_name, name) for part, sheet_name in zip(parts, names, strict=True)]
    write_page(page, heading, said, sections, f"Every sheet is in {name}, beside this page.")


def _section(part: Part, title: str, workbook: str) -> Section:
    frame = part.sheet.frame
    chosen = frame.head(_ON_PAGE) if part.on_page is None else part.on_page
    table = Table(title, title, part.sheet.about, chosen, wording="shares", longest_cell=_LONGEST_ON_PAGE)
    more = len(frame) - len(chosen)
    return Section(
        name=title.replace(" ", "-").lower(), title=title, note=part.sheet.about, table=table.shown(),
        before_file=f"{counted(more, 'more row')} in" if more > 0 else "", file=workbook if more > 0 else "",
    )  # fmt: skip


def _parts(check: Check) -> Iterator[Part]:
    by = next(iter(check.facts.by.items()), None)
    if check.summary is not None:
        nodes, *others = penetration_tables(check.summary)
        depths = pl.Series(nodes.depths)
        shown = nodes.frame.select(name for name in nodes.frame.columns if ", share" not in name)
        yield Part(
            sheet=nodes, on_page=shown.filter(depths < _LEVELS_ON_PAGE).drop(check.summary.levels[_LEVELS_ON_PAGE:])
        )
        yield from (Part(sheet=one) for one in others)
    else:
        labels = label_table(check.answered)
        about = (
            "The labels that the table gives. The last column counts the records that a row decides, not the fallback."
        )
        yield Part(sheet=counted_table(labels, name="Labels", about=about, bars=(3,)))
    for name, values in [*check.facts.by.items()] if by else [("", None)]:
        yield Part(sheet=_departments(check, name, values))
    yield Part(sheet=_text_table(_suspicious(check), SUSPICIOUS_SHEET))
    yield Part(sheet=_text_table(_keywords(check), KEYWORDS_SHEET))
    yield Part(sheet=_text_table(_words(check), WORDS_SHEET))
    yield Part(sheet=_to_label(check))
    yield Part(sheet=_text_table(_file(check), FILE_SHEET))


def _departments(check: Check, name: str, values: pl.Series | None) -> SheetTable:
    frame = department_table(check.answered, check.of_record, name, values)
    shares = [at for at, kind in enumerate(frame.dtypes) if kind == pl.Float64]
    texts = [at for at, kind in enumerate(frame.dtypes) if kind == pl.String]
    targets = check.answered.table.taxonomy.targets
    across = next((target.name for target in targets[1:] if target.ordinal), targets[-1].name)
    rows, across = ("department", "seniority") if check.answered.hierarchy else (targets[0].name, across)
    within = "all records" if values is None else f"the records of the {name}"
    return counted_table(
        frame,
        name=f"{name} in depth" if name else "Departments",
        about=f"Records of each {rows} by {across}; the share is of {within}.",
        frozen_columns=len(texts),
        bars=shares,
    )


def _text_table(frame: pl.DataFrame, name: str) -> SheetTable:
    return counted_table(frame, name=name, about=_ABOUT[name], wrapped=True)


def _suspicious(check: Check) -> pl.DataFrame:
    found, answered = check.suspicious, check.answered
    positions = found["position"].to_numpy()
    answers = answered.named(answered.labels).gather(positions)
    columns = {
        "title": answered.texts.gather(positions),
        "records": pl.Series(answered.counts[positions]),
        "kind": found["kind"],
        "why": found["why"],
        "answer": answers,
        **_places(answered, positions),
        "decided by": pl.Series([answered.decided_by[at] for at in positions], dtype=pl.String),
        **_events(check, positions),
        "what to do": found["todo"],
    }
    return pl.DataFrame(columns)


def _places(answered: Answered, positions: IntArray) -> Mapping[str, pl.Series]:
    """Return how the hierarchy counts titles, "Ideal customers > Security", where there is one."""
    if answered.hierarchy is None or answered.placements is None:
        return {}
    paths = [" > ".join(node.path[:2]) or NOT_SURE for node in answered.hierarchy.nodes]
    return {"counted as": pl.Series([paths[at] for at in answered.placements.node[positions]], dtype=pl.String)}


def _events(check: Check, positions: IntArray) -> Mapping[str, pl.Series]:
    """Return for each title the values of the columns to break down by that have most of its records."""
    found = {}
    for name, values in check.facts.by.items():
        pairs = pl.DataFrame({"position": pl.Series(check.of_record), "value": values}).drop_nulls("value")
        counts = pairs.filter(pl.col("position") >= 0).group_by("position", "value").len("n")
        most = counts.sort("n", "value", descending=[True, False]).group_by("position", maintain_order=True)
        shown = most.agg(pl.col("value").head(_MOST_EVENTS).str.join("; ").alias("shown"))
        asked = pl.DataFrame({"position": pl.Series(positions, dtype=pl.Int64)})
        found[f"e.g. {name}"] = asked.join(
            shown.with_columns(pl.col("position").cast(pl.Int64)), on="position", how="left", maintain_order="left"
        )["shown"]
    return found


def _keywords(check: Check) -> pl.DataFrame:
    rows = [(one.keyword, one.line, one.records, one.kind, one.why, one.examples, one.todo) for one in check.keywords]
    schema = {"keyword": pl.String, "line": pl.Int64, "records": pl.Int64}
    schema |= dict.fromkeys(("problem", "evidence", "example titles", "what to do"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _words(check: Check) -> pl.DataFrame:
    rows = [(one.text, one.unmatched, one.records, one.titles, one.labels, one.examples) for one in check.words]
    schema = {"word or phrase": pl.String, "records without any row": pl.Int64, "records": pl.Int64, "titles": pl.Int64}
    schema |= {"labels now": pl.String, "example titles": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _file(check: Check) -> pl.DataFrame:
    rows = [(one.what, one.records, one.examples, one.todo) for one in check.facts.problems]
    schema = {"what": pl.String, "records": pl.Int64, "examples": pl.String, "what to do": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _to_label(check: Check) -> SheetTable:
    """Return the sheet to fill in: `title` and an empty column per target first, as a labelled file has them."""
    answered, taxonomy = check.answered, check.answered.table.taxonomy
    positions = check.to_label["position"].to_numpy()
    n_titles = len(positions)
    empty = {name: pl.Series([None] * n_titles, dtype=pl.String) for name in taxonomy.names}
    now = {
        f"{target.name} now": pl.Series(
            [target.classes[at] for at in answered.labels[target.name][positions]], dtype=pl.String
        )
        for target in taxonomy.targets
    }
    frame = pl.DataFrame(
        {
            "title": answered.texts.gather(positions), **empty, "records": pl.Series(answered.counts[positions]),
            "why": check.to_label["why"], **now,
        }
    )  # fmt: skip
    return labelling_table(frame, taxonomy, _HOW_TO_LABEL)
