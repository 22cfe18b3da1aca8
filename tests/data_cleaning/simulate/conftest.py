import numpy as np
import pytest

from data_cleaning.simulate.grammar import draw_titles
from tests.data_cleaning.simulate.toy_history import simulate


@pytest.fixture(scope="package")
def simulated():
    return simulate(60_000)


@pytest.fixture(scope="package")
def drawn():
    return draw_titles(60_000, np.random.default_rng(11))
