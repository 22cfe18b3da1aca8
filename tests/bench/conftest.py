"""Benchmarks run with the threads that users get; the tests' own setting is one thread."""

import os

import torch

from data_cleaning.threads import limit_threads, usable_cores

del os.environ["OMP_NUM_THREADS"]
limit_threads()  # for child processes
torch.set_num_threads(usable_cores())  # torch was loaded, by a fixture of the tests, while the number was one
