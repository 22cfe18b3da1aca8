"""Make the next item of a series while the last one is used."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

_Item = TypeVar("_Item")


def ahead(items: Generator[_Item, None, None]) -> Generator[_Item, None, None]:
    """Yield the items of a generator, one of which is always being made in a thread.

    That pays where making and using them are work outside Python's lock. An error comes where its item would have.
    """
    nothing = object()
    with closing(items), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, nothing)
        while (item := coming.result()) is not nothing:
            coming = thread.submit(next, items, nothing)
            yield item  # type: ignore[misc]
