import numpy as np
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from harness.tagging.answers import AnswerStore, TitleCache

NUMBER = np.dtype([("number", np.int64)])


def records(*numbers):
    return np.array([(number,) for number in numbers], dtype=NUMBER)


def numbers_of(cache, *titles):
    """Return the number of each title that is held, None for the others."""
    found, known = cache.find(pl.Series(titles))
    return [int(number) if here else None for number, here in zip(found["number"], known, strict=True)]


def test_what_was_added_is_found_and_nothing_else():
    cache = TitleCache(NUMBER, 10)
    cache.add(pl.Series(["CEO", "CTO"]), records(1, 2))
    assert numbers_of(cache, "CTO", "ceo", "CEO", "CTO") == [2, None, 1, 2]


def test_a_cache_never_holds_more_than_it_may_and_keeps_what_came_last():
    cache = TitleCache(NUMBER, 8)
    for number in range(100):
        cache.add(pl.Series([f"title {number}"]), records(number))
        assert len(cache) <= 8
    assert numbers_of(cache, "title 99", "title 98", "title 97", "title 96") == [99, 98, 97, 96]
    assert numbers_of(cache, "title 0", "title 80") == [None, None]


def test_more_titles_than_there_is_room_for_are_kept_in_part():
    cache = TitleCache(NUMBER, 3)
    cache.add(pl.Series(list("abcdefgh")), records(*range(8)))
    assert numbers_of(cache, *"abcdefgh") == [0, 1, 2, None, None, None, None, None]


@pytest.mark.parametrize("n_hashes", [1, 2, 7])
def test_titles_that_share_a_slot_are_told_apart(monkeypatch, n_hashes):
    """Few titles have a slot of their own where nearly all have one first hash; the second is another for each."""
    cache = TitleCache(NUMBER, 100)
    of_titles = {str(number): (number % n_hashes, number) for number in range(200)}
    monkeypatch.setattr(cache, "_hashes_of", lambda titles: np.array([of_titles[one] for one in titles], np.uint64))
    for first in (0, 60):
        added = range(first, first + 40)
        cache.add(pl.Series([str(number) for number in added]), records(*added))
    held = [number if number < 40 or 60 <= number < 100 else None for number in range(200)]
    assert numbers_of(cache, *of_titles) == held


def test_stored_answers_are_found_by_a_later_process(tmp_path):
    store = AnswerStore(tmp_path / "answers", NUMBER)
    store.add(["CEO", "CTO"], records(1, 2))
    store.add(["", "é\0"], records(3, 4))
    again = AnswerStore(tmp_path / "answers", NUMBER)
    assert again.n_titles == 4
    found, known = again.find(["é\0", "ceo", "CTO", "CEO", ""])
    assert known.tolist() == [True, False, True, True, True]
    assert found["number"][known].tolist() == [4, 2, 1, 3]
    again.add(["CFO"], records(5))
    assert AnswerStore(tmp_path / "answers", NUMBER).find(["CFO"])[0]["number"].tolist() == [5]


def test_an_empty_store_knows_no_title(tmp_path):
    store = AnswerStore(tmp_path / "answers", NUMBER)
    assert store.n_titles == 0
    assert not store.find(["CEO"])[1].any()
    assert store.find([])[0].shape == (0,)


def test_a_broken_file_and_those_after_it_are_answered_again(tmp_path):
    folder = tmp_path / "answers"
    store = AnswerStore(folder, NUMBER)
    for number in range(3):
        store.add([f"title {number}"], records(number))
    (folder / "answers-000001.arrows").write_bytes(b"cut")
    (folder / "unfinished-999999-answers-000003.arrows").write_bytes(b"")
    again = AnswerStore(folder, NUMBER)
    assert again.find(["title 0", "title 1", "title 2"])[1].tolist() == [True, False, False]
    again.add(["title 1"], records(10))
    assert again.find(["title 1"])[0]["number"].tolist() == [10]
    assert AnswerStore(folder, NUMBER).n_titles == 3


def test_a_full_disk_while_answers_are_stored_is_bad_input(tmp_path, monkeypatch):
    store = AnswerStore(tmp_path / "answers", NUMBER)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.tagging.answers.sync", fail)
    with pytest.raises(BadInput, match="the disk is full"):
        store.add(["CEO"], records(1))
    assert not list((tmp_path / "answers").iterdir())


def test_only_files_that_have_what_is_asked_for_are_read(tmp_path):
    folder = tmp_path / "answers"
    store = AnswerStore(folder, NUMBER)
    for number in range(9):
        store.add([f"title {number}", f"other {number}"], records(number, -number))
    for number in (0, 1, 2, 3, 5, 6, 7):
        (folder / f"answers-{number:06d}.arrows").unlink()
    found, known = store.find(["other 8", "new", "title 4", "title 8"])
    assert known.tolist() == [True, False, True, True]
    assert found["number"][known].tolist() == [-8, 4, 8]
