"""Rules and keywords that can never decide, leaves that nothing reaches."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from harness.tagging.hierarchy import Node, Rule
from harness.tagging.hierarchy.hierarchy_checks import coverage_faults
from tests.harness.tagging.hierarchy_by_hand import TAXONOMY, read

CARE = "{field: Care, confidence: high, leaf: Nurses}"
SISTER = "{keywords: [night nurse, sister], leaf: Nurses}"

IDLE = {
    "all labels taken by one rule": (
        (CARE, "{grade: Boss, field: Care, leaf: Nurses}"),
        "line 14: this rule can never decide: the rule on line 13 takes all that it matches",
    ),
    "all labels taken by several": (
        (CARE, f"{CARE}\n  - {{field: Care, confidence: low, leaf: Nurses}}\n  - {{field: Care, leaf: Shops}}"),
        "line 16: this rule can never decide: the rules on lines 13, 14, 15 take all that it matches",
    ),
    "a keyword within a later one": (
        (SISTER, f"{SISTER}\n  - {{keywords: [head sister], grade: Boss, leaf: Matron}}"),
        "line 13: this rule can never decide: keyword 'head sister' can never decide: the rule on line 12 takes",
    ),
    "one keyword of a rule": (
        (SISTER, f"{SISTER}\n  - {{keywords: [head, head sister], grade: Boss, leaf: Matron}}"),
        "line 13: keyword 'head sister' can never decide: the rule on line 12 takes all that it matches",
    ),
    "a keyword where labels took all before": (
        (CARE, f"{CARE}\n  - {{keywords: [cook], grade: Boss, field: Care, leaf: Shops}}"),
        "line 15: this rule can never decide: keyword 'cook' can never decide: the rule on line 13 takes",
    ),
    "a keyword and labels that took all together": (
        (SISTER, "{keywords: [sister], grade: Boss, leaf: Nurses}\n  - {grade: Staff, confidence: low, leaf: Nurses}\n"
                 "  - {grade: Staff, confidence: high, leaf: Nurses}\n  - {keywords: [old sister], leaf: Nurses}"),
        "line 15: this rule can never decide: keyword 'old sister' can never decide: the rules on lines 12, 13, 14",
    ),
    "a shorter keyword beside it": (
        (SISTER, "{keywords: [sister, head sister], leaf: Nurses}"),
        "line 12: keyword 'head sister' can never decide: titles with it have 'sister' of the same rule anyway",
    ),
    "a leaf without a rule": (("leaf: Matron", "leaf: Nurses"), "line 8: no title can reach leaf 'Matron'"),
    "a leaf of an idle default": (
        (CARE, f"{CARE}\n  - {{grade: [Boss, Staff], leaf: Nurses}}"), "line 10: no title can reach leaf 'Shops'",
    ),
    "a contradiction within earlier ones": (
        ("why: shops have no boss}", "why: a}\n  - {field: [Trade], grade: [Boss], why: b}"),
        "line 18: contradiction 2 adds nothing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IDLE)
def test_rules_and_leaves_without_effect_are_named_with_their_lines(tmp_path, name):
    change, said = IDLE[name]
    with pytest.raises(BadInput) as raised:
        read(tmp_path, change)
    assert said in str(raised.value)


REACHED = {
    "parts of words are no words": (SISTER, f"{SISTER}\n  - {{keywords: [sisterhood], leaf: Matron}}"),
    "the later keyword is shorter": (
        SISTER, "{keywords: [night sister], leaf: Nurses}\n  - {keywords: [sister], leaf: Matron}",
    ),
    "the earlier keyword needs other labels": (
        SISTER, "{keywords: [sister], grade: Boss, leaf: Nurses}\n  - {keywords: [old sister], leaf: Matron}",
    ),
    "the earlier keyword needs other confidence": (
        SISTER, "{keywords: [sister], confidence: low, leaf: Nurses}\n  - {keywords: [old sister], leaf: Matron}",
    ),
    "a keyword takes nothing from labels": (CARE, f"{CARE}\n  - {{field: Trade, grade: Boss, leaf: Nurses}}"),
    "a default out of reach whose leaf is used": (
        CARE, f"{CARE}\n  - {{field: Trade, leaf: Shops}}\n  - {{field: Care, leaf: Nurses}}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REACHED)
def test_rules_that_can_decide_are_accepted(tmp_path, name):
    n_rules = len(read(tmp_path).rules) + REACHED[name][1].count("leaf:") - REACHED[name][0].count("leaf:")
    assert len(read(tmp_path, REACHED[name]).rules) == n_rules


def test_combinations_without_a_leaf_are_counted_where_there_is_no_default(tmp_path):
    with pytest.raises(BadInput) as raised:
        read(tmp_path, ("default: Shops\n", ""))
    # Of 2 fields x 2 ranks x 2 bands, rules take Care and Boss twice, and Care and Staff where confidence is high.
    assert "5 of 8 combinations reach no leaf, the first of them field Care, grade Staff, confidence low" in str(
        raised.value
    )


def test_a_default_is_required_even_if_rules_take_all(tmp_path):
    with pytest.raises(BadInput, match="'default' is missing; it names the leaf of all that no rule takes"):
        read(tmp_path, ("default: Shops\n", ""), (CARE, f"{CARE}\n  - {{grade: [Boss, Staff], leaf: Shops}}"))


KEYWORDS = st.lists(st.sampled_from([" a ", " b ", " a b ", " ab ", " b a "]), max_size=2, unique=True).map(tuple)
CLASSES = st.fixed_dictionaries(
    {},
    optional={target.name: st.sets(st.sampled_from(target.classes), min_size=1).map(frozenset)
              for target in TAXONOMY.targets},
)  # fmt: skip
CONFIDENCE = st.sets(st.sampled_from(["high", "low"])).map(frozenset)
TITLES = [f" {' '.join(words)} " for length in range(4) for words in itertools.product(["a", "b", "ab"], repeat=length)]
CELLS = list(itertools.product(*(target.classes for target in TAXONOMY.targets), ["high", "low"]))


def matches(rule, title, field, grade, confidence):
    return (
        (not rule.keywords or any(word in title for word in rule.keywords))
        and field in rule.classes.get("field", (field,))
        and grade in rule.classes.get("grade", (grade,))
        and confidence in (rule.confidence or (confidence,))
    )


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(KEYWORDS, CLASSES, CONFIDENCE).filter(any), max_size=5))
def test_a_rule_is_idle_exactly_when_no_title_is_decided_by_it(conditions):
    rules = [
        Rule(leaf=1, line=number, keywords=keywords, classes=classes, confidence=confidence)
        for number, (keywords, classes, confidence) in enumerate(conditions)
    ]
    deciding = set()
    for title, cell in itertools.product(TITLES, CELLS):
        deciding.add(next((rule.line for rule in rules if matches(rule, title, *cell)), None))
    nodes = [Node("", (), -1, False, -1, {}), Node("leaf", ("leaf",), 0, True, 0, {})]
    faults, _ = coverage_faults(rules, nodes, [0, 100], TAXONOMY, ("high", "low"))
    idle = {line for line, said in faults if said.startswith("this rule can never decide")}
    assert idle == {rule.line for rule in rules} - deciding
