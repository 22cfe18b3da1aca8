"""What the verbs `audit` and `diff` read, say and write."""

import csv
import json

import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files.output_places import MARK
from data_cleaning.progress import silent
from harness.cli.table_commands import table_settings
from harness.experiment.config_file import load_config
from harness.keywords.audit_and_diff import audit_file, diff_files
from tests.harness.given_leads import GIVEN
from tests.html_check import assert_valid_page

TABLE = """keyword,priority,department,seniority,match
nurse,5,Nursing,,
head nurse,6,Dept. of Nursing,,
chef,5,Kitchen,,word
=head,7,Kitchen,Head,
head,3,,Head,
"""


@pytest.fixture
def verb(company, tmp_path, monkeypatch):
    """Call a verb with the toy company's config; return what it says and what it returns."""
    monkeypatch.chdir(tmp_path)

    def call(function, *files, set_=(), **options):
        said: list[str] = []
        given = {"leads": None, "out": None, "title_column": None, "force": False, "on_progress": silent}
        settings = table_settings(load_config(company.config, set_))
        return said, function(*files, settings, **(given | options), announce=said.append)

    return call


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def read(folder, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_an_audit_counts_normalised_titles_and_holds_them_against_their_labels(verb, table, leads, tmp_path):
    said, done = verb(audit_file, table, leads=leads)
    assert done.page.parent.name == "table_audit"
    assert {*done.files, MARK} == {place.name for place in done.page.parent.iterdir()}
    assert done.page.name == "audit.html"
    assert_valid_page(done.page)
    rows = {row["keyword"]: row for row in read(done.page.parent, "rows")}
    # Head Nurse stands in three rows of 3, 1 and 1 records, once with two spaces; one is labelled Chief.
    assert (rows["nurse"]["titles"], rows["nurse"]["records"], rows["nurse"]["decided_records"]) == ("1", "5", "5")
    assert float(rows["nurse"]["precision_department_legacy"]) == 1
    assert float(rows["head"]["precision_seniority_legacy"]) == 0.8
    assert rows["chef"]["judged_records_department_legacy"] == "1"
    assert rows["head nurse"]["verdict"] == "unreachable because of line 2 ('nurse')"
    assert rows["'=head"]["verdict"] == "never fired"
    assert "title from 'What you do'" in said[1]
    assert said[2] == "Left out: 1 record without a title."
    assert said[3] == (
        "Audited on 3 distinct titles of 8 records in leads.csv, held against consensus (2 titles), legacy (3 titles)."
    )
    page = done.page.read_text(encoding="utf-8")
    assert said[3] in page
    assert done.findings.frame["why"].tolist() == [row["sentence"] for row in read(done.page.parent, "findings")][:15]
    assert json.loads((done.page.parent / MARK).read_text())["leads"] == "leads.csv"


def test_the_page_shows_what_costs_most_first_and_counts_the_rest(verb, table, tmp_path):
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    table.write_text("keyword,priority,department,seniority\n" + "".join(f"{word},1,Kitchen,\n" for word in words))
    with table.open("a") as opened:
        opened.write("nurse,2,Nursing,\n")
    lines = [f"{word} nurse,{'Nursing' if word == 'wordz' else 'Kitchen'},,{30 - at}" for at, word in enumerate(words)]
    (tmp_path / "own.csv").write_text("\n".join(["What you do,Dept,Grade,Times", *lines]) + "\n")
    _, done = verb(audit_file, table, leads=tmp_path / "own.csv")
    page = done.page.read_text(encoding="utf-8")
    conflicts = page[page.index('id="conflicts"') :]
    # Most records are right; of 26 pairs the one that is wrong has fewest, but comes first, and 20 are shown.
    assert conflicts.index("<td>wordz</td>") < conflicts.index("<td>worda</td>")
    assert "<td>wordt</td>" not in conflicts
    assert "6 more, and every figure, in" in conflicts


def test_whole_numbers_stay_whole_beside_missing_ones(verb, table, leads):
    table.write_text(TABLE + "chef cook,9,Kitchen,,word\nchef,9,,Head,word\nCHEF,9,,Head,word\n")
    _, done = verb(audit_file, table, leads=None)
    assert {row[1] for row in done.findings.shown().rows} == {"–"}
    assert str(done.findings.frame["records"].dtype) == "Int64"


def test_only_titles_are_needed_of_leads(verb, table, tmp_path):
    pl.DataFrame({"Rolle": ["Head  Nurse", " ", "Nurse\u200b"]}).write_parquet(tmp_path / "bare.parquet")
    options = ["leads.columns.targets={}", "leads.columns.count=null"]
    said, done = verb(audit_file, table, leads=tmp_path / "bare.parquet", title_column="Rolle", set_=options)
    assert read(done.page.parent, "rows")[0]["records"] == "2"
    assert said[-1].endswith("2 records in bare.parquet, which have no labels to hold the table against.")
    assert "There are no labels" in done.findings.note


def test_blank_labels_are_not_held_against_a_row(verb, table, tmp_path):
    cells = {"What you do": ["nurse", "nurse"], "Dept": ["  ", " Nursing "], "Grade": ["", None], "Times": ["3", "2"]}
    pl.DataFrame(cells).write_parquet(tmp_path / "blank.parquet")
    _, done = verb(audit_file, table, leads=tmp_path / "blank.parquet")
    row = read(done.page.parent, "rows")[0]
    assert (row["records"], row["judged_records_department_legacy"], row["wrong_records_legacy"]) == ("5", "2", "0")


def test_labelled_files_of_the_config_judge_as_well(verb, table, leads, tmp_path):
    truth, reviewed = tmp_path / "truth.csv", tmp_path / "reviewed.csv"
    truth.write_text("title,department,seniority\nHead Nurse,Surgery,Head\nElsewhere,Kitchen,Head\n")
    reviewed.write_text("title,department,seniority\nNobody,Kitchen,Head\n")
    said, done = verb(audit_file, table, leads=leads, set_=[f"truth={truth}", f"reviewed.path={reviewed}"])
    assert "Truth from truth.csv: 1 of its 2 titles are in the leads." in said
    assert "Reviewed from reviewed.csv: 0 of its 1 titles are in the leads." in said
    row = read(done.page.parent, "rows")[0]
    assert (row["judged_records_department_truth"], row["precision_department_truth"]) == ("5", "0.0")
    assert "judged_records_department_reviewed" not in row


def test_without_leads_it_says_what_is_not_known(verb, table):
    said, done = verb(audit_file, table)
    assert said == ["What rows hit, decide and get wrong is not known without leads; name some with --leads."]
    assert {file.removesuffix(".csv") for file in done.files} == {
        *("audit.html", "findings", "rows", "duplicates", "questions", "clashes"),
    }
    assert "'head nurse' (line 3) can never decide a title" in done.page.read_text(encoding="utf-8").replace(
        "&#39;", "'"
    )


@pytest.mark.parametrize("with_leads", [True, False])
def test_a_table_that_repeats_itself_is_audited_and_says_so(verb, table, leads, with_leads):
    table.write_text(TABLE + "NURSE,1,Kitchen,,\n")
    said, done = verb(audit_file, table, leads=leads if with_leads else None)
    note = (
        "1 row of table.csv repeats what an earlier one sets. The earlier one was kept; other verbs refuse the table."
    )
    assert note in said
    assert note in done.page.read_text(encoding="utf-8")
    assert read(done.page.parent, "duplicates") == [
        {
            **{"line": "7", "first_line": "2", "keyword": "NURSE", "match": "substring", "target": "department"},
            **{"label": "Kitchen", "first_label": "Nursing", "agree": "false"},
        }
    ]
    assert done.findings.frame["why"].iloc[0].startswith("'NURSE' (line 7) repeats the department that line 2 sets")
    with pytest.raises(BadInput, match="repeats the department"):
        verb(diff_files, table, table)


def test_keywords_and_titles_are_escaped_on_the_page_and_in_the_files(verb, table, tmp_path):
    table.write_text(TABLE + "<b>bold,1,Kitchen,,\n")
    (tmp_path / "odd.csv").write_text("What you do,Times\n<b>bold,1\n=head nurse,2\n")
    _, done = verb(audit_file, table, leads=tmp_path / "odd.csv", set_=["leads.columns.targets={}"])
    page = done.page.read_text(encoding="utf-8")
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page
    for file in done.page.parent.glob("*.csv"):
        cells = [cell for row in read(done.page.parent, file.stem) for cell in row.values()]
        assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Dept. of Nursing", "Dept. of Nursng"), "Unknown department label 'Dept. of Nursng'. Did you mean"),
        (("What you do", "Job"), "Name the column of titles with --title-column"),
        (("Times", "Tmes"), "Unknown column 'Times'"),
    ],
)
def test_bad_leads_are_one_message_and_nothing_is_written(verb, table, leads, tmp_path, change, message):
    leads.write_text(GIVEN.replace(*change, 1))
    for function, files in ((audit_file, [table]), (diff_files, [table, table])):
        out = tmp_path / "out.csv"
        with pytest.raises(BadInput, match=r"leads\.csv|Unknown department") as caught:
            verb(function, *files, leads=leads, out=out)
        assert message in str(caught.value)
        assert sorted(place.name for place in tmp_path.iterdir()) == ["leads.csv", "table.csv"]


def test_leads_that_cannot_be_read_are_set_aside_and_the_others_count(verb, table, leads, tmp_path):
    expected = verb(audit_file, table, leads=leads, out=tmp_path / "whole")[1].findings.frame
    leads.write_text(GIVEN + "013,Cook,Kitchen,Head,1,x,more\n")
    said, done = verb(audit_file, table, leads=leads)
    assert done.findings.frame.equals(expected)
    assert (done.rejects, done.files[-1]) == (done.page.with_name("rejects.csv"), "rejects.csv")
    assert read(done.page.parent, "rejects")[0] == {
        **{"line": "8", "reason": "has 7 fields, expected 6", "text": "013,Cook,Kitchen,Head,1,x,more"}
    }
    sentence = "1 row set aside, as not readable: line 8 has 7 fields, expected 6."
    assert sentence in said
    assert sentence in done.page.read_text()

    said, compared = verb(diff_files, table, table, leads=leads, out=tmp_path / "out.csv")
    assert compared.n_rejects == 1
    assert [place.name for place in compared.written] == ["out.csv", "out.rows.csv", "out.csv.rejects.csv"]
    assert read(tmp_path, "out.csv.rejects")[0]["text"] == "013,Cook,Kitchen,Head,1,x,more"


def test_leads_without_any_title_are_bad_input(verb, table, tmp_path):
    (tmp_path / "blank.csv").write_text("What you do,Times,x\n,1,a\n  ,2,a\n")
    with pytest.raises(BadInput, match=r"blank\.csv has no title in any row"):
        verb(audit_file, table, leads=tmp_path / "blank.csv", set_=["leads.columns.targets={}"])


def test_an_audit_is_replaced_only_if_forced_and_a_foreign_folder_never(verb, table, leads, tmp_path):
    verb(audit_file, table, leads=leads)
    with pytest.raises(BadInput, match="--force"):
        verb(audit_file, table)
    _, done = verb(audit_file, table, force=True)
    assert not (done.page.parent / "conflicts.csv").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(BadInput, match="was not made by 'audit'"):
        verb(audit_file, table, out=tmp_path / "mine", force=True)
    inside = done.page.parent / "table.csv"
    table.rename(inside)
    with pytest.raises(BadInput, match="which would be replaced"):
        verb(audit_file, inside, out=done.page.parent, force=True)
    assert inside.exists()


@pytest.fixture
def new_table(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(TABLE.replace("nurse,5,Nursing", "nurse,5,Surgery").replace("chef,5", "chef,4"))
    return path


def test_a_difference_names_titles_and_rows_and_is_written(verb, table, new_table, leads, tmp_path):
    said, done = verb(diff_files, table, new_table, leads=leads, out=tmp_path / "moved.csv")
    assert [shown.name for shown in done.tables] == ["summary", "rows", "titles"]
    assert (done.n_rows, done.n_titles) == (2, 1)
    assert done.written == (tmp_path / "moved.csv", tmp_path / "moved.rows.csv")
    assert said[2] == "Left out: 1 record without a title."
    titles = read(tmp_path, "moved")
    assert len(titles) == 1
    expected = {"title": "Head Nurse", "records": "5", "old_class": "Nursing", "new_class": "Surgery"}
    assert expected.items() <= titles[0].items()
    assert (titles[0]["verdict"], titles[0]["worse_records"]) == ("worse", "5")
    rows = read(tmp_path, "moved.rows")
    assert [(row["change"], row["keyword"], row["records"]) for row in rows] == [
        *(("relabelled", "nurse", "5"), ("re-prioritised", "chef", "0")),
    ]
    assert done.tables[0].frame["records"].tolist() == [5, 0, 5]
    assert done.tables[1].frame["why"].tolist() == ["department: Nursing to Surgery", "priority 5 to 4"]
    assert done.tables[2].frame["verdict"].tolist() == ["worse"]


def test_rows_that_changed_places_are_not_counted_as_changed(verb, leads, tmp_path):
    header, rows = "keyword,priority,department,seniority", ["nurse,5,Nursing,", "ead n,5,Garden,"]
    for name, lines in (("old", rows), ("new", rows[::-1])):
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    _, done = verb(diff_files, tmp_path / "old.csv", tmp_path / "new.csv", leads=leads)
    assert (done.n_rows, done.n_titles) == (0, 1)
    assert done.tables[1].frame["change"].tolist() == ["reordered"]


def test_without_leads_a_difference_is_that_of_rows(verb, table, new_table, tmp_path):
    said, done = verb(diff_files, table, new_table, out=tmp_path / "rows.parquet")
    assert said == ["Which titles change is not known without leads; name some with --leads."]
    assert [shown.name for shown in done.tables] == ["rows"]
    assert (done.n_rows, done.n_titles, done.written) == (2, None, (tmp_path / "rows.parquet",))
    assert pl.read_parquet(tmp_path / "rows.parquet")["keyword"].to_list() == ["nurse", "chef"]


def test_a_difference_is_written_only_where_it_is_asked_for_and_may_be(verb, table, new_table, leads, tmp_path):
    before = sorted(tmp_path.iterdir())
    assert verb(diff_files, table, new_table, leads=leads)[1].written == ()
    assert sorted(tmp_path.iterdir()) == before
    (tmp_path / "moved.rows.csv").write_text("mine")
    with pytest.raises(BadInput, match=r"moved\.rows\.csv exists already"):
        verb(diff_files, table, new_table, leads=leads, out=tmp_path / "moved.csv")
    assert not (tmp_path / "moved.csv").exists()
    verb(diff_files, table, new_table, leads=leads, out=tmp_path / "moved.csv", force=True)
    assert "relabelled" in (tmp_path / "moved.rows.csv").read_text()
    for read_file in (table, new_table, leads):
        with pytest.raises(BadInput, match="is the file that is read"):
            verb(diff_files, table, new_table, leads=leads, out=read_file, force=True)


def test_only_the_first_lines_are_shown_and_long_titles_cut(verb, table, new_table, tmp_path):
    titles = pl.DataFrame({"Title": [f"nurse {number} {'x' * 50}" for number in range(30)]})
    titles.write_csv(tmp_path / "many.csv")
    options = ["leads.columns.targets={}", "leads.columns.count=null"]
    _, done = verb(diff_files, table, new_table, leads=tmp_path / "many.csv", title_column="Title", set_=options)
    shown = done.tables[2]
    assert (len(shown.frame), shown.note) == (20, "The first 20 of 30.")
    assert shown.frame["title"].str.len().max() == 40
    assert "verdict" not in shown.frame


def test_the_first_record_with_an_unknown_label_is_the_first_of_the_file(verb, table, tmp_path):
    # Records of one title and label are merged before labels are looked up, among many others.
    rows = [f"Cook {number % 40},Kitchen,Head,1" for number in range(500)]
    rows[12], rows[300] = "Nurse,Kitchn,Head,1", "Assistant,Kitchn,Head,1"
    leads = tmp_path / "leads.csv"
    leads.write_text("\n".join(["What you do,Dept,Grade,Times", *rows]))
    for _ in range(5):
        with pytest.raises(BadInput, match=r"Records that have it: 2, the first is 13 \('Nurse'\)"):
            verb(audit_file, table, leads=leads)


def test_a_row_that_never_fires_comes_with_the_reason(verb, tmp_path):
    table = tmp_path / "table.csv"
    rows = [
        "nurs*,1,Nursing,,word",
        "Sep-24,1,Kitchen,,",
        "urse,1,Nursing,,word",
        "head-nurse,1,Nursing,,",
        "zoo,1,Garden,,",
    ]
    table.write_text(
        "\n".join(["keyword,priority,department,seniority,match", *rows, "nurse,2,Nursing,,", ",,,,"]) + "\n"
    )
    leads = tmp_path / "leads.csv"
    leads.write_text("What you do,Dept,Grade,Times\nHead Nurse,,,2\nNurse,,,1\n")
    said, done = verb(audit_file, table, leads=leads)
    assert "Rows without any text, left out: 1." in said
    assert [row["never_because"] for row in read(done.page.parent, "rows")][2:] == [
        "it occurs only inside longer words (3 records); match 'substring' finds it there",
        "other signs separate its words (2 records); match 'word' finds it there",
        "",
        "",
    ]
    why = done.findings.frame["why"].tolist()
    assert why[0] == (
        "'nurs*' (line 2) hits 0 records: it is sought as it is written, not as a pattern; give the beginning of a "
        "word with match 'prefix'; a star counts with match 'gap' or 'mask'."
    )
    assert why[1].startswith("'Sep-24' (line 3) hits 0 records: a spreadsheet program may have turned a word or")
    assert any("'urse' (line 4), as it occurs only inside longer words (3 records)" in one for one in why)
    assert sum("it is sought as it is written, not as a pattern" in one for one in why) == 1
    assert [row["line"] for row in read(done.page.parent, "questions")] == ["2", "3"]
    _, bare = verb(audit_file, table, out=tmp_path / "bare")
    assert bare.findings.frame["why"].iloc[0].startswith("'nurs*' (line 2): it is sought as it is written")


def test_a_comparison_says_how_the_tables_were_read(verb, table, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(table.read_text().replace("nurse", "nurse ", 1))
    said, done = verb(diff_files, table, other)
    assert "other.csv: Read 1 keyword otherwise than written: line 2 'nurse ' as 'nurse'." in said
    assert done.n_rows == 0
