"""YAML files: values, lines, and everything that a file may not have."""

import datetime
import os
import time
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from data_cleaning import yaml_files
from data_cleaning.errors import BadInput
from data_cleaning.yaml_files import Faults, YamlFile, read_yaml


def read(tmp_path, text, **options):
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path, "config", "Write 'seed: 17'.", **options)


def test_values_are_those_of_yaml_and_keys_are_texts(tmp_path):
    file = read(tmp_path, "a: 1\nno: [yes, 0.5, text, null]\n2026: {day: 2026-01-02}\n")
    assert file.content == {
        "a": 1,
        "no": [True, 0.5, "text", None],
        "2026": {"day": datetime.date(2026, 1, 2)},
    }


def test_values_can_be_kept_as_they_are_written(tmp_path):
    file = read(tmp_path, "version: 2026.10\nbands: [No, 0x10]\nempty:\n", as_written=True)
    assert file.content == {"version": "2026.10", "bands": ["No", "0x10"], "empty": None}


def test_aliases_and_merged_mappings_are_read(tmp_path):
    file = read(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 4}, *a]}\nd: *a\n")
    assert file.content["b"] == {"x": 1, "y": 3}
    assert file.content["c"] == {"x": 4, "y": 2}
    assert file.content["d"] == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ((), 1),
        (("a",), 2),
        (("b", "c"), 4),
        (("b", "c", 1), 6),
        (("b", "c", 1, "d"), 7),
        (("b", "absent"), 3),
        (("b", "c", 9), 4),
        (("absent",), 1),
    ],
)
def test_a_line_is_that_of_the_deepest_part_of_a_path_that_the_file_has(tmp_path, where, line):
    file = read(tmp_path, "# comment\na: 1\nb:\n  c:\n  - x\n  - y: 1\n    d: 2\n".replace("# comment\n", "first: 0\n"))
    assert file.line(where) == line
    assert file.place(where) == f"{tmp_path / 'odd.yaml'}, line {line}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds nothing; expected a mapping, as a config is. Write 'seed: 17'."),
        ("# only a comment\n", "holds nothing"),
        ("- a\n", "holds a list"),
        ("word\n", "holds 'word'"),
        ("a: [1\n", r"odd\.yaml is not readable YAML: "),
        ("a: 1\n---\nb: 2\n", "not readable YAML"),
        ("a: *b\n", "not readable YAML"),
        ("a: 1\nb: 2021-02-30\n", "line 2: '2021-02-30' is not readable YAML: day"),
        (f"a: {'9' * 5000}\n", "line 1: .* is not readable YAML"),
        ("a: 1\nb: 2\na: 3\n", "line 3: key 'a' is repeated; the first is on line 1. Keep one."),
        ("b:\n- {a: 1, a: 2}\n", "line 2: key 'a' is repeated"),
        ("[a, b]: 1\n", "line 1: a key is a list; expected a name"),
        ("? {a: 1}\n: 1\n", "line 1: a key is a mapping; expected a name"),
        ("?\n: 1\n", "line 1: a key is nothing; expected a name"),
        ("a: 1\nb: !!python/object:os.system {}\n", "line 2: tag '.*os.system' is not supported"),
        ("b: !mine x\n", "line 1: 'x' is not readable YAML"),
        ("a: {<<: 1}\n", "line 1: '<<' merges mappings"),
    ],
)
def test_what_no_file_may_have_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(BadInput, match=message):
        read(tmp_path, text)


def test_repeated_keys_and_impossible_values_are_all_named_at_once(tmp_path):
    with pytest.raises(BadInput) as raised:
        read(tmp_path, "a: 1\na: 2\nb: 2021-02-30\nc: {d: 1, d: 2}\n")
    assert [line.split(": ")[0].split(", ")[1] for line in str(raised.value).splitlines()] == [
        "line 2",
        "line 3",
        "line 4",
    ]


def test_a_value_that_contains_itself_is_refused(tmp_path):
    with pytest.raises(BadInput, match="line 1: the file has a value that contains itself"):
        read(tmp_path, "a: &a\n  b: *a\n")


@pytest.mark.parametrize("depth", [60, 5_000])
def test_deep_nesting_is_refused(tmp_path, depth):
    with pytest.raises(BadInput, match="deep"):
        read(tmp_path, f"a: {'[' * depth}{']' * depth}\n")


@pytest.mark.parametrize("merge", [False, True])
def test_aliases_that_multiply_are_refused_within_seconds(tmp_path, merge):
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, 12):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} " + (f"{{<<: [{aliases}]}}" if merge else f"[{aliases}]"))
    begun = time.perf_counter()
    with pytest.raises(BadInput, match="more than 500,000 values"):
        read(tmp_path, "\n".join(lines))
    assert time.perf_counter() - begun < 30


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_files, "MAX_BYTES", 100)
    with pytest.raises(BadInput, match="too large for a config"):
        read(tmp_path, "a: [\n" + "x" * 200)


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(BadInput, match="is a pipe or a device; expected a plain file as the config"):
        read_yaml(tmp_path / "pipe.yaml", "config", "Give a file.")


def test_ten_megabytes_of_text_are_refused(tmp_path):
    with pytest.raises(BadInput, match="is larger than 4 MiB, too large for a config"):
        read(tmp_path, "x " * 5_000_000)


def test_a_number_of_5000_digits_is_named_in_short(tmp_path):
    with pytest.raises(BadInput, match=r"line 1: '9999.*' is not readable YAML") as raised:
        read(tmp_path, f"seed: {'9' * 5000}")
    assert len(str(raised.value)) < 500


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(BadInput, match=r"No config at .*absent\.yaml\. Write 'seed: 17'."):
        read_yaml(tmp_path / "absent.yaml", "config", "Write 'seed: 17'.")


def _even(number: int) -> int:
    if number % 2:
        raise ValueError("expected an even number")
    return number


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: Annotated[int, AfterValidator(_even)]
    names: tuple[str, ...] = ()


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seed: int = Field(ge=0)
    parts: dict[str, Part] = {}
    more: list[Part] = []


def test_a_file_is_checked_against_a_model(tmp_path):
    whole = read(tmp_path, "seed: 3\nparts: {a: {size: 2}}\n").validated(Whole)
    assert (whole.seed, whole.parts["a"].size) == (3, 2)


def test_all_that_a_model_refuses_is_named_with_its_line(tmp_path):
    text = "sed: 1\nparts:\n  a: {siz: 2}\n  b:\n    size: 3\n    names: x\nmore:\n- {size: two}\n"
    with pytest.raises(BadInput) as raised:
        read(tmp_path, text).validated(Whole)
    path = tmp_path / "odd.yaml"
    assert str(raised.value).splitlines() == [
        f"{path}, line 1: 'seed' is missing; it has no default.",
        f"{path}, line 1: unknown key 'sed'. Did you mean 'seed'? Known here: more, parts, seed.",
        f"{path}, line 3: 'parts.a.size' is missing; it has no default.",
        f"{path}, line 3: unknown key 'parts.a.siz'. Did you mean 'size'? Known here: names, size.",
        f"{path}, line 5: parts.b.size = 3: expected an even number.",
        f"{path}, line 6: parts.b.names = 'x': expected a list such as [x].",
        f"{path}, line 8: more.0.size = 'two': Input should be a valid integer, unable to parse string as an integer.",
    ]


def test_parts_of_a_file_are_checked_one_by_one_under_their_own_paths(tmp_path):
    faults = Faults(read(tmp_path, "parts:\n  a: {size: 2}\n  b: {siz: 4}\n", as_written=True))
    assert faults.checked(("parts", "a"), Part, None).size == 2
    assert faults.checked(("parts", "absent"), Part, "default") == "default"
    assert faults.found == []
    assert faults.checked(("parts", "b"), Part, None) is None
    assert faults.found == [
        (3, "'parts.b.size' is missing; it has no default"),
        (3, "unknown key 'parts.b.siz'. Did you mean 'size'? Known here: names, size"),
    ]


def test_names_and_keys_that_are_not_known_are_worded_with_the_nearest(tmp_path):
    faults = Faults(read(tmp_path, "a: 1\nb: {colour: red}\n"))
    faults.unknown(("b", "colour"), "colour", "rde", ["green", "red"])
    faults.unknown_keys(("b",), ["colours", "size"])
    assert faults.found == [
        (2, "unknown colour 'rde'. Did you mean 'red'? Known: green; red"),
        (2, "unknown key 'b.colour'. Did you mean 'colours'? Known here: colours, size"),
    ]


def test_content_without_lines_is_named_by_its_path_alone():
    faults = Faults(YamlFile(Path("state.json"), {"a": 1}))
    faults.add(("a",), "a = 1: expected 2")
    with pytest.raises(BadInput, match=r"^state\.json: a = 1: expected 2\.$"):
        faults.raise_any()


def test_only_the_first_twenty_faults_are_written_out(tmp_path):
    file = read(tmp_path, "a: 1\n")
    faults = Faults(file)
    faults.raise_any()
    for number in range(25):
        faults.add(("a",), f"fault {number:02}")
    with pytest.raises(BadInput) as raised:
        faults.raise_any()
    assert str(raised.value).splitlines()[-2:] == [f"{file.path}, line 1: fault 19.", "and 5 more faults."]
