"""The verb `check` on files of leads: what it says holds when it is counted by hand."""

import csv
import re
from collections import Counter

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from data_cleaning.labelled_files import read_labelled
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.config import PROJECT_CONFIGS
from tests.called_verb import exit_code_of
from tests.html_check import assert_valid_page

TITLES = {
    "CISO": 6, "Security Engineer": 40, "Director of Catering": 12, "Network Administrator": 9, "Threat Hunter": 11,
    "Sales Manager": 20, "Accountant": 8, "Former CISO": 3, "asdf": 2, "Geschäftsführer": 5, "Database Coordinator": 4,
    "Court Security Officer": 4, "Business Continuity and Disaster Recovery Lead": 2, "": 7,
}  # fmt: skip


@pytest.fixture
def leads(tmp_path):
    """Return a file in which every other record is of another event."""
    rows = [title for title, count in TITLES.items() for _ in range(count)]
    with (tmp_path / "leads.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["Person", "Job Title", "Event"])
        writer.writerows((f"P{at}", title, ("RSA", "Webinar")[at % 2]) for at, title in enumerate(rows))
    return tmp_path / "leads.csv"


@pytest.fixture
def check(capsys):
    """Run the verb; return its exit code, stdout and stderr."""

    def run(*arguments):
        code = exit_code_of("check", *arguments)
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return code, shown.out, shown.err

    return run


def sheets(path):
    """Return each sheet as a list of dicts, the overview as a list of its lines."""
    book = CalamineWorkbook.from_path(path)
    read = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    overview = [str(row[0]) for row in read.pop("Overview")]
    return overview, {name: [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] for name, rows in read.items()}


def by_hand(path):
    """Return for each title the label that each target gets by the shipped table, None for none; read without it."""
    with path.open(encoding="utf-8") as opened:
        table = list(csv.DictReader(opened))
    answers = {}
    for title in filter(None, TITLES):
        words = " " + re.sub(r"[^\w]+", " ", title.lower()) + " "
        hits = []
        for at, row in enumerate(table):
            keyword = row["keyword"].lower()
            found = keyword in title.lower() if not row["match"] else False
            found = f" {keyword} " in words if row["match"] == "word" else found
            found = f" {keyword}" in words if row["match"] == "prefix" else found
            if found:
                hits.append((float(row["priority"]), -len(keyword), at, row))
        hits.sort(key=lambda hit: hit[:3])
        answers[title] = {
            target: next((row[target] for *_, row in hits if row[target]), None)
            for target in ("function", "role", "level")
        }
    return answers


def test_the_overview_says_what_a_count_by_hand_says(leads, check):
    code, out, _ = check(leads)
    assert code == 0
    answers = by_hand(PROJECT_CONFIGS / "keywords/2023.csv")
    n_all, n_titled = sum(TITLES.values()), sum(TITLES.values()) - TITLES[""]
    titled = f"{n_titled / n_all:.1%} of them with a title ({n_titled})"
    assert f"leads.csv has {n_all} records, {titled}; there are 13 distinct titles." in out
    assert "No table was given, so that the shipped one answers" in out

    def share(holds):
        return f"{sum(TITLES[title] for title, labels in answers.items() if holds(labels)) / n_titled:.1%}"

    known = share(lambda labels: any(labels.values()))
    assert f"has a row that matches for {known} of the records with a title" in out
    decided = [f"the {name} of {share(lambda labels, name=name: labels[name])}" for name in ("function", "role")]
    assert f"A row decides {', '.join(decided)} and the level of {share(lambda labels: labels['level'])}" in out
    # CISOs, former ones apart, security engineers and network administrators; "cto" is in "Director of Catering", and
    # "coo" in "Database Coordinator", which is no chief to the hierarchy.
    overview, found = sheets(leads.with_name("leads_check.xlsx"))
    segments = Counter()
    for row in found["Event in depth"]:
        if row["Event"] != "(all records)":
            segments[row["segment"]] += row["records"]
    assert segments.total() == n_all
    assert segments["(no title)"] == TITLES[""]
    ideal = segments["Ideal customers"]
    assert f"Of {n_all} records, {ideal / n_all:.1%} are ideal customers" in out
    assert any(line.startswith("1. ") for line in overview)


def test_suspicious_titles_are_named_with_their_reason_and_their_records(leads, check):
    check(leads)
    _, found = sheets(leads.with_name("leads_check.xlsx"))
    kinds = {row["title"]: (row["kind"], int(row["records"])) for row in found["Suspicious titles"]}
    assert kinds["Threat Hunter"] == ("no row matches", 11)
    assert kinds["Director of Catering"] == ("matched only inside a word", 12)
    assert kinds["Former CISO"] == ("a rank that is not held", 3)
    assert kinds["Court Security Officer"] == ("labels and place disagree", 4)
    assert kinds["asdf"] == ("not a title", 2)
    assert kinds["Geschäftsführer"] == ("in another language", 5)
    assert kinds["Business Continuity and Disaster Recovery Lead"] == ("rows disagree", 2)
    assert not {"CISO", "Security Engineer", "Sales Manager"} & set(kinds)
    records = [row["records"] for row in found["Suspicious titles"]]
    assert records == sorted(records, reverse=True)
    director = next(row for row in found["Suspicious titles"] if row["title"] == "Director of Catering")
    assert "'cto' (line 161) is only inside 'director'" in director["why"]
    assert director["e.g. Event"] == "RSA; Webinar"


def test_keywords_words_and_problems_of_the_file_are_listed_with_their_records(leads, check):
    check(leads)
    _, found = sheets(leads.with_name("leads_check.xlsx"))
    first = found["Keywords"][0]
    assert (first["keyword"], first["records"], first["problem"]) == ("cto", 12, "decides inside longer words")
    words = {row["word or phrase"]: row["records without any row"] for row in found["New words"]}
    assert words["threat hunter"] == 11
    problems = {row["what"]: row["records"] for row in found["File"]}
    assert problems["Records without a title in 'Job Title'"] == 7


def test_the_page_says_the_same_as_the_workbook(leads, check):
    _, out, _ = check(leads)
    assert_valid_page(leads.with_name("leads_check.html"))
    page = leads.with_name("leads_check.html").read_text(encoding="utf-8")
    for heading in ("Hierarchy", "By Event", "Suspicious titles", "Keywords", "New words", "Titles to label", "File"):
        assert f">{heading}</h2>" in page
    assert out.splitlines()[0] in page


def test_nothing_is_replaced_without_force_and_nothing_is_written_for_bad_input(leads, check):
    assert check(leads)[0] == 0
    before = leads.with_name("leads_check.xlsx").read_bytes()
    code, _, err = check(leads)
    assert code == 2
    assert "replace it with --force" in err
    assert check(leads, "--force")[0] == 0
    assert leads.with_name("leads_check.xlsx").read_bytes() == before
    for arguments, message in (
        (["--by", "Evnt"], "Did you mean 'Event'"),
        (["--title-column", "Name"], "Unknown column 'Name'"),
        (["--out", leads.with_name("check.csv")], "no XLSX file"),
        (["--table", leads.with_name("none.csv")], "No keyword table"),
    ):
        code, _, err = check(leads, "--force", "--out", leads.with_name("other.xlsx"), *arguments)
        assert code == 2, arguments
        assert message in err
        assert err.count("Error:") == 1
        assert not leads.with_name("other.xlsx").exists()


def test_labels_of_another_company_need_neither_taxonomy_nor_hierarchy(leads, check, tmp_path):
    (tmp_path / "ours.csv").write_text(
        "keyword,priority,Department,Rank\nsecurity,1,Cyber,\nnetwork,1,Wires & Air,\nciso,1,Cyber,Boss\n"
        "manager,2,,Lead\nengineer,2,,Worker\ndirector,2,Other,Boss\n"
    )
    code, out, _ = check(leads, "--table", tmp_path / "ours.csv", "--by", "Event")
    assert code == 0
    assert "its own columns and labels are used: Department, Rank" in out
    assert "There is no hierarchy" in out
    assert "By Department: Other" in out
    _, found = sheets(leads.with_name("leads_check.xlsx"))
    labels = {(row["target"], row["label"]): row["records"] for row in found["Labels"]}
    assert labels["Department", "Cyber"] == 40 + 6 + 3 + 4
    assert labels["Rank", "Boss"] == 6 + 3 + 12
    assert labels["Rank", "(no row)"] == sum(TITLES.values()) - TITLES[""] - labels["Rank", "Boss"] - 20 - 40
    in_depth = [row for row in found["Event in depth"] if row["Department"] == "Cyber"]
    assert sum(row["records"] for row in in_depth if row["Event"] != "(all records)") == labels["Department", "Cyber"]


def test_a_given_taxonomy_and_hierarchy_are_used(leads, check, company):
    table, taxonomy = company.folder / "keywords.csv", company.folder / "taxonomy.yaml"
    code, out, _ = check(leads, "--table", table, "--taxonomy", taxonomy)
    assert code == 0
    assert "There is no hierarchy" in out
    code, out, _ = check(leads, "--table", table, "--taxonomy", taxonomy, "--hierarchy", "none", "--force")
    assert code == 0
    assert "There is no hierarchy" not in out


def test_duplicate_rows_of_a_table_are_listed_not_refused(leads, check, tmp_path):
    shipped = (PROJECT_CONFIGS / "keywords/2023.csv").read_text()
    (tmp_path / "twice.csv").write_text(shipped + "ciso,1,IT,,,\n")
    code, _, _ = check(leads, "--table", tmp_path / "twice.csv")
    assert code == 0
    _, found = sheets(leads.with_name("leads_check.xlsx"))
    assert ("ciso", "repeats an earlier row") in {(row["keyword"], row["problem"]) for row in found["Keywords"]}


def test_titles_that_were_labelled_in_the_sheet_are_read_as_reviewed(leads, check, tmp_path):
    check(leads)
    book = load_workbook(leads.with_name("leads_check.xlsx"))
    sheet = book["Titles to label"]
    rules = sheet.data_validations.dataValidation
    taxonomy = Taxonomy.read(PROJECT_CONFIGS / "taxonomy.yaml")
    for column, target in enumerate(taxonomy.targets, start=2):
        (rule,) = [one for one in rules if sheet.cell(2, column).coordinate in one.cells]
        assert rule.formula1 == f'"{",".join(target.classes)}"'
    chosen = {sheet.cell(row, 1).value: row for row in range(2, 6)}
    for row in chosen.values():
        for column, label in enumerate(("IT", "Networking", "Manager"), start=2):
            sheet.cell(row, column).value = label
    book.save(tmp_path / "filled.xlsx")
    read = read_labelled(tmp_path / "filled.xlsx", LeadColumns(), taxonomy)
    assert read.rows() == [(title, "IT", "Networking", "Manager") for title in chosen]
