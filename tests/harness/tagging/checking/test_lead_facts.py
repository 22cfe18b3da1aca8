"""Leads of a check, and what is wrong with their file."""

import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import Layout
from harness.tagging.checking.lead_facts import read_facts

ROWS = """\
Job Title,Webinar,Registered,Note
CISO,Zero Trust,28/11/2026,a
CISO,Zero Trust,28/11/2026,a
 ,zero  trust,2026-11-28,b
R&amp;D Director,Cloud,soon,c
Nurse,Cloud,01/02/1900,d
Nurse,,28/11/2026,e
Cook,Cloud,28/11/2026,"f",g,h
"""


def read(tmp_path, text=ROWS, **options):
    (tmp_path / "leads.csv").write_text(text)
    asked = {"title_column": None, "by": (), "encoding": None, "layout": Layout(), **options}
    said = []
    facts = read_facts(tmp_path / "leads.csv", announce=said.append, **asked)
    return facts, said


def test_titles_and_events_are_found_and_counted(tmp_path):
    facts, said = read(tmp_path)
    assert facts.distinct.rows() == [("CISO", 2), ("Nurse", 2), ("R&D Director", 1)]
    assert facts.by["Webinar"].to_list() == ["Zero Trust", "Zero Trust", "zero  trust", "Cloud", "Cloud", None]
    assert said[-1] == (
        "Titles are read from 'Job Title', events from 'Webinar'; another column may be named with --by."
    )


def test_every_problem_of_the_file_is_counted(tmp_path):
    facts, _ = read(tmp_path)
    problems = {one.what: one.records for one in facts.problems}
    assert problems == {
        "Dates of 'Registered' in another form than most": 1,
        "Rows that could not be read": 1,
        "Records that repeat another one in every column": 1,
        "Records without a title in 'Job Title'": 1,
        "Titles with damaged text, which was repaired": 1,
        "Records without a value in 'Webinar'": 1,
        "Records whose 'Webinar' is another spelling of a more frequent one": 1,
        "Cells of 'Registered' that are no date": 1,
        "Dates of 'Registered' before 1990 or after next year": 1,
        "How the file was read": None,
    }
    rejected = next(one for one in facts.problems if one.what == "Rows that could not be read")
    assert rejected.examples.startswith("line 8 has 6 fields")


def test_other_columns_may_be_named(tmp_path):
    facts, _ = read(tmp_path, title_column="note", by=("WEBINAR",))
    assert facts.title_column == "Note"
    assert list(facts.by) == ["Webinar"]
    with pytest.raises(BadInput, match="Unknown column 'Evnt'"):
        read(tmp_path, by=("Evnt",))


def test_a_file_without_any_title_is_refused(tmp_path):
    with pytest.raises(BadInput, match="has no title in column 'Job Title'"):
        read(tmp_path, "Job Title,Note\n ,a\n,b\n")
