"""Why a title is tagged as it is."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from data_cleaning.errors import BadInput
from harness.cli.tagging_commands import explain_verb
from harness.experiment.systems import load_system
from harness.tagging.explain import KeywordHit, explain_titles
from harness.tagging.explain_tables import place_lines, tables_of
from harness.tagging.export import export_model
from harness.tagging.hierarchy import read_hierarchy
from harness.tagging.models import open_exported, open_run
from tests.harness.tagging.given_run import HIERARCHY, toy_run
from tests.toy_company import SYSTEMS

TITLES = ["night head nurse", "Senior headcook & chief driver", "xyz", "registered gardener"]


@pytest.fixture(scope="module")
def model(company):
    return open_run(toy_run(company.config))


@pytest.fixture(scope="module")
def hierarchy(company, tmp_path_factory):
    path = tmp_path_factory.mktemp("given") / "hierarchy.yaml"
    path.write_text(HIERARCHY)
    return path


@pytest.fixture(scope="module")
def explained(model, hierarchy, company):
    return explain_titles(model, TITLES, read_hierarchy(hierarchy, company.taxonomy))


def answer(explanation, system, target):
    (found,) = [one for one in explanation.answers if (one.system, one.target) == (system, target)]
    return found


def test_every_system_answers_for_every_target_as_it_predicts(explained, model, company):
    for name, folder in model.systems.items():
        predicted = load_system(name, folder).predict_proba(TITLES)
        for target in company.taxonomy.targets:
            rows = predicted[target.name]
            for row, explanation in enumerate(explained):
                found = answer(explanation, name, target.name)
                assert found.label == target.classes[rows[row].argmax()]
                # A network is explained in fp32, and may predict in bf16.
                within = 0.01 if name in ("neural", "hybrid", "cascade") else 1e-6
                assert found.confidence == pytest.approx(rows[row].max(), abs=within)
    order = [(one.system, one.target) for one in explained[0].answers]
    assert order == [(system, target) for system in SYSTEMS for target in company.taxonomy.names]


def hit(keyword, line, priority, label, match="substring"):
    return KeywordHit(keyword, line, priority, match, label, label)


def test_the_keyword_that_decided_comes_with_those_that_it_outranked(explained):
    # Lines as the toy company writes them: departments from 2, seniorities from 12.
    first = explained[0]
    assert answer(first, "keyword", "department").decided == hit("nurse", 2, 5, "Nursing")
    assert answer(first, "keyword", "department").outranked == ()
    second = answer(explained[1], "keyword", "seniority")
    assert second.decided == hit("senior", 14, 3, "Senior")  # of equal priority the longest
    assert second.outranked == (hit("chief", 12, 3, "Chief"), hit("head", 13, 3, "Head"))
    departments = answer(explained[1], "keyword", "department")
    assert departments.decided == hit("driver", 8, 5, "Transport")
    assert departments.outranked == (hit("cook", 6, 5, "Kitchen"),)


def test_a_priority_between_two_whole_numbers_is_told_as_it_is(model, tmp_path):
    system = load_system("keyword", model.systems["keyword"])
    system.table.rows.loc[system.table.rows["keyword"] == "cook", "priority"] = 2.5
    system.save(tmp_path)
    (explained,) = explain_titles(replace(model, systems={"keyword": tmp_path}), ["cook, driver"], None)
    found = answer(explained, "keyword", "department")
    assert (found.decided.priority, found.outranked[0].priority) == (2.5, 5)
    (keywords,) = (table for table in tables_of(explained, "keyword") if table.name == "keywords")
    assert keywords.frame[["keyword", "priority"]].to_numpy().tolist() == [["cook", "2.5"], ["driver", "5"]]


def test_the_corrected_table_matches_whole_words_only(explained):
    second = answer(explained[1], "keyword-corrected", "seniority")
    assert second.decided == hit("senior", 14, 3, "Senior", "word")
    assert second.outranked == (hit("chief", 12, 3, "Chief", "word"),)
    assert answer(explained[1], "keyword-corrected", "department").outranked == ()


def test_where_no_keyword_matches_the_fallback_answers_and_nothing_decided(explained):
    for target, label in (("department", "Elsewhere"), ("seniority", "None given")):
        found = answer(explained[2], "keyword", target)
        assert (found.label, found.decided, found.outranked) == (label, None, ())
    assert answer(explained[3], "keyword", "department").decided is None
    assert answer(explained[3], "keyword", "seniority").decided == hit("registered", 15, 3, "Qualified")


def test_the_deciding_row_is_the_one_that_the_table_names(explained, model):
    for name in ("keyword", "keyword-corrected", "keyword+mined"):
        system = load_system(name, model.systems[name])
        for target, rows in system.table.winners(TITLES, system.normalised).items():
            for explanation, row in zip(explained, rows, strict=True):
                found = answer(explanation, name, target).decided
                assert (None if found is None else found.line) == (None if row < 0 else system.table.rows["line"][row])


@pytest.mark.parametrize("system", ["tfidf", "neural"])
@pytest.mark.parametrize("target", ["department", "seniority"])
def test_what_the_words_add_leads_from_no_words_to_what_was_answered(explained, system, target):
    for explanation in explained:
        found = answer(explanation, system, target)
        if found.unlike:
            assert found.words == ()
            continue
        assert [word.text for word in found.words] == explanation.read_as.split()
        total = found.without_words + sum(word.adds for word in found.words)
        assert total == pytest.approx(math.log(found.confidence / (1 - found.confidence)), abs=1e-4)


def test_a_title_that_is_unlike_what_was_learned_is_named_and_has_no_place(model, hierarchy, company):
    (found,) = explain_titles(model, ["zqxw vbkj"], read_hierarchy(hierarchy, company.taxonomy), "tfidf")
    assert all(one.unlike and not one.words for one in found.answers)
    assert place_lines(found)[0] == (
        "The title is unlike those that tfidf learned from, so that the fallback answers with low confidence."
    )


def test_keyword_tables_and_the_floor_have_no_list_of_words(explained):
    for system in ("majority", "keyword", "keyword+mined"):
        assert answer(explained[1], system, "department").words == ()


def test_one_system_may_be_asked_alone(model, hierarchy, company):
    (alone,) = explain_titles(model, ["head nurse"], read_hierarchy(hierarchy, company.taxonomy), "keyword")
    assert {one.system for one in alone.answers} == {alone.place.system} == {"keyword"}
    with pytest.raises(BadInput, match="Did you mean 'keyword'"):
        explain_titles(model, ["head nurse"], None, "keywrd")


def test_a_damaged_title_is_read_as_repaired(model):
    (found,) = explain_titles(model, ["chief cook &amp; nurse"], None, "keyword")
    assert (found.title, found.read_as) == ("chief cook &amp; nurse", "chief cook & nurse")


def test_a_foreign_title_is_named_and_one_that_keywords_know_is_not_asked_about(model):
    foreign, known = explain_titles(model, ["Directeur des Systèmes d'Information", "head nurse"], None, "keyword")
    assert (foreign.language, known.language) == ("fr", None)
    assert "another language (fr)" in place_lines(foreign)[0]


def test_titles_are_read_in_their_normal_spelling_and_once(model, explained):
    given = explain_titles(model, ["  night\u00a0head   nurse ", "", " \t", "night head nurse"], None)
    assert [one.read_as for one in given] == ["night head nurse", "", "", "night head nurse"]
    assert given[0].title == "  night\u00a0head   nurse "
    assert given[0].answers == given[3].answers
    assert [one.label for one in given[0].answers] == [one.label for one in explained[0].answers]
    assert given[1].answers == given[2].answers == ()
    assert explain_titles(model, [" "], None)[0].answers == ()


def test_a_title_that_is_too_long_is_cut_as_tagging_cuts_it(model):
    assert len(explain_titles(model, ["nurse " * 5_000], None)[0].read_as) < 2_001


def test_a_title_that_is_no_text_is_refused(model):
    with pytest.raises(BadInput, match="must be text"):
        explain_titles(model, ["nurse \udcff"], None)


def test_a_title_is_placed_by_the_system_that_answers_by_default(model, explained, hierarchy, company):
    tree = read_hierarchy(hierarchy, company.taxonomy)
    probabilities = load_system("tfidf", model.systems["tfidf"]).predict_proba(TITLES)
    placed = tree.place(TITLES, probabilities)
    for row, explanation in enumerate(explained):
        place = explanation.place
        assert place.system == "tfidf"
        assert place.path == tree.nodes[placed.node[row]].path
        assert place.leaf == tree.nodes[placed.leaf[row]].path
        assert place.confidence == pytest.approx(placed.confidence[row], abs=1e-6)
        assert place.line == tree.rules[placed.rule[row]].line
    assert explain_titles(model, TITLES[:1], None)[0].place is None


@pytest.fixture
def cheap(company, hierarchy, tmp_path):
    run = toy_run(company.config, "systems=[majority, keyword]")
    return export_model(run, tmp_path / "model", hierarchy=hierarchy).folder


def test_a_place_names_the_rule_that_decided_and_the_new_labels(cheap, company):
    (found,) = explain_titles(
        open_exported(cheap), ["head nurse"], read_hierarchy(cheap / "hierarchy.yaml", company.taxonomy)
    )
    assert found.place.path == ("Care", "Heads of care")
    line = HIERARCHY.splitlines().index(
        "  - {department: [Nursing, Surgery], seniority: [Chief, Head], leaf: Heads of care}"
    )
    assert (found.place.line, found.place.band) == (line + 1, "Upper")
    assert found.place.rule == "department Nursing, seniority Head"
    assert found.place.new_labels == {"seniority": "Lead"}


def test_the_verb_shows_answers_keywords_and_place(cheap, capsys):
    explain_verb(["Senior  headcook & chief driver", " "], model=cheap)
    shown = capsys.readouterr()
    lines = [line.split() for line in shown.out.splitlines()]
    assert "Read as 'Senior headcook & chief driver'." in shown.out
    assert ["keyword", "senior", "3", "14", "substring", "Senior"] in lines
    assert ["keyword", "chief", "3", "12", "substring", "(Chief)"] in lines
    assert ["keyword", "cook", "5", "6", "substring", "(Kitchen)"] in lines
    assert "Place, by keyword: House" in shown.out
    assert "Words" not in shown.out
    assert "' ' has no text; no system is asked" in shown.out
    assert "exported 20" in shown.err


def test_the_verb_shows_the_words_of_the_network(model, capsys):
    explain_verb(["head nurse"], run=model.folder)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for start in (["nurse"], ["(all", "together)"]):
        found = [line for line in lines if line[: len(start)] == start]
        assert len(found) == 2  # of tfidf and of the network
        assert all(len([float(adds) for adds in line[len(start) :]]) == 2 for line in found)


def test_the_verb_writes_json_that_says_the_same(cheap, capsys, company):
    explain_verb(["head nurse", ""], model=cheap, as_json=True)
    content = json.loads(capsys.readouterr().out)
    assert content["default_system"] == "keyword"
    head, blank = content["titles"]
    assert blank == {"title": "", "read_as": "", "answers": [], "place": None, "nearest": [], "language": None}
    assert head["place"]["path"] == ["Care", "Heads of care"]
    assert head["answers"][1]["decided"]["keyword"] == "head"
    assert np.isclose(head["answers"][1]["confidence"], answer(
        explain_titles(open_exported(cheap), ["head nurse"], None)[0], "keyword", "seniority"
    ).confidence)  # fmt: skip
