import numpy as np

from harness.tagging.title_cache import TitleCache

NUMBER = np.dtype([("number", np.int64)])


def records(*numbers):
    return np.array([(number,) for number in numbers], dtype=NUMBER)


def numbers_of(cache, *titles):
    """Return the number of each title that is held, None for the others."""
    found, known = cache.find(titles)
    return [int(number) if here else None for number, here in zip(found["number"], known, strict=True)]


def test_what_was_added_is_found_and_nothing_else():
    cache = TitleCache(NUMBER, 10)
    cache.add(["CEO", "CTO"], records(1, 2))
    assert numbers_of(cache, "CTO", "ceo", "CEO", "CTO") == [2, None, 1, 2]


def test_it_never_holds_more_than_it_may_and_keeps_what_came_last():
    cache = TitleCache(NUMBER, 8)
    for number in range(100):
        cache.add([f"title {number}"], records(number))
        assert len(cache) <= 8
    assert numbers_of(cache, "title 99", "title 98", "title 97", "title 96") == [99, 98, 97, 96]
    assert numbers_of(cache, "title 0", "title 80") == [None, None]


def test_more_titles_than_there_is_room_for_are_kept_in_part():
    cache = TitleCache(NUMBER, 6)
    cache.add(list("abcdefgh"), records(*range(8)))
    assert numbers_of(cache, *"abcdefgh") == [0, 1, 2, None, None, None, None, None]


def test_a_title_of_the_old_generation_is_found_and_may_be_added_again():
    cache = TitleCache(NUMBER, 4)
    cache.add(["a", "b"], records(1, 2))
    cache.add(["c"], records(3))
    assert numbers_of(cache, "a", "c") == [1, 3]
    cache.add(["a"], records(5))
    assert numbers_of(cache, "a", "b") == [5, 2]


def test_a_text_that_is_no_title_takes_no_memory():
    cache = TitleCache(NUMBER, 4)
    cache.add(["x" * 5_000, "CEO"], records(1, 2))
    assert numbers_of(cache, "x" * 5_000, "CEO") == [None, 2]
