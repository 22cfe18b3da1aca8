"""Placing titles: by hand, against a slow reading of the rules, and within bounded memory."""

import itertools
import pickle
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from harness.tagging.hierarchy import Hierarchy, Placements
from harness.tagging.hierarchy import hierarchy as hierarchy_module
from tests.harness.tagging.hierarchy_by_hand import MATRON, NURSES, ROOT, SHOPS, TAXONOMY, WARD, read

WORDS = ("night", "nurse", "Nurse-", "sister", "head", "sisterly", "NIGHT", "/", "ward")


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory) -> Hierarchy:
    return read(tmp_path_factory.mktemp("by_hand"))


@pytest.fixture(scope="module")
def sides(tmp_path_factory, company) -> Hierarchy:
    """Another company's 66 combinations, two of which go to a leaf of their own."""
    text = (
        "version: 1\nlevels: [side]\nband: {name: height, values: [Any]}\nsure: 0.5\n"
        "tree: {Sick: {band: Any}, Well: {band: Any}}\n"
        "rules: [{department: Surgery, seniority: [Senior, Trainee], leaf: Sick}]\ndefault: Well\n"
    )
    return read(tmp_path_factory.mktemp("sides"), text=text, taxonomy=company.taxonomy)


def soft_labels(*rows: tuple[float, float]) -> dict[str, np.ndarray]:
    """Return probabilities of the two targets from those of Care and Boss."""
    care, boss = np.array(rows, dtype=np.float32).reshape(-1, 2).T
    return {"field": np.stack([care, 1 - care], axis=1), "grade": np.stack([boss, 1 - boss], axis=1)}


def answer(placed: Placements) -> tuple:
    """Return all there is about the only title, its confidence rounded."""
    assert len(placed) == 1
    return (int(placed.node[0]), round(float(placed.confidence[0]), 4), int(placed.leaf[0]), int(placed.rule[0]),
            int(placed.band[0]), int(placed.contradiction[0]))  # fmt: skip


BY_HAND = {
    # Care and Boss .63 go to Matron; Care and Staff .27, whose confidence is high, to Nurses; the rest to Shops.
    "a sure leaf": ("head", (0.9, 0.7), (MATRON, 0.63, MATRON, 1, 0, -1)),
    # .95 * .55 is high: Matron .5225 and Nurses .4275 are not sure, but the ward that they are on is.
    "a sure node above unsure leaves": ("head", (0.95, 0.55), (WARD, 0.95, MATRON, 1, -1, -1)),
    # .6 * .5 is low: Care and Staff, .3, goes to Shops as well.
    "a leaf that the labels do not name": ("head", (0.6, 0.5), (SHOPS, 0.7, MATRON, 1, 1, -1)),
    # .8 * .6 is low: Matron .48, Shops .52.
    "nothing sure": ("head", (0.8, 0.6), (ROOT, 1.0, MATRON, 1, -1, -1)),
    "a keyword, whatever the labels and in another spelling": (
        "(Night-NURSE)",
        (0.1, 0.9),
        (NURSES, 1.0, NURSES, 0, 1, 0),
    ),
    "a keyword that is only a part of a word": ("sisterly", (0.1, 0.9), (SHOPS, 0.9, SHOPS, 3, 1, 0)),
    "the bound of a band is in it": ("head", (1.0, 0.5), (WARD, 1.0, MATRON, 1, -1, -1)),
    "exactly sure is sure": ("head", (1.0, 0.6), (MATRON, 0.6, MATRON, 1, 0, -1)),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_title_is_placed_as_by_hand(by_hand, name):
    title, row, expected = BY_HAND[name]
    assert answer(by_hand.place([title], soft_labels(row))) == expected


def test_titles_placed_together_keep_their_order(by_hand):
    titles = [title for title, _, _ in BY_HAND.values()]
    placed = by_hand.place(titles, soft_labels(*(row for _, row, _ in BY_HAND.values())))
    assert [answer(placed.take(np.array([row]))) for row in range(len(titles))] == [
        expected for _, _, expected in BY_HAND.values()
    ]


def test_placements_are_stored_in_small_types(by_hand):
    placed = by_hand.place(["a"], soft_labels((0.9, 0.7)))
    assert {name: values.dtype.name for name, values in vars(placed).items()} == {
        "node": "int16",
        "confidence": "float32",
        "leaf": "int16",
        "rule": "int16",
        "band": "int8",
        "contradiction": "int8",
    }


def test_placing_no_titles_gives_empty_placements(by_hand):
    assert len(by_hand.place([], soft_labels())) == 0


def test_a_certain_title_reaches_its_leaf_when_only_certainty_is_sure(tmp_path):
    hierarchy = read(tmp_path, ("sure: 0.6", "sure: 1"))
    assert hierarchy.place(["head"], soft_labels((1.0, 1.0))).node.tolist() == [MATRON]
    # A row that sums to 1 only up to rounding.
    rows = {"field": np.array([[0.9999999, 0.0]], np.float32), "grade": np.array([[1.0, 0.0]], np.float32)}
    assert hierarchy.place(["head"], rows).node.tolist() == [MATRON]


def test_without_keywords_labels_decide(tmp_path):
    hierarchy = read(tmp_path, ("  - {keywords: [night nurse, sister], leaf: Nurses}\n", ""))
    assert hierarchy.place(["sister"], soft_labels((0.9, 0.7))).node.tolist() == [MATRON]


def test_seventy_keyword_rules_are_kept_apart(tmp_path):
    rules = [f"  - {{keywords: [word{number}], leaf: {leaf}}}\n" for number, leaf in
             zip(range(70), itertools.cycle(["Nurses", "Shops", "Matron"]), strict=False)]  # fmt: skip
    hierarchy = read(tmp_path, ("rules:\n", "rules:\n" + "".join(rules)))
    titles = [f"word{number}" for number in range(70)] + ["word69 word2"]
    placed = hierarchy.place(titles, soft_labels(*[(0.5, 0.5)] * 71))
    assert placed.rule.tolist() == [*range(70), 2]
    assert placed.leaf.tolist() == [[NURSES, SHOPS, MATRON][number % 3] for number in range(70)] + [MATRON]


def test_the_first_of_two_keyword_rules_decides(tmp_path):
    hierarchy = read(tmp_path, ("rules:\n", "rules:\n  - {keywords: [night], grade: Boss, leaf: Shops}\n"))
    placed = hierarchy.place(["night nurse"] * 2, soft_labels((0.9, 0.9), (0.9, 0.1)))
    assert placed.leaf.tolist() == [SHOPS, NURSES]
    assert placed.confidence.tolist() == pytest.approx([0.9, 0.9])


def slowly(hierarchy: Hierarchy, title: str, row: dict[str, np.ndarray]) -> tuple[np.ndarray, int]:
    """Return the probability of each node, (n_nodes,), and the rule of the most probable labels, rule by rule."""
    spelled = f" {' '.join(re.findall('[a-z0-9]+', title.lower()))} "
    confidence = float(np.prod([values.max() for values in row.values()]))
    band = next(name for name, bound in hierarchy.confidence_bands.items() if confidence >= bound)
    targets = hierarchy.taxonomy.targets
    nodes, rule_of_best = np.zeros(len(hierarchy.nodes)), -1
    for classes in itertools.product(*(range(target.n_classes) for target in targets)):
        labels = {target.name: target.classes[code] for target, code in zip(targets, classes, strict=True)}
        first = next(
            position
            for position, rule in enumerate(hierarchy.rules)
            if (not rule.keywords or any(word in spelled for word in rule.keywords))
            and (not rule.confidence or band in rule.confidence)
            and all(labels[target] in allowed for target, allowed in rule.classes.items())
        )
        node = hierarchy.rules[first].leaf
        while node >= 0:
            nodes[node] += np.prod([row[target.name][code] for target, code in zip(targets, classes, strict=True)])
            node = hierarchy.nodes[node].parent
        if all(row[target.name].argmax() == code for target, code in zip(targets, classes, strict=True)):
            rule_of_best = first
    return nodes, rule_of_best


EIGHTHS = st.integers(0, 8).map(lambda eighths: eighths / 8)  # exact, so that no answer hangs on rounding
TITLES = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(TITLES, EIGHTHS, EIGHTHS), min_size=1, max_size=12, unique_by=lambda row: row[0]))
def test_places_are_those_of_a_slow_reading_of_the_rules(by_hand, rows):
    titles, probabilities = [title for title, _, _ in rows], soft_labels(*((care, boss) for _, care, boss in rows))
    placed = by_hand.place(titles, probabilities)
    for row, title in enumerate(titles):
        nodes, rule = slowly(by_hand, title, {name: values[row] for name, values in probabilities.items()})
        assert placed.rule[row] == rule
        assert placed.leaf[row] == by_hand.rules[rule].leaf
        assert placed.confidence[row] == pytest.approx(nodes[placed.node[row]], rel=1e-6)
        path = [
            at
            for at, node in enumerate(by_hand.nodes)
            if node.path == by_hand.nodes[placed.node[row]].path[: len(node.path)]
        ]
        assert all(nodes[at] >= by_hand.sure for at in path)
        children = [child for child, node in enumerate(by_hand.nodes) if node.parent == placed.node[row]]
        assert all(nodes[child] < by_hand.sure for child in children)
        bands = [sum(nodes[at] for at, node in enumerate(by_hand.nodes) if node.band == band) for band in range(2)]
        assert placed.band[row] == (int(np.argmax(bands)) if max(bands) >= by_hand.sure else -1)


def test_places_do_not_depend_on_how_many_titles_go_together(by_hand, monkeypatch):
    rows = np.random.default_rng(3).random((200, 2))
    titles = [f"{WORDS[number % len(WORDS)]} {number}" for number in range(200)]
    together = by_hand.place(titles, soft_labels(*map(tuple, rows)))
    monkeypatch.setattr(hierarchy_module, "CHUNK_CELLS", 12)  # three titles at a time
    apart = by_hand.place(titles, soft_labels(*map(tuple, rows)))
    for name, values in vars(together).items():
        np.testing.assert_array_equal(values, getattr(apart, name), err_msg=name)


def test_memory_does_not_grow_with_titles_times_combinations(sides, monkeypatch):
    monkeypatch.setattr(hierarchy_module, "CHUNK_CELLS", 100_000)
    n_titles, targets = 40_000, sides.taxonomy.targets
    probabilities = {target.name: np.full((n_titles, target.n_classes), 1 / target.n_classes) for target in targets}
    titles = [f"title {number}" for number in range(n_titles)]
    tracemalloc.start()
    sides.place(titles, probabilities)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    n_combinations = np.prod([target.n_classes for target in targets])
    assert peak < n_titles * n_combinations * 8 / 2


def test_a_pickled_hierarchy_places_titles_the_same(by_hand):
    there = pickle.loads(pickle.dumps(by_hand))
    assert answer(there.place(["head"], soft_labels((0.9, 0.7)))) == answer(
        by_hand.place(["head"], soft_labels((0.9, 0.7)))
    )


def test_probabilities_of_other_shapes_are_refused(by_hand):
    good = soft_labels((0.9, 0.7))
    for wrong in (
        {"field": good["field"]},
        {**good, "grade": good["grade"][:, :1]},
        soft_labels((0.9, 0.7), (0.9, 0.7)),
    ):
        with pytest.raises(BadInput, match="places titles by probabilities of the shapes"):
            by_hand.place(["head"], wrong)


def test_a_missing_title_is_refused(by_hand):
    with pytest.raises(BadInput, match="1 titles are missing"):
        by_hand.place(["head", None], soft_labels((0.9, 0.7), (0.9, 0.7)))


def test_take_selects_the_same_rows_of_every_array(by_hand):
    placed = by_hand.place(["head", "sister"], soft_labels((0.9, 0.7), (0.1, 0.9)))
    turned = placed.take(np.array([1, 0, 1]))
    assert turned.node.tolist() == [NURSES, MATRON, NURSES]
    assert turned.contradiction.tolist() == [0, -1, 0]
    assert placed.take(np.array([False, True])).leaf.tolist() == [NURSES]


def test_combinations_are_those_of_the_taxonomy_in_its_order(sides):
    pairs = list(itertools.product(*(target.classes for target in sides.taxonomy.targets)))
    probabilities = {
        target.name: np.eye(target.n_classes)[[target.class_index[pair[number]] for pair in pairs]]
        for number, target in enumerate(sides.taxonomy.targets)
    }
    placed = sides.place([" ".join(pair) for pair in pairs], probabilities)
    sick = [pair for pair, node in zip(pairs, placed.node, strict=True) if sides.nodes[node].name == "Sick"]
    assert sick == [("Surgery", "Senior"), ("Surgery", "Trainee")]


def test_node_positions_are_those_of_the_toy_hierarchy(by_hand):
    assert [by_hand.nodes[position].name for position in (ROOT, WARD, MATRON, NURSES, SHOPS)] == [
        "", "Ward", "Matron", "Nurses", "Shops"
    ]  # fmt: skip
    assert by_hand.taxonomy is TAXONOMY
