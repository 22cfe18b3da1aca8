"""The command `title-harness`: what has to be done before libraries are loaded."""

import os
import sys

from data_cleaning.errors import LITTLE_MEMORY, is_for_want_of_memory
from data_cleaning.threads import limit_threads


def main() -> None:
    """Run the command; where memory does not suffice to load the libraries, say so and exit with 2."""
    # Where its thread gets no memory, the allocator of polars would say so hundreds of thousands of times.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:false")
    try:
        limit_threads()
        from harness.cli import main as run
    except (ImportError, MemoryError) as error:
        if not is_for_want_of_memory(error):
            raise
        sys.stderr.write(f"Error: {LITTLE_MEMORY}\n")
        sys.exit(2)
    run()
