"""Ranks by hand, a list from pieces against one sort of all rows, and cells of every type."""

from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from harness.tagging.answers import Answers
from harness.tagging.business.follow_up import NO_RANK, BestRows, listed, rank_rows
from harness.tagging.hierarchy import FollowUp, Rank

FOLLOW_UP = FollowUp(
    most=20,
    ranks=(
        Rank("heads", frozenset({1, 2}), frozenset({0})),
        Rank("wards", frozenset({2, 3}), frozenset({0, 1})),
        Rank("unsure", frozenset({4}), frozenset({-1, 1})),
    ),
)


def best_of(frame: pl.DataFrame, follow_up: FollowUp = FOLLOW_UP, size: int = 1000, **written: str):
    """Return the list of a file that is read in pieces, and how many of its records have a rank."""
    best_rows = BestRows(follow_up)
    records = np.zeros(len(frame), dtype=[("node", np.int16), ("band", np.int8), ("place_confidence", np.float32)])
    for name in ("node", "band", "confidence"):
        records["place_confidence" if name == "confidence" else name] = frame[name]
    for start in range(0, max(len(frame), 1), size):
        table = frame.select("name", **(written or {"band": "band"}))[start : start + size].to_arrow()
        part = records[start : start + size]
        best_rows.add(Answers(part, np.arange(len(part))), table, start + 1)
    return best_rows.listed()


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
    found, n_relevant = best_of(people(50), FollowUp(5, ()))
    assert found.is_empty()
    assert n_relevant == 0


@pytest.mark.parametrize("most", [1, 7, 20, 44, 1000])
@pytest.mark.parametrize("size", [3, 40, 500])
def test_pieces_give_the_list_of_one_sort_of_all_rows(size, most):
    follow_up = FollowUp(most, FOLLOW_UP.ranks)
    frame = people(200)
    found, n_relevant = best_of(frame, follow_up, size)

    ranks = rank_rows(follow_up, frame["node"].to_numpy(), frame["band"].to_numpy()).tolist()
    keys = [
        (rank, band if band >= 0 else 99, -confidence, row)
        for row, (rank, band, confidence) in enumerate(zip(ranks, frame["band"], frame["confidence"], strict=True))
        if rank >= 0
    ]
    expected = sorted(keys)[:most]
    assert found["row"].to_list() == [row + 1 for *_, row in expected]
    assert found["rank"].to_list() == [follow_up.ranks[rank].name for rank, *_ in expected]
    assert found["name"].to_list() == [f"person {row + 1}" for *_, row in expected]
    assert found["place"].to_list() == [*range(1, len(expected) + 1)]
    assert n_relevant == len(keys)


def test_two_records_of_one_person_are_two_attendees():
    frame = pl.DataFrame({"node": [2, 2], "band": [0, 0], "confidence": [0.9, 0.9], "name": ["Ann", "Ann"]})
    found, n_relevant = best_of(frame)
    assert found["name"].to_list() == ["Ann", "Ann"]
    assert n_relevant == 2


def test_columns_of_the_file_keep_their_names():
    found, _ = best_of(people(50), rank="band", place="node", relevant="band", own="band")
    assert found.columns == [
        *("follow_up_place", "follow_up_rank", "row"),
        *("name", "rank", "place", "relevant", "own"),
    ]


def test_a_file_without_rows_has_an_empty_list_with_its_columns():
    found, n_relevant = best_of(people(50)[:0])
    assert found.columns == ["place", "rank", "row", "name", "band"]
    assert found.is_empty()
    assert n_relevant == 0


def stored(numbers, kind: pa.DataType) -> pa.Array:
    """Return values by the numbers that they are stored as, which no calendar has to know."""
    return pa.array(numbers, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)


LATE = 253_402_299_000  # 9999-12-31 23:30 UTC, in seconds
OUT_OF_RANGE = "<value out of range: {}>".format
CELLS = [
    (pa.array(["a", "b"]), ["a", "b"]),
    (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
    (pa.array(["a", "b"], pa.string_view()), ["a", "b"]),
    (pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"b"]).buffers()), ["\ufffd", "b"]),
    (pa.array([True, False]), [True, False]),
    (pa.array([1, 2], pa.uint64()), [1, 2]),
    (pa.array([0.5, 1.5]), [0.5, 1.5]),
    (pa.array(np.array([0.5, 1.5], np.float16)), [0.5, 1.5]),
    (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
    (pa.array([1, 2]).dictionary_encode(), [1, 2]),
    (pa.DictionaryArray.from_arrays([0, 1], pa.array(["a", "b"], pa.string_view())), ["a", "b"]),
    (stored([0, 2**31 - 1], pa.date32()), ["1970-01-01", OUT_OF_RANGE(2**31 - 1)]),
    (stored([0, 2**62], pa.timestamp("s")), ["1970-01-01 00:00:00", OUT_OF_RANGE(2**62)]),
    (
        stored([0, LATE], pa.timestamp("s", "Europe/Berlin")),
        ["1970-01-01 01:00:00+0100", "10000-01-01 00:30:00+0100"],
    ),
    (
        stored([0, LATE], pa.timestamp("s", "Mars/Phobos")),
        ["1970-01-01 00:00:00 UTC (Mars/Phobos)", "9999-12-31 23:30:00 UTC (Mars/Phobos)"],
    ),
    (stored([0, 2**62], pa.time64("us")), ["00:00:00.000000", OUT_OF_RANGE(2**62)]),
    (stored([1, 2**62], pa.duration("s")), ["0:00:01", "<duration[s]>"]),
    (pa.array([Decimal("0.50"), Decimal("1" * 60)], pa.decimal256(70, 2)), ["0.50", f"{'1' * 60}.00"]),
    (pa.array([[1, 2], []]), ["[1, 2]", "[]"]),
    (pa.array([["x"], []], pa.list_(pa.string_view())), ["['x']", "[]"]),
    (pa.array([{"a": 1}, {"a": None}]), ["{'a': 1}", "{'a': None}"]),
    (pa.array([b"a", b"\xff"]), ["b'a'", "b'\\xff'"]),
    (pa.array([b"a", b"\xff"], pa.binary_view()), ["b'a'", "b'\\xff'"]),
    (pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", "[]"])), ["{}", "[]"]),
    (pa.nulls(2), [None, None]),
]


@pytest.mark.parametrize(("values", "shown"), CELLS, ids=[str(values.type) for values, _ in CELLS])
def test_cells_of_every_type_can_be_listed(values, shown):
    rows = listed(pa.chunked_array([values, values[1:]]), np.array([2, 0, 1]))
    assert rows.to_list() == [shown[1], *shown]


@pytest.mark.parametrize("values", [values for values, _ in CELLS], ids=[str(values.type) for values, _ in CELLS])
def test_pieces_have_one_type_whatever_they_hold(values):
    first = listed(pa.chunked_array([values]), np.array([0, 1]))
    nothing = listed(pa.chunked_array([pa.nulls(2, values.type)]), np.array([1, 0]))
    none = listed(pa.chunked_array([], values.type), np.array([], dtype=np.int64))
    assert first.dtype == nothing.dtype == none.dtype
    assert nothing.to_list() == [None, None]
    assert none.is_empty()
