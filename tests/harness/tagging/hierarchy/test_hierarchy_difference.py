"""What changes between two hierarchies on the same titles."""

import numpy as np
import pytest

from data_cleaning.errors import BadInput
from harness.tagging.hierarchy import diff
from tests.harness.tagging.hierarchy_by_hand import read

TITLES = ["ward sister", "sister", "head", "clerk", "sister b", "sister c", "boss of nothing"]
RECORDS = np.array([1, 8, 4, 2, 5, 3, 7])

# Every title is care by staff, but for the head, who is a boss, a clerk in a shop, and one of whom nothing is known.
CARE = np.array([1, 1, 1, 0, 1, 1, 0.5])
BOSS = np.array([0, 0, 1, 0, 0, 0, 0.5])
PROBABILITIES = {"field": np.stack([CARE, 1 - CARE], axis=1), "grade": np.stack([BOSS, 1 - BOSS], axis=1)}

SISTERS = (
    ("    Nurses: {band: Rest, field: Nursing}", "    Nurses: {band: Rest, field: Nursing}\n"
     "    Sisters: {band: Top, field: Nursing}"),
    ("{keywords: [night nurse, sister], leaf: Nurses}", "{keywords: [sister], leaf: Sisters}"),
)  # fmt: skip


@pytest.fixture
def compare(tmp_path):
    def compared(*changes):
        return diff(read(tmp_path), read(tmp_path, *changes), TITLES, PROBABILITIES, RECORDS)

    return compared


def test_the_same_hierarchy_changes_nothing(compare):
    difference = compare()
    assert not difference.changed.any()
    assert difference.moves.empty
    assert list(difference.moves.columns) == ["from", "to", "differs", "titles", "records", "share", "examples"]
    assert (difference.nodes["in"] == "both").all()
    assert (difference.nodes["records_before"] == difference.nodes["records_after"]).all()


def test_moves_are_counted_with_their_most_frequent_titles(compare):
    difference = compare(*SISTERS)
    assert difference.moves.to_dict("records") == [
        {
            "from": "Ward > Nurses",
            "to": "Ward > Sisters",
            "differs": "place, band",
            "titles": 4,
            "records": 17,
            "share": pytest.approx(17 / 30),
            "examples": "sister; sister b; sister c",
        }
    ]
    assert difference.changed.tolist() == [True, True, False, False, True, True, False]


def test_nodes_of_both_trees_have_their_records_below_them_too(compare):
    nodes = compare(*SISTERS).nodes.set_index("path")
    assert nodes.loc["Ward"].tolist() == ["both", 21, 21]
    assert nodes.loc["Ward > Nurses"].tolist() == ["both", 17, 0]
    assert nodes.loc["Ward > Sisters"].tolist() == ["new", 0, 17]
    assert nodes.loc["Shops"].tolist() == ["both", 2 + 7, 2 + 7]
    assert len(nodes) == 5


def test_a_node_that_only_the_old_tree_has_is_listed(compare):
    nodes = compare(("Shops:", "Stores:"), ("default: Shops", "default: Stores")).nodes.set_index("path")
    assert nodes.loc["Shops"].tolist() == ["old", 9, 0]
    assert nodes.loc["Stores"].tolist() == ["new", 0, 9]


def test_an_answer_that_becomes_unsure_moves_up(compare):
    difference = compare(("sure: 0.6", "sure: 0.8"))
    assert difference.moves[["from", "to", "differs", "titles", "examples"]].to_numpy().tolist() == [
        ["Shops", "(not sure of any)", "place, band, labels", 1, "boss of nothing"]
    ]


def test_a_new_label_or_band_in_the_same_place_is_a_change(compare):
    labels = compare(("  Shops: {band: Rest, field: Retail}", "  Shops: {band: Rest, field: Trading}"))
    assert labels.moves[["from", "to", "differs", "records"]].to_numpy().tolist() == [["Shops", "Shops", "labels", 9]]
    band = compare(("  Shops: {band: Rest, field: Retail}", "  Shops: {band: Top, field: Retail}"))
    assert band.moves[["from", "to", "differs", "records"]].to_numpy().tolist() == [["Shops", "Shops", "band", 9]]


def test_moves_come_with_most_records_first(compare):
    moves = compare(*SISTERS, ("Shops:", "Stores:"), ("default: Shops", "default: Stores")).moves
    assert moves["records"].tolist() == [17, 9]


def test_hierarchies_of_other_labels_cannot_be_compared(tmp_path, company):
    text = (
        "version: 9\nlevels: [side]\nband: {name: height, values: [Any]}\nsure: 0.5\n"
        "tree: {All: {band: Any}}\ndefault: All\n"
    )
    other = read(tmp_path, text=text, taxonomy=company.taxonomy)
    with pytest.raises(BadInput, match="'1' and '9' were read with taxonomies of different labels"):
        diff(read(tmp_path), other, TITLES, PROBABILITIES, RECORDS)
