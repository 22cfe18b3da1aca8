"""The file of rejected suggestions: what is written, what a person may do to it, and what is refused."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from harness.keywords.rejected_suggestions import memory_beside, read_memory, read_rejected, updated
from tests.harness.keywords.given_suggestions import ALL, COOK, GARDENER, NURSE, VISITOR, suggestion

DAY = date(2026, 11, 26)
TABLE = {"table_name": "2023.csv", "day": DAY}


@pytest.fixture
def path(tmp_path):
    return memory_beside(tmp_path / "2023.csv")


def remember(path, *rejected, accepted=()):
    updated(read_memory(path), accepted=accepted, rejected=rejected, **TABLE).write_csv(path)


def test_without_a_file_nothing_was_rejected(path):
    assert path.name == "rejected_suggestions.csv"
    assert read_rejected(path) == []


def test_rejected_suggestions_are_not_proposed_again(path):
    remember(path, GARDENER, COOK)
    assert path.read_text().splitlines() == [
        "date,action,keyword,table,key",
        "2026-11-26,add,gardener,2023.csv,add|gardener",
        "2026-11-26,narrow,cook,2023.csv,narrow|cook|department=Kitchen",
    ]
    otherwise = replace(GARDENER, priority=9.0, labels={"department": "Kitchen", "seniority": "Head"})
    rejected = set(read_rejected(path))
    assert [one for one in [*ALL, otherwise] if one.key not in rejected] == [NURSE, VISITOR]


def test_nothing_is_noted_twice_and_what_is_accepted_is_forgotten(path):
    remember(path, GARDENER, COOK, GARDENER)
    before = path.read_bytes()
    remember(path, COOK)
    assert path.read_bytes() == before
    remember(path, VISITOR, accepted=[GARDENER.key])
    assert read_rejected(path) == [COOK.key, VISITOR.key]
    remember(path, accepted=[COOK.key, VISITOR.key])
    assert read_rejected(path) == []


def test_people_may_save_it_from_a_spreadsheet_and_add_columns(path):
    path.write_bytes(f"\ufeffwhy;Date; key \r\ntoo rare;26.11.2026;{COOK.key}\r\n;;{NURSE.key}\r\n".encode())
    assert read_rejected(path) == [COOK.key, NURSE.key]
    remember(path, VISITOR, accepted=[NURSE.key])
    assert path.read_text().splitlines() == [
        "why,Date,key,date,action,keyword,table",
        f"too rare,26.11.2026,{COOK.key},,,,",
        f",,{VISITOR.key},2026-11-26,retire,visitor,2023.csv",
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.text("=+-@\t'\"|,;x é日", min_size=1, max_size=8), min_size=1, max_size=5))
def test_hostile_keywords_are_remembered_exactly_and_run_nowhere(tmp_path_factory, keywords):
    path = tmp_path_factory.mktemp("memory") / "rejected_suggestions.csv"
    remember(path, *(suggestion(keyword=keyword) for keyword in keywords))
    assert read_rejected(path) == list(dict.fromkeys(suggestion(keyword=keyword).key for keyword in keywords))
    cells = [cell for row in read_memory(path).rows() for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_a_spreadsheet_is_read_as_well(tmp_path):
    pd.DataFrame({"Who": ["me"], "key": ["add|nurse"]}).to_excel(tmp_path / "rejected.xlsx", index=False)
    assert read_rejected(tmp_path / "rejected.xlsx") == ["add|nurse"]


def test_faults_are_named_by_line(path):
    path.write_text(f'key,note\n{COOK.key},"two\nlines"\ncook,\n,nothing\nremove|cook,\nadd|,\n{NURSE.key},\n')
    with pytest.raises(BadInput) as raised:
        read_rejected(path)
    assert str(raised.value) == (
        f"{path}: line 4: 'cook' is no key of a suggestion; line 5: '' is no key of a suggestion; line 6: "
        "'remove|cook' is no key of a suggestion; line 7: 'add|' is no key of a suggestion. A key is written "
        "as 'add|keyword'; fix or delete these rows."
    )
    path.write_text("keyword,table\ncook,2023.csv\n")
    with pytest.raises(BadInput, match=r"has no column 'key' but 'keyword'; 'table'; name it in line 1"):
        read_rejected(path)
