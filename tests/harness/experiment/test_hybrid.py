"""The system that corrects the keyword table by reviewed titles."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from baselines.keyword import KeywordClassifier
from baselines.keyword_table import KeywordTable
from data_cleaning.progress import silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles
from harness.experiment import hybrid as hybrid_module
from harness.experiment.config_file import load_config
from harness.experiment.hybrid import HybridClassifier
from harness.experiment.joint_answers import ALWAYS
from harness.experiment.run import run
from harness.experiment.systems import load_system
from harness.tagging.export import export_model
from harness.tagging.models import open_exported, open_run
from tests.toy_company import write_toy_company

SHIFTS = ("early", "late", "evening", "morning", "spring", "winter", "autumn", "summer")
DEPARTMENTS = {
    "gardener": "Garden",
    "cook": "Kitchen",
    "nurse": "Nursing",
    "surgeon": "Surgery",
    "visitor": "Elsewhere",
}


@pytest.fixture(scope="module")
def table(company):
    """A table that lacks gardeners."""
    return KeywordTable.read(company.folder / "keywords.csv", company.taxonomy)


@pytest.fixture(scope="module")
def leads(company):
    frame = company.titles.rename(columns={"What you do": "title", "Dept": "department", "Grade": "seniority"})
    return LabelledTitles.from_frame(frame, company.taxonomy, source="legacy")


def reviewed(company, shifts=SHIFTS, departments=DEPARTMENTS):
    rows = [
        {"title": f"{shift} {grade} {word}", "department": department, "seniority": grade.capitalize()}
        for shift, grade, (word, department) in itertools.product(shifts, ("head", "chief"), departments.items())
    ]
    return LabelledTitles.from_frame(pd.DataFrame(rows), company.taxonomy, source="reviewed")


def together(first, second):
    joined = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in _COLUMNS}
    labels = {target: np.concatenate([first.labels[target], second.labels[target]]) for target in first.labels}
    return LabelledTitles(taxonomy=first.taxonomy, labels=labels, **joined)


_COLUMNS = ("titles", "counts", "weights", "sources")


def department(system, title):
    target = system.taxonomy["department"]
    return target.classes[system.predict_proba([title])["department"][0].argmax()]


def test_without_reviewed_titles_it_answers_as_the_table_does(table, leads):
    hybrid, keyword = HybridClassifier(table).fit(leads, leads), KeywordClassifier(table).fit(leads, leads)
    titles = ["head nurse", "gardener", "night cook of the ward", "visitor"]
    for target, rows in keyword.predict_proba(titles).items():
        np.testing.assert_array_equal(hybrid.predict_proba(titles)[target], rows)
    assert hybrid.fit_summary()["corrects_the_table"] is False


def test_reviewed_titles_correct_what_the_table_gets_wrong(company, table, leads, tmp_path):
    hybrid = HybridClassifier(table).fit(together(leads, reviewed(company)), leads)
    assert department(KeywordClassifier(table).fit(leads, leads), "noon head gardener") == "Elsewhere"
    assert department(hybrid, "noon head gardener") == "Garden"
    assert department(hybrid, "noon radiographer") == "Radiology"  # which no reviewed title is about
    found = hybrid.fit_summary()["out_of_fold"]
    assert (found["fixed"], found["broken"]) == (16, 0)
    assert found["right"] > found["table_right"]
    hybrid.save(tmp_path)
    again = HybridClassifier.load(tmp_path)
    titles = ["noon head gardener", "zqxw vbkj", "", "head nurse"]
    for target, rows in hybrid.predict_proba(titles).items():
        np.testing.assert_allclose(again.predict_proba(titles)[target], rows, atol=1e-6)
    np.testing.assert_array_equal(again.unlike(titles), hybrid.unlike(titles))


def test_reviewed_titles_of_validation_are_learned_from_too(company, table, leads):
    hybrid = HybridClassifier(table).fit(leads, reviewed(company))
    assert department(hybrid, "noon head gardener") == "Garden"


RARE = {
    f"{letters}ist": of for letters, of in zip(("alch", "botan", "cell", "dent"), DEPARTMENTS.values(), strict=False)
}
"""Words of one reviewed title each, which no other title tells about."""


class Oracle:
    """A network that knows the right department, and notes what it is asked."""

    def __init__(self, taxonomy):
        self.taxonomy, self.asked, self.known = taxonomy, [], {**DEPARTMENTS, **RARE}

    def predict_proba(self, titles):
        self.asked += titles
        answers = {target.name: np.full((len(titles), target.n_classes), 0.01) for target in self.taxonomy.targets}
        for row, title in enumerate(titles):
            right = next((of for word, of in self.known.items() if word in title), "Elsewhere")
            answers["department"][row, self.taxonomy["department"].class_index[right]] = 0.9
            answers["seniority"][row, self.taxonomy["seniority"].class_index["Head"]] = 0.9
        return {target: rows / rows.sum(axis=1, keepdims=True) for target, rows in answers.items()}

    def save(self, folder):
        folder.mkdir()


def test_a_bound_leaves_out_the_network_where_the_regressions_are_sure(company, table, leads, tmp_path, monkeypatch):
    network = Oracle(company.taxonomy)
    valid = together(reviewed(company, SHIFTS[6:]), reviewed(company, ("dawn",), RARE))
    monkeypatch.setattr(hybrid_module, "_load_network", lambda folder: network)
    titles = [f"noon {grade} {word}" for grade in ("head", "chief") for word in (*DEPARTMENTS, "optometrist")]
    asked = {}
    for bound in (ALWAYS, 0.85, 0.0):
        hybrid = HybridClassifier(table, tmp_path, ask_below=bound)
        hybrid.fit(together(leads, reviewed(company, SHIFTS[:6])), together(leads, valid))
        assert hybrid.fit_summary()["network_share"] > 0
        assert department(hybrid, "noon head gardener") == "Garden"
        folder = tmp_path / str(bound)
        folder.mkdir()
        hybrid.save(folder)
        network.asked.clear()
        again = HybridClassifier.load(folder, load_network=lambda _: network)
        again.predict_proba(titles)
        asked[bound] = set(network.asked)
    assert asked[0.0] < asked[0.85] < asked[ALWAYS] == set(titles)


def test_few_reviewed_titles_change_nothing(company, table, leads):
    few = reviewed(company, SHIFTS[:3], {"gardener": "Garden"})
    hybrid = HybridClassifier(table).fit(together(leads, few), leads)
    assert hybrid.fit_summary()["corrects_the_table"] is False
    assert department(hybrid, "noon head gardener") == "Elsewhere"


def test_reviewed_titles_without_a_pattern_change_nothing(company, table, leads):
    rows = reviewed(company)
    drawn = np.random.default_rng(0).permutation(len(rows))
    shuffled = dataclasses.replace(rows, labels={target: codes[drawn] for target, codes in rows.labels.items()})
    hybrid = HybridClassifier(table).fit(together(leads, shuffled), leads)
    assert hybrid.fit_summary()["corrects_the_table"] is False


def test_a_text_that_a_row_matches_is_never_unlike_the_titles(company, table, leads):
    hybrid = HybridClassifier(table).fit(together(leads, reviewed(company)), leads)
    assert hybrid.unlike(["zqxw vbkj", "zqxw nurse vbkj"]).tolist() == [True, False]


def test_where_the_table_answers_no_text_is_unlike_if_that_changed_a_label(company, table, leads):
    content = company.taxonomy.to_dict()
    content["targets"]["seniority"]["no_title"] = "Trainee"
    taxonomy = Taxonomy.from_dict(content)
    other = dataclasses.replace(leads, taxonomy=taxonomy)
    hybrid = HybridClassifier(dataclasses.replace(table, taxonomy=taxonomy)).fit(other, other)
    assert not hybrid.unlike(["zqxw vbkj"]).any()


def test_keywords_are_not_read_inside_words_where_reviewed_titles_speak_against_it(company, table, leads, tmp_path):
    driver = {"keyword": "ing", "priority": 1, "department": "Transport", "seniority": "", "match": "substring"}
    rows = pd.concat([table.rows, pd.DataFrame([driver])], ignore_index=True).drop(columns="line")
    inside = KeywordTable.from_frame(rows, company.taxonomy)
    assert department(KeywordClassifier(inside).fit(leads, leads), "morning nurse") == "Transport"
    hybrid = HybridClassifier(inside).fit(together(leads, reviewed(company)), leads)
    assert hybrid.fit_summary()["reads_inside_words"] is False
    assert department(hybrid, "darling pharmacist") == "Pharmacy"
    hybrid.save(tmp_path)
    assert department(HybridClassifier.load(tmp_path), "darling pharmacist") == "Pharmacy"


def test_forms_of_the_taxonomy_and_acronyms_are_understood(company, table, leads):
    content = company.taxonomy.to_dict() | {
        "forms": [{"before": ["former"], "labels": {"department": "Elsewhere"}}],
    }
    taxonomy = Taxonomy.from_dict(content)
    rows = dataclasses.replace(together(leads, reviewed(company)), taxonomy=taxonomy)
    hybrid = HybridClassifier(dataclasses.replace(table, taxonomy=taxonomy)).fit(rows, rows.select(np.arange(0)))
    assert department(hybrid, "former head nurse") == "Elsewhere"
    assert department(hybrid, "head n.u.r.s.e.") == department(hybrid, "head nurse") == "Nursing"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run whose config lists the system before the network that it asks."""
    owner = write_toy_company(tmp_path_factory.mktemp("owner"))
    rows = [
        {"What you do": f"{shift} {grade} {word}", "Dept": of, "Grade": grade.capitalize()}
        for shift, grade, (word, of) in itertools.product(SHIFTS, ("head", "chief"), DEPARTMENTS.items())
    ]
    pd.DataFrame(rows).to_csv(owner.folder / "reviewed.csv", index=False)
    given = (
        *(
            "systems=[hybrid, cascade, neural, keyword]",
            "split.by=[title]",
            f"reviewed={owner.folder / 'reviewed.csv'}",
        ),
        *("neural.epochs=8", "neural.learning_rate=0.005", "neural.runtime=torch", "neural.precision=fp32"),
    )
    results = owner.folder / "results"
    config = load_config(owner.config, given)
    return run(config, results=results, out=None, fresh=False, on_progress=silent, announce=lambda _: None).folder


def test_a_run_lets_it_ask_the_network_that_learned_the_same(finished):
    model = open_run(finished)
    assert model.system(None) == "cascade"  # the faster of two that are level
    hybrid = load_system("hybrid", model.systems["hybrid"])
    summary = hybrid.fit_summary()
    assert summary["corrects_the_table"] is True
    assert (hybrid.network_ is not None) == (summary["network_share"] > 0)
    alone = load_system("hybrid", finished / "models" / "title" / "legacy" / "hybrid")
    assert alone.fit_summary()["corrects_the_table"] is False
    scores = pd.read_csv(finished / "tables" / "summary.csv")
    of = scores.set_index(["learned_from", "system"])["all"]
    assert of["legacy+reviewed", "hybrid"] >= of["(any)", "keyword"] == of["legacy", "hybrid"]


def test_an_exported_folder_answers_as_the_run_does(finished, tmp_path):
    exported = export_model(finished, tmp_path / "model")
    titles = ["noon head gardener", "head nurse", "zqxw vbkj"]
    assert load_system("cascade", open_run(finished).systems["cascade"]).ask_below < ALWAYS
    before = load_system("hybrid", open_run(finished).systems["hybrid"]).predict_proba(titles)
    after = load_system("hybrid", open_exported(exported.folder).systems["hybrid"]).predict_proba(titles)
    for target, rows in before.items():
        np.testing.assert_array_equal(after[target], rows)
    for place in exported.folder.rglob("settings.json"):
        assert str(finished.parent.parent) not in place.read_text()
