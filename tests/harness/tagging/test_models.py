"""What tags, opened from a run or from a folder that was exported."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.checksums import write_checksums
from harness.experiment.config import PROJECT_CONFIGS
from harness.scoring.scores_file import FILE, read_scores, write_scores
from harness.tagging.export import export_model
from harness.tagging.models import (
    FACTS,
    NO_HIERARCHY,
    Model,
    choose_model,
    find_hierarchy,
    load_hierarchy,
    open_exported,
    open_run,
)
from tests.harness.tagging.given_run import HIERARCHY, toy_run
from tests.toy_company import SYSTEMS


@pytest.fixture(scope="module")
def run_folder(company):
    return toy_run(company.config)


@pytest.fixture(scope="module")
def cheap_run(company):
    return toy_run(company.config, "systems=[majority, keyword]")


@pytest.fixture
def exported(cheap_run, tmp_path):
    return export_model(cheap_run, tmp_path / "model").folder


def model_with(*systems, taxonomy=None, folder=Path("here")):
    return Model(folder, taxonomy, {name: folder / name for name in systems}, "Title", None, None, "", "")


def test_opening_a_run_imports_neither_torch_nor_sklearn():
    probe = "import sys, harness.tagging.models; assert not {'torch', 'sklearn', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", probe], check=True)


def test_a_run_has_every_system_that_it_fitted(run_folder, company):
    model = open_run(run_folder)
    assert list(model.systems) == list(SYSTEMS)
    assert model.systems["tfidf"] == run_folder / "models" / "record" / "legacy" / "tfidf"
    assert (model.taxonomy, model.title_column) == (company.taxonomy, "What you do")
    assert (model.hierarchy, model.layout) == (None, None)
    assert model.described == f"{run_folder} (split by record)"


def test_a_run_is_described_by_what_its_default_system_learned_from(cheap_run, tmp_path):
    shutil.copytree(cheap_run, tmp_path / "run")
    (tmp_path / "run" / "models" / "record").rename(tmp_path / "run" / "models" / "title2")
    held = tmp_path / "run" / "models" / "title"
    (held / "legacy").rename(held / "consensus+reviewed")
    said = open_run(tmp_path / "run").described
    assert said == f"{tmp_path / 'run'} (split by title, consensus labels, reviewed titles learned too)"


@pytest.mark.parametrize(
    ("systems", "answers"),
    [
        (SYSTEMS, "neural"),
        (["majority", "keyword", "keyword-corrected", "tfidf", "keyword+mined"], "keyword+mined"),
        (["majority", "keyword", "keyword-corrected", "tfidf"], "keyword"),
        (["majority", "tfidf"], "tfidf"),
        (["majority", "keyword", "keyword-corrected"], "keyword"),
        (["majority", "keyword-corrected"], "keyword-corrected"),
        (["majority"], "majority"),
    ],
)
def test_the_preferred_system_answers_by_default(systems, answers):
    assert model_with(*systems).system(None) == answers


def changed_verdict(run, tmp_path, **changes):
    """Return a copy of a run with another verdict; None in place of one takes its scores away."""
    folder = Path(shutil.copytree(run, tmp_path / "changed"))
    (folder / "SHA256SUMS").unlink()
    if changes:
        scores = read_scores(folder)
        verdict = scores.verdict.model_copy(update=changes)
        write_scores(scores.model_copy(update={"verdict": verdict}), folder)
    else:
        (folder / FILE).unlink()
    return folder


def test_the_system_of_the_verdict_answers_and_is_introduced_with_it(cheap_run, tmp_path):
    model = open_run(cheap_run)
    assert model.system(None) == model.default == "keyword"
    assert model.introduced("keyword", asked_for=False) == (
        f"Answering with keyword of {cheap_run}. Verdict of that run: {read_scores(cheap_run).verdict.headline}"
    )
    majority = open_run(changed_verdict(cheap_run, tmp_path, use="majority"))
    assert majority.system(None) == "majority"
    assert ", as asked. Verdict of that run: Keep keyword" in majority.introduced("keyword", asked_for=True)


def test_a_smoke_run_and_one_on_simulated_leads_say_so_first_and_so_does_what_is_exported(cheap_run, tmp_path):
    folder = changed_verdict(cheap_run, tmp_path, origin="smoke")
    assert open_run(folder).introduced("keyword", asked_for=True).startswith("This is a smoke run: ")
    exported = export_model(folder, tmp_path / "model")
    assert exported.introduced.startswith("This is a smoke run: ")
    assert open_exported(exported.folder).introduced("keyword", asked_for=False).startswith("This is a smoke run: ")
    assert "This is a smoke run: " in (exported.folder / "README.md").read_text()
    (tmp_path / "more").mkdir()
    simulated = open_run(changed_verdict(cheap_run, tmp_path / "more", origin="simulated"))
    assert simulated.introduced("keyword", asked_for=False).startswith("This run was judged on simulated leads")


def test_a_run_of_an_earlier_release_answers_and_says_that_it_has_no_verdict(cheap_run, tmp_path):
    model = open_run(changed_verdict(cheap_run, tmp_path))
    assert model.system(None) == "keyword"
    assert "which has no verdict: run its config again" in model.introduced("keyword", asked_for=False)


def test_a_system_of_ones_own_that_is_to_be_used_runs_only_where_it_is_named(cheap_run, tmp_path):
    model = open_run(changed_verdict(cheap_run, tmp_path, use="mine", without_own_code="keyword"))
    assert model.system(None) == "keyword"
    assert "runs only where you name it: --system mine" in model.introduced("keyword", asked_for=False)


def test_an_absent_or_unknown_system_is_refused_with_the_known_ones():
    model = model_with("majority", "keyword")
    assert model.system("majority") == "majority"
    with pytest.raises(BadInput, match="here has no fitted 'tfidf'; it has majority, keyword"):
        model.system("tfidf")
    with pytest.raises(BadInput, match=r"Unknown system 'keywrd'. Did you mean 'keyword'\?"):
        model.system("keywrd")


def test_the_identity_of_a_run_changes_with_any_file_of_a_system(cheap_run, tmp_path):
    shutil.copytree(cheap_run, tmp_path / "run")
    before = open_run(tmp_path / "run").identity
    assert open_run(tmp_path / "run").identity == before
    os.utime(tmp_path / "run" / "models" / "record" / "legacy" / "keyword" / "keywords.csv", (1, 1))
    changed = open_run(tmp_path / "run").identity
    assert changed != before
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "SHA256SUMS").unlink()
    (tmp_path / "run" / "run.json").write_text(json.dumps({**facts, "fingerprint": "another"}))
    assert open_run(tmp_path / "run").identity != changed


def test_a_folder_that_is_no_run_is_refused(cheap_run, tmp_path, exported):
    with pytest.raises(BadInput, match=r"is no run folder \(it has no run\.json\). Give one that 'run' has written\.$"):
        open_run(tmp_path)
    with pytest.raises(BadInput, match=r"is an exported folder and no run folder\. Give it as --model"):
        open_run(exported)
    shutil.copytree(cheap_run, tmp_path / "run")
    (tmp_path / "run" / "config.yaml").write_text("leads: 3")
    with pytest.raises(BadInput, match=r"run is damaged \(SHA256SUMS\): config\.yaml has changed"):
        open_run(tmp_path / "run")
    (tmp_path / "run" / "SHA256SUMS").unlink()  # a run of an earlier release
    with pytest.raises(BadInput, match=r"config\.yaml is not as 'run' writes it"):
        open_run(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "models")
    with pytest.raises(BadInput, match="has no fitted system"):
        open_run(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(BadInput, match=r"run\.json is not readable as the description of a run"):
        open_run(tmp_path / "run")


def test_an_exported_folder_is_opened_with_its_hierarchy_and_layout(exported, company):
    model = open_exported(exported)
    assert list(model.systems) == ["keyword"]
    assert model.systems["keyword"] == exported / "systems" / "keyword"
    assert (model.taxonomy, model.title_column) == (company.taxonomy, "What you do")
    assert model.described.startswith(f"{exported} (exported 20")
    assert model.described.split(" from ")[1].startswith("company-")
    assert open_exported(exported).identity == model.identity
    with (exported / "README.md").open("a") as opened:
        opened.write("More.\n")
    write_checksums(exported)
    assert open_exported(exported).identity != model.identity


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"systems": {"../../elsewhere": "0"}}, "Unknown system '../../elsewhere'"),
        ({"default_system": "keyword2"}, "Unknown system 'keyword2'"),
        ({"systems": {"keyword": "0", "tfidf": "0"}}, "lists tfidf, which .* does not hold"),
        ({"systems": {}}, "systems: Dictionary should have at least 1 item"),
        ({"format": 2}, "format: Input should be 1"),
        ({"taxonomy": "/elsewhere/taxonomy.yaml"}, "taxonomy: Extra inputs are not permitted"),
    ],
)
def test_invalid_facts_are_refused_even_with_the_right_sum(exported, changes, message):
    facts = json.loads((exported / FACTS).read_text())
    (exported / FACTS).write_text(json.dumps({**facts, **changes}))
    write_checksums(exported)
    with pytest.raises(BadInput, match=message):
        open_exported(exported)


def test_a_run_an_exported_folder_or_the_newest_run_is_chosen_but_never_two(cheap_run, exported):
    assert choose_model(cheap_run, None, Path("absent")).folder == cheap_run
    assert choose_model(None, exported, Path("absent")).folder == exported
    assert choose_model(None, None, cheap_run.parent, "keyword").folder.parent == cheap_run.parent
    with pytest.raises(BadInput, match=r"--run .* and --model .* were both given"):
        choose_model(cheap_run, exported, Path("absent"))


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Be in a folder that has a hierarchy of its own."""
    (tmp_path / "work" / "configs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    path = Path("configs") / "hierarchy.yaml"
    path.write_text(HIERARCHY)
    return path


def test_the_hierarchy_of_the_current_folder_is_taken_if_it_names_the_models_targets(own, company):
    theirs = model_with("keyword", taxonomy=company.taxonomy)
    assert find_hierarchy(None, theirs) == own
    assert find_hierarchy(NO_HIERARCHY, theirs) is None
    assert (
        find_hierarchy(None, model_with("keyword", taxonomy=Taxonomy.read(PROJECT_CONFIGS / "taxonomy.yaml"))) is None
    )
    own.write_text("rules: [")
    assert find_hierarchy(None, theirs) == own
    with pytest.raises(
        BadInput, match=r"(?s)hierarchy\.yaml is not readable YAML.*Or go without a hierarchy: --hierarchy none"
    ):
        load_hierarchy(own, theirs)


def test_without_a_hierarchy_of_its_own_the_projects_is_taken_if_it_fits(own, company):
    own.unlink()
    assert find_hierarchy(None, model_with("keyword", taxonomy=company.taxonomy)) is None
    project = PROJECT_CONFIGS / "hierarchy.yaml"
    ours = model_with("keyword", taxonomy=Taxonomy.read(PROJECT_CONFIGS / "taxonomy.yaml"))
    assert find_hierarchy(None, ours) == (project if project.is_file() else None)


def test_an_exported_folder_uses_its_own_hierarchy_or_none(own, exported, cheap_run, tmp_path):
    assert find_hierarchy(None, open_exported(exported)) == exported / "hierarchy.yaml"
    without = export_model(cheap_run, tmp_path / "without", hierarchy=NO_HIERARCHY).folder
    assert find_hierarchy(None, open_exported(without)) is None
    assert find_hierarchy(own, open_exported(without)) == own
    with pytest.raises(BadInput, match=r"--hierarchy absent\.yaml is no file"):
        find_hierarchy(Path("absent.yaml"), open_exported(without))
