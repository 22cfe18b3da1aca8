import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import Layout, open_source
from data_cleaning.files.table_layout import HeadRow, find_header
from tests.data_cleaning.files.test_xlsx_source import read


def csv_file(folder, content):
    path = folder / "leads.csv"
    path.write_text(content, encoding="utf-8")
    return path


def book(folder, sheets, hidden=()):
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    path = folder / "leads.xlsx"
    workbook.save(path)
    return path


LINKEDIN = """\
Notes:
"When exporting your connection data, some addresses may be ""missing"". See https://example.org, or ask."

First Name,Last Name,URL,Email Address,Company,Position,Connected On
Ann,Lee,https://example.org/a,,Acme,CEO,28 Nov 2020
Bob,Roe,https://example.org/b,,Beta,"CFO, Europe",27 Nov 2020
"""
WEBINAR = """\
Attendee Report
Report Generated:,"03/28/2026 10:21 AM"
Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),# Registered
Spring,123-456,"Mar 1, 2026",60,100
Host Details
Attended,User Name (Original Name),Email,Join Time
Yes,Host,h@example.org,10:00
Attendee Details
Attended,User Name (Original Name),First Name,Last Name,Email,Organization,Job Title,Registration Time
Yes,AL,Ann,Lee,a@example.org,Acme,CEO,09:00
No,BR,Bob,Roe,b@example.org,Beta,CFO,09:01
Other Attended
User Name,Join Time,Leave Time,Country/Region Name
15551234,10:00,10:05,United States
"""
QUALTRICS = """\
StartDate,EndDate,Q1,Q2
Start Date,End Date,What is your job title?,"Where do you
work?"
"{""ImportId"":""startDate""}","{""ImportId"":""endDate""}","{""ImportId"":""QID1_TEXT""}","{""ImportId"":""QID2""}"
2026-01-01,2026-01-01,CEO,Acme
"""
MONKEY = """\
Respondent ID,Start Date,Email Address,What is your job title?,Which products?,,
,,,Open-Ended Response,A,B,Other (please specify)
1,2026-01-01,a@example.org,CEO,A,,
"""


@pytest.mark.parametrize(
    ("content", "names", "rows"),
    [
        (LINKEDIN, "First Name|Last Name|URL|Email Address|Company|Position|Connected On", 2),
        (WEBINAR, WEBINAR.splitlines()[8].replace(",", "|"), 2),
        (QUALTRICS, "StartDate|EndDate|Q1 - What is your job title?|Q2 - Where do you work?", 1),
        (MONKEY, "Respondent ID|Start Date|Email Address|What is your job title?|A|B|Other (please specify)", 1),
        ("Guests\nExported on 28 May, 2026\n\nName;Job Title\nAnn;CEO\nBob;CFO, Europe\n", "Name|Job Title", 2),
        ("Guests,,\n,,\nName,Job Title,Country\nAnn,CEO,US\n", "Name|Job Title|Country", 1),
        ("Title,Summit\nDate,2026-05-01\n\nName,City,Job Title\nAnn,Rome,CEO\n", "Name|City|Job Title", 1),
        ("Liste\nStand: 28.5.2026\n\nVorname;Firma;Position\nA;C;Leiter IT\n", "Vorname|Firma|Position", 1),
        (",Contact,,Company\nID,Name,Title,Name\n1,Ann,CEO,Acme\n", "ID|Contact - Name|Title|Company - Name", 1),
        ("Code,Q2\nYour code,What do you do?\nx1,CEO\n", "Code|Q2 - What do you do?", 1),
        ("Who and when\n\nWer,Was,Wann\na,b,2026-01-01\nc,d,2026-01-02\ne,f,2026-01-03\n", "Wer|Was|Wann", 3),
        ("Titles\nExported 2026-05-28\nJob Title\nCEO\nVP, Sales\nCTO, Asia\n", "Job Title", 3),
    ],
)  # fmt: skip
def test_the_table_of_a_csv_file_is_found_below_and_between_what_is_around_it(tmp_path, content, names, rows):
    source = open_source(csv_file(tmp_path, content))
    kept, rejects = read(source)

    assert source.schema.names == names.split("|")
    assert (len(kept), rejects) == (rows, [])
    assert len(source.notes) > 1


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("CEO\nVP, Sales\nCTO, Asia\nCFO, Asia\n", ["CEO"]),
        ("What you do\nVP, Sales\nCTO, Asia\nTitle\n", ["What you do"]),
        ("What you do,,\nProfessor of Education,Beta Company,\nCook,Gamma Company,Rome\nCook,Jane Name,Acme\n", None),
        ("Title,Foo\nJob Title,Company\nCEO,Acme\n", ["Job Title", "Company"]),
        ("Lead,Job Title,Job Title\nAnn,Ms,CEO\n", ["Lead", "Job Title", "Job Title"]),
        ("What you do,Event\nCEO,Spring\n", ["What you do", "Event"]),
        (",\n1,2\n", ["", ""]),
    ],
)
def test_only_a_surer_header_takes_the_place_of_the_first_line(tmp_path, content, names):
    assert open_source(csv_file(tmp_path, content)).schema.names == (names or ["What you do", "", ""])


def test_what_was_found_is_said_in_a_line_each(tmp_path):
    notes = open_source(csv_file(tmp_path, LINKEDIN)).notes

    assert notes[1] == "The names of the columns are in line 4."
    assert notes[2].startswith(
        "Not part of the table: what is above it ('Notes:'; 'When exporting your connection data"
    )
    assert open_source(csv_file(tmp_path, QUALTRICS)).notes[1:] == (
        "No records, but questions of a survey: lines 2 and 4.",
    )
    assert open_source(csv_file(tmp_path, MONKEY)).notes[1] == "The names of the columns are in lines 1 and 2."
    assert open_source(csv_file(tmp_path, "Title,Company\nCEO,Acme\n")).notes[1:] == ()


def test_a_header_row_that_is_given_overrules_what_would_be_found(tmp_path):
    path = csv_file(tmp_path, WEBINAR)
    source = open_source(path, layout=Layout(header_row=6))
    assert source.schema.names == ["Attended", "User Name (Original Name)", "Email", "Join Time"]
    assert read(source)[0] == [("Yes", "Host", "h@example.org", "10:00")]
    assert open_source(path, layout=Layout(header_row=6)).identity() != open_source(path).identity()
    assert read(open_source(path, layout=Layout(header_row=13)))[0] == [("15551234", "10:00", "10:05", "United States")]

    sheet = book(tmp_path, {"S": [["Title", "Name"], [], ["Old", "New"], ["CEO", "Ann"]]})
    assert read(open_source(sheet, layout=Layout(header_row=3)))[0] == [("CEO", "Ann")]
    for file, row in ((path, 99), (sheet, 2), (sheet, 99)):
        with pytest.raises(BadInput, match=f"no header in (line|row) {row}"):
            open_source(file, layout=Layout(header_row=row))
    with pytest.raises(BadInput, match="--header-row 0: expected 1"):
        Layout(header_row=0)


def test_a_merged_title_and_groups_above_the_header_of_a_sheet_are_passed_over(tmp_path):
    path = book(
        tmp_path,
        {
            "S": [
                ["Guests of 2026"],
                [],
                ["Contact", None, "Company"],
                ["Name", "Title", "Name"],
                ["Ann", "CEO", "Acme"],
            ]
        },
    )
    workbook = openpyxl.load_workbook(path)
    workbook.active.merge_cells("A1:C1")
    workbook.active.merge_cells("A3:B3")
    workbook.save(path)
    source = open_source(path)

    assert source.schema.names == ["Contact - Name", "Title", "Company - Name"]
    assert read(source) == ([("Ann", "CEO", "Acme")], [])
    assert source.notes[0] == "The names of the columns are in rows 3 and 4."
    assert (source.n_rows, source.n_skipped) == (1, 1)


DAYS = {
    "Read me": [["These are the guests."], ["One sheet for each day."]],
    "Day 1": [["Name", "Job Title"], ["Ann", "CEO"], ["Bob", "CFO"]],
    "Day 2": [["Job Title", "Name"], ["COO", "Cid"], [None, None], [3, "Total"]],
    "Codes": [["Country"], ["US"]],
}


def test_the_sheet_that_names_a_column_of_titles_is_read_and_the_others_are_named(tmp_path):
    source = open_source(book(tmp_path, DAYS, hidden=["Codes"]))

    assert read(source)[0] == [("Ann", "CEO"), ("Bob", "CFO")]
    assert source.notes == (
        "Read sheet 'Day 1' of 4. Not read, though with the same columns: 'Day 2' (3 rows below its header); "
        "--sheet all reads all of these. Not read: 'Read me'; 'Codes' (hidden).",
    )


def test_all_sheets_with_the_same_columns_in_any_order_are_joined(tmp_path):
    source = open_source(book(tmp_path, DAYS), layout=Layout(sheet="all"))

    assert read(source) == ([("Ann", "CEO"), ("Bob", "CFO"), ("Cid", "COO")], [])
    assert [row for batch in source.batches() for row in batch.cells] == read(source)[0]
    assert source.notes == ("Read sheets 'Day 1'; 'Day 2' of 4. Not read: 'Read me'; 'Codes'.",)
    assert source.left_out == ("'Day 2': Totals and remarks, not counted as records: row 4 ('Total').",)


def test_a_sheet_is_read_by_its_name_even_if_hidden(tmp_path):
    path = book(tmp_path, DAYS, hidden=["Codes"])

    assert read(open_source(path, layout=Layout(sheet="Codes")))[0] == [("US",)]
    with pytest.raises(BadInput, match=r"Unknown sheet 'Day2'\. Did you mean 'Day 2'\?"):
        open_source(path, layout=Layout(sheet="Day2"))
    with pytest.raises(BadInput, match="is a CSV file, for which --sheet Day 1 means nothing"):
        open_source(csv_file(tmp_path, "Title\n"), layout=Layout(sheet="Day 1"))


def test_the_first_sheet_stays_the_one_read_where_no_other_names_titles(tmp_path):
    path = book(tmp_path, {"Leads": [["What you do", "Seen"], ["CEO", 1]], "Codes": [["Code", "Country"], ["1", "US"]]})

    assert open_source(path).schema.names == ["What you do", "Seen"]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_a_table_that_is_too_wide_is_refused(tmp_path, ending):
    names = ["Title", *(f"c{number}" for number in range(4_096))]
    if ending == "csv":
        path = csv_file(tmp_path, ",".join(names) + "\n")
    elif ending == "xlsx":
        path = book(tmp_path, {"S": [names, ["CEO"]]})
    else:
        path = tmp_path / "leads.parquet"
        pa.parquet.write_table(pa.table({name: ["x"] for name in names}), path)

    with pytest.raises(BadInput, match="has 4,097 columns, beyond the limit of 4,096"):
        open_source(path)


def test_a_row_of_names_that_repeats_a_merged_cell_counts_it_once():
    rows = [HeadRow(1, ("Guests",) * 3), HeadRow(2, ("Name", "Title", "City")), HeadRow(3, ("Ann", "CEO", "Rome"))]

    assert find_header(rows, "row").names == ("Name", "Title", "City")
