"""Files of hierarchies that a person must change: every fault is named, with its line."""

import pytest

from data_cleaning.errors import BadInput
from harness.tagging.hierarchy import FollowUp, Rank, read_hierarchy
from tests.harness.tagging.hierarchy_by_hand import BY_HAND, MATRON, NURSES, ROOT, SHOPS, TAXONOMY, WARD, read

SHOPS_LINE = "  Shops: {band: Rest, field: Retail}"
TREE = BY_HAND[BY_HAND.index("tree:") : BY_HAND.index("rules:")]
RULES = BY_HAND[BY_HAND.index("rules:") : BY_HAND.index("default:")]

FAULTS = {
    "no version": (("version: 1\n", ""), 1, "'version' is missing"),
    "empty version": (("version: 1", "version:"), 1, "version = None: expected a text"),
    "unknown key": (("groups:", "group:"), 18, "unknown key 'group'. Did you mean 'groups'?"),
    "repeated key": (
        ("default: Shops", "default: Shops\ndefault: Nurses"),
        16,
        "key 'default' is repeated; the first is on line 15",
    ),
    "repeated level": (("[part, job]", "[part, part]"), 2, "levels: 'part' is listed twice"),
    "level named as a target": (("[part, job]", "[part, field]"), 2, "'field' in 'levels' is also another column"),
    "level named as a column": (("[part, job]", "[part, new_grade]"), 2, "'new_grade' in 'levels' is also another"),
    "band named as a level": (("name: height", "name: job"), 3, "'job' in 'band' is also another column"),
    "no band values": ((", values: [Top, Rest]", ""), 3, "'band.values' is missing"),
    "sure of nothing": (("sure: 0.6", "sure: 0"), 4, "sure = '0': Input should be greater than 0"),
    "more than sure": (("sure: 0.6", "sure: 1.5"), 4, "sure = '1.5': Input should be less than or equal to 1"),
    "sure in words": (("sure: 0.6", "sure: very"), 4, "sure = 'very': Input should be a valid number"),
    "rising confidence": (("{high: 0.5, low: 0}", "{low: 0, high: 0.5}"), 5, "'high' begins at 0.5; expected"),
    "confidence above 0": (("low: 0}", "low: 0.1}"), 5, "the last confidence band begins at 0.1; it must begin at 0"),
    "tree of text": ((TREE, "tree: oak\n"), 6, "tree = 'oak': expected a mapping"),
    "no tree": ((TREE, ""), 1, "'tree' is missing"),
    "empty tree": ((TREE, "tree: {}\n"), 6, "the tree is empty"),
    "too deep": (("[part, job]", "[part]"), 8, "'Matron' is on level 2 of the tree; 'levels' names 1"),
    "node twice": (("  Shops:", "  Nurses:"), 10, "a node 'Nurses' is on line 9 already"),
    "siblings twice": (("    Nurses:", "    Matron:"), 9, "key 'Matron' is repeated; the first is on line 8"),
    "empty node": ((SHOPS_LINE, "  Shops:"), 10, "tree.Shops = None: expected a mapping"),
    "leaf without a band": ((SHOPS_LINE, "  Shops: {field: Retail}"), 10, "'tree.Shops.band' is missing"),
    "unknown band": ((SHOPS_LINE, "  Shops: {band: Rset, field: A}"), 10, "unknown band 'Rset'. Did you mean 'Rest'?"),
    "no new label": ((SHOPS_LINE, "  Shops: {band: Rest}"), 10, "leaf 'Shops' has no new 'field', though other leaves"),
    "new label for one": ((SHOPS_LINE, "  Shops: {band: Rest, field: A, grade: B}"), 8, "'Matron' has no new 'grade'"),
    "leaf and node": (
        (SHOPS_LINE, "  Shops: {band: Rest, field: A, Till: {band: Top}}"),
        10,
        "unknown key 'tree.Shops.Till'. Known here: band, field, grade",
    ),
    "rules that are no list": ((RULES, "rules: none\n"), 11, "rules = 'none': expected a list"),
    "rule of text": (
        ("{field: Care, grade: Boss, leaf: Matron}", "Matron"),
        13,
        "rules.1 = 'Matron': expected a mapping",
    ),
    "rule without a leaf": ((", leaf: Matron", ""), 13, "'rules.1.leaf' is missing"),
    "rule without a condition": (("field: Care, grade: Boss, ", ""), 13, "this rule has no condition"),
    "unknown condition": (
        ("grade: Boss, leaf", "grde: Boss, leaf"),
        13,
        "unknown key 'rules.1.grde'. Did you mean 'grade'?",
    ),
    "unknown class": (("grade: Boss, leaf", "grade: Bos, leaf"), 13, "unknown grade 'Bos'. Did you mean 'Boss'?"),
    "no class": (("grade: Boss, leaf", "grade: [], leaf"), 13, "rules.1.grade: expected at least 1 item"),
    "empty class": (("grade: Boss, leaf", "grade: , leaf"), 13, "rules.1.grade = None: expected a list"),
    "unknown confidence": (("confidence: high", "confidence: hgih"), 14, "unknown confidence band 'hgih'. Did you"),
    "unknown leaf": (("leaf: Matron", "leaf: Matrn"), 13, "unknown leaf 'Matrn'. Did you mean 'Matron'?"),
    "rule to a node": (("leaf: Matron", "leaf: Ward"), 13, "'Ward' is not a leaf; below it are Matron, Nurses"),
    "keyword of signs": (("night nurse", "'!?'"), 12, "keyword '!?' has no letter or digit"),
    "keyword twice": (("sister", "Night-Nurse"), 12, "keyword 'Night-Nurse' is the same as 'night nurse'"),
    "no default": (("default: Shops\n", ""), 1, "'default' is missing"),
    "unknown default": (("default: Shops", "default: Shop"), 15, "unknown leaf 'Shop'. Did you mean 'Shops'?"),
    "contradiction of one": (
        ("field: Trade, grade: Boss, why", "grade: Boss, why"),
        17,
        "a contradiction needs labels of two",
    ),
    "contradiction unexplained": ((", why: shops have no boss", ""), 17, "'contradictions.0.why' is missing"),
    "contradiction unknown": (("field: Trade, grade", "field: Trad, grade"), 17, "unknown field 'Trad'"),
    "unknown node in a group": (("[Ward]}\n", "[Wards]}\n"), 18, "unknown node 'Wards'. Did you mean 'Ward'?"),
    "nobody to call": (("most: 2", "most: 0"), 20, "follow_up.most = '0': Input should be greater than or equal to 1"),
    "half a person": (("most: 2", "most: 1.5"), 20, "follow_up.most = '1.5': Input should be a valid integer"),
    "no most": (("  most: 2\n", ""), 19, "'follow_up.most' is missing"),
    "rank twice": (("name: second", "name: first"), 23, "a rank 'first' comes before already"),
    "rank of an unknown band": (("bands: [Top]", "bands: [Tip]"), 22, "unknown band 'Tip'. Did you mean 'Top'?"),
    "rank of nobody": (("nodes: [Ward], bands: [Top]", "nodes: [Shops], bands: [Top]"), 22, "rank 'first' is empty"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_file_is_named_with_its_line(tmp_path, name):
    change, line, said = FAULTS[name]
    with pytest.raises(BadInput) as raised:
        read(tmp_path, change)
    named = [line for line in str(raised.value).splitlines() if said in line]
    assert named
    assert named[0].startswith(f"{tmp_path / 'hierarchy.yaml'}, line {line}: ")


def test_yaml_that_cannot_be_read_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"hierarchy\.yaml is not readable YAML: .*"):
        read(tmp_path, ("levels: [part, job]", "levels: [part, job"))


def test_all_faults_are_named_at_once_in_the_order_of_their_lines(tmp_path):
    with pytest.raises(BadInput) as raised:
        read(tmp_path, ("groups:", "group:"), ("sure: 0.6", "sure: 7"), ("leaf: Matron", "leaf: Martin"))
    message = str(raised.value)
    assert message.index("line 4: sure =") < message.index("line 13: unknown leaf") < message.index("line 18: unknown")


def test_a_missing_file_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"No hierarchy at .*configs/hierarchy\.yaml"):
        read_hierarchy(tmp_path / "none.yaml", TAXONOMY)


@pytest.mark.parametrize("text", ["", "# nothing\n", "just text", "- a\n- b\n"])
def test_a_file_that_is_no_mapping_is_bad_input(tmp_path, text):
    with pytest.raises(BadInput, match=r"hierarchy\.yaml"):
        read(tmp_path, text=text)


def test_a_node_that_contains_itself_is_refused(tmp_path):
    with pytest.raises(BadInput, match="line 7: the file has a value that contains itself"):
        read(tmp_path, ("  Ward:\n", "  Ward: &ward\n    Deep: *ward\n"))


def test_the_tree_is_read_in_the_order_of_the_file(tmp_path):
    hierarchy = read(tmp_path)
    assert [node.path for node in hierarchy.nodes] == [
        (), ("Ward",), ("Ward", "Matron"), ("Ward", "Nurses"), ("Shops",)
    ]  # fmt: skip
    assert [node.name for node in hierarchy.nodes] == ["", "Ward", "Matron", "Nurses", "Shops"]
    assert [node.parent for node in hierarchy.nodes] == [-1, ROOT, WARD, WARD, ROOT]
    assert [node.leaf for node in hierarchy.nodes] == [False, False, True, True, True]
    assert [node.band for node in hierarchy.nodes] == [-1, -1, 0, 1, 1]
    assert (hierarchy.band_name, hierarchy.bands, hierarchy.levels) == ("height", ("Top", "Rest"), ("part", "job"))
    assert hierarchy.sure == 0.6


def test_an_inner_node_has_the_new_labels_that_all_its_leaves_share(tmp_path):
    hierarchy = read(
        tmp_path,
        ("Matron: {band: Top, field: Nursing}", "Matron: {band: Top, field: Nursing, grade: A}"),
        ("Nurses: {band: Rest, field: Nursing}", "Nurses: {band: Rest, field: Nursing, grade: B}"),
        ("Shops: {band: Rest, field: Retail}", "Shops: {band: Rest, field: Retail, grade: B}"),
    )
    assert [dict(node.new_labels) for node in hierarchy.nodes] == [
        {},
        {"field": "Nursing"},
        {"field": "Nursing", "grade": "A"},
        {"field": "Nursing", "grade": "B"},
        {"field": "Retail", "grade": "B"},
    ]


def test_groups_and_ranks_hold_what_is_below_their_nodes(tmp_path):
    hierarchy = read(tmp_path)
    ward = frozenset({WARD, MATRON, NURSES})
    assert hierarchy.groups == {"carers": ward}
    assert hierarchy.follow_up == FollowUp(
        2, (Rank("first", ward, frozenset({0})), Rank("second", ward, frozenset({-1, 0, 1})))
    )


def test_rules_have_their_lines_and_are_put_into_words(tmp_path):
    rules = read(tmp_path).rules
    assert [(rule.leaf, rule.line) for rule in rules] == [(NURSES, 12), (MATRON, 13), (NURSES, 14), (SHOPS, 15)]
    assert [str(rule) for rule in rules] == [
        "keyword night nurse or sister",
        "field Care, grade Boss",
        "field Care, confidence high",
        "whatever no rule takes",
    ]


def test_names_that_yaml_takes_for_something_else_stay_as_they_are_written(tmp_path):
    hierarchy = read(tmp_path, ("version: 1", "version: 2026.10"), ("[Top, Rest]", "[No, Rest]"), ("Top, f", "No, f"),
                     ("bands: [Top]", "bands: [No]"))  # fmt: skip
    assert hierarchy.version == "2026.10"
    assert hierarchy.bands == ("No", "Rest")


def test_optional_keys_may_be_left_out(tmp_path):
    only = "version: 1\nlevels: [a]\nband: {name: b, values: [x]}\nsure: 1\ntree: {All: {band: x}}\ndefault: All\n"
    hierarchy = read(tmp_path, text=only)
    assert hierarchy.groups == {}
    assert hierarchy.follow_up is None
    assert hierarchy.contradictions == ()
    assert dict(hierarchy.confidence_bands) == {"any": 0.0}
    assert [str(rule) for rule in hierarchy.rules] == ["whatever no rule takes"]


def test_a_target_may_not_be_called_as_a_key_of_the_file(tmp_path):
    content = {"targets": {"leaf": {"classes": {"Care": None}}, "grade": {"classes": {"Boss": None}}}}
    with pytest.raises(BadInput, match="the taxonomy has a target 'leaf', a key that this file uses itself"):
        read(tmp_path, taxonomy=type(TAXONOMY).from_dict(content))


def test_another_companys_targets_need_a_file_and_no_code(tmp_path, company):
    text = (
        "version: 1\nlevels: [side]\nband: {name: height, values: [Any]}\nsure: 0.5\n"
        "tree: {Sick: {band: Any}, Well: {band: Any}}\n"
        "rules: [{department: [Nursing, Surgery], leaf: Sick}]\ndefault: Well\n"
    )
    assert read(tmp_path, text=text, taxonomy=company.taxonomy).taxonomy.names == ("department", "seniority")
