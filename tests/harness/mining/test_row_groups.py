"""Groups of rows are changed as one where titles show that it helps, with evidence for each row."""

from dataclasses import replace

import numpy as np
import pytest

from data_cleaning.title_forms import TitleForm
from harness.keywords.suggestions import amend
from harness.mining.evidence import outcome_of
from harness.mining.gap_candidates import gap_candidates
from harness.mining.proof import merged, steps, suggestions_frame
from harness.mining.row_groups import ACRONYMS, MASKS, place_groups, row_groups, variants_of
from harness.mining.trial_table import TrialTable
from tests.harness.mining.given_labels import TAXONOMY, certain, classes_of, n_right, table_of

OTHER, EXECUTIVE = ("Other", "Contributor"), ("IT", "Executive")
SHIFTS = ("early", "late", "day", "night", "north", "south")
FORMED = replace(
    TAXONOMY,
    forms=(
        TitleForm(before=("former",), after=("retired",), labels={"level": "Contributor"}),
        TitleForm(within=("assistant to",), labels={"function": "Other", "level": "Contributor"}),
        TitleForm(before=("deputy",), of={"level": ("Executive",)}, labels={"level": "Contributor"}),
    ),
)


def formed_table(*rows):
    return replace(table_of(*rows), taxonomy=FORMED)


def formed(labels):
    return replace(labels, taxonomy=FORMED)


def spread(pattern, classes):
    return {pattern.format(shift): classes for shift in SHIFTS}


TABLE = table_of(
    ("cto", 1, {"function": "IT", "level": "C-Level"}),
    ("it", 9, {"function": "IT"}),
    ("it", 8, {"level": "Contributor"}, "word"),
    ("r&d", 5, {"function": "IT"}),
    ("&", 5, {"function": "IT"}),
    ("secur", 5, {"function": "Security"}),
)
LABELS = certain(
    spread("{} director", OTHER) | spread("{} cto", EXECUTIVE) | spread("{} security", ("Security", "Contributor")),
    reviewed=("early director", "late director"),
)  # fmt: skip


def names(groups):
    return [group.name for group in groups]


def test_short_keywords_become_words_together_and_longer_ones_beginnings():
    groups = {group.name: group for group in row_groups(TABLE, LABELS.titles, "judge")}
    (of_three,) = (group for name, group in groups.items() if name == "keywords of at most 3 letters as words")
    # "it" is a word elsewhere already; symbols and signs are left as they are.
    changes = [(one.action, one.keyword, one.match, one.line) for one in of_three.changes]
    assert changes == [("narrow", "cto", "word", 2)]
    (longer,) = (
        group for name, group in groups.items() if name == "keywords of more than 4 letters at word beginnings"
    )
    assert [(one.keyword, one.match) for one in longer.changes] == [("secur", "prefix")]
    assert not {MASKS} & set(groups)


def test_a_group_is_made_with_the_evidence_of_each_row_and_of_all():
    placed = place_groups(TABLE, row_groups(TABLE, LABELS.titles, "judge"), LABELS)
    by_keyword = {one.keyword: one for one in placed.suggestions if "words" in one.group and one.action == "narrow"}
    cto = by_keyword["cto"].evidence
    assert (cto.reviewed_fixed, cto.believed_fixed, cto.reviewed_broken, cto.believed_broken) == (2, 4, 0, 0)
    assert cto.examples[:2] == ("early director", "late director")
    assert "together fix" in by_keyword["cto"].rationale
    assert cto.p_value == max(one.evidence.p_value for one in placed.suggestions)
    assert classes_of(placed.table, LABELS.titles)["function"] == LABELS.top_classes("function").tolist()
    amended = amend(TABLE, placed.suggestions)
    assert amended.rows.equals(placed.table.rows)
    assert sum(n_right(amended, LABELS)) - sum(n_right(TABLE, LABELS)) > 0


def test_a_group_that_fixes_nothing_is_not_made_and_a_weak_one_is_nearly():
    nothing = certain(spread("{} cto", EXECUTIVE), reviewed=("early cto",))
    placed = place_groups(TABLE, row_groups(TABLE, nothing.titles, "judge"), nothing)
    assert (placed.suggestions, placed.p_values, placed.nearly) == ([], [], [])
    weak = certain(
        {"early director": OTHER, "late director": OTHER, **spread("{} cto", EXECUTIVE)}, reviewed=("early director",)
    )
    placed = place_groups(TABLE, row_groups(TABLE, weak.titles, "judge"), weak)
    assert placed.suggestions == []
    assert {one.evidence.p_value for one in placed.nearly} == {0.25}


def test_rejected_rows_are_left_out_of_their_group():
    groups = row_groups(TABLE, LABELS.titles, "judge", refused=["narrow|cto|function=IT|level=C-Level"])
    assert all(one.keyword != "cto" for group in groups for one in group.changes)


def test_forms_of_the_taxonomy_become_masks_where_variants_show_them_right():
    table = formed_table(
        ("cto", 1, {"function": "IT", "level": "C-Level"}, "word"), ("nurse", 9, {"function": "Other"})
    )
    labels = formed(
        certain({f"{shift} cto": EXECUTIVE for shift in SHIFTS}, reviewed=tuple(f"{s} cto" for s in SHIFTS))
    )
    variants = variants_of(labels, table)
    (assistant, *_) = (title for title in variants.titles if title.startswith("Assistant to"))
    assert any(title.startswith("Former ") for title in variants.titles)
    assert not any("retired" in title or "Deputy" in title for title in variants.titles)
    assert (variants.variant.all(), variants.reviewed.any()) == (True, False)
    at = variants.titles.tolist().index(assistant)
    assert [FORMED[name].classes[variants.top_classes(name)[at]] for name in FORMED.names] == list(OTHER)
    judged = labels.joined(variants)
    placed = place_groups(table, row_groups(table, labels.titles, "judge"), judged)
    found = {one.keyword: one for one in placed.suggestions if one.group == MASKS}
    assert {keyword: (one.match, one.priority) for keyword, one in found.items()} == {
        "former *": ("mask", 9.0),
        "assistant to *": ("mask", 1.0),
    }
    former = found["former *"].evidence
    assert (former.reviewed_fixed, former.believed_fixed, former.variants_fixed > 0) == (0, 0, True)
    said = placed.table.raw_labels(["Former CTO", "Assistant to the CTO", "CTO"])
    assert said["level"].tolist() == ["Contributor", "Contributor", "C-Level"]
    assert said["function"].tolist() == ["IT", "Other", "IT"]


def test_without_reviewed_titles_there_are_no_variants():
    labels = formed(certain({"CTO": EXECUTIVE}))
    assert len(variants_of(labels, formed_table(("cto", 1, {"function": "IT"})))) == 0


def test_acronyms_are_added_with_blanks_and_words_are_not():
    table = table_of(("cto", 1, {"function": "IT", "level": "C-Level"}, "word"), ("lab", 2, {"function": "IT"}, "word"))
    labels = certain(
        {f"{shift} CTO": EXECUTIVE for shift in SHIFTS} | {"Lab Nurse": OTHER}, reviewed=("early CTO", "late CTO")
    )
    judged = labels.joined(variants_of(labels, table))
    assert {"early C.T.O.", "late C T O"} <= set(judged.titles)
    placed = place_groups(table, row_groups(table, labels.titles, "judge"), judged)
    assert [(one.keyword, one.match, one.group) for one in placed.suggestions] == [("c t o", "word", ACRONYMS)]
    assert placed.table.raw_labels(["C.T.O. and founder"])["level"].tolist() == ["C-Level"]


def test_each_row_of_the_table_is_changed_once_whatever_groups_and_single_changes_do():
    placed = place_groups(TABLE, row_groups(TABLE, LABELS.titles, "judge"), LABELS)
    cto = next(one for one in placed.suggestions if one.keyword == "cto")
    lower = replace(cto, action="re-prioritise", priority=9.0, group="")
    both = merged(placed.suggestions, [lower])
    assert [one for one in both if one.line == cto.line] == [lower]
    amended = amend(TABLE, both).rows
    assert amended.loc[amended["keyword"] == "cto", ["match", "priority"]].to_numpy().tolist() == [[cto.match, 9.0]]
    as_it_was = replace(cto, match="substring", group="")
    assert all(one.line != cto.line for one in merged(placed.suggestions, [as_it_was]))


def test_a_group_is_one_step_and_one_row_of_the_tables():
    placed = place_groups(TABLE, row_groups(TABLE, LABELS.titles, "judge"), LABELS)
    n_groups = len({one.group for one in placed.suggestions})
    single = replace(placed.suggestions[0], group="", keyword="alone")
    listed = [*placed.suggestions, single, replace(single, keyword="another")]
    assert [len(step) for step in steps(listed)][-2:] == [1, 1]
    frame = suggestions_frame(listed)
    assert len(frame) == n_groups + 2
    assert frame["reviewed_fixed"].sum() == sum(one.evidence.reviewed_fixed for one in listed)


@pytest.mark.parametrize("min_titles", [3, 7])
def test_gaps_are_two_words_of_titles_that_the_table_gets_wrong(min_titles):
    table = table_of(("engineer", 2, {"level": "Contributor"}), ("lead", 5, {"level": "Executive"}))
    labels = certain(
        spread("engineer {} of lead", ("Other", "Executive")) | spread("lead {} engineer", OTHER)
        | spread("{} to nurse", OTHER)
    )  # fmt: skip
    classes = TrialTable(table, labels.titles).classes()
    found = gap_candidates(labels, classes, min_titles, 5)["level"]
    if min_titles > len(SHIFTS):
        assert found.empty
    else:
        assert found.iloc[0][["keyword", "match", "class"]].tolist() == ["engineer * lead", "gap", "Executive"]
        assert not any(" to" in keyword or "of " in keyword for keyword in found["keyword"])


def test_the_three_kinds_of_titles_are_counted_apart():
    labels = certain(spread("{} a", OTHER), reviewed=("early a", "late a"))
    labels = replace(labels, variant=np.array([shift == "day" for shift in SHIFTS]))
    table = TrialTable(table_of(("a", 1, {"function": "IT"}, "word")), labels.titles)
    outcome = outcome_of(table.try_row(0, None), labels)
    assert (outcome.reviewed, outcome.believed, outcome.variants) == ((2, 0), (3, 0), (1, 0))
    assert (outcome.convinces, outcome.p_value) == (True, 0.5**6)
