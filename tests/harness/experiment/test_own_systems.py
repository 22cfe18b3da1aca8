"""Systems that are not part of the project: a class in somebody's file, and an estimator of scikit-learn."""

import shutil

import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.progress import silent
from harness.experiment import systems
from harness.experiment.cache import fingerprints
from harness.experiment.config_file import load_config
from harness.experiment.own_systems import OwnSystem, write_new
from harness.experiment.plan import plan
from harness.experiment.run import run
from harness.experiment.system_contract import CHECKS, check_system
from harness.tagging.explain import explain_titles
from harness.tagging.export import export_model
from harness.tagging.models import open_run

SKLEARN = "sklearn={estimator: sklearn.naive_bayes.ComplementNB, settings: {alpha: 0.5}}"


@pytest.fixture
def place(company, tmp_path, monkeypatch):
    """Be in a folder with the toy company's files and a system of one's own, my_votes.py."""
    shutil.copytree(company.folder, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    write_new("my_votes", tmp_path / "own")
    return tmp_path / "own"


def listed(place, *more, settings="{my_votes: {smoothing: 0.5}}"):
    names = ", ".join(["majority", "my_votes.py:MyVotes", *more])
    path = place / "mine.yaml"
    text = (place / "company.yaml").read_text()
    path.write_text(text)
    return path, [f"systems=[{names}]", f"own_systems={settings}", "split.by=[title]"]


def do(place, *more):
    path, overrides = listed(place, *more)
    config = load_config(path, [*overrides, SKLEARN])
    return run(config, results=place / "r", out=None, fresh=False, on_progress=silent, announce=lambda _: None)


def test_a_new_system_keeps_the_contract(place, call):
    path = place / "my_votes.py"
    own = OwnSystem.parse(f"{path}:MyVotes")
    found = own.find_class()
    assert check_system(found, found.load) == {}
    code, shown, said = call("new-system", "--check", f"{path}:MyVotes", config=None)
    assert "Running my_votes.py …" in said
    assert (code, shown) == (0, f"{path}:MyVotes keeps all {len(CHECKS)} promises of a system.\n")
    code, shown, said = call("new-system", "my_knn", config=None)
    assert (code, (place / "my_knn.py").is_file()) == (0, True)
    assert "--check my_knn.py:MyKnn" in shown
    code, _, said = call("new-system", "my_knn", config=None)
    assert (code, "exists already and was left as it is" in said) == (2, True)


def test_a_broken_promise_is_named_with_its_reason(place, call):
    path = place / "my_votes.py"
    path.write_text(path.read_text().replace("rows / rows.sum(axis=1, keepdims=True)", "rows"))
    code, _, said = call("new-system", "--check", f"{path}:MyVotes", config=None)
    assert code == 2
    assert "- probabilities are rows that sum to one: a row of department does not sum to 1" in said


def test_a_run_fits_scores_and_keeps_systems_of_ones_own_and_of_scikit_learn(place, call):
    done = do(place, "sklearn")
    scores = pd.read_csv(done.folder / "tables" / "summary.csv")
    accuracy = scores.groupby("system")["department"].max()
    assert accuracy["my_votes"] > accuracy["majority"] + 0.3
    assert accuracy["sklearn"] > accuracy["majority"] + 0.3
    # The saved config runs again from its folder, and the fitted system is loaded without the file.
    again = load_config(done.folder / "config.yaml", [f"name={done.folder.name}"])
    assert again.all_systems["my_votes"].own == OwnSystem(path=place / "my_votes.py", class_name="MyVotes")
    (place / "my_votes.py").unlink()
    (place / "some.csv").write_text("Job title\nnight nurse\n")
    options = ("some.csv", "--out", "tagged.csv", "--run", done.folder, "--title-column", "Job title")
    code, _, said = call("predict", *options, "--system", "my_votes", "--hierarchy", "none", config=None)
    assert code == 0, said
    assert "Running my_votes.py …" in said
    assert "Nursing" in (place / "tagged.csv").read_text()


def test_one_system_of_ones_own_runs_alone_with_its_settings(place, company, call):
    path, overrides = listed(place)
    given = [argument for override in overrides for argument in ("--set", override)]
    given += ["--results", place / "r", "--allow", company.config.parent]
    code, _, said = call("run", "my_votes", *given, config=path)
    assert code == 0, said
    assert "Running my_votes.py …" in said
    (folder,) = (place / "r").glob("mine-*")
    saved = load_config(folder / "config.yaml", [f"name={folder.name}"])
    assert list(saved.all_systems) == ["my_votes"]
    assert saved.own_systems == {"my_votes": {"smoothing": 0.5}}
    code, _, said = call("run", "majority", *given, config=path)
    assert (code, "my_votes" in said) == (0, False)
    code, _, said = call("run", "my_vote", *given, config=path)
    assert code == 2
    assert "Unknown run 'my_vote'. Did you mean 'my_votes'?" in said


def test_code_of_a_run_is_only_executed_where_its_system_is_named(place):
    done = do(place)
    (saved,) = done.folder.glob("models/*/*/my_votes/own_system.py")
    saved.write_text("raise SystemExit('this was run')")
    model = open_run(done.folder)
    assert list(model.systems) == ["majority", "my_votes"]
    assert model.system(None) == "majority"
    assert {answer.system for answer in explain_titles(model, ["nurse"], None)[0].answers} == {"majority"}
    assert export_model(done.folder, place / "model").systems == ("majority",)


def test_a_system_of_ones_own_refits_no_other_and_its_source_counts_for_it_alone(place, company, monkeypatch):
    def prints(path, overrides):
        config = load_config(path, overrides)
        return fingerprints(plan(config, company.taxonomy))

    without = prints(place / "company.yaml", ["systems=[majority, tfidf]", "split.by=[title]"])
    first = prints(*listed(place, "tfidf"))
    assert {name for name in without if without[name] != first[name]} == {"compare/title/legacy", "errors/title/legacy"}
    path = place / "my_votes.py"
    path.write_text(path.read_text() + "# another line\n")
    second = prints(*listed(place, "tfidf"))
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {
        *(f"{step}/title/legacy/my_votes" for step in ("fit", "predict", "score", "robustness")),
        *("compare/title/legacy", "errors/title/legacy"),
    }
    added = systems.System(name="new", description="", find_class=systems.SYSTEMS["majority"].find_class)
    monkeypatch.setitem(systems.SYSTEMS, "new", added)
    assert prints(*listed(place, "tfidf")) == second


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("class MyVotes", "class Others", r"Unknown class '.*my_votes.py:MyVotes'.*Known: Others"),
        ("import json", "import jsn", r"my_votes.py cannot be run: ModuleNotFoundError: No module named 'jsn'"),
        ("def fit_summary", "def summary", "MyVotes has no fit_summary. 'title-harness new-system NAME' writes"),
        ("smoothing", "smooth", "own_systems.my_votes does not fit .*unexpected keyword.*Its settings: smooth"),
    ],
)
def test_a_faulty_file_is_refused_before_anything_is_fitted(place, old, new, message):
    path = place / "my_votes.py"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadInput, match=message):
        do(place)
    assert not list((place / "r").glob(".cache/*"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["systems=[majority]"], "own_systems has settings of my_votes, which systems does not list as a file"),
        (["systems=['my_votes.py:MyVotes', 'other/my_votes.py:MyVotes']"], "systems lists 'my_votes' more than once"),
        (["systems=['tfidf.py:MyVotes']", "own_systems={}"], "tfidf is a system of the project"),
        (["systems=[sklearn]", "own_systems={}"], "the sklearn systems need 'sklearn: {estimator: "),
        (["sklearn={estimator: os.system}"], "sklearn.estimator = 'os.system': String should match pattern"),
    ],
)
def test_a_config_with_systems_that_do_not_go_together_is_refused(place, overrides, message):
    path, given = listed(place)
    with pytest.raises(BadInput, match=message):
        load_config(path, [*given, *overrides])


def test_a_file_of_a_system_may_only_be_where_paths_of_a_config_may_lead(place, company, tmp_path):
    shutil.move(place / "my_votes.py", tmp_path / "my_votes.py")
    path = place / "mine.yaml"
    text = (place / "company.yaml").read_text().replace("- majority\n", "- ../my_votes.py:MyVotes\n- majority\n")
    assert "MyVotes" in text
    path.write_text(text)
    with pytest.raises(BadInput, match=r"systems\.0 = '\.\./my_votes\.py' leads to"):
        load_config(path, allowed=())
    config = load_config(path, allowed=[tmp_path, company.folder])
    assert config.systems[0] == OwnSystem(path=tmp_path / "my_votes.py", class_name="MyVotes")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{estimator: sklearn.svm.SVCC}", "Unknown classifier of scikit-learn 'sklearn.svm.SVCC'. Did you mean"),
        ("{estimator: sklearn.svm.LinearSVC}", "sklearn.svm.LinearSVC gives no probabilities with these settings"),
        ("{estimator: sklearn.naive_bayes.ComplementNB, settings: {alph: 1}}", "sklearn.settings do not fit .*alph"),
    ],
)
def test_an_estimator_that_cannot_answer_is_refused_before_anything_is_fitted(place, section, message):
    config = load_config(place / "company.yaml", ["systems=[majority, sklearn]", f"sklearn={section}"])
    with pytest.raises(BadInput, match=message):
        run(config, results=place / "r", out=None, fresh=False, on_progress=silent, announce=lambda _: None)
