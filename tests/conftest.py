"""Fixtures that every test may use: fixed seeds and a toy company with two targets."""

import os
import random

# Toy systems lose more to waking a second thread than they gain; set before torch starts, for child processes too.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import numpy as np
import pytest

from tests.toy_company import ToyCompany, write_toy_company

# How long an example takes depends on what else the machine does; speed is the business of tests/bench.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _fixed_seeds():
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries that still draw from the global state


@pytest.fixture(scope="session")
def company(tmp_path_factory) -> ToyCompany:
    """Another company's files: leads, a test file apart, a taxonomy of two targets, a keyword table, a config."""
    return write_toy_company(tmp_path_factory.mktemp("company"))
