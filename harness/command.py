"""The command `title-harness`: what has to be done before libraries are loaded."""

import gc
import os
import sys

from data_cleaning.errors import LITTLE_MEMORY, is_for_want_of_memory
from data_cleaning.threads import limit_threads

_NEW_OBJECTS = 20_000
"""How many more objects there have to be before the collector looks for cycles.

Libraries leave hundreds of thousands of objects that stay. With Python's default of 700, looking through them again
and again takes a tenth of the time of a short command.
"""


def main() -> None:
    """Run the command; where memory does not suffice to load the libraries, say so and exit with 2."""
    # Where its thread gets no memory, the allocator of polars would say so hundreds of thousands of times.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:false")
    gc.set_threshold(_NEW_OBJECTS)
    try:
        limit_threads()
        from harness.cli import main as run
    except (ImportError, MemoryError) as error:
        if not is_for_want_of_memory(error):
            raise
        sys.stderr.write(f"Error: {LITTLE_MEMORY}\n")
        sys.exit(2)
    run()
