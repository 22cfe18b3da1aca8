import numpy as np
import polars as pl

from harness.tagging.title_cache import TitleCache

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


def test_it_never_holds_more_than_it_may_and_keeps_what_came_last():
    cache = TitleCache(NUMBER, 8)
    for number in range(100):
        cache.add(pl.Series([f"title {number}"]), records(number))
        assert len(cache) <= 8
    assert numbers_of(cache, "title 99", "title 98", "title 97", "title 96") == [99, 98, 97, 96]
    assert numbers_of(cache, "title 0", "title 80") == [None, None]


def test_more_titles_than_there_is_room_for_are_kept_in_part():
    cache = TitleCache(NUMBER, 6)
    cache.add(pl.Series(list("abcdefgh")), records(*range(8)))
    assert numbers_of(cache, *"abcdefgh") == [0, 1, 2, None, None, None, None, None]


def test_a_title_of_the_old_generation_is_found_and_may_be_added_again():
    cache = TitleCache(NUMBER, 4)
    cache.add(pl.Series(["a", "b"]), records(1, 2))
    cache.add(pl.Series(["c"]), records(3))
    assert numbers_of(cache, "a", "c") == [1, 3]
    cache.add(pl.Series(["a"]), records(5))
    assert numbers_of(cache, "a", "b") == [5, 2]


def test_a_hash_that_two_titles_share_is_no_hit(monkeypatch):
    cache = TitleCache(NUMBER, 10)
    cache.add(pl.Series(["CEO"]), records(1))
    key, check = next(iter(cache._young.slots)), cache._young.checks[0]
    monkeypatch.setattr(
        cache, "_hashes", lambda titles: (np.array([key, key], np.uint64), np.array([check, check + 1], np.uint64))
    )
    assert numbers_of(cache, "CEO", "another with the same key") == [1, None]
