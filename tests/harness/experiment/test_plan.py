import shutil
from pathlib import Path

import polars as pl
import pytest

from baselines.majority import MajorityClassifier
from data_cleaning.progress import silent
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.arms import arms, baseline_label_sets, curve_arms, seed_arms
from harness.experiment.cache import StageStore, fingerprints, make_stages
from harness.experiment.config_file import load_config
from harness.experiment.plan import plan

SMALL = ("leads.simulate.records=400", "systems=[majority, keyword]", "reviewed=null")


def planned(*overrides):
    config = load_config(Path("configs/smoke.yaml"), overrides)
    return config, plan(config, Taxonomy.read(config.taxonomy))


@pytest.fixture(autouse=True)
def _in_the_checkout(request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)


def test_stages_come_after_those_they_need():
    _, stages = planned()
    seen = set()
    for stage in stages:
        assert set(stage.needs) <= seen
        seen.add(stage.name)
    assert len(seen) == len(stages)


def test_every_system_is_fitted_on_every_split():
    config, stages = planned()
    assert {arm.stage("fit") for arm in arms(config)} == {s.name for s in stages if s.name.startswith("fit/")}
    assert len(arms(config)) == len(config.systems) * len(config.split.by) * len(config.label_sets)


def test_a_network_starts_from_its_fit_without_reviewed_titles():
    _, stages = planned()
    needs = {stage.name: stage.needs for stage in stages}
    assert needs["fit/title/legacy+reviewed/neural"] == ("split/title", "fit/title/legacy/neural")
    assert needs["fit/title/legacy/neural"] == needs["fit/title/legacy+reviewed/tfidf"] == ("split/title",)


def test_without_reviewed_titles_one_network_is_mined_for_what_recorded_labels_support():
    _, stages = planned("reviewed=null")
    names = {stage.name for stage in stages}
    assert {name for name in names if name.startswith("mine/")} == {"mine/title/legacy/keyword+mined"}
    needs = {stage.name: stage.needs for stage in stages}
    assert needs["fit/title/legacy/keyword+mined"] == ("split/title",)


def test_a_learning_curve_fits_every_system_that_learns_on_each_number_of_titles():
    config, stages = planned("learning_curve={titles: [500], reviewed: [20, 40]}")
    needs = {stage.name: stage.needs for stage in stages}
    fits = [arm.stage("fit") for arm in curve_arms(config)]
    learners = ("tfidf", "neural", "hybrid", "cascade")
    expected = {f"fit/title/legacy/500 titles/{one}" for one in learners}
    for size in (20, 40):
        expected |= {f"fit/title/legacy+reviewed/{size} reviewed/{one}" for one in (*learners, "keyword+mined")}
    assert set(fits) == expected <= set(needs)
    assert len(fits) == len(expected)
    # The network without reviewed titles has learned from all leads.
    assert needs["fit/title/legacy+reviewed/20 reviewed/neural"] == ("split/title", "fit/title/legacy/neural")
    for asked in ("neural", "hybrid"):
        assert (
            f"fit/title/legacy+reviewed/20 reviewed/{asked}"
            in needs["mine/title/legacy+reviewed/20 reviewed/keyword+mined"]
        )
    assert not any(name.startswith(("prove", "golden")) and "20 reviewed" in name for name in needs)


def test_only_fits_that_depend_on_the_seed_are_repeated_with_others():
    config, stages = planned("seeds=3")
    needs = {stage.name: stage.needs for stage in stages}
    fits = {arm.stage("fit") for arm in seed_arms(config)}
    drawn = ("neural", "hybrid", "cascade", "keyword+mined")
    assert fits == {
        *(f"fit/title/legacy/seed {seed}/neural" for seed in (18, 19)),
        *(f"fit/title/legacy+reviewed/seed {seed}/{name}" for seed in (18, 19) for name in drawn),
    }
    recipes = {stage.name: stage.settings.recipe for stage in stages if stage.name.startswith("fit/")}
    assert recipes["fit/title/legacy+reviewed/seed 19/neural"].seed == 19
    assert recipes["fit/title/legacy+reviewed/neural"].seed == 17
    # Every fit that it starts from or asks has the same seed.
    for name in fits:
        of_seed = name.split("/")[3]
        assert all(of_seed in needed for needed in needs[name] if needed.startswith(("fit/", "mine/")))
    assert {needed for name in fits for needed in needs[name] if needed.startswith("split/")} == {"split/title"}
    assert not any("seed 18" in name and name.startswith(("prove", "golden", "robustness")) for name in needs)


def test_without_seeds_nothing_is_fitted_again():
    names = [stage.name for stage in planned("seeds=1")[1]]
    assert not any("seed" in name for name in names)


def test_the_seed_of_the_split_is_its_own():
    plain, moved, fixed = (
        fingerprints(planned(*SMALL, *overrides)[1])
        for overrides in ((), ("split.seed=5",), ("split.seed=17", "seed=17"))
    )
    assert plain["split/title"] == fixed["split/title"] != moved["split/title"]
    assert plain["leads"] == moved["leads"]


def test_mining_reads_what_may_be_learned_from_and_only_the_proof_reads_the_test_part():
    _, stages = planned("mining.folds=2", "mining.faithful_titles=10", "reviewed.simulate={train: 9, valid: 9}")
    needs = {stage.name: stage.needs for stage in stages}
    for by in ("record", "title"):
        arm = f"{by}/legacy+reviewed/keyword+mined"
        fits = (f"fit/{by}/legacy+reviewed/{system}" for system in ("neural", "hybrid"))
        assert needs[f"mine/{arm}"] == (f"split/{by}", *fits)
        assert needs[f"fit/{arm}"] == (f"split/{by}", f"mine/{arm}")
        assert f"references/{by}" in needs[f"prove/{arm}"]
        assert not any(need.startswith("fit/") for need in needs[f"prove/{arm}"])
        assert needs[f"fit/{by}/legacy/keyword+mined"] == (f"split/{by}",)
    assert [name for name in needs if name.startswith("mine_folds/")] == [
        "mine_folds/title/legacy+reviewed/keyword+mined"
    ]
    assert [name for name in needs if name.startswith("faithfulness/")] == [
        "faithfulness/title/legacy+reviewed/keyword+mined"
    ]


def test_rejecting_a_suggestion_repeats_the_mining_of_the_table(tmp_path):
    memory = tmp_path / "rejected.csv"
    before = fingerprints(planned(f"mining.rejected={memory}")[1])
    memory.write_text("key\nadd|devsecops\n")
    after = fingerprints(planned(f"mining.rejected={memory}")[1])
    changed = {name.split("/")[0] for name in before if before[name] != after[name]}
    assert {"mine", "prove"} <= changed
    assert not changed & {"leads", "clean", "split", "references"}
    assert before["fit/title/legacy/neural"] == after["fit/title/legacy/neural"]


def test_no_fit_is_given_the_truth_or_the_test_part(tmp_path, monkeypatch):
    given = []
    fit = MajorityClassifier.fit

    def spying(self, train, valid):
        given.extend([train, valid])
        return fit(self, train, valid)

    monkeypatch.setattr(MajorityClassifier, "fit", spying)
    _, stages = planned(*SMALL, "split.by=[title]")
    done = make_stages(stages, fingerprints(stages), StageStore(tmp_path), lambda _: None, silent)
    assert "persona" in pl.read_parquet_schema(done["leads"] / "truth.parquet")
    for stage in stages:
        if stage.name.startswith("fit/"):
            assert stage.needs == (f"split/{stage.name.split('/')[1]}",)
    assert len(given) == 2
    learn = pl.read_parquet(done["split/title"] / "learn.parquet")
    assert set(learn.columns) == {"title", "part", "source", "function", "role", "level", "count"}
    in_test = pl.read_parquet(done["split/title"] / "test.parquet")["title"].to_list()
    assert in_test
    assert not set(in_test) & {title for learned in given for title in learned.titles}


def test_scoring_sees_predictions_and_labels_and_never_a_model():
    _, stages = planned("learn_from=[legacy, consensus]")
    assert "compare_labels/title/neural" in {stage.name for stage in stages}
    for stage in stages:
        if stage.name.startswith(("score/", "compare/", "compare_labels/")):
            assert not any(need.startswith("fit/") for need in stage.needs)


@pytest.mark.parametrize(
    ("override", "unchanged"),
    [
        ("neural.epochs=4", ("leads", "split/title", "fit/title/legacy/tfidf", "score/title/legacy/keyword")),
        ("split.test_share=0.2", ("leads", "clean")),
        ("leads.simulate.records=500", ()),
    ],
)
def test_a_setting_changes_the_fingerprints_of_what_reads_it(override, unchanged):
    before, after = (fingerprints(planned(*overrides)[1]) for overrides in ((), (override,)))
    for name in unchanged:
        assert before[name] == after[name]
    assert before["fit/title/legacy/neural"] != after["fit/title/legacy/neural"]
    assert before["score/title/legacy/neural"] != after["score/title/legacy/neural"]


@pytest.mark.parametrize("setting", ["encoder", "teacher"])
def test_a_folder_of_the_network_counts_by_its_files_and_not_by_its_place(tmp_path, monkeypatch, setting):
    def prints(folder, *overrides):
        return fingerprints(planned(f"neural.{setting}={folder}", *overrides)[1])

    (tmp_path / "mine" / "deep").mkdir(parents=True)
    (tmp_path / "mine" / "deep" / "weights").write_text("first")
    before = prints(tmp_path / "mine")
    shutil.copytree(tmp_path / "mine", tmp_path / "other")
    assert prints(tmp_path / "other") == before
    (tmp_path / "mine" / "deep" / "weights").write_text("second")
    after = prints(tmp_path / "mine")
    changed = {name for name in before if before[name] != after[name]}
    asking = ("/neural", *(f"+reviewed/{name}" for name in ("hybrid", "cascade", "keyword+mined")))
    refitted = {name for name in before if name.startswith("fit/") and name.endswith(asking)}
    assert {name for name in changed if name.startswith("fit/")} == refitted
    by_neural = "label_issues={system: neural}"
    assert prints(tmp_path / "mine", by_neural)["label_issues"] != prints(tmp_path / "other", by_neural)["label_issues"]


def test_a_network_beside_the_config_counts_wherever_the_config_is_called(company, tmp_path, monkeypatch):
    (company.folder / "taught").mkdir(exist_ok=True)
    path = company.folder / "taught.yaml"
    path.write_text(company.config.read_text().replace("neural:\n", "neural:\n  teacher: taught\n"))

    def prints():
        config = load_config(path)
        return fingerprints(plan(config, company.taxonomy))["fit/title/legacy/neural"]

    monkeypatch.chdir(company.folder)
    seen = []
    for content in ("first", "second"):
        (company.folder / "taught" / "model.safetensors").write_text(content)
        seen.append(prints())
    monkeypatch.chdir(tmp_path)
    seen.append(prints())
    assert seen[0] != seen[1] == seen[2]


def test_language_settings_change_the_fits_that_read_them_and_no_others():
    learn_from = ("learn_from=[legacy, consensus, consensus-english]", "clean.english_only=false")
    before, after = (
        fingerprints(planned(*learn_from, f"clean.language.sure_margin={margin}")[1]) for margin in (0.2, 0.3)
    )
    changed = {name for name in before if before[name] != after[name]}
    of_label_set = {name for name in before if "/consensus-english" in name}
    # Titles in other languages are a slice that every system is scored on.
    assert changed == of_label_set | {
        name for name in before if name.startswith(("compare_labels/", "slices/", "score/"))
    }


def test_language_settings_change_cleaning_where_it_judges_languages():
    before, after = (fingerprints(planned(*overrides)[1]) for overrides in ((), ("clean.language.sure_margin=0.3",)))
    assert before["leads"] == after["leads"]
    assert before["clean"] != after["clean"]


@pytest.mark.parametrize(
    ("learn_from", "reviewed", "baselines"),
    [
        ("[legacy]", "seen.csv", {}),
        ("[consensus, legacy]", "null", {"consensus": "legacy"}),
        ("[consensus, consensus-english]", "null", {"consensus-english": "consensus"}),
        ("[legacy, consensus]", "seen.csv", {"consensus": "legacy", "consensus+reviewed": "legacy+reviewed"}),
    ],
)
def test_labels_are_compared_with_recorded_ones_reviewed_titles_on_both_sides_or_neither(
    learn_from, reviewed, baselines
):
    config, _ = planned(f"learn_from={learn_from}", f"reviewed={reviewed}")
    assert baseline_label_sets(config) == baselines
