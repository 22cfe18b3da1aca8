import threading
import time

import pytest

from harness.tagging.predict import prefetched


def test_prefetched_items_come_in_their_order():
    assert list(prefetched(iter_to(100))) == list(range(100))
    assert list(prefetched(iter_to(0))) == []


def iter_to(end):
    yield from range(end)


def test_the_next_item_is_made_while_one_is_used():
    made = []

    def items():
        for number in range(3):
            made.append(number)
            yield number

    for number in prefetched(items()):
        deadline = time.monotonic() + 5
        while len(made) < min(number + 2, 3) and time.monotonic() < deadline:
            time.sleep(0.001)
        assert len(made) == min(number + 2, 3)


def test_an_error_comes_where_its_item_would_have():
    def items():
        yield 1
        raise ValueError("broken")

    series = prefetched(items())
    assert next(series) == 1
    with pytest.raises(ValueError, match="broken"):
        next(series)


def test_stopping_early_closes_the_generator_and_can_make_it_give_up():
    given_up, closed = threading.Event(), threading.Event()

    def items():
        try:
            yield 1
            assert given_up.wait(10), "the generator was not told that the second item is unwanted"
            yield 2
            yield 3
        finally:
            closed.set()

    series = prefetched(items(), given_up.set)
    assert next(series) == 1
    began = time.monotonic()
    series.close()
    assert time.monotonic() - began < 5
    assert closed.is_set()
