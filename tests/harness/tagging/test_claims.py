import pytest

from harness.tagging.claims import Claims


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out.csv.parts").mkdir()
    return tmp_path / "out.csv.parts"


@pytest.fixture
def moved(folder, tmp_path):
    """A file that a job noted and put in its place."""
    ready, place = folder / "ready", tmp_path / "out.summary.csv"
    ready.write_text("made")
    Claims(folder, {"job": 1}).note({place: ready})
    ready.replace(place)
    return place


def test_what_the_job_has_put_there_is_its_own(folder, moved):
    assert Claims(folder, {"job": 1}).hold(moved)


def test_what_another_job_or_anybody_else_has_put_there_is_not(folder, moved):
    assert not Claims(folder, {"job": 2}).hold(moved)
    moved.write_text("mine, and longer")
    assert not Claims(folder, {"job": 1}).hold(moved)


def test_a_second_try_keeps_the_first_in_mind(folder, moved):
    again = Claims(folder, {"job": 1})
    ready = folder / "ready"
    ready.write_text("made again")
    again.note({moved: ready})
    assert Claims(folder, {"job": 1}).hold(moved)
    ready.replace(moved)
    assert Claims(folder, {"job": 1}).hold(moved)


def test_nothing_is_left_when_all_is_done(folder, moved):
    Claims(folder, {"job": 1}).forget()
    assert list(folder.iterdir()) == []
    assert not Claims(folder, {"job": 1}).hold(moved)


def test_half_a_note_counts_as_none(folder, moved):
    (folder / "claims.json").write_text('{"job": "')
    assert not Claims(folder, {"job": 1}).hold(moved)
