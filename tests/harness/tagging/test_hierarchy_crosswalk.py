"""The crosswalk from old labels to new places."""

import numpy as np
import pytest

from harness.tagging.hierarchy import contradictions, crosswalk
from tests.harness.tagging.hierarchy_by_hand import MATRON, NURSES, ROOT, SHOPS, WARD, read

CARE, TRADE = 0, 1
BOSS, STAFF = 0, 1

ROWS = [
    # field, rank, place, records
    (CARE, BOSS, MATRON, 3),
    (CARE, STAFF, NURSES, 10),
    (CARE, BOSS, MATRON, 4),
    (CARE, BOSS, NURSES, 1),
    (TRADE, BOSS, SHOPS, 2),
]


@pytest.fixture
def hierarchy(tmp_path):
    return read(tmp_path)


def table(hierarchy, rows, of=crosswalk):
    field, rank, place, records = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return of(hierarchy, {"field": field, "rank": rank}, place.astype(np.int16), records)


def test_records_are_counted_by_old_labels_and_new_place(hierarchy):
    assert table(hierarchy, ROWS).to_dict("split", index=False) == {
        "columns": ["field", "rank", "part", "job", "new_field", "height", "records", "share", "contradiction"],
        "data": [
            ["Care", "Staff", "Ward", "Nurses", "Nursing", "Rest", 10, 0.5, ""],
            ["Care", "Boss", "Ward", "Matron", "Nursing", "Top", 7, 0.35, ""],
            ["Trade", "Boss", "Shops", "", "Retail", "Rest", 2, 0.1, "shops have no boss"],
            ["Care", "Boss", "Ward", "Nurses", "Nursing", "Rest", 1, 0.05, ""],
        ],
    }


def test_an_answer_above_the_leaves_leaves_the_rest_empty(hierarchy):
    rows = table(hierarchy, [(CARE, BOSS, WARD, 2), (CARE, BOSS, ROOT, 1)])
    assert rows[["part", "job", "new_field", "height"]].to_numpy().tolist() == [
        ["Ward", "", "Nursing", ""],
        ["", "", "", ""],
    ]


def test_contradictions_are_counted_alone(hierarchy):
    found = table(hierarchy, ROWS, of=contradictions)
    assert found[["field", "rank", "records", "share", "contradiction"]].to_numpy().tolist() == [
        ["Trade", "Boss", 2, 0.1, "shops have no boss"]
    ]
    assert list(found.columns) == list(table(hierarchy, ROWS).columns)


def test_the_first_contradiction_that_fits_is_told(tmp_path):
    hierarchy = read(
        tmp_path, ("why: shops have no boss}", "why: first}\n  - {field: Trade, rank: [Boss, Staff], why: second}")
    )
    rows = table(hierarchy, [(TRADE, STAFF, SHOPS, 2), (TRADE, BOSS, SHOPS, 1)])
    assert rows["contradiction"].tolist() == ["second", "first"]


def test_no_records_make_an_empty_table(hierarchy):
    assert table(hierarchy, []).empty
    assert table(hierarchy, [], of=contradictions).empty
