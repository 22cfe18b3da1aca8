"""The command `title-harness`: what has to be done before libraries are loaded."""

import os
import sys

LITTLE_MEMORY = "The memory that this process may use is not enough. Give it more, or a smaller file."
_SIGNS = ("failed to map segment", "could not spawn threads", "can't start new thread", "Cannot allocate memory")
"""What errors say where a library cannot be loaded or starts no thread for want of memory."""


def is_for_want_of_memory(error: BaseException) -> bool:
    """Say whether an error means that this process may not use enough memory, whichever library raised it."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _SIGNS)


def main() -> None:
    """Run the command; where memory does not suffice to load the libraries, say so and exit with 2."""
    # Where its thread gets no memory, the allocator of polars would say so hundreds of thousands of times.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:false")
    try:
        from harness.cli import main as run
    except (ImportError, MemoryError) as error:
        if not is_for_want_of_memory(error):
            raise
        sys.stderr.write(f"Error: {LITTLE_MEMORY}\n")
        sys.exit(2)
    run()
