"""Parts: whole or gone, found again by the same job only, and written by one process at a time."""

import errno
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cleaning.errors import BadInput
from harness.tagging.outputs import open_output

SCHEMA = pa.schema([("a", pa.string()), ("b", pa.int64())])
IDENTITY = {"input": "abc", "options": {"by": [], "title": "Title"}}
RESUMABLE = ("out.csv", "out.csv.gz", "out.parquet")


def rows(number):
    texts = [f"cell, {number}", None, 'q"', "line\nbreak"] * 50
    return pa.table({"x": texts, "y": list(range(number * 1000, number * 1000 + 200))}, schema=None)


def opened(out, identity=IDENTITY, **options):
    return open_output(out, ["A", "B"], SCHEMA, identity=identity, **options)


def fill(output, number):
    with output.part() as part:
        part.write(rows(number))
        part.write(rows(number).slice(0, 3))
        part.path("rejects.txt").write_text(f"rejects of {number}")
        part.journal = {"end": number}


def interrupt(output):
    with output.part() as part:
        part.write(rows(2))
        part.path("rejects.txt").write_text("half")
        part.journal = {"end": 2}
        raise KeyboardInterrupt


def unbroken(out, n_parts=3, **options):
    with closing(opened(out, **options)) as output:
        for number in range(1, n_parts + 1):
            fill(output, number)
        output.finish()
        output.discard()
    return out.read_bytes()


def names(folder):
    return sorted(place.name for place in folder.iterdir())


@pytest.mark.parametrize("name", RESUMABLE)
def test_going_on_gives_the_bytes_of_an_unbroken_job(tmp_path, name):
    expected = unbroken(tmp_path / f"unbroken-{name}")
    out = tmp_path / name
    with closing(opened(out)) as output:
        fill(output, 1)
        fill(output, 2)
    with closing(opened(out)) as output:
        assert [(part.number, part.journal) for part in output.finished] == [(1, {"end": 1}), (2, {"end": 2})]
        assert output.finished[1].path("rejects.txt").read_text() == "rejects of 2"
        fill(output, 3)
        assert output.finished[2].journal == {"end": 3}
        output.finish()
        output.discard()
    assert out.read_bytes() == expected
    assert names(tmp_path) == sorted([name, f"unbroken-{name}"])


KILLED = """
import os, sys
sys.path[:0] = [{root!r}, {here!r}]
from pathlib import Path
from test_outputs_parts import fill, opened, rows
output = opened(Path({out!r}))
fill(output, 1)
with output.part() as part:
    part.write(rows(2))
    part.path("rejects.txt").write_text("half")
    os._exit(7)
"""


@pytest.mark.parametrize("name", RESUMABLE)
def test_a_killed_process_leaves_its_whole_parts_and_no_other(tmp_path, name):
    expected = unbroken(tmp_path / f"unbroken-{name}")
    out = tmp_path / name
    here = Path(__file__).parent
    script = KILLED.format(root=str(here.parents[2]), here=str(here), out=str(out))
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert killed.returncode == 7, killed.stderr
    assert any(place.startswith("part-000002") for place in names(tmp_path / f"{name}.parts"))
    with closing(opened(out)) as output:
        assert [part.number for part in output.finished] == [1]
        left = names(output.finished[0].folder)
        assert not [place for place in left if place.startswith(("part-000002", "unfinished"))]
        fill(output, 2)
        fill(output, 3)
        output.finish()
    assert out.read_bytes() == expected


@pytest.mark.parametrize("name", RESUMABLE)
def test_a_part_that_fails_is_gone_and_may_be_written_again(tmp_path, name):
    with closing(opened(tmp_path / name)) as output:
        fill(output, 1)
        with pytest.raises(KeyboardInterrupt):
            interrupt(output)
        assert len(output.finished) == 1
        assert not [place for place in names(tmp_path / f"{name}.parts") if place.startswith("part-000002")]
        fill(output, 2)
        assert [part.journal["end"] for part in output.finished] == [1, 2]


def test_parts_after_a_gap_or_of_another_size_are_not_taken(tmp_path):
    out = tmp_path / "out.csv"
    with closing(opened(out)) as output:
        for number in (1, 2, 3):
            fill(output, number)
    (tmp_path / "out.csv.parts" / "part-000002.rows").write_text("cut")
    (tmp_path / "out.csv.parts" / "joined").write_text("of a process that was killed while it joined")
    with closing(opened(out)) as output:
        assert [part.number for part in output.finished] == [1]
        left = names(tmp_path / "out.csv.parts")
    assert left == [
        "identity.json",
        "lock",
        *(f"part-000001.{suffix}" for suffix in ("journal.json", "rejects.txt", "rows")),
    ]


@pytest.mark.parametrize(
    ("options", "worded"),
    [
        ({"identity": {**IDENTITY, "input": "other"}}, "differs in input."),
        ({"identity": {**IDENTITY, "options": {"by": ["x"], "title": "Title"}}}, "differs in options (by)."),
        ({"identity": {**IDENTITY, "model": "new"}}, "differs in model."),
        ({"delimiter": ";"}, "differs in delimiter."),
        ({"spreadsheet_safe": True}, "differs in spreadsheet safety."),
        ({"identity": {}, "delimiter": ";"}, "differs in delimiter, input, options."),
    ],
)
def test_parts_of_another_job_are_refused_saying_what_differs(tmp_path, options, worded):
    out = tmp_path / "out.csv"
    with closing(opened(out)) as output:
        fill(output, 1)
    with pytest.raises(BadInput, match="--force") as refused:
        opened(out, **options)
    assert worded in str(refused.value)
    with closing(opened(out)) as output:
        assert len(output.finished) == 1


def test_other_columns_are_another_job(tmp_path):
    out = tmp_path / "out.csv"
    with closing(opened(out)) as output:
        fill(output, 1)
    with pytest.raises(BadInput, match="column names"):
        open_output(out, ["A", "C"], SCHEMA, identity=IDENTITY)
    with pytest.raises(BadInput, match="column types"):
        open_output(out, ["A", "B"], pa.schema([("a", pa.string()), ("b", pa.float64())]), identity=IDENTITY)


def test_force_begins_another_job_anew_and_goes_on_with_the_same(tmp_path):
    out = tmp_path / "out.csv"
    with closing(opened(out)) as output:
        fill(output, 1)
    with closing(opened(out, force=True)) as output:
        assert len(output.finished) == 1
    with closing(opened(out, identity={"input": "other"}, force=True)) as output:
        assert not output.finished
        assert names(tmp_path / "out.csv.parts") == ["identity.json", "lock"]
        fill(output, 1)
    with pytest.raises(BadInput, match="differs in input"):
        opened(out)


def test_a_job_without_a_whole_part_stands_in_nobodys_way(tmp_path):
    opened(tmp_path / "out.csv").close()
    with closing(opened(tmp_path / "out.csv", identity={"input": "other"})) as output:
        fill(output, 1)
    with pytest.raises(BadInput, match="differs in input"):
        opened(tmp_path / "out.csv")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("content", [{"notes.txt": "mine"}, {"identity.json": "[]"}, {"identity.json": "{"}])
def test_a_folder_that_is_somebody_elses_is_left_alone(tmp_path, content, force):
    folder = tmp_path / "out.csv.parts"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    with pytest.raises(BadInput, match=r"out\.csv\.parts"):
        opened(tmp_path / "out.csv", force=force)
    assert {place.name: place.read_text() for place in folder.iterdir()} == content


def test_a_file_or_a_link_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out.csv.parts").write_text("mine")
    with pytest.raises(BadInput, match="holds something else"):
        opened(tmp_path / "out.csv")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "linked.csv.parts").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="holds something else"):
        opened(tmp_path / "linked.csv")


def test_a_folder_that_a_killed_process_had_just_made_is_taken(tmp_path):
    folder = tmp_path / "out.csv.parts"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "unfinished-999999-identity.json").touch()
    opened(tmp_path / "out.csv").close()
    assert names(folder) == ["identity.json", "lock"]


def test_what_somebody_put_beside_the_parts_outlives_them(tmp_path):
    with closing(opened(tmp_path / "out.csv")) as output:
        fill(output, 1)
        (tmp_path / "out.csv.parts" / "notes.txt").write_text("mine")
        output.discard()
        with pytest.raises(AssertionError, match="closed"):
            fill(output, 2)
    assert names(tmp_path / "out.csv.parts") == ["notes.txt"]


def test_an_output_is_open_in_one_place_at_a_time(tmp_path):
    out = tmp_path / "out.csv"
    first = opened(out)
    for force in (False, True):
        with pytest.raises(BadInput, match="another process"):
            opened(out, force=force)
    first.close()
    first.close()
    second = opened(out)
    del second  # forgotten, but nobody is kept waiting
    third = opened(out)
    third.discard()
    opened(out).close()


@pytest.mark.parametrize("name", [*RESUMABLE, "out.xlsx"])
def test_no_part_gives_a_file_with_a_header_alone(tmp_path, name):
    with closing(opened(tmp_path / name)) as output:
        output.finish()
        output.discard()
    assert names(tmp_path) == [name]
    if name.endswith("parquet"):
        assert pq.read_schema(tmp_path / name).names == ["A", "B"]


def test_an_output_that_cannot_be_joined_leaves_the_former_one_and_the_parts(tmp_path, monkeypatch):
    out = tmp_path / "out.csv"
    out.write_text("former")
    with closing(opened(out)) as output:
        fill(output, 1)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(BadInput, match=r"out\.csv cannot be written: the disk is full"):
            output.finish()
        monkeypatch.undo()
        assert out.read_text() == "former"
        assert names(tmp_path) == ["out.csv", "out.csv.parts"]
        assert "joined" not in names(tmp_path / "out.csv.parts")
        output.finish()
    assert out.read_text().startswith("A,B\n")


@pytest.mark.parametrize("name", [*RESUMABLE, "out.xlsx"])
def test_a_full_disk_while_a_part_is_written_is_bad_input(tmp_path, monkeypatch, name):
    with closing(opened(tmp_path / name)) as output:
        fill(output, 1)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(BadInput, match="the disk is full"):
            fill(output, 2)
        monkeypatch.undo()
        assert [part.number for part in output.finished] == [1]
        assert not [place for place in names(tmp_path / f"{name}.parts") if place.startswith("part-000002")]


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_place_that_cannot_be_written_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="cannot be written"):
        opened(tmp_path / "missing" / "out.csv")
    with pytest.raises(BadInput, match="cannot be written"):
        opened(tmp_path / f"{'long' * 62}.csv")
    assert names(tmp_path) == []


def test_the_journal_is_asked_for_and_written_last(tmp_path, monkeypatch):
    with closing(opened(tmp_path / "out.csv")) as output:
        with pytest.raises(AssertionError, match="journal"), output.part() as part:
            part.write(rows(1))
        assert not output.finished
        synced = []
        monkeypatch.setattr(os, "fsync", lambda opened: synced.append(Path(f"/proc/self/fd/{opened}").readlink().name))
        fill(output, 1)
    assert synced[:2] == ["part-000001.rejects.txt", "part-000001.rows"]
    assert synced[2].endswith("part-000001.journal.json")
    journal = json.loads((tmp_path / "out.csv.parts" / "part-000001.journal.json").read_text())
    assert journal["journal"] == {"end": 1}


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"'\.txt'; expected \.csv\.gz"):
        opened(tmp_path / "out.txt")


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.xlsx"])
@pytest.mark.parametrize(
    "kind", [pa.list_(pa.string()), pa.struct([("x", pa.int64())]), pa.binary(), pa.duration("s"), pa.decimal256(50, 2)]
)
def test_what_is_no_single_cell_is_refused_where_cells_are_written(tmp_path, name, kind):
    schema = pa.schema([("a", pa.string()), ("b", kind)])
    with pytest.raises(BadInput, match=r"'B' holds .*\.parquet"):
        open_output(tmp_path / name, ["A", "B"], schema, identity={})
    assert names(tmp_path) == []
    with closing(open_output(tmp_path / "out.parquet", ["A", "B"], schema, identity={})) as output:
        output.discard()
