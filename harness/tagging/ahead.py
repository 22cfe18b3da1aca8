"""Make the next item of a series while the last one is used."""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import TypeVar

_Item = TypeVar("_Item")

_LOOK_EVERY_SECONDS = 0.2


def ahead(items: Generator[_Item, None, None], stop: Callable[[], None] = lambda: None) -> Generator[_Item, None, None]:
    """Yield the items of a generator, one of which is always being made in a thread.

    That pays where making and using them are work outside Python's lock. An error comes where its item would have.

    Args:
        items: to make.
        stop: called when no further item is wanted, by an error or a person, before the one that is being made is
            waited for; it may tell the generator to give up.
    """
    nothing = object()
    with closing(items), ThreadPoolExecutor(1) as thread:
        try:
            coming = thread.submit(next, items, nothing)
            while (item := _awaited(coming)) is not nothing:
                coming = thread.submit(next, items, nothing)
                yield item  # type: ignore[misc]
        except BaseException:
            stop()
            raise


def _awaited(coming: "Future[_Item]") -> _Item:
    """Wait for an item, and look up now and then: a signal that reaches another thread does not wake this one."""
    while not coming.done():
        wait([coming], timeout=_LOOK_EVERY_SECONDS)
    return coming.result()
