"""Benchmarks run with the threads that users get; the tests' own setting is one thread."""

import os

from data_cleaning.threads import limit_threads

del os.environ["OMP_NUM_THREADS"]
limit_threads()  # before torch is loaded, for child processes too
