"""Ranks by hand, and a list from parts against one sort of all rows."""

import numpy as np
import polars as pl
import pytest

from harness.tagging.business.follow_up import NO_RANK, best_of_all, best_of_part, rank_rows
from harness.tagging.hierarchy import FollowUp, Rank

FOLLOW_UP = FollowUp(
    most=20,
    ranks=(
        Rank("heads", frozenset({1, 2}), frozenset({0})),
        Rank("wards", frozenset({2, 3}), frozenset({0, 1})),
        Rank("unsure", frozenset({4}), frozenset({-1, 1})),
    ),
)


def people(n_rows: int) -> pl.DataFrame:
    random = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "node": random.integers(-1, 6, n_rows).astype(np.int16),
            "band": random.integers(-1, 3, n_rows).astype(np.int8),
            "confidence": (random.integers(5, 10, n_rows) / 10).astype(np.float32),
            "name": [f"person {row}" for row in range(1, n_rows + 1)],
        }
    )


def best(frame: pl.DataFrame, follow_up: FollowUp = FOLLOW_UP, first_row: int = 1) -> pl.DataFrame:
    node, band, confidence = (frame[name].to_numpy() for name in ("node", "band", "confidence"))
    return best_of_part(follow_up, node, band, confidence, frame.select("name", "band").to_arrow(), first_row=first_row)


@pytest.mark.parametrize(
    ("node", "band", "rank"),
    [
        *((1, 0, 0), (2, 0, 0), (3, 0, 1), (2, 1, 1), (4, 1, 2), (4, -1, 2)),
        *((1, 1, NO_RANK), (4, 0, NO_RANK), (2, -1, NO_RANK), (-1, 0, NO_RANK), (-1, -1, NO_RANK), (0, 0, NO_RANK)),
        *((5, 0, NO_RANK), (2, 2, NO_RANK), (99, 9, NO_RANK)),
    ],
)
def test_the_first_rank_that_fits_counts(node, band, rank):
    assert rank_rows(FOLLOW_UP, np.array([node], dtype=np.int16), np.array([band], dtype=np.int8)).tolist() == [rank]


def test_a_follow_up_without_ranks_wants_nobody():
    frame = people(50)
    listed, n_relevant = best_of_all([best(frame, FollowUp(5, ()))], FollowUp(5, ()))
    assert listed.is_empty()
    assert n_relevant == 0


@pytest.mark.parametrize("most", [1, 7, 20, 44, 1000])
@pytest.mark.parametrize("size", [3, 40, 500])
def test_parts_give_the_list_of_one_sort_of_all_rows(size, most):
    follow_up = FollowUp(most, FOLLOW_UP.ranks)
    frame = people(200)
    parts = [best(frame[start : start + size], follow_up, start + 1) for start in range(0, len(frame), size)]
    assert max(map(len, parts)) <= most
    listed, n_relevant = best_of_all(iter(parts), follow_up)

    ranks = rank_rows(follow_up, frame["node"].to_numpy(), frame["band"].to_numpy()).tolist()
    keys = [
        (rank, band if band >= 0 else 99, -confidence, row)
        for row, (rank, band, confidence) in enumerate(zip(ranks, frame["band"], frame["confidence"], strict=True))
        if rank >= 0
    ]
    expected = sorted(keys)[:most]
    assert listed["row"].to_list() == [row + 1 for *_, row in expected]
    assert listed["rank"].to_list() == [follow_up.ranks[rank].name for rank, *_ in expected]
    assert listed["name"].to_list() == [f"person {row + 1}" for *_, row in expected]
    assert listed["place"].to_list() == [*range(1, len(expected) + 1)]
    assert n_relevant == len(keys)


def test_pieces_of_a_part_may_be_put_under_each_other_and_kept_in_a_file(tmp_path):
    frame = people(200)
    pl.concat([best(frame[:90]), best(frame[90:], first_row=91)]).write_parquet(tmp_path / "best.parquet")
    listed, n_relevant = best_of_all([pl.read_parquet(tmp_path / "best.parquet")], FOLLOW_UP)
    at_once, n_at_once = best_of_all([best(frame)], FOLLOW_UP)
    assert listed.equals(at_once)
    assert n_relevant == n_at_once


def test_two_records_of_one_person_are_two_attendees():
    frame = pl.DataFrame({"node": [2, 2], "band": [0, 0], "confidence": [0.9, 0.9], "name": ["Ann", "Ann"]})
    listed, n_relevant = best_of_all([best(frame)], FOLLOW_UP)
    assert listed["name"].to_list() == ["Ann", "Ann"]
    assert n_relevant == 2


def test_columns_of_the_file_keep_their_names():
    frame = people(50)
    rows = frame.select("name", rank="band", place="node", relevant="band", own="band").to_arrow()
    arrays = (frame[name].to_numpy() for name in ("node", "band", "confidence"))
    listed, _ = best_of_all([best_of_part(FOLLOW_UP, *arrays, rows, first_row=1)], FOLLOW_UP)
    assert listed.columns == [
        *("follow_up_place", "follow_up_rank", "row"),
        *("name", "rank", "place", "relevant", "own"),
    ]


def test_a_file_without_rows_has_an_empty_list_with_its_columns():
    listed, n_relevant = best_of_all([best(people(50)[:0])], FOLLOW_UP)
    assert listed.columns == ["place", "rank", "row", "name", "band"]
    assert listed.is_empty()
    assert n_relevant == 0
