"""Counts against a recount by hand, and tables whose rows and columns add up."""

from collections import Counter
from datetime import date

import numpy as np
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from harness.tagging.answers import Answers
from harness.tagging.business import business_tables, counting
from harness.tagging.business.counting import Counts, RecordCounter
from harness.tagging.business.summary import Summary, summarise
from harness.tagging.hierarchy import Hierarchy
from tests.harness.tagging.hierarchy_by_hand import MATRON, NURSES, ROOT, SHOPS, WARD, read

TOP, REST, UNSURE = 0, 1, -1

# node, band, field, grade, leaf, contradiction, event
ROWS = [
    (MATRON, TOP, 0, 0, MATRON, -1, "Fair"),
    (MATRON, TOP, 0, 0, MATRON, -1, " Fair "),
    (WARD, TOP, 0, 0, MATRON, -1, "Fair"),
    (WARD, UNSURE, 0, 1, NURSES, -1, "Talk"),
    (NURSES, REST, 0, 1, NURSES, -1, None),
    (SHOPS, REST, 1, 0, SHOPS, 0, "Talk"),
    (ROOT, UNSURE, 1, 1, SHOPS, -1, "  "),
    (ROOT, REST, 1, 1, SHOPS, -1, "Fair"),
    (-1, UNSURE, -1, -1, -1, -1, "Talk"),
    (-1, UNSURE, -1, -1, -1, -1, "Last"),
]


@pytest.fixture
def hierarchy(tmp_path) -> Hierarchy:
    return read(tmp_path)


def answers_of(rows) -> Answers:
    fields = [(name, np.int16) for name in ("node", "band", "leaf", "contradiction")]
    records = np.zeros(len(rows), dtype=[*fields, ("labels", np.int16, (2,))])
    for record, (node, band, field, grade, leaf, contradiction, _) in zip(records, rows, strict=True):
        record["labels"] = field, grade
        record["node"], record["band"], record["leaf"], record["contradiction"] = node, band, leaf, contradiction
    return Answers(records, np.arange(len(rows)))


def counted(*pieces, by=("event",)) -> Counts:
    """Count the rows of all pieces."""
    counter = RecordCounter()
    for rows in pieces:
        events = pl.Series([row[6] for row in rows], dtype=pl.String)
        counter.add(answers_of(rows), ("field", "grade"), dict.fromkeys(by, events))
    return counter.total()


def counted_by(column: pl.Series) -> Counts:
    counter = RecordCounter()
    counter.add(answers_of([ROWS[0]] * len(column)), ("field", "grade"), {column.name: column})
    return counter.total()


def summary_of(hierarchy: Hierarchy, rows=ROWS, n_review: int | None = None) -> Summary:
    return summarise(hierarchy, counted(rows), n_review=n_review)


def many_rows(n_rows: int, n_values: int = 30) -> list[tuple]:
    random = np.random.default_rng(0)
    nodes = random.integers(-1, 5, n_rows).tolist()
    rows = []
    for node, band, value in zip(
        nodes, random.integers(-1, 2, n_rows).tolist(), random.integers(0, n_values, n_rows).tolist(), strict=True
    ):
        rows.append((node, band if node >= 0 else -1, node % 2, 0, max(node, 1), -1, f"e{value}" if value else None))
    return rows


def as_counter(frame: pl.DataFrame, *columns: str) -> Counter:
    counted = Counter()
    for *key, records in frame.select(*columns, "records").iter_rows():
        counted[tuple(key)] += records
    return counted


def test_counts_are_those_of_a_recount():
    counts = counted(ROWS)
    assert as_counter(counts.whole, "node", "band") == Counter((row[0], row[1]) for row in ROWS)
    assert as_counter(counts.whole.unnest("labels"), "field", "grade", "leaf", "contradiction") == Counter(
        (row[2], row[3], row[4], row[5]) for row in ROWS
    )
    expected = Counter(((row[6] or "").strip() or None, row[0], row[1]) for row in ROWS)
    assert as_counter(counts.by["event"], "value", "node", "band") == expected


def test_whatever_is_given_for_a_row_without_a_title_does_not_count():
    titled, untitled = (0, 0, 0, 0, 0, 0, None), (0, 0, -1, 0, 0, 0, None)
    whole = counted([titled, untitled, untitled]).whole.unnest("labels")
    assert as_counter(whole, "field", "grade", "leaf", "contradiction", "node", "band") == {
        (0, 0, 0, 0, 0, 0): 1,
        (-1, -1, -1, -1, -1, -1): 2,
    }


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_pieces_of_any_size_add_up_to_the_same_counts(size, monkeypatch):
    monkeypatch.setattr(counting, "_MAX_WAITING", 50)
    rows = many_rows(600)
    at_once = counted(rows)
    in_pieces = counted(*(rows[start : start + size] for start in range(0, len(rows), size)))
    assert as_counter(in_pieces.whole, "leaf", "node", "band") == as_counter(at_once.whole, "leaf", "node", "band")
    assert as_counter(in_pieces.by["event"], "value", "node", "band") == Counter((row[6], *row[:2]) for row in rows)
    assert len(in_pieces.by["event"]) == len(at_once.by["event"])


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pl.Series([2025, 2026, 2026]), {"2025": 1, "2026": 2}),
        (pl.Series([date(2026, 1, 2), None, None]), {"2026-01-02": 1, None: 2}),
        (pl.Series([True, True, False]), {"true": 2, "false": 1}),
        (pl.Series(["a", "b", "b"], dtype=pl.Categorical), {"a": 1, "b": 2}),
        (pl.Series([None, None, None], dtype=pl.Null), {None: 3}),
    ],
)
def test_columns_of_any_type_are_counted_by_their_texts(column, texts):
    assert as_counter(counted_by(column.alias("year")).by["year"], "value") == {(text,): n for text, n in texts.items()}


def test_a_column_of_lists_is_refused():
    with pytest.raises(BadInput, match=r"'tags' holds List.*Leave it out of --by"):
        counted_by(pl.Series("tags", [["a"]]))


@pytest.mark.parametrize("size", [10, 1000])
def test_a_column_with_too_many_values_is_given_up_and_keeps_its_records(size, hierarchy, monkeypatch):
    rows = many_rows(600)
    n_values = len({row[6] for row in rows} - {None})
    for most, is_given_up in ((n_values, False), (n_values - 1, True)):
        monkeypatch.setattr(counting, "MAX_VALUES", most)
        counts = counted(*(rows[start : start + size] for start in range(0, len(rows), size)))
        assert (counts.given_up == {"event"}) == is_given_up
        assert counts.by["event"]["records"].sum() == len(rows)
        assert counts.by["event"].select("value", "node", "band").is_unique().all()
    told = summarise(hierarchy, counts, n_review=None)
    assert told.by["event"]["event"].to_list() == [business_tables.ALL, business_tables.TOO_MANY]
    assert told.by["event"]["records"].to_list() == [600, 600]
    assert "not told apart" in " ".join(told.notes)


def test_nodes_and_bands_by_hand(hierarchy):
    nodes = summary_of(hierarchy).nodes
    assert nodes.columns[:8] == [
        *("part", "job", "records", "share of all records"),
        *("Top", "Rest", "height not sure", "no title"),
    ]
    assert nodes.select("part", "job", "records", "Top", "Rest", "height not sure", "no title").rows() == [
        ("(all records)", None, 10, 3, 3, 2, 2),
        ("Ward", None, 5, 3, 1, 1, 0),
        ("Ward", "Matron", 2, 2, 0, 0, 0),
        ("Ward", "Nurses", 1, 0, 1, 0, 0),
        ("Ward", "(not sure)", 2, 1, 0, 1, 0),
        ("Shops", None, 1, 0, 1, 0, 0),
        ("(not sure)", None, 2, 0, 1, 1, 0),
        ("(no title)", None, 2, 0, 0, 0, 2),
    ]
    assert nodes["share of all records"].to_list() == [1, 0.5, 0.2, 0.1, 0.2, 0.1, 0.2, 0.2]
    assert nodes["Top, share of all"].to_list() == [0.3, 0.3, 0.2, 0, 0.1, 0, 0, 0]
    assert nodes["counts as"].to_list() == [None, *["carers"] * 4, None, None, None]


def test_a_node_that_is_always_surer_has_no_row_for_the_rest(hierarchy):
    nodes = summary_of(hierarchy, [ROWS[0], ROWS[4]]).nodes
    assert nodes.select("part", "job").rows() == [
        *(("(all records)", None), ("Ward", None), ("Ward", "Matron"), ("Ward", "Nurses")),
        *(("Shops", None), ("(not sure)", None), ("(no title)", None)),
    ]


def test_everything_adds_up(hierarchy):
    rows = many_rows(3_000)
    told = summary_of(hierarchy, rows)
    nodes = told.nodes
    numbers = [name for name in nodes.columns if nodes[name].dtype == pl.Int64]
    split = pl.sum_horizontal("Top", "Rest", "height not sure", "no title")
    assert nodes.select((split == pl.col("records")).all()).item()
    first = nodes.filter(pl.col("job").is_null())[1:]
    assert first.select(numbers).sum().rows() == nodes[:1].select(numbers).rows()
    ward = nodes.filter((pl.col("part") == "Ward") & pl.col("job").is_not_null())
    assert ward.select(numbers).sum().rows() == first[:1].select(numbers).rows()
    assert nodes["records"][0] == len(rows)

    events = told.by["event"]
    assert events.select((split == pl.col("records")).all()).item()
    by_part = pl.sum_horizontal("Ward", "Shops", "part not sure", "no title")
    assert events.select((by_part == pl.col("records")).all()).item()
    numbers = [name for name in events.columns if events[name].dtype == pl.Int64]
    assert events[1:].select(numbers).sum().rows() == events[:1].select(numbers).rows()
    assert told.crosswalk["records"].sum() == sum(row[0] >= 0 for row in rows)


def test_values_by_hand(hierarchy):
    events = summary_of(hierarchy).by["event"]
    assert events.columns == [
        *("event", "records", "share of all records", "carers", "carers, share of row"),
        *("Top", "Rest", "height not sure", "Ward", "Shops", "part not sure", "no title"),
    ]
    assert events.select("event", "records", "carers", "Top", "Rest", "Ward", "Shops", "no title").rows() == [
        ("(all records)", 10, 5, 3, 3, 5, 1, 2),
        ("Fair", 4, 3, 3, 1, 3, 0, 0),
        ("Talk", 3, 1, 0, 1, 1, 1, 1),
        ("Last", 1, 0, 0, 0, 0, 0, 1),
        ("(empty)", 2, 1, 0, 1, 1, 0, 0),
    ]
    assert events["share of all records"].to_list() == [1, 0.4, 0.3, 0.1, 0.2]
    assert events["carers, share of row"].to_list() == [0.5, 0.75, 0.333333, 0, 0.5]


def test_only_the_most_frequent_values_have_a_row_of_their_own(hierarchy, monkeypatch):
    monkeypatch.setattr(business_tables, "MAX_SHOWN", 1)
    monkeypatch.setattr("harness.tagging.business.summary.MAX_SHOWN", 1)
    told = summary_of(hierarchy)
    assert told.by["event"].select("event", "records").rows() == [
        *(("(all records)", 10), ("Fair", 4), ("(empty)", 2), ("(other values)", 4)),
    ]
    assert told.notes == (
        "Column 'event' has 3 different values; the 1 most frequent have a row each, the others one together.",
    )


def test_the_crosswalk_by_hand(hierarchy):
    crosswalk = summary_of(hierarchy).crosswalk
    assert crosswalk.columns == [
        *("old field", "old grade", "part", "job", "height", "new field"),
        *("records", "share of records with a title", "records sure of the leaf", "contradiction"),
    ]
    assert crosswalk.drop("share of records with a title").rows() == [
        ("Care", "Boss", "Ward", "Matron", "Top", "Nursing", 3, 2, None),
        ("Care", "Staff", "Ward", "Nurses", "Rest", "Nursing", 2, 1, None),
        ("Trade", "Staff", "Shops", None, "Rest", "Retail", 2, 0, None),
        ("Trade", "Boss", "Shops", None, "Rest", "Retail", 1, 1, "shops have no boss"),
    ]
    assert crosswalk["share of records with a title"].to_list() == [0.375, 0.25, 0.25, 0.125]


def test_the_overview_by_hand(hierarchy):
    told = summary_of(hierarchy, n_review=4)
    assert told.overview.select("about", "figure", "records", "share of the group").rows() == [
        ("records", "all", 10, None),
        ("records", "with a title", 8, None),
        ("records", "without a title", 2, None),
        ("records", "sure of a leaf", 4, None),
        ("records", "sure of a higher node only", 2, None),
        ("records", "sure of no node", 2, None),
        ("records", "sure of the height", 6, None),
        ("records", "labels contradict each other", 1, None),
        ("records", "for a person to review", 4, None),
        ("carers", "all", 5, 1.0),
        ("carers", "Top", 3, 0.6),
        ("carers", "Rest", 1, 0.2),
        ("carers", "height not sure", 1, 0.2),
        ("follow-up", "all", 5, 1.0),
        ("follow-up", "first", 3, 0.6),
        ("follow-up", "second", 2, 0.4),
    ]
    assert told.overview["share of all records"][3] == 0.4
    assert told.sentences == (
        "Of 10 records, 50.0% are carers: Top 30.0%, Rest 10.0%, height not sure 10.0%.",
        "80.0% of all 10 records have a title: 40.0% are placed all the way down, 20.0% only to a higher level, "
        "20.0% not at all.",
        "10.0% of all records have labels that contradict each other.",
        "40.0% of all records are for a person to review.",
        "5 records are relevant for a follow-up: first 3, second 2.",
    )


def test_sentences_leave_out_what_has_no_records(hierarchy):
    assert summary_of(hierarchy, [ROWS[6], ROWS[8]], n_review=0).sentences == (
        "50.0% of all 2 records have a title: 50.0% are placed not at all.",
        "No records are relevant for a follow-up.",
    )
    assert summary_of(hierarchy, [ROWS[8]]).sentences[0] == "0.0% of all 1 records have a title."
    assert summary_of(hierarchy, [ROWS[3]]).sentences == (
        "Of 1 records, 100.0% are carers: height not sure 100.0%.",
        "100.0% of all 1 records have a title: 100.0% are placed only to a higher level.",
        "1 records are relevant for a follow-up: second 1.",
    )


def test_there_are_few_sentences_however_many_groups_there_are(tmp_path):
    two = read(tmp_path, ("{carers: [Ward]}", "{carers: [Ward], sellers: [Shops]}"))
    told = summary_of(two, n_review=4).sentences
    assert told[1] == "Of all records, 10.0% are sellers: Rest 10.0%."
    assert len(told) == 6
    three = read(tmp_path, ("{carers: [Ward]}", "{carers: [Ward], heads: [Matron], sellers: [Shops]}"))
    told = summary_of(three, n_review=4).sentences
    assert told[0] == "Of 10 records, carers 50.0%, heads 20.0%, sellers 10.0%."
    assert len(told) == 5


def test_without_a_count_of_reviews_none_is_told(hierarchy):
    told = summary_of(hierarchy, n_review=None)
    assert "review" not in " ".join([*told.sentences, *told.overview["figure"]])


def test_a_rare_group_does_not_read_as_nobody(hierarchy):
    rows = [*[ROWS[5]] * 3_000, ROWS[0]]
    assert summary_of(hierarchy, rows).sentences[0] == "Of 3,001 records, under 0.1% are carers: Top under 0.1%."


def test_a_file_without_rows_has_every_table(hierarchy):
    told = summary_of(hierarchy, [])
    assert told.sentences == ("The file has no records.",)
    assert told.by["event"].select("event", "records").rows() == [("(all records)", 0)]
    assert told.nodes["records"].sum() == 0
    assert told.crosswalk.is_empty()
    assert told.overview["share of all records"].to_list() == [0.0] * len(told.overview)


def test_names_that_a_table_uses_itself_are_told_apart(tmp_path):
    changes = [("[Top, Rest]", "[Top, Shops]"), *[("band: Rest", "band: Shops")] * 2, ("{carers:", "{records:")]
    hierarchy = read(tmp_path, *changes)
    told = summarise(hierarchy, counted(ROWS, by=("records", "Top")), n_review=None)
    by = told.by["records"]
    assert by.columns[:5] == [
        *("records", "records_records", "share of all records", "group_records", "records, share of row"),
    ]
    assert by["records_records"][0] == 10
    assert told.by["Top"].columns[0] == "Top"
    assert told.by["Top"].select("band_Top", "Shops", "part_Shops").row(0) == (3, 3, 1)


def test_columns_keep_the_order_in_which_they_were_asked_for(hierarchy):
    counts = counted(ROWS, by=("z", "a", "m"))
    assert isinstance(counts, Counts)
    assert [*summarise(hierarchy, counts, n_review=None).by] == ["z", "a", "m"]
