"""The folder of a job: what is kept of an interrupted call, and what does not fit is noticed."""

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from data_cleaning.errors import BadInput
from harness.scale.blocks import Place
from harness.scale.parts_folder import MANIFEST, MAX_TRIES, PartsFolder
from tests.harness.scale.conftest import IDENTITY


def work(folder, given, finish=False):
    """Do a job in a folder; without `finish` it is interrupted after its last block."""
    with folder.locked(IDENTITY, force=False):
        for block in given.blocks(0, frozenset(folder.kept("tagged"))):
            folder.begin(block)
            part = folder.part(block.place)
            pl.from_arrow(block.batch.rows).write_parquet(part)
            folder.save("tagged", block, {"at": block.first_row}, {"rows": pl.DataFrame({"n": [1]})}, [part])
        if finish:
            with folder.making_ready():
                (folder.ready / "summary.csv").write_text("n\n5\n")
            folder.finish(IDENTITY, {"n_rows": 5}, given)


@pytest.fixture
def folder(tmp_path, given):
    made = PartsFolder(tmp_path / "out")
    work(made, given)
    return made


def test_partials_come_back_in_the_order_of_the_rows_with_the_rejects(folder, given):
    first, _, last = folder.partials("tagged")
    assert (first.place, first.facts["at"], last.facts["at"]) == (Place(0, 0), 1, 5)
    assert first.frames["rows"].equals(pl.DataFrame({"n": [1]}))
    assert [(one.place, one.text) for one in last.rejects(given)] == [(7, "f,g,h")]
    assert [part["rows"] for part in folder.parts().values()] == [2, 2, 1]


def flip_last_byte(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def flip_in_frame(path):
    content = bytearray(path.read_bytes())
    content[content.index(b"ARROW1") + 60] ^= 1
    path.write_bytes(content)


def without_facts(path):
    path.unlink()
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("rows.arrow", b"")


PARTIAL, PART = ".job/tagged-00000-000001.zip", "parts/part-00000-000001.parquet"


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (PARTIAL, lambda path: path.write_bytes(path.read_bytes()[:-30])),
        (PARTIAL, lambda path: path.write_bytes(b"")),
        (PARTIAL, flip_in_frame),
        (PARTIAL, without_facts),
        (PART, flip_last_byte),
        (PART, lambda path: path.write_bytes(path.read_bytes()[:-1])),
        (PART, Path.unlink),
    ],
    ids=["cut", "empty", "flipped", "no facts", "part flipped", "part cut", "part gone"],
)
def test_a_damaged_block_is_done_again_and_no_other(folder, given, name, damage):
    before = {path: path.read_bytes() for path in folder.path.glob("parts/*")}
    damage(folder.path / name)
    assert [*sorted(folder.kept("tagged"))] == [Place(0, 0), Place(0, 2)]
    work(folder, given, finish=True)
    assert {path: path.read_bytes() for path in folder.path.glob("parts/*")} == before
    assert folder.finished() == {"n_rows": 5}
    assert not folder.job.exists()


def edited(change):
    def edit(folder):
        manifest = json.loads((folder / MANIFEST).read_text())
        change(manifest)
        (folder / MANIFEST).write_text(json.dumps(manifest))

    return edit


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: flip_last_byte(folder / PART), PART),
        (lambda folder: (folder / PART).unlink(), PART),
        (lambda folder: (folder / "summary.csv").write_text("n\n6\n"), "summary.csv"),
        (lambda folder: (folder / PART).with_stem("part-00000-000003").write_text("more"), "part-00000-000003.parquet"),
        (edited(lambda manifest: manifest["parts"].pop(1)), PART),
        (edited(lambda manifest: manifest["parts"][0].update(sha256="0")), "parts/part-00000-000000.parquet"),
        (edited(lambda manifest: manifest.pop("parts")), "not as it was written"),
        (lambda folder: (folder / MANIFEST).write_text('{"format": 1'), "not readable as the manifest"),
    ],
    ids=["flipped", "gone", "beside", "one more", "not listed", "other sum", "no list", "cut"],
)
def test_a_manifest_that_does_not_fit_its_files_is_told(folder, given, damage, told):
    work(folder, given, finish=True)
    assert folder.finished() == {"n_rows": 5}
    damage(folder.path)
    with pytest.raises(BadInput, match=told):
        folder.finished()


@pytest.fixture
def check(tmp_path, given):
    """Check a folder before a job on the three blocks, or on what is named."""

    def call(folder, now=IDENTITY, leads=tmp_path / "leads.csv", files=given.files, resume=False, force=False):
        folder.check(leads, files, now, resume=resume, force=force)

    return call


def test_the_folder_of_another_job_is_refused_with_what_differs(folder, check):
    other = {"verb": "clean", "options": {"prefix": "new_", "raw": False}}
    with pytest.raises(BadInput, match=r"interrupted\. Continue it with --resume"):
        check(folder)
    with pytest.raises(BadInput, match=r"differs in options \(prefix\), verb"):
        check(folder, other, resume=True)
    check(folder, resume=True)
    check(folder, other, force=True)
    (folder.job / "job.json").write_text("[")
    with pytest.raises(BadInput, match="Nothing was touched"):
        check(folder, resume=True)


def test_what_is_read_is_never_where_is_written(folder, check, tmp_path):
    with pytest.raises(BadInput, match=r"part-00000-000001\.parquet, which is read, is in"):
        check(folder, leads=folder.path / "parts" / "*.parquet", files=[folder.path / PART], force=True)
    with pytest.raises(BadInput, match="all of which is read"):
        check(PartsFolder(tmp_path / "new"), leads=tmp_path)


def test_a_second_process_is_refused(folder):
    second = PartsFolder(folder.path).locked(IDENTITY, force=True)
    refused = pytest.raises(BadInput, match="is being written by another process")
    with folder.locked(IDENTITY, force=False), refused, second:
        pass
    assert len(folder.kept("tagged")) == 3


def test_a_block_of_which_workers_die_ends_the_job_by_its_rows_and_a_resumed_call_tries_again(folder, given):
    _, block, _ = given.blocks(0, frozenset())
    with folder.locked(IDENTITY, force=False):
        for _ in range(MAX_TRIES):
            folder.begin(block)
        with pytest.raises(BadInput, match=f"{MAX_TRIES} workers have died of rows 3 to 4 of input file 1"):
            folder.begin(block)
    with folder.locked(IDENTITY, force=False):
        for _ in range(MAX_TRIES + 1):  # a block that is done counts no more
            folder.begin(block)
            folder.save("tagged", block, {}, {})


def test_a_machine_that_does_not_see_the_folder_is_named(folder, given):
    (folder.job / "job.json").unlink()
    with pytest.raises(BadInput, match=r"does not see .* share under the same path"):
        folder.begin(next(given.blocks(0, frozenset())))


def test_a_call_that_has_done_nothing_leaves_nothing_and_a_part_without_its_partial_is_resumed(tmp_path, given, check):
    folder = PartsFolder(tmp_path / "new")
    with folder.locked(IDENTITY, force=False):
        pass
    assert not folder.path.exists()
    with folder.locked(IDENTITY, force=False):
        folder.part(Place(0, 0)).write_bytes(b"half")
    check(folder, resume=True)
    work(folder, given, finish=True)
    assert folder.finished() == {"n_rows": 5}
