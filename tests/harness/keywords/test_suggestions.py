"""Keys of changes, a table with changes made, the file of rejected suggestions, and suggestions as JSON."""

import csv
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from data_cleaning.files.written_tables import write_table
from harness.keywords.suggestions import (
    Origin,
    Suggestion,
    amend,
    from_json,
    key_of,
    memory_beside,
    read_memory,
    read_rejected,
    to_json,
    updated,
)
from tests.harness.keywords.given_suggestions import (
    ALL,
    COOK,
    EVIDENCE,
    GARDENER,
    NURSE,
    ORIGIN,
    RUNS,
    TARGETS,
    VISITOR,
    suggestion,
)
from tests.harness.mining.given_labels import TAXONOMY, table_of

IT = {"function": "IT", "level": ""}
BOTH = {"function": "IT", "level": "Executive"}


@pytest.mark.parametrize(
    ("action", "keyword", "labels", "key"),
    [
        # A new keyword is known whatever it was to say.
        ("add", "DevOps", IT, "add|devops"),
        ("add", "devops", BOTH, "add|devops"),
        ("retire", "CTO", {"level": "Executive", "function": "IT"}, "retire|cto|function=IT|level=Executive"),
        ("narrow", "cto", IT, "narrow|cto|function=IT"),
        ("re-prioritise", "cto", IT, "re-prioritise|cto|function=IT"),
    ],
)
def test_a_change_is_remembered_without_line_match_and_priority(action, keyword, labels, key):
    assert key_of(action, keyword, labels) == key
    assert change(action, keyword, labels=labels, line=7, priority=3.0, match="word").key == key


def change(action, keyword, *, labels=IT, priority=1.0, match="substring", line=None):
    return Suggestion(
        action=action, keyword=keyword, priority=priority, match=match, labels=labels, line=line, evidence=EVIDENCE,
        rationale="",
    )  # fmt: skip


TABLE = table_of(
    ("cto", 1, {"function": "IT"}),
    ("sales", 4, {"function": "Other"}),
    ("nurse", 4, {"level": "Contributor"}),
    ("chief", 2, {"level": "C-Level"}, "prefix"),
)


def test_amended_tables_keep_the_order_of_rows_and_new_rows_come_last():
    changes = [
        change("add", "threat hunt", match="prefix", priority=2.5, labels={"function": "Security", "level": ""}),
        change("retire", "sales", line=3),
        change("narrow", "cto", match="word", line=2),
        change("re-prioritise", "chief", match="prefix", priority=9.0, line=5, labels={"function": "", "level": "x"}),
        change("add", "ciso", labels=BOTH),
    ]
    amended = amend(TABLE, changes)
    assert amended.rows[["line", "keyword", "priority", "match", *TAXONOMY.names]].to_numpy().tolist() == [
        [2, "cto", 1.0, "word", "IT", ""],
        [3, "nurse", 4.0, "substring", "", "Contributor"],
        [4, "chief", 9.0, "prefix", "", "C-Level"],
        [5, "threat hunt", 2.5, "prefix", "Security", ""],
        [6, "ciso", 1.0, "substring", "IT", "Executive"],
    ]
    assert len(TABLE) == 4
    assert TABLE.rows["match"].tolist() == ["substring", "substring", "substring", "prefix"]
    assert amend(TABLE, []).rows.equals(TABLE.rows)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([change("retire", "cto", line=3)], "retire 'cto' is for line 3 of another table"),
        ([change("narrow", "cto", line=99)], "for line 99 of another table"),
        ([change("narrow", "cto")], "for line None of another table"),
        ([change("retire", "cto", line=2), change("narrow", "cto", line=2)], "narrow 'cto' is for line 2"),
        ([change("add", "CTO")], "the amended table: line 6: repeats the function of 'CTO' that line 2 sets"),
        ([change("retire", row, line=2 + at) for at, row in enumerate(TABLE.rows["keyword"])], "a header and no row"),
    ],
)
def test_changes_that_the_table_cannot_take_are_bad_input(changes, message):
    with pytest.raises(BadInput, match=message):
        amend(TABLE, changes)


DAY = date(2026, 11, 26)
REJECTED = {"table_name": "2023.csv", "day": DAY}


@pytest.fixture
def path(tmp_path):
    return memory_beside(tmp_path / "2023.csv")


def remember(path, *rejected, accepted=()):
    write_table(
        updated(read_memory(path), accepted=accepted, rejected=[(one, "") for one in rejected], **REJECTED), path
    )


def test_without_a_memory_nothing_is_rejected(path):
    assert path.name == "rejected_suggestions.csv"
    assert read_rejected(path) == []


def test_rejected_suggestions_are_not_proposed_again(path):
    remember(path, GARDENER, COOK)
    assert path.read_text().splitlines() == [
        "date,action,keyword,table,reason,key",
        "2026-11-26,add,gardener,2023.csv,,add|gardener",
        "2026-11-26,narrow,cook,2023.csv,,narrow|cook|department=Kitchen",
    ]
    otherwise = replace(GARDENER, priority=9.0, labels={"department": "Kitchen", "seniority": "Head"})
    rejected = set(read_rejected(path))
    assert [one for one in [*ALL, otherwise] if one.key not in rejected] == [NURSE, VISITOR]


def test_nothing_is_remembered_twice_and_accepted_suggestions_are_forgotten(path):
    remember(path, GARDENER, COOK, GARDENER)
    before = path.read_bytes()
    remember(path, COOK)
    assert path.read_bytes() == before
    remember(path, VISITOR, accepted=[GARDENER.key])
    assert read_rejected(path) == [COOK.key, VISITOR.key]
    remember(path, accepted=[COOK.key, VISITOR.key])
    assert read_rejected(path) == []


def test_people_may_save_the_memory_from_a_spreadsheet_and_add_columns(path):
    path.write_bytes(f"\ufeffwhy;Date; key \r\ntoo rare;26.11.2026;{COOK.key}\r\n;;{NURSE.key}\r\n".encode())
    assert read_rejected(path) == [COOK.key, NURSE.key]
    remember(path, VISITOR, accepted=[NURSE.key])
    assert path.read_text().splitlines() == [
        "why,Date,key,date,action,keyword,table,reason",
        f"too rare,26.11.2026,{COOK.key},,,,,",
        f",,{VISITOR.key},2026-11-26,retire,visitor,2023.csv,",
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.text("=+-@\t'\"|,;x é日", min_size=1, max_size=8), min_size=1, max_size=5))
def test_hostile_keywords_are_remembered_exactly_and_run_nowhere(tmp_path_factory, keywords):
    path = tmp_path_factory.mktemp("memory") / "rejected_suggestions.csv"
    remember(path, *(suggestion(keyword=keyword) for keyword in keywords))
    assert read_rejected(path) == list(dict.fromkeys(suggestion(keyword=keyword).key for keyword in keywords))
    with path.open(encoding="utf-8", newline="") as opened:
        cells = [cell for row in csv.reader(opened) for cell in row]
    assert not [cell for cell in cells if RUNS.match(cell)]


def test_the_memory_may_be_a_spreadsheet(tmp_path):
    pd.DataFrame({"Who": ["me"], "key": ["add|nurse"]}).to_excel(tmp_path / "rejected.xlsx", index=False)
    assert read_rejected(tmp_path / "rejected.xlsx") == ["add|nurse"]


def test_faults_of_the_memory_are_named_by_line(path):
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


def test_the_origin_names_a_table_from_the_current_folder_and_by_its_bytes(tmp_path, monkeypatch):
    (tmp_path / "keywords").mkdir()
    table = tmp_path / "keywords" / "2023.csv"
    table.write_bytes(b"abc")
    facts = {"run": "r", "split": "title", "learned_from": "legacy"}
    monkeypatch.chdir(tmp_path)
    origin = Origin.of(table, TARGETS, **facts)
    assert (origin.table_name, origin.table_path) == ("2023.csv", "keywords/2023.csv")
    # The published SHA-256 of "abc", FIPS 180-2, appendix B.1.
    assert origin.table_sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    monkeypatch.chdir(tmp_path / "keywords")
    (tmp_path / "other.csv").write_bytes(b"abc")
    assert Origin.of(tmp_path / "other.csv", TARGETS, **facts).table_path == (tmp_path / "other.csv").as_posix()


def test_json_refuses_what_was_changed_in_it():
    text = to_json(ALL, ORIGIN)
    with pytest.raises(BadInput, match=r"here: suggestion 1 was changed after it was made\. .*use the \.xlsx or \.csv"):
        from_json(text.replace('"gardener"', '"garden"'), "here")
    with pytest.raises(BadInput, match=r"here has version 1; expected 2"):
        from_json(text.replace('"version": 2', '"version": 1'), "here")
    for broken in ("", "[]", "{}", text[:-100], text.replace('"line"', '"lane"'), text.replace('"add"', '"more"')):
        with pytest.raises(BadInput, match="here does not hold suggestions as they were written"):
            from_json(broken, "here")
