"""Six exports as public surveys, HR systems, visa filings, contact lists and webinars write them, with invented rows.

Each writer returns the title of every person in the file, in order and as it was typed, so that a test can count.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

TITLES = (
    "Chief Information Security Officer",
    "Sr. Mgr InfoSec & Compliance",
    "Analyst",
    "DevOps",
    "Security Engineer, Cloud",
    "IT Director",
    "VP of R&D",
    "Production Technician I",
    "Network Administrator",
    "C++ Developer",
    "Head of Procurement",
    "Assistant to the CIO",
    "Total Rewards Manager",
    "Data Scientist",
    "Title Examiner",
    "Systems Analyst II",
    "Professor",
    "Account Executive",
)
"""Titles that people type, some of them with words that footers, headers or labels also use."""


@dataclass(frozen=True)
class PublicFile:
    """An export and what its owner would say is in it."""

    path: Path
    title_column: str
    """Name of the column of titles as the file writes it."""
    titles: tuple[str | None, ...]
    """Title of every person, in order; None where the cell is empty."""
    people: tuple[str, ...]
    """Something else in each person's row, by which rows are recognised in an output."""
    person_column: str


def _rows(n_people: int) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    titles = tuple(None if i % 11 == 7 else TITLES[i % len(TITLES)] for i in range(n_people))
    return titles, tuple(f"person{i:03}@example.org" for i in range(n_people))


def _write_csv(path: Path, rows: list[list[str]], encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)


def survey(folder: Path) -> PublicFile:
    """A survey platform's CSV: short names, then the questions, then a row of import ids, then the answers."""
    titles, people = _rows(40)
    rows = [
        ["StartDate", "EndDate", "Status", "Progress", "Q1", "Q2", "Q3", "Q4_TEXT"],
        [
            "Start Date",
            "End Date",
            "Response Type",
            "Progress",
            "What is your e-mail address?",
            "What is your current\njob title?",
            "How many people work at your company?",
            "Which tools do you use? - Other (please specify) - Text",
        ],
        [
            '{"ImportId":"startDate","timeZone":"America/Denver"}',
            '{"ImportId":"endDate","timeZone":"America/Denver"}',
            *(f'{{"ImportId":"QID{i}"}}' for i in range(6)),
        ],
    ]
    sizes = ("1-50", "51-1000", "More than 1000")
    for i, (title, person) in enumerate(zip(titles, people, strict=True)):
        day = f"2026-09-{i % 28 + 1:02}"
        rows.append([f"{day} 09:12:44", f"{day} 09:20:01", "IP Address", "100", person, title or "", sizes[i % 3], ""])
    path = folder / "survey.csv"
    _write_csv(path, rows, "utf-8-sig")
    title_column, person_column = "Q2 - What is your current job title?", "Q1 - What is your e-mail address?"
    return PublicFile(path, title_column, titles, people, person_column)


def form_answers(folder: Path) -> PublicFile:
    """Another platform's CSV: the questions are the header, and a second header row says what was asked for."""
    titles, people = _rows(30)
    rows = [
        ["Respondent ID", "What best describes your job title? (please specify)", "Your e-mail", "Which products?", ""],
        ["", "Open-Ended Response", "Open-Ended Response", "Firewall", "Proxy"],
    ]
    for i, (title, person) in enumerate(zip(titles, people, strict=True)):
        rows.append([f"1149{i:05}", title or "", person, "Firewall" if i % 2 else "", "Proxy" if i % 3 else ""])
    path = folder / "form_answers.csv"
    _write_csv(path, rows)
    return PublicFile(path, rows[0][1], titles, people, "Your e-mail")


def hr_list(folder: Path) -> PublicFile:
    """An HR system's workbook: a sheet of notes first, a merged title, ids with leading zeros, totals at the end."""
    titles, people = _rows(60)
    path = folder / "hr_list.xlsx"
    with xlsxwriter.Workbook(path) as book:
        notes = book.add_worksheet("Read me")
        notes.write("A1", "This workbook lists all employees as of the date below.")
        notes.write("A3", "Contact the HR service desk with questions.")
        sheet = book.add_worksheet("Employees")
        bold = book.add_format({"bold": True})
        padded = book.add_format({"num_format": "000000"})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.merge_range("A1:G1", "Employee list - all sites", bold)
        sheet.write("A2", "As of")
        sheet.write("B2", 46327, day)
        header = ["Emp ID", "Title", "Name", "Position", "Site", "Hire Date", "E-mail"]
        sheet.write_row(3, 0, header, bold)
        for i, (title, person) in enumerate(zip(titles, people, strict=True)):
            row = 4 + i
            sheet.write_number(row, 0, 123 + i, padded)
            sheet.write(row, 1, ("Mr", "Ms", "Dr")[i % 3])
            sheet.write(row, 2, f"Person {i}")
            if title is not None:
                sheet.write(row, 3, title)
            if i % 10 == 0:
                sheet.merge_range(row, 4, row + 9, 4, f"Site {i // 10}")
            sheet.write_number(row, 5, 40000 + 31 * i, day)
            sheet.write(row, 6, person)
        last = 4 + len(titles)
        sheet.write(last + 1, 0, "Total headcount", bold)
        sheet.write_number(last + 1, 3, len(titles), bold)
        sheet.write(last + 2, 0, "Confidential - internal use only")
    return PublicFile(path, "Position", titles, people, "E-mail")


def visa_filings(folder: Path) -> PublicFile:
    """A public agency's CSV: upper-case headers with underscores, two columns of titles, empty fields left off."""
    titles, people = _rows(50)
    titles = tuple(title and title.upper() for title in titles)
    rows = [
        ["CASE_NUMBER", "CASE_STATUS", "JOB_TITLE", "SOC_CODE", "SOC_TITLE", "CONTACT", "APPENDIX_ATTACHED", "NOTES"],
    ]
    for i, (title, person) in enumerate(zip(titles, people, strict=True)):
        row = [f"I-200-{26000 + i}", "Certified", title or "", "15-1252", "Software Developers", person]
        # The agency's export leaves off empty fields at the end of a row in one quarter and adds them in another.
        rows.append(row + ([] if i % 3 == 0 else ["N/A", ""] if i % 3 == 1 else ["N/A", "", "", ""]))
    path = folder / "visa_filings.csv"
    _write_csv(path, rows, "cp1252")
    return PublicFile(path, "JOB_TITLE", titles, people, "CONTACT")


def connections(folder: Path) -> PublicFile:
    """A network's export of contacts: a note in quotes before the header, accents decoded twice."""
    titles, people = _rows(45)
    titles = tuple("Directora de TecnologÃ\u00ada" if i % 20 == 3 else title for i, title in enumerate(titles))
    note = (
        "When exporting your connection data, you may notice that some of the email addresses are missing. You will "
        'only see email addresses for connections who have allowed them, "Email Address" is then empty.'
    )
    rows = [
        ["Notes:"],
        [note],
        [],
        ["First Name", "Last Name", "URL", "Email Address", "Company", "Position", "Connected On"],
    ]
    for i, (title, person) in enumerate(zip(titles, people, strict=True)):
        name = ("Zoë", "Jörg", "Ana", "李")[i % 4]
        url = f"https://example.org/in/{i}"
        rows.append([name, f"Person {i}", url, person, "Acme, Inc.", title or "", f"{i % 28 + 1:02} Sep 2026"])
    path = folder / "connections.csv"
    _write_csv(path, rows)
    return PublicFile(path, "Position", titles, people, "Email Address")


def webinar(folder: Path) -> PublicFile:
    """A webinar tool's report: sections for the event and its hosts before the attendees, commas at the row ends."""
    titles, people = _rows(35)
    header = ["Attended", "User Name", "Email", "Job Title", "Registration Time", "Time in Session (minutes)", ""]
    rows = [
        ["Attendee Report"],
        ["Report Generated:", "11/12/2026 10:02"],
        ["Topic", "Webinar ID", "Actual Start Time", "Actual Duration (minutes)", "# Registered", "Total Users"],
        ["Zero Trust in practice", "987 6543 2109", "11/11/2026 17:00", "62", "35", "36"],
        ["Host Details", ""],
        ["Attended", "User Name (Original Name)", "Email", "Join Time", "Leave Time", "Time in Session (minutes)", ""],
        ["Yes", "Webinar Team", "webinars@example.com", "11/11/2026 16:45", "11/11/2026 18:02", "77", ""],
        ["Attendee Details", ""],
        header,
    ]
    for i, (title, person) in enumerate(zip(titles, people, strict=True)):
        attended = "Yes" if i % 3 else "No"
        rows.append([attended, f"Person {i}", person, title or "", "11/02/2026 08:15", "51" if i % 3 else "--", ""])
    path = folder / "webinar.csv"
    _write_csv(path, rows, "utf-8-sig")
    return PublicFile(path, "Job Title", titles, people, "Email")


PUBLIC_FILES: tuple[Callable[[Path], PublicFile], ...] = (
    survey,
    form_answers,
    hr_list,
    visa_filings,
    connections,
    webinar,
)
