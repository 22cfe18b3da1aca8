"""What a file holds is data in every file that a person may open: no formula runs, no markup is obeyed."""

import csv
import gzip
import html.parser
import io
import itertools
import json
import re
from importlib import resources

import openpyxl
import pandas as pd
import pytest
import yaml
from markdown_it import MarkdownIt

from baselines.keyword_table import KeywordTable
from data_cleaning.files.spreadsheet_text import escape_cell
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.leads import open_leads
from data_cleaning.taxonomy import Taxonomy
from harness.keywords.suggestion_sheets import Origin, write_suggestions
from tests.called_verb import exit_code_of
from tests.harness.keywords.given_suggestions import mark_json, suggestion
from tests.harness.tagging.given_run import HIERARCHY

FORMULA, SUM, SCRIPT = "=cmd|' /C calc'!A0", "@SUM(1)", "<script>alert(1)</script>"
PLANTED = (
    "$\\frac$",
    FORMULA,
    SUM,
    SCRIPT,
    "a|b",
    "x\ny",
    "+a1",
    "-b1",
    "\tc",
    "\rd",
    "`code` [link](http://e.org) ![i](x)",
    "<img src=x onerror=alert(1)>",
)


@pytest.fixture(scope="module")
def written(company, tmp_path_factory):
    """Let every verb write about files in which everything that a person can name is planted; return the folder."""
    folder = tmp_path_factory.mktemp("planted")
    place = folder / "=cmd(1) <script>alert(1)<"
    place.mkdir()
    department, seniority = f"{FORMULA} dept", f"{SCRIPT}"
    classes = {"=1+1 <b>class</b>": [department, "x|y"], "Garden": ["Dept. of Garden"], "Else": []}
    taxonomy = {
        "version": 1,
        "targets": {
            "department": {"importance": 2, "ordinal": False, "fallback": "Else", "classes": classes},
            "seniority": {
                "importance": 1,
                "ordinal": True,
                "fallback": "None",
                "classes": {seniority: [], "Head": [], "None": []},
            },
        },
    }
    (place / "taxonomy.yaml").write_text(yaml.safe_dump(taxonomy, sort_keys=False))
    rows = []
    for n in range(4):
        for number, planted in enumerate(PLANTED):
            labels = (department, seniority) if (number + n) % 3 else ("Dept. of Garden", "Head")
            rows += [(f"{planted} analyst {n}", *labels, 2, "=1+2", planted), (planted, *labels, 1 + n, "b", planted)]
            rows.append((f"gardener {number} {n}", "Dept. of Garden", "Head", 1, "=1+2", planted))
    rows.append(("=Geschäftsführer der Abteilung für Einkauf und Vertrieb", "Dept. of Garden", "Head", 30, "b", ""))
    header = ("What you do", "Dept", "Grade", "Times", "=Event(1)", "@SUM(1)<script>alert(1)</script>")
    with (place / "=leads(1).csv").open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerows([header, *rows])
        opened.write('=broken,"row\n')
    columns = ("keyword", "priority", "department", "seniority")
    keywords = [columns, (FORMULA, 1, department, ""), (SUM, 2, "", seniority)]
    keywords += [(SCRIPT, 3, department, seniority), ("gardener", 4, "Dept. of Garden", "Head"), ("+a1", 5, "x|y", "")]
    keywords += [("analyst", 6, "Dept. of Garden", ""), ("a|b", 7, "Dept. of Garden", "")]
    others = [*keywords[:2], *keywords[4:], ("=new", 9, department, "")]
    for name, table in {"keywords": keywords, "others": others}.items():
        with (place / f"={name}(1).csv").open("w", newline="") as opened:
            csv.writer(opened).writerows(table)
    config = yaml.safe_load(company.config.read_text())
    config["systems"] = ["majority", "keyword", "tfidf"]
    config |= {"keyword": {"table": "=keywords(1).csv"}, "label_issues": {"system": "tfidf"}}
    config["leads"] |= {"path": "=leads(1).csv", "test_path": None}
    (place / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    hierarchy = HIERARCHY.split("rules:")[0].replace("Heads of care", "Heads <b>of</b> care") + (
        "rules:\n"
        "  - {department: [Garden], leaf: Nurses}\n"
        "  - {department: ['=1+1 <b>class</b>'], leaf: Heads <b>of</b> care}\n"
        "default: House\n"
    )
    (place / "hierarchy.yaml").write_text(hierarchy)

    def verb(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            assert exit_code_of(*arguments) in (0, 3), arguments

    toy = ["--config", place / "config.yaml", "--allow", company.folder, "--allow", place]
    leads, table, other = (place / f"={name}(1).csv" for name in ("leads", "keywords", "others"))
    run, title = folder / "results" / "run", ["--title-column", "What you do"]
    verb("run", "all", *toy, "--results", folder / "results", "--out", run)
    verb("clean", leads, "--out", folder / "clean.csv", *toy, "--set", "clean.english_only=true")
    verb("clean", leads, "--out", folder / "sheet.of.clean.xlsx", *toy)
    verb("profile", leads, "--out", folder / "profile", "--no-tokens", *toy)
    verb("audit", table, "--leads", leads, "--out", folder / "audit", *toy)
    verb("diff", table, other, "--leads", leads, "--out", folder / "diff.csv", *toy)
    verb("diff", table, other, "--leads", leads, "--out", folder / "diff.xlsx", *toy)
    placed = ["--hierarchy", place / "hierarchy.yaml"]
    checked = ["--table", table, "--taxonomy", place / "taxonomy.yaml", *placed, "--by", "=Event(1)", *title]
    verb("check", leads, "--out", folder / "check.xlsx", *checked)
    for name in ("tagged.csv", "sheet.xlsx", "packed.csv.gz"):
        asked = ["--by", "=Event(1)", "--fields", "all", "--system", "keyword"]
        verb("predict", leads, "--out", folder / name, "--run", run, *placed, *asked)
    verb("export", run, folder / "model", *placed)
    compared = [place / "hierarchy.yaml"] * 2
    asked = ["--leads", leads, "--run", run, "--system", "keyword"]
    verb("hierarchy", "diff", *compared, *asked, "--out", folder / "moved.csv")
    verb("init", leads, table, "--out", folder / "new", *title)
    (folder / "titles.csv").write_text("title,count\n\"=cmd|' /C calc'!A0\",30\n@SUM(1),30\n")
    verb("simulate", "--titles", folder / "titles.csv", "--out", folder / "simulated.csv")

    origin = Origin.of(table, tuple(taxonomy["targets"]), run="=run(1)", split="title", learned_from="legacy")
    added = [suggestion(keyword=keyword, department=department) for keyword in ("=new(1)", "@more(1)")]
    (folder / "suggested").mkdir()
    write_suggestions(folder / "suggested", added, origin)
    mark_json(folder / "suggested" / "suggestions.json", {1: "accept", 2: "reject"})
    marked = folder / "suggested" / "suggestions.json"
    verb("suggest", "apply", marked, "--table", table, "--out", folder / "next.csv", *toy)
    return folder


OURS = {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "code", "pre", "strong"}
"""Tags of what we mean as Markdown."""


def files(folder, *endings):
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name.endswith(endings)]
    return [
        path
        for path in found
        if "=cmd(1)" not in str(path)
        and path.name != "titles.csv"
        and "/models/" not in str(path)
        and "/systems/" not in str(path)
    ]


def live(cell):
    return isinstance(cell, str) and escape_cell(cell) != cell and not cell.startswith("'")


def test_tables_that_quote_leads_are_among_what_is_written(written):
    names = {path.name for path in files(written, ".csv")}
    assert {"suspect_labels.csv", "errors.csv", "inconsistent_titles.csv", "quarantine.csv"} <= names
    for path in files(written, "suspect_labels.csv", "errors.csv"):
        assert len(path.read_text().splitlines()) > 1, path


def test_no_cell_of_a_csv_file_is_a_formula(written):
    found = []
    for path in files(written, ".csv", ".csv.gz"):
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.name.endswith(".gz") else content).decode()
        for number, row in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
            found += [(str(path.relative_to(written)), number, cell) for cell in row if live(cell)]
    assert found == []


def test_no_cell_of_a_workbook_is_a_formula(written):
    found = []
    for path in files(written, ".xlsx"):
        for sheet in openpyxl.load_workbook(path):
            for row in sheet.iter_rows():
                found += [
                    (path.name, sheet.title, cell.coordinate, cell.value)
                    for cell in row
                    if cell.data_type == "f" or (sheet.sheet_state == "visible" and live(cell.value))
                ]
    assert found == []


def test_a_keyword_table_reads_back_as_it_was(written):
    place = written / "=cmd(1) <script>alert(1)<"
    taxonomy = Taxonomy.read(place / "taxonomy.yaml")
    given = KeywordTable.read(place / "=keywords(1).csv", taxonomy).rows
    copied, amended = (KeywordTable.read(written / name, taxonomy).rows for name in ("model/keywords.csv", "next.csv"))
    assert given["keyword"].tolist()[:2] == [FORMULA, SUM]
    pd.testing.assert_frame_equal(given, copied)
    assert amended["keyword"].tolist() == [*given["keyword"], "=new(1)"]


def test_cleaned_leads_read_back_as_they_were(written):
    taxonomy = Taxonomy.read(written / "=cmd(1) <script>alert(1)<" / "taxonomy.yaml")
    columns = LeadColumns(title="What you do", targets={"department": "Dept", "seniority": "Grade"}, count="Times")
    for name in ("clean.csv", "sheet.of.clean.xlsx"):
        leads = open_leads(written / name, columns, None, taxonomy, None, lambda _: None).leads
        assert {FORMULA, SUM, SCRIPT} < set(leads["title"])
        assert set(leads["department"]) == {"=1+1 <b>class</b>", "Garden"}


OWN_SCRIPT = resources.files("harness.reporting").joinpath("page.js").read_text(encoding="utf-8")


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []
        self.scripts = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, text):
        if self.found and self.lasttag == "script" and self.cdata_elem == "script":
            self.scripts.append((self.found[-1][1].get("type"), text))


def test_no_page_has_markup_of_a_file(written):
    for path in files(written, ".html"):
        page = Tags()
        page.feed(path.read_text())
        assert "b" not in {tag for tag, _ in page.found}, path.name
        assert [text for kind, text in page.scripts if kind is None] == [OWN_SCRIPT], path.name
        assert all(json.loads(text) for kind, text in page.scripts if kind is not None), path.name
        assert len(page.scripts) == [tag for tag, _ in page.found].count("script"), path.name
        assert not [1 for _, attributes in page.found if any(name.startswith("on") for name in attributes)], path.name


def test_no_markdown_has_markup_of_a_file(written):
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    for path in files(written, ".md"):
        page = Tags()
        page.feed(markdown.render(path.read_text()))
        obeyed = {tag for tag, _ in page.found} - OURS
        assert obeyed == set(), str(path.relative_to(written))
        lines = path.read_text().splitlines()
        widths = [len(re.sub(r"\\.", "", line).split("|")) if line.startswith("|") else 0 for line in lines]
        assert not [1 for one, next_one in itertools.pairwise(widths) if 0 not in (one, next_one) and one != next_one]
