"""The verb that tags a file, from the command line to the files that it writes."""

import csv
import datetime
import zipfile

import openpyxl
import pandas as pd
import pytest
import yaml

from harness.scoring.reliability import Reliability
from harness.tagging.models import open_run
from tests.called_verb import exit_code_of
from tests.harness.tagging.given_run import HIERARCHY, toy_run

FOLLOW_UP = """\
groups: {carers: [Care]}
follow_up:
  most: 2
  ranks: [{name: heads, nodes: [Care], bands: [Upper]}, {name: others, nodes: [Care]}]
"""


@pytest.fixture(scope="module")
def run_folder(company):
    return toy_run(company.config)


@pytest.fixture
def hierarchy(tmp_path):
    path = tmp_path / "hierarchy.yaml"
    path.write_text(HIERARCHY + FOLLOW_UP)
    return path


@pytest.fixture
def predict(run_folder, capsys):
    """Call the verb with the toy company's run; return its exit code and what it says on stderr."""

    def call(leads, out, *options, system="keyword", where=None):
        arguments = ["predict", leads, "--out", out, *(where or ["--run", run_folder]), *options]
        arguments += ["--system", system] if system else []
        code = exit_code_of(*arguments)
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return code, said

    return call


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened))


def written(tmp_path, text, name="leads.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_columns_and_rows_are_kept_and_labels_come_beside_them(predict, tmp_path):
    leads = written(tmp_path, 'id,What you do,note\n007,head nurse,\n008,,x\n009,Chief COOK,"a,b"\n010,head nurse,\n')
    code, said = predict(leads, tmp_path / "out.csv")
    tagged = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert code == 0, said
    assert list(tagged.columns) == [
        *("id", "What you do", "note"),
        *("department", "seniority", "confidence", "review", "review_reason"),
    ]
    assert tagged["id"].tolist() == ["007", "008", "009", "010"]
    assert tagged["note"].tolist() == ["", "x", "a,b", ""]
    assert tagged["department"].tolist() == ["Nursing", "", "Kitchen", "Nursing"]
    assert tagged["seniority"].tolist() == ["Head", "", "Chief", "Head"]
    assert tagged["review"].tolist() == ["false", "true", "false", "false"]
    assert tagged["review_reason"].tolist() == ["", "no title", "", ""]
    assert 0.5 < float(tagged["confidence"][0]) <= 1
    assert tagged["confidence"][1] == ""
    assert "2 distinct titles answered, 1 row without a title, 1 row for review" in said
    assert said.rstrip().endswith("0 rows could not be read.")


def test_a_damaged_title_is_answered_for_as_repaired_kept_as_it_came_and_counted(predict, tmp_path, hierarchy):
    damaged = ["head&nbsp;nurse", "head nur\u00adse", "chief&#32;cook", "Nurse â€“ head"]
    leads = written(tmp_path, "What you do\n" + "".join(f"{title}\n" for title in [*damaged, "head nurse"]))
    code, said = predict(leads, tmp_path / "out.csv", "--hierarchy", hierarchy)
    tagged = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert code == 0, said
    assert tagged["What you do"].tolist() == [*damaged, "head nurse"]
    assert tagged["department"].tolist() == ["Nursing", "Nursing", "Kitchen", "Nursing", "Nursing"]
    assert "4 records with double-decoded text, HTML entities or invisible characters." in said
    overview = pd.read_csv(tmp_path / "out.summary_overview.csv").set_index("figure")
    assert overview.loc["with a title that was repaired", "records"] == 4


def test_a_hierarchy_adds_places_a_summary_a_crosswalk_and_a_follow_up_list(predict, tmp_path, hierarchy):
    titles = ["head nurse", "chief surgeon", "cook", "nurse", "", "head nurse"]
    leads = written(
        tmp_path,
        "What you do,Event\n" + "".join(f"{title},{event}\n" for title, event in zip(titles, "AABBBA", strict=True)),
    )
    code, said = predict(leads, tmp_path / "out.csv", "--hierarchy", hierarchy, "--by", "Event")
    tagged = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert code == 0, said
    assert list(tagged.columns[-6:]) == ["confidence", "review", "review_reason", "area", "team", "rank"]
    assert tagged["team"].tolist() == ["Heads of care", "Heads of care", "", "Nurses", "", "Heads of care"]
    assert tagged["area"].tolist() == ["Care", "Care", "House", "Care", "", "Care"]
    summary = pd.read_csv(tmp_path / "out.summary.csv")
    care = summary[(summary["area"] == "Care") & summary["team"].isna()].iloc[0]
    assert (care["records"], care["Upper"], care["Lower"]) == (4, 3, 1)
    by_event = pd.read_csv(tmp_path / "out.summary_by_Event.csv").set_index("Event")
    assert by_event.loc["A", "records"] == 3
    follow_up = pd.read_csv(tmp_path / "out.follow_up.csv")
    assert follow_up["follow_up_rank" if "follow_up_rank" in follow_up else "rank"].tolist()[:2] == ["heads", "heads"]
    assert follow_up["What you do"].str.contains("head|chief").all()
    assert len(follow_up) == 2
    assert (tmp_path / "out.crosswalk.csv").exists()
    assert openpyxl.load_workbook(tmp_path / "out.summary.xlsx").sheetnames
    assert "records" in said


def test_all_fields_add_what_each_label_and_place_stand_on(predict, tmp_path, hierarchy):
    leads = written(tmp_path, 'What you do\nhead nurse\n""\nchief cook\n')
    code, said = predict(leads, tmp_path / "out.csv", "--hierarchy", hierarchy, "--fields", "all")
    tagged = pd.read_csv(tmp_path / "out.csv", keep_default_na=False, dtype=str)
    assert code == 0, said
    assert list(tagged.columns[1:]) == [
        *("department", "department_confidence", "department_keyword"),
        *("seniority", "seniority_confidence", "seniority_keyword"),
        *("confidence", "review", "review_reason", "area", "team", "rank", "new_seniority"),
        *("hierarchy_confidence", "hierarchy_rule", "hierarchy_version"),
    ]
    assert tagged["department_keyword"].tolist() == ["nurse", "", "cook"]
    assert tagged["hierarchy_version"].tolist() == ["2027.1", "", "2027.1"]
    lowest = tagged[["department_confidence", "seniority_confidence"]].min(axis=1)
    assert tagged["confidence"].tolist() == lowest.tolist()
    names = ("--fields", "seniority, review,seniority", "--prefix", "new_")
    predict(leads, tmp_path / "few.csv", "--hierarchy", hierarchy, *names)
    assert rows_of(tmp_path / "few.csv")[0] == ["What you do", "new_seniority", "new_review"]


def test_a_spreadsheet_keeps_its_formats_and_merged_cells_count_for_all_their_rows(predict, tmp_path, hierarchy):
    book = openpyxl.Workbook()
    for row in (["Event", "id", "Day", "What you do"], *([None, 7, datetime.date(2026, 12, 31), "cook"],) * 10):
        book.active.append(row)
    book.active["A2"] = "Summit"
    book.active.merge_cells("A2:A11")
    for row in range(2, 12):
        book.active.cell(row, 2).number_format, book.active.cell(row, 3).number_format = "000000", "dd/mm/yyyy"
    book.save(tmp_path / "leads.xlsx")
    code, said = predict(tmp_path / "leads.xlsx", tmp_path / "out.xlsx", "--hierarchy", hierarchy, "--by", "Event")
    assert code == 0, said
    _, *rows = openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(max_col=3)
    assert len(rows) == 10
    for event, number, day in rows:
        assert (event.value, number.value, number.number_format) == ("Summit", 7, "000000")
        assert (day.value, day.number_format) == (datetime.datetime(2026, 12, 31), "dd/mm/yyyy")
    assert pd.read_csv(tmp_path / "out.summary_by_Event.csv").set_index("Event").loc["Summit", "records"] == 10
    assert predict(tmp_path / "leads.xlsx", tmp_path / "out.csv", "--hierarchy", "none")[0] == 0
    assert rows_of(tmp_path / "out.csv")[1][:4] == ["Summit", "000007", "2026-12-31", "cook"]


def test_without_a_hierarchy_there_is_nothing_to_break_down(predict, tmp_path):
    leads = written(tmp_path, "What you do,Event\ncook,A\n")
    code, said = predict(leads, tmp_path / "out.csv", "--by", "Event", "--hierarchy", "none")
    assert code == 2
    assert "--by" in said


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".xlsx"])
@pytest.mark.parametrize("given", [".csv", ".csv.gz", ".parquet", ".xlsx"])
def test_every_form_goes_in_and_out(predict, tmp_path, given, ending):
    frame = pd.DataFrame({"id": ["007", "8", "=1+1"], "What you do": ["head nurse", None, "café cook"], "n": [1, 2, 3]})
    leads, out = tmp_path / f"leads{given}", tmp_path / f"out{ending}"
    {
        ".parquet": lambda: frame.to_parquet(leads, index=False),
        ".xlsx": lambda: frame.to_excel(leads, index=False),
    }.get(given, lambda: frame.to_csv(leads, index=False))()
    if given == ".xlsx":  # so that the formula is text there
        book = openpyxl.load_workbook(leads)
        book.active["A4"].data_type = "s"
        book.save(leads)
    assert predict(leads, out)[0] == 0
    if ending == ".parquet":
        tagged = pd.read_parquet(out).astype({"id": str})
    elif ending == ".xlsx":
        tagged = pd.read_excel(out, dtype={"id": str}, engine="openpyxl")
    else:
        tagged = pd.read_csv(out, dtype={"id": str})
    assert tagged["id"].tolist() == ["007", "8", "=1+1" if ending == ".parquet" else "'=1+1"]
    assert tagged["What you do"].fillna("").tolist() == ["head nurse", "", "café cook"]
    assert tagged["n"].astype(int).tolist() == [1, 2, 3]
    assert tagged["department"].fillna("").tolist() == ["Nursing", "", "Kitchen"]


def test_a_parquet_file_keeps_its_types(predict, tmp_path):
    leads, out = tmp_path / "any.parquet", tmp_path / "out.parquet"
    given = pd.DataFrame(
        {
            "_title": [1.5, 2.5],
            "What you do": ["head nurse", None],
            "day": pd.to_datetime(["2023-01-01"] * 2),
            "tags": [["a"], []],
        }
    )
    given.to_parquet(leads)
    assert predict(leads, out)[0] == 0
    tagged = pd.read_parquet(out)
    pd.testing.assert_frame_equal(tagged[list(given.columns)], pd.read_parquet(leads))
    assert tagged["department"].tolist()[0] == "Nursing"
    assert pd.isna(tagged["department"][1])
    code, said = predict(leads, tmp_path / "out.csv")
    assert code == 2
    assert "'tags' holds" in said
    assert not (tmp_path / "out.csv.parts").exists()


def test_numbers_and_dates_of_a_spreadsheet_stay_what_they_are(predict, tmp_path):
    leads, out = tmp_path / "leads.xlsx", tmp_path / "out.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["What you do", "n", "day", "share", "yes"])
    book.active.append(["head nurse", 7, datetime.datetime(2026, 11, 26), 0.25, True])
    book.save(leads)
    assert predict(leads, out)[0] == 0
    header, row = openpyxl.load_workbook(out).active.iter_rows(values_only=True)
    assert row[:5] == ("head nurse", 7, datetime.datetime(2026, 11, 26), 0.25, True)
    assert row[header.index("department")] == "Nursing"


def test_rows_that_cannot_be_read_go_to_a_file_of_their_own(predict, tmp_path):
    leads = written(
        tmp_path, b'What you do,n\ncook,1\nnurse,2,3\nhead "nurse,4\n"chief cook,5\n\xff\xfe,6\ncaf\xc3\xa9 cook,7\n'
    )
    code, said = predict(leads, tmp_path / "out.csv")
    assert code == 3, said
    kept = rows_of(tmp_path / "out.csv")
    assert [row[1] for row in kept[1:]] == ["1", "4", "7"]
    line, *rejects = rows_of(tmp_path / "out.csv.rejects.csv")
    assert line == ["line", "reason", "text"]
    assert [(int(place), text) for place, _, text in rejects] == [
        (3, "nurse,2,3"), (5, '"chief cook,5'), (6, r"\xff\xfe,6"),
    ]  # fmt: skip
    assert said.rstrip().splitlines()[-1].startswith("3 rows could not be read; see ")


def test_rejects_of_an_earlier_job_do_not_stay(predict, tmp_path):
    leads, out = written(tmp_path, "What you do,n\ncook,1,2\n"), tmp_path / "out.csv"
    assert predict(leads, out)[0] == 3
    assert predict(leads, out)[0] == 2
    leads.write_text("What you do,n\ncook,1\n")
    assert predict(leads, out, "--force")[0] == 0
    assert not (tmp_path / "out.csv.rejects.csv").exists()


@pytest.mark.parametrize(
    ("encoding", "delimiter", "said"),
    [
        ("utf-8", ",", "UTF-8"),
        ("utf-8-sig", ";", "UTF-8"),
        ("utf-16", "\t", "UTF-16"),
        ("latin-1", "|", "Latin-1"),
    ],
)
def test_encoding_and_delimiter_are_found_out_and_said(predict, tmp_path, encoding, delimiter, said):
    text = f"What you do{delimiter}Name\nhead nurse{delimiter}José\ncook{delimiter}Anaïs\n"
    leads = written(tmp_path, text.encode(encoding))
    code, told = predict(leads, tmp_path / "out.csv")
    assert code == 0, said
    read = told.splitlines()[1]
    assert said in read
    assert f"'{delimiter}'" in read or (delimiter == "\t" and "tab" in read)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.reader(opened, delimiter=delimiter))
    assert [row[:2] for row in rows] == [["What you do", "Name"], ["head nurse", "José"], ["cook", "Anaïs"]]


def test_formulas_are_disarmed_and_counted_in_every_file_unless_it_is_to_be_raw(predict, tmp_path, hierarchy):
    leads = written(tmp_path, "What you do,=cmd,phone\n=HYPERLINK(1) nurse,@x,+49 30 1234\n=a,b,c,d\n")
    place = ("--hierarchy", hierarchy)
    code, said = predict(leads, tmp_path / "safe.csv", *place)
    assert code == 3
    assert "3 cells begin like a formula, and got an apostrophe" in said
    header, row = rows_of(tmp_path / "safe.csv")
    assert (header[1], *row[:3]) == ("'=cmd", "'=HYPERLINK(1) nurse", "'@x", "+49 30 1234")
    assert rows_of(tmp_path / "safe.csv.rejects.csv")[1][2] == "'=a,b,c,d"
    assert rows_of(tmp_path / "safe.follow_up.csv")[1][3] == "'=HYPERLINK(1) nurse"
    assert "Warning: --spreadsheet-safe" in predict(leads, tmp_path / "old.csv", *place, "--spreadsheet-safe")[1]
    assert (tmp_path / "old.csv").read_bytes() == (tmp_path / "safe.csv").read_bytes()
    for options, mark in (((), "'"), (("--raw",), "")):
        predict(leads, tmp_path / "out.xlsx", *place, *options, "--force")
        header, row = openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(values_only=True)
        assert (header[1], *row[:2]) == (f"{mark}=cmd", f"{mark}=HYPERLINK(1) nurse", f"{mark}@x")
        for book in ("out.xlsx", "out.summary.xlsx"):
            with zipfile.ZipFile(tmp_path / book) as parts:
                assert not any(b"<f>" in parts.read(name) for name in parts.namelist() if "worksheets" in name)
    code, said = predict(leads, tmp_path / "raw.csv", *place, "--raw")
    assert "begin like a formula" not in said
    assert rows_of(tmp_path / "raw.csv")[0][1] == "=cmd"
    assert rows_of(tmp_path / "raw.csv.rejects.csv")[1][2] == "=a,b,c,d"
    assert rows_of(tmp_path / "raw.follow_up.csv")[1][3] == "=HYPERLINK(1) nurse"
    assert predict(leads, tmp_path / "no.csv", "--raw", "--spreadsheet-safe")[0] == 2


def test_a_layout_names_and_orders_the_columns(predict, tmp_path):
    leads = written(tmp_path, "id,What you do,secret\n1,head nurse,x\n")
    layout = tmp_path / "crm.yaml"
    layout.write_text(
        yaml.safe_dump({"delimiter": ";", "fields": [{"department": "Dept__c"}, {"column": "id", "name": "Id"}]})
    )
    assert predict(leads, tmp_path / "out.csv", "--layout", layout)[0] == 0
    assert (tmp_path / "out.csv").read_text() == "Dept__c;Id\nNursing;1\n"
    for option in (("--prefix", "x"), ("--fields", "all")):
        assert "Choose one of them" in predict(leads, tmp_path / "o.csv", "--layout", layout, *option)[1]


def test_a_tagged_file_is_tagged_again_with_a_prefix(predict, tmp_path):
    leads = written(tmp_path, "What you do\nhead nurse\n")
    predict(leads, tmp_path / "one.csv")
    code, said = predict(tmp_path / "one.csv", tmp_path / "two.csv")
    assert code == 2
    assert "--prefix" in said
    assert predict(tmp_path / "one.csv", tmp_path / "two.csv", "--prefix", "new_")[0] == 0
    again = pd.read_csv(tmp_path / "two.csv")
    assert again["new_department"].tolist() == again["department"].tolist() == ["Nursing"]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("What you do\ncook\n", ["--system", "keywrd"], "Did you mean 'keyword'?"),
        ("Trade\ncook\n", [], "If this is the name of a column: --title-column 'Trade'."),
        ("Town,Floor\ncook,3\n", [], "Name the column of titles with --title-column"),
        ("What you do\ncook\n", ["--title-column", "Title"], "Unknown column 'Title'"),
        ("What you do,department\ncook,x\n", [], "already has columns that would be added: department"),
        (
            "What you do,What you do\ncook,x\n",
            [],
            "2 columns that may hold the titles: 'What you do (column 1)'; 'What you do (column 2)'",
        ),
        ("What you do\ncook\n", ["--by", "Event"], "--by"),
        ("What you do\ncook\n", ["--fields", "seniorty"], "Unknown field 'seniorty'. Did you mean 'seniority'?"),
        ("What you do\ncook\n", ["--layout", "absent.yaml"], "No layout at absent.yaml"),
        ("What you do\ncook\n", ["--hierarchy", "absent.yaml"], "absent.yaml is no file"),
        ("What you do\ncook\n", ["--encoding", "klingon"], "Unknown encoding"),
        ("", [], "empty"),
        ("What you do\ncook\n", ["--prefix", "\udcff"], "--prefix '\\udcff' holds bytes that are not UTF-8"),
    ],
)
def test_bad_input_is_one_message_and_leaves_nothing(predict, tmp_path, content, options, message):
    leads, out = written(tmp_path, content), tmp_path / "out.csv"
    code, said = predict(leads, out, *options, system=None if "--system" in options else "keyword")
    assert code == 2
    assert message in said
    assert [place.name for place in tmp_path.iterdir()] == ["leads.csv"]


def test_nothing_that_exists_is_replaced_without_force(predict, tmp_path, hierarchy):
    leads, out = written(tmp_path, "What you do\ncook\n"), tmp_path / "out.csv"
    out.write_text("precious")
    code, said = predict(leads, out)
    assert (code, out.read_text()) == (2, "precious")
    assert "--force" in said
    assert predict(leads, out, "--force")[0] == 0
    out.unlink()
    (tmp_path / "out.follow_up.csv").write_text("precious too")
    code, said = predict(leads, out, "--hierarchy", hierarchy)
    assert code == 2
    assert "out.follow_up.csv" in said
    assert not out.exists()
    assert not (tmp_path / "out.csv.parts").exists()
    assert (tmp_path / "out.follow_up.csv").read_text() == "precious too"
    code, said = predict(leads, leads, "--force")
    assert code == 2
    assert "is the file that is read" in said


def test_a_file_without_rows_and_one_with_a_single_column(predict, tmp_path, hierarchy):
    leads = written(tmp_path, "What you do\n")
    assert predict(leads, tmp_path / "none.csv", "--hierarchy", hierarchy)[0] == 0
    assert len(rows_of(tmp_path / "none.csv")) == 1
    leads.write_text("What you do\ncook\n\nVP, Sales\nnurse\n")
    assert predict(leads, tmp_path / "one.csv")[0] == 0
    tagged = pd.read_csv(tmp_path / "one.csv", keep_default_na=False)
    assert tagged["What you do"].tolist() == ["cook", "", "VP, Sales", "nurse"]
    assert tagged["department"].tolist()[:2] == ["Kitchen", ""]


def test_every_system_tags(predict, tmp_path, company):
    leads = written(tmp_path, "What you do\nhead nurse\ncook\n")
    for system in ("majority", "keyword-corrected", "tfidf", "neural", "keyword+mined", None):
        code, said = predict(leads, tmp_path / f"{system}.csv", system=system)
        assert code == 0, said
        assert len(rows_of(tmp_path / f"{system}.csv")) == 3
    assert said.startswith("Answering with tfidf of ")  # as the verdict says
    assert "Verdict of that run: Use tfidf: 1.000 of the leads" in said.splitlines()[0]


def test_names_that_are_too_long_beside_the_output_are_refused_before_any_work(predict, hierarchy, tmp_path):
    event = "E" * 190
    leads = written(tmp_path, f"What you do,{event}\nhead nurse,x\n")
    (tmp_path / "out").mkdir()
    for length in (100, 190, 205, 213, 217, 221, 230, 245, 251, 300):
        for by in ([], ["--by", event]):
            out = tmp_path / "out" / f"{'n' * length}.csv"
            code, said = predict(leads, out, "--hierarchy", hierarchy, *by)
            done = sorted((tmp_path / "out").iterdir())
            assert code == (0 if done else 2), said
            assert done or ("the name is too long. Choose a shorter one." in said and "tagging" not in said)
            assert not done or len(done) == 6 + bool(by)
            for file in done:
                file.unlink()


def test_a_link_as_output_stays_and_everything_lies_where_it_leads(predict, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "leads.csv").write_text("What you do\nnight nurse\n")
    (tmp_path / "tagged.csv").symlink_to(tmp_path / "disk" / "tagged.csv")
    for options in ([], ["--force"]):
        code, said = predict(tmp_path / "leads.csv", tmp_path / "tagged.csv", "--hierarchy", "none", *options)
        assert code == 0
        assert f"Written to {tmp_path / 'disk' / 'tagged.csv'}" in said
    assert (tmp_path / "tagged.csv").is_symlink()
    assert len(rows_of(tmp_path / "disk" / "tagged.csv")) == 2
    assert [place.name for place in (tmp_path / "disk").iterdir()] == ["tagged.csv"]


def test_a_target_accuracy_chooses_the_threshold_for_review(predict, run_folder, tmp_path):
    known = Reliability.read(open_run(run_folder).systems["tfidf"])
    reached = known.best()
    leads = written(tmp_path, "What you do\nhead nurse\nchief cook\n")
    code, said = predict(leads, tmp_path / "out.csv", "--target-accuracy", reached, system="tfidf")
    assert code == 0, said
    assert f"under {known.threshold(reached):.3f} are for review" in said
    code, said = predict(leads, tmp_path / "b.csv", "--target-accuracy", "0.9", "--review-below", "0.5", system="tfidf")
    assert (code, "exclude each other" in said) == (2, True)
