import re

import numpy as np
import pytest

from data_cleaning.simulate.grammar import draw_titles


def test_the_growth_of_unique_titles_slows_down():
    n_unique = {n: len(draw_titles(n, np.random.default_rng(2)).titles) for n in (5000, 20_000, 60_000)}
    assert 2000 < n_unique[5000] < 4000
    exponent = np.log(n_unique[20_000] / n_unique[5000]) / np.log(4)
    assert 0.65 < exponent < 0.95
    assert 22_000 <= n_unique[60_000] <= 32_000


def test_the_most_common_titles_are_the_same_at_every_size():
    heads = []
    for n_records in (20_000, 60_000):
        drawn = draw_titles(n_records, np.random.default_rng(4))
        counts = np.bincount(drawn.title_of_record)
        heads.append({drawn.titles[position] for position in np.argsort(-counts)[:20]})
    assert len(heads[0] & heads[1]) >= 15
    assert {"IT Manager", "CISO", "IT Director", "Network Engineer"} <= heads[1]


@pytest.mark.parametrize(
    ("pattern", "target", "meaning"),
    [
        (r"(?i)^(senior|sr\.?) .*\bengineer$", "level", {"Contributor"}),
        (r"(?i)^(vp|svp|avp|evp) of ", "level", {"Executive"}),
        (r"(?i)^director of (?!.*(&|/|\+| and ))", "level", {"Director"}),
        (r"(?i)\b(it|security|network|sales) manager$", "level", {"Manager"}),
        (r"(?i)(security guard|loss prevention officer|physical security)", "function", {"Non-ICP"}),
        (r"(?i)\b(auditor|grc)\b", "role", {"Governance Risk Compliance"}),
        (r"(?i)^(procurement|purchasing) ", "function", {"Procurement"}),
        (r"(?i)\bzero trust\b", "role", {"Information Security"}),
    ],
)
def test_drawn_titles_of_a_pattern_mean_one_thing(drawn, pattern, target, meaning):
    found = np.array([re.search(pattern, title) is not None for title in drawn.titles])
    assert found.sum() >= 10
    assert set(drawn.truth[target][found]) <= meaning
