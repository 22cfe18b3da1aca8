"""Suggestions as JSON: the origin, and what is refused."""

import pytest

from data_cleaning.errors import BadInput
from harness.keywords.suggestion_json import Origin, from_json, to_json
from tests.harness.keywords.given_suggestions import ALL, ORIGIN, TARGETS


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
    with pytest.raises(BadInput, match=r"here has version 2; expected 1"):
        from_json(text.replace('"version": 1', '"version": 2'), "here")
    for broken in ("", "[]", "{}", text[:-100], text.replace('"line"', '"lane"'), text.replace('"add"', '"more"')):
        with pytest.raises(BadInput, match="here does not hold suggestions as they were written"):
            from_json(broken, "here")
