import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.progress import silent
from harness.experiment.config_file import load_config
from harness.experiment.run import run
from tests.html_check import assert_valid_page
from tests.toy_company import SYSTEMS

ROOT = Path(__file__).parents[3]
TABLES = (
    "summary",
    *("pairs", "by_target", "by_class", "confusion", "risk_coverage", "calibration", "reliability"),
    "scores_by_record",
    "scores_by_title",
    "agreement",
    *("slices", "robustness", "errors"),
    "costs",
    "ledger",
    "parts",
    "references",
)


def do(company, results, *overrides, out=None, fresh=False):
    config = load_config(company.config, overrides)
    return run(config, results=results, out=out, fresh=fresh, on_progress=silent, announce=lambda _: None)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def finished(company, results):
    return do(company, results)


CHEAP = "systems=[majority, keyword]"


def test_another_companys_two_targets_run_through_every_system(finished, company):
    scores = pd.read_csv(finished.folder / "tables" / "summary.csv")
    assert list(scores["system"].unique()) == list(SYSTEMS), "labels that agree have no noise ceiling"
    assert {"department", "seniority", "all"} <= set(scores.columns)
    assert scores["split"].unique().tolist() == ["record", "title"]
    tfidf = scores[scores["system"] == "tfidf"]["department"]
    floor = scores[scores["system"] == "majority"]["department"]
    assert (tfidf.to_numpy() > floor.to_numpy() + 0.3).all()


def test_labels_that_contradict_each_other_have_a_noise_ceiling(company, tmp_path):
    tested = company.folder / "contradicting.csv"
    tested.write_text(
        "What you do,Dept,Grade,Times\nnight cook,Kitchen,None given,3\nnight cook,Garden,None given,1\n"
        "chief nurse,Nursing,Chief,4\n"
    )
    made = do(company, tmp_path, CHEAP, "split.by=[title]", f"leads.test_path={tested}")
    summary = pd.read_csv(made.folder / "tables" / "summary.csv")
    (ceiling,) = summary[summary["system"] == "(noise ceiling)"]["legacy all" if "legacy all" in summary else "all"]
    assert ceiling == 7 / 8
    scores = pd.read_csv(made.folder / "tables" / "scores_by_title.csv")
    assert scores[scores["system"] == "(noise ceiling)"]["reference"].tolist() == ["legacy", "legacy"]


def test_the_test_file_apart_is_what_is_scored(finished, company):
    parts = pd.read_csv(finished.folder / "tables" / "parts.csv")
    in_test = parts[(parts["split"] == "record") & (parts["part"] == "test")]
    assert in_test["records"].sum() == pd.read_csv(company.folder / "test.csv")["Times"].sum()


def test_the_page_of_a_run_looks_up_a_title(finished, company, opened):
    title = pd.read_csv(company.folder / "test.csv")["What you do"].iloc[0]
    with opened(finished.folder / "report.html") as page:
        page.get_by_label("Title of the test set").fill(title)
        answers = page.locator("#lookup-answer tbody tr")
        assert [row.split("\t")[0] for row in answers.all_inner_texts()[1:]] == list(SYSTEMS)
        assert page.locator("#verdict-card").inner_text().startswith(finished.verdict.headline)


def test_a_run_folder_holds_tables_page_models_predictions_and_provenance(finished):
    for name in TABLES:
        for ending in ("md", "csv", "tex"):
            assert (finished.folder / "tables" / f"{name}.{ending}").stat().st_size > 0
    assert "Read this first" in (finished.folder / "report.html").read_text()
    assert_valid_page(finished.folder / "report.html")
    for by in ("record", "title"):
        for system in SYSTEMS:
            assert (finished.folder / "models" / by / "legacy" / system).is_dir()
            assert (finished.folder / "predictions" / by / "legacy" / f"{system}.parquet").is_file()
    facts = json.loads((finished.folder / "run.json").read_text())
    assert {"seed", "data_hash", "split_hash", "commit", "versions", "device", "stages"} <= set(facts)
    assert str(finished.folder.parent) not in (finished.folder / "config.yaml").read_text()


def test_the_errors_of_every_system_on_test_are_ranked(finished):
    ranked = pd.read_csv(finished.folder / "tables" / "errors.csv")
    scores = pd.read_csv(finished.folder / "tables" / "summary.csv").set_index(["split", "system"])["all"]
    assert "majority" not in set(ranked["system"])
    for fit, group in ranked.groupby(["split", "system"]):
        assert group["loss"].is_monotonic_decreasing
        assert len(group) == round((1 - scores[fit]) * 154), "every title of the test file has one record"
    assert set(ranked["mark"]) <= {"label suspect", "system suspect", "open"}


def test_nothing_changed_means_nothing_made(finished, company, results):
    again = do(company, results)
    assert again.already_there
    assert again.made == {}
    assert again.folder == finished.folder


@pytest.mark.parametrize(
    ("override", "remade"),
    [
        (
            "tfidf.inverse_regularisation=5.0",
            [
                *(f"{step}/{{}}/legacy/tfidf" for step in ("fit", "predict", "score")),
                "compare/{}/legacy",
                "errors/{}/legacy",
            ],
        ),
        ("split.by=[title, record]", []),
    ],
)
def test_a_changed_setting_remakes_exactly_what_depends_on_it(finished, company, results, override, remade):
    again = do(company, results, override)
    varied = {"robustness/title/legacy/tfidf"} if remade else set()
    assert set(again.made) == {name.format(by) for name in remade for by in ("record", "title")} | varied
    assert again.folder != finished.folder


def test_a_changed_seed_remakes_splits_but_not_the_leads(finished, company, results):
    again = do(company, results, "seed=5", CHEAP)
    assert not {"leads", "clean"} & set(again.made)
    assert {"split/record", "split/title"} <= set(again.made)


def test_with_more_seeds_only_what_depends_on_the_seed_is_fitted_again(finished, company, results):
    again = do(company, results, "seeds=3")
    added = {f"{step}/title/legacy/seed {seed}/neural" for step in ("fit", "predict", "score") for seed in (18, 19)}
    assert set(again.made) == added
    seeds = pd.read_csv(again.folder / "tables" / "seeds.csv").set_index("system")
    assert seeds.index.tolist() == ["neural"]
    found = seeds.loc["neural"]
    assert found["seeds"] == 3
    assert found["lowest"] <= found["mean"] <= found["highest"]
    scores = pd.read_csv(finished.folder / "tables" / "summary.csv").set_index(["split", "system"])
    assert found["lowest"] <= scores.loc[("title", "neural"), "all"] <= found["highest"]
    titles = pd.read_csv(again.folder / "tables" / "seed_titles.csv")
    assert titles["records"].sum() == round(found["differ"] * 154)
    unchanged = pd.read_csv(again.folder / "tables" / "pairs.csv")
    pd.testing.assert_frame_equal(unchanged, pd.read_csv(finished.folder / "tables" / "pairs.csv"))


def test_a_changed_input_file_counts_as_a_change(company, tmp_path):
    path = company.folder / "leads.csv"
    before = path.read_bytes()
    do(company, tmp_path, CHEAP)
    try:
        path.write_bytes(before + b"extra cook,Kitchen,Head,1\n")
        again = do(company, tmp_path, CHEAP)
    finally:
        path.write_bytes(before)
    assert "leads" in again.made


def test_no_run_is_overwritten_without_fresh(company, tmp_path):
    out = tmp_path / "mine"
    do(company, tmp_path, CHEAP, out=out)
    with pytest.raises(BadInput, match=r"holds another run.*--fresh"):
        do(company, tmp_path, CHEAP, "seed=4", out=out)
    again = do(company, tmp_path, CHEAP, "seed=4", out=out, fresh=True)
    assert again.reused == []
    assert json.loads((out / "run.json").read_text())["seed"] == 4


@pytest.mark.parametrize("extra", [{}, {"run.json": "{}"}, {"run.json": "x"}, {"run.json": '{"fingerprint": "f"}'}])
def test_a_folder_that_is_no_run_is_never_touched(company, tmp_path, extra):
    (tmp_path / "letters").mkdir()
    for name, content in {"dear.txt": "x", **extra}.items():
        (tmp_path / "letters" / name).write_text(content)
    with pytest.raises(BadInput, match="is no run folder"):
        do(company, tmp_path, CHEAP, out=tmp_path / "letters", fresh=True)
    assert (tmp_path / "letters" / "dear.txt").read_text() == "x"


def test_files_beside_a_run_are_left_alone_whatever_they_are_called(company, tmp_path):
    (tmp_path / "unfinished-thesis.docx").write_text("years of work")
    do(company, tmp_path / "results", CHEAP, out=tmp_path / "mine")
    assert (tmp_path / "unfinished-thesis.docx").read_text() == "years of work"


def test_the_search_section_changes_no_run_and_is_not_saved_with_it(company, tmp_path):
    plain = do(company, tmp_path, CHEAP)
    saved = (plain.folder / "config.yaml").read_bytes()
    other = do(company, tmp_path, CHEAP, "search.trials=3", "search.space={epochs: [1, 3]}")
    assert other.already_there
    assert other.folder == plain.folder
    fresh = do(company, tmp_path, CHEAP, "search.trials=3", fresh=True)
    assert fresh.folder == plain.folder
    assert (fresh.folder / "config.yaml").read_bytes() == saved


def test_a_saved_config_names_folders_of_the_network_relative_to_itself(company, tmp_path, monkeypatch):
    first, elsewhere = tmp_path / "first", tmp_path / "elsewhere"
    for folder in (first / "models" / "taught", elsewhere):
        folder.mkdir(parents=True)
    (first / "models" / "taught" / "settings.json").write_text("{}")
    text = company.config.read_text().replace(str(company.folder / "encoder"), "models/mine")
    text = text.replace("neural:\n", "neural:\n  teacher: models/taught\n")
    for name in ("taxonomy.yaml", "leads.csv", "test.csv", "keywords.csv"):
        shutil.copy(company.folder / name, first)
    shutil.copytree(company.folder / "encoder", first / "models" / "mine")
    (first / "mine.yaml").write_text(text)
    config = load_config(first / "mine.yaml", [CHEAP])
    run_ = run(config, results=first / "r", out=None, fresh=False, on_progress=silent, announce=lambda _: None)
    saved = run_.folder / "config.yaml"
    assert str(tmp_path) not in saved.read_text()

    monkeypatch.chdir(elsewhere)
    assert load_config(saved).neural == config.neural
    again = load_config(saved, ["name=mine"])
    rerun = run(again, results=first / "r", out=None, fresh=False, on_progress=silent, announce=lambda _: None)
    assert rerun.already_there
    moved = tmp_path / "moved"
    shutil.copytree(first, moved)
    copied = load_config(moved / "r" / run_.folder.name / "config.yaml")
    assert copied.neural.encoder == str(moved / "models" / "mine")
    assert copied.neural.teacher == str(moved / "models" / "taught")


def test_a_part_of_a_run_that_was_deleted_is_written_again(company, tmp_path):
    folder = do(company, tmp_path, CHEAP).folder
    shutil.rmtree(folder / "tables")
    again = do(company, tmp_path, CHEAP)
    assert again.made == {}
    assert (folder / "tables" / "summary.csv").is_file()


def test_places_that_cannot_be_written_are_refused_before_any_work(company, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="cannot be a folder for results"):
        do(company, tmp_path / "file", CHEAP)
    with pytest.raises(BadInput, match="is a file; runs and searches need a folder"):
        do(company, tmp_path, CHEAP, out=tmp_path / "file")
    assert not list(tmp_path.glob(".cache/leads-*"))


def test_too_few_leads_to_part_are_refused(company, tmp_path):
    (company.folder / "few.csv").write_text("What you do,Dept,Grade,Times\nCook,Kitchen,Head,1\n")
    with pytest.raises(BadInput, match="no lead is in the test part, of 1 titles in all"):
        do(company, tmp_path, CHEAP, "leads.test_path=null", f"leads.path={company.folder / 'few.csv'}")


@pytest.mark.parametrize("damaged", ["predictions.parquet", "model/keyword.json", "leads.parquet"])
def test_a_damaged_stage_is_made_anew_before_anything_is_published(company, tmp_path, damaged):
    first, told = do(company, tmp_path, CHEAP), []
    before = files_of(first.folder)
    place = next(path for path in sorted((tmp_path / ".cache").rglob(Path(damaged).name)) if path.match(damaged))
    flip(place)
    shutil.rmtree(first.folder)
    config = load_config(company.config, [CHEAP])
    again = run(config, results=tmp_path, out=None, fresh=False, on_progress=silent, announce=told.append)
    assert len(again.made) == 1
    assert f"is made again, because its stored result is damaged: {damaged} has changed" in told[0]
    assert files_of(again.folder) == before


def files_of(folder):
    """Return the bytes of what a run publishes, but of what tells when and how fast it was made."""
    timed = ("run.json", "scores.json", "costs.*", "verdict.*", "report.html", "SHA256SUMS")
    files = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in files.items() if not any(map(file.match, timed))}


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_a_run_that_was_damaged_is_written_again_and_marks_of_a_person_stay(company, tmp_path):
    overrides = (CHEAP, "label_issues={system: tfidf}", "split.by=[record]")
    first, told = do(company, tmp_path, *overrides), []
    before = files_of(first.folder)
    (first.folder / "suspect_labels.csv").write_text("marked")
    assert do(company, tmp_path, *overrides).already_there
    for name, fault in (
        ("predictions/record/legacy/keyword.parquet", "has changed"),
        ("taxonomy.yaml", "has changed"),
        ("SHA256SUMS", "is damaged"),
    ):
        if name == "SHA256SUMS":
            (first.folder / name).write_text("no sums")
        else:
            flip(first.folder / name)
        config = load_config(company.config, overrides)
        run(config, results=tmp_path, out=None, fresh=False, on_progress=silent, announce=told.append)
        assert f"is written again, because it is damaged: {name} {fault}" in told.pop()
    assert files_of(first.folder) == {**before, "suspect_labels.csv": b"marked"}


@pytest.mark.parametrize("target", ["empty", "absent", "deep/absent"])
def test_a_link_as_out_stays_and_the_results_lie_where_it_leads(company, tmp_path, target):
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk" / target)
    made = do(company, tmp_path / "results", CHEAP, out=tmp_path / "out")
    assert made.folder == tmp_path / "disk" / target
    assert (tmp_path / "disk" / target / "run.json").is_file()
    assert (tmp_path / "out").readlink() == tmp_path / "disk" / target
    assert do(company, tmp_path / "results", CHEAP, out=tmp_path / "out").already_there
    assert {place.name for place in tmp_path.iterdir()} == {"disk", "out", "results"}


def test_a_link_as_out_to_anything_else_is_refused(company, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("x")
    for name, target, message in (
        ("full", "letters", "letters exists and is no run folder"),
        ("file", "letters/dear.txt", "is a file; runs and searches need a folder"),
        ("loop", "loop", "is a link that leads nowhere"),
    ):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(BadInput, match=message):
            do(company, tmp_path / "results", CHEAP, out=tmp_path / name)
        assert (tmp_path / name).is_symlink()
    assert [place.name for place in (tmp_path / "letters").iterdir()] == ["dear.txt"]


def test_a_folder_that_another_run_has_taken_meanwhile_is_not_replaced(company, tmp_path):
    config = load_config(company.config, [CHEAP])
    out = tmp_path / "out"

    def take(stage):
        if stage.startswith("making score/title"):
            do(company, tmp_path / "other", CHEAP, "seed=4", out=out)

    with pytest.raises(BadInput, match="holds another run"):
        run(config, results=tmp_path / "results", out=out, fresh=False, on_progress=silent, announce=take)
    assert json.loads((out / "run.json").read_text())["seed"] == 4


HEADER = "What you do,Dept,Grade,Times\n"


def test_an_unknown_label_of_the_test_file_is_said_with_the_name_of_that_file(company, tmp_path):
    (company.folder / "odd_test.csv").write_text(HEADER + "Cook,Kitchn,Head,1\n")
    with pytest.raises(BadInput, match=r"^odd_test\.csv: Unknown department label 'Kitchn'"):
        do(company, tmp_path, CHEAP, f"leads.test_path={company.folder / 'odd_test.csv'}")


def test_a_truth_file_that_leaves_nothing_to_train_on_is_named(company, tmp_path):
    titles = [f"Cook {number}" for number in range(30)]
    leads, truth = company.folder / "all_known.csv", company.folder / "all_truth.csv"
    leads.write_text(HEADER + "".join(f"{title},Kitchen,Head,1\n" for title in titles))
    truth.write_text("title,department,seniority\n" + "".join(f"{title},Kitchen,Head\n" for title in titles))
    with pytest.raises(BadInput, match=r"30 of them are titles of the truth file .*all_truth\.csv, or near duplicates"):
        do(company, tmp_path, CHEAP, "leads.test_path=null", f"leads.path={leads}", f"truth={truth}")


def test_classes_that_test_has_and_train_lacks_are_named_beside_the_results(company, tmp_path):
    leads, test = company.folder / "cooks.csv", company.folder / "cooks_and_nurses.csv"
    leads.write_text(HEADER + "".join(f"Cook {number},Kitchen,Head,1\n" for number in range(30)))
    test.write_text(HEADER + "Night Cook,Kitchen,Head,1\nNight Nurse,Nursing,Head,3\n")
    finished = do(company, tmp_path, CHEAP, "split.by=[record]", f"leads.path={leads}", f"leads.test_path={test}")
    assert [note.partition(": 'N")[0][:96] for note in finished.warnings] == [
        "Split by record, train has no record of these classes of department, but test has (records in br"
    ]
    assert "'Nursing' (3)" in finished.warnings[0]
    assert "train has no record of these classes of department" in (finished.folder / "report.html").read_text()


def test_what_is_odd_in_the_keyword_table_is_said_beside_the_results(company, tmp_path):
    table = tmp_path / "odd.csv"
    table.write_text((company.folder / "keywords.csv").read_text() + "Sep-24,5,Kitchen,\n")
    finished = do(company, tmp_path / "results", CHEAP, "split.by=[record]", f"keyword.table={table}")
    (note,) = (warning for warning in finished.warnings if warning.startswith("odd.csv: "))
    assert "1 keyword to look at" in note
    assert "1 keyword to look at" in (finished.folder / "report.html").read_text()
    again = do(company, tmp_path / "results", CHEAP, "split.by=[record]", f"keyword.table={table}")
    assert note in again.warnings


def test_a_taxonomy_and_columns_that_do_not_fit_are_refused(company, tmp_path):
    with pytest.raises(BadInput, match=r"leads.columns.targets maps department, the taxonomy taxonomy.yaml has"):
        do(company, tmp_path, "leads.columns={title: What you do, targets: {department: Dept}}")


def test_a_killed_run_continues_from_its_last_finished_stage(finished, company, tmp_path):
    command = [
        sys.executable,
        "-m",
        "harness",
        "run",
        "all",
        "--config",
        str(company.config),
        "--results",
        str(tmp_path),
        *("--jobs", "1"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".cache/unfinished-*-fit-record-legacy-neural-*")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not list(tmp_path.glob("company-*"))
    again = do(company, tmp_path)
    assert "leads" in again.reused
    assert "fit/record/legacy/tfidf" in again.reused
    assert "fit/record/legacy/neural" in again.made
    assert not list(tmp_path.glob(".cache/unfinished-*"))
    for name in TABLES:
        if name != "costs":
            unbroken = (finished.folder / "tables" / f"{name}.csv").read_text()
            assert (again.folder / "tables" / f"{name}.csv").read_text() == unbroken


BLOCKS = ("legacy", "consensus", "consensus-english")


@pytest.fixture(scope="module")
def by_labels(company, results):
    """A run on three kinds of labels, with a foreign title and one whose records disagree; tested on two of each."""
    path, tested = company.folder / "mixed.csv", company.folder / "twice.csv"
    leads = (company.folder / "leads.csv").read_text()
    path.write_text(
        f"{leads}Leiter der Buchhaltung,Accounts,Head,40\nnight cook,Kitchen,None given,30\n"
        "night cook,Garden,Chief,20\n"
    )
    pd.read_csv(company.folder / "test.csv").assign(Times=2).to_csv(tested, index=False)
    files = (f"leads.path={path}", f"leads.test_path={tested}")
    return do(company, results, "systems=[majority, keyword, tfidf]", *files, f"learn_from=[{', '.join(BLOCKS)}]")


def test_each_kind_of_labels_is_a_label_set_of_its_own(by_labels):
    summary = pd.read_csv(by_labels.folder / "tables" / "summary.csv")
    assert tuple(name for name in summary["learned_from"].dropna().unique() if name != "(any)") == BLOCKS
    # What it learned from makes no difference to the table, which is shown once for each split.
    assert summary[summary["system"] == "keyword"]["learned_from"].tolist() == ["(any)", "(any)"]
    for _, rows in summary.groupby(["split", "system"]):
        assert len(rows) in (1, len(BLOCKS))
    facts = json.loads((by_labels.folder / "run.json").read_text())["stages"]
    assert {name for name in facts if name.startswith("fit/record/")} == {
        f"fit/record/{block}/{system}" for block in BLOCKS for system in ("majority", "keyword", "tfidf")
    }


def test_what_cleaning_bought_is_the_difference_from_recorded_labels(by_labels):
    keys = ["split", "reference", "system"]
    for name, more in (("what_cleaning_bought", []), ("what_cleaning_bought_by_target", ["target"])):
        bought = pd.read_csv(by_labels.folder / "tables" / f"{name}.csv")
        assert not bought.duplicated([*keys, *more, "learned_from"]).any()
        assert tuple(bought["learned_from"][:3]) == BLOCKS
        assert bought["reference"].unique().tolist() == ["consensus", "legacy"]
        recorded = bought[bought["learned_from"] == "legacy"]
        assert recorded["difference"].isna().all()
        assert recorded["verdict"].isna().all()
        beside = bought.merge(recorded[[*keys, *more, "accuracy"]], on=[*keys, *more], suffixes=("", " legacy"))
        others = beside[beside["learned_from"] != "legacy"]
        assert len(others) == 2 * len(recorded) > 0
        ahead = others["accuracy"] - others["accuracy legacy"]
        assert others["difference"].to_numpy() == pytest.approx(ahead.to_numpy())
        assert ((others["low"] <= others["difference"]) & (others["difference"] <= others["high"])).all()
        assert "majority" in others["system"].to_list()
        assert "keyword" not in others["system"].to_list()  # it learns no verdict, so that nothing is bought
    assert bought["target"].unique().tolist() == ["department", "seniority"]
    whole = pd.read_csv(by_labels.folder / "tables" / "what_cleaning_bought.csv")
    assert whole[whole["system"] == "majority"]["difference"].lt(0).any()
    assert "How much did cleaning gain?" in (by_labels.folder / "report.html").read_text()


def test_a_table_says_what_each_fit_learned_from(by_labels):
    learned = pd.read_csv(by_labels.folder / "tables" / "learned_from.csv")
    records = learned.pivot_table(index="split", columns="learned_from", values="records", aggfunc="sum")
    parts = pd.read_csv(by_labels.folder / "tables" / "parts.csv")
    in_train = parts[parts["part"] == "train"].set_index("split")["records"]
    for split in ("record", "title"):
        assert records.loc[split, "legacy"] == records.loc[split, "consensus"] == in_train[split]
    assert (records["consensus-english"] < records["consensus"]).any()
    assert learned[learned["learned_from"] == "legacy"]["labels"].unique().tolist() == ["legacy"]


def test_one_kind_of_labels_has_nothing_to_be_compared_with(finished):
    names = {table.name for table in finished.tables}
    assert not {"what_cleaning_bought", "what_cleaning_bought_by_target", "learned_from"} & names


def test_english_titles_are_not_told_apart_twice(company, tmp_path):
    with pytest.raises(BadInput, match=r"would repeat consensus\. Give clean\.english_only=false"):
        do(company, tmp_path, CHEAP, "learn_from=[legacy, consensus-english]", "clean.english_only=true")


def test_labels_of_the_whole_file_are_refused_in_a_run(company, tmp_path):
    with pytest.raises(BadInput, match=r"learn_from=\[legacy,consensus\]"):
        do(company, tmp_path, CHEAP, "clean.consensus=whole-file")


def test_suspect_labels_are_listed_without_a_truth(company, tmp_path):
    run_ = do(company, tmp_path, CHEAP, "label_issues={system: tfidf}", "split.by=[record]")
    suspects = pd.read_csv(run_.folder / "suspect_labels.csv")
    assert {"target", "title", "label", "suggested", "records", "quality", "majority"} <= set(suspects.columns)
    assert "label_fixes" not in {table.name for table in run_.tables}
    # The list is part of the run, and does not keep it from being replaced.
    assert do(company, tmp_path, CHEAP, "label_issues={system: tfidf}", "split.by=[record]", fresh=True).folder.exists()


def test_ways_to_fix_labels_are_scored_where_the_truth_is_known(tmp_path):
    config = load_config(
        ROOT / "configs" / "smoke.yaml",
        ["systems=[majority]", "leads.simulate.records=2500", "split.by=[record]"],
    )
    run_ = run(config, results=tmp_path, out=None, fresh=False, on_progress=silent, announce=lambda _: None)
    fixes = pd.read_csv(run_.folder / "tables" / "label_fixes.csv")
    assert len(fixes) == 9  # three targets times three methods
    by_cause = pd.read_csv(run_.folder / "tables" / "label_fixes_by_cause.csv")
    assert {"priority", "older revision", "no keyword", "override wrong", "table right"} <= set(by_cause["cause"])
    grouped = by_cause.groupby(["target", "method"], sort=False)[["records", "corrupted"]].sum()
    assert (grouped.to_numpy() == fixes[["records", "corrupted"]].to_numpy()).all()
    wrong_by_hand = by_cause[by_cause["cause"] == "override wrong"]
    assert (wrong_by_hand["corrupted"] == wrong_by_hand["records"]).all()


@pytest.mark.parametrize("override", ["label_issues={system: tfidff}", "label_issues={system: keyword}"])
def test_the_system_that_finds_label_issues_must_be_there(override):
    with pytest.raises(BadInput, match=r"tfidf|keyword: "):
        load_config(ROOT / "configs" / "smoke.yaml", [override, "systems=[tfidf]", "keyword=null"])


@pytest.fixture
def unlabelled(company, tmp_path):
    """Return the overrides that read the company's leads without their labels."""
    for name in ("leads", "test"):
        frame = pd.read_csv(company.folder / f"{name}.csv").drop(columns=["Dept", "Grade"])
        frame.rename(columns={"What you do": "JOB_TITLE"}).to_csv(tmp_path / f"{name}.csv", index=False)
    places = (f"leads.path={tmp_path}/leads.csv", f"leads.test_path={tmp_path}/test.csv", "leads.columns.title=Title")
    return (*places, "systems=[majority, keyword, tfidf]", "split.by=[title]")


@pytest.mark.parametrize("by", ["title", "record"])
def test_the_keyword_table_labels_leads_that_have_no_labels(company, tmp_path, unlabelled, by):
    parts = ("leads.test_path=null", f"split.by=[{by}]") if by == "record" else ()
    made = do(company, tmp_path / "results", *unlabelled, "leads.labels=table", *parts)
    scores = pd.read_csv(made.folder / "tables" / "summary.csv").set_index("system")
    assert set(scores["split"]) == {by}
    assert scores.loc["keyword", "all"] == 1
    assert scores.loc["majority", "all"] < 0.5
    note = (made.folder / "tables" / "summary.md").read_text()
    # Every title of the test part counts, those with one record too.
    judged = pd.read_csv(made.folder / "tables" / "parts.csv").set_index("part").loc["test", "titles"]
    assert f"Accuracy per record against legacy ({judged:,} titles" in note
    assert "the keyword table labelled them (labels: table)" in note
    assert "1 by construction" in note
    assert made.notes[0] == "Titles are read from 'JOB_TITLE' of leads.csv."


def test_reviewed_titles_judge_first_where_the_table_labelled_the_leads(company, tmp_path, unlabelled):
    titles = company.titles.rename(columns={"What you do": "title"})[["title", "Dept", "Grade"]]
    titles[::2].to_csv(tmp_path / "reviewed.csv", index=False)
    overrides = ("leads.labels=table", f"reviewed={tmp_path}/reviewed.csv", "leads.test_path=null")
    made = do(company, tmp_path / "results", *unlabelled, *overrides)
    assert "Accuracy per record against reviewed" in (made.folder / "tables" / "summary.md").read_text()


def test_leads_without_labels_are_refused_with_both_ways_out(company, tmp_path, unlabelled):
    with pytest.raises(BadInput, match=r"Unknown column 'Dept'.*'labels: table'.*title-harness check"):
        do(company, tmp_path / "results", *unlabelled)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("leads.labels=table", "keyword=null", CHEAP), "needs the table"),
        (("leads.labels=tabel",), "'recorded' or 'table'"),
    ],
)
def test_labels_from_a_table_need_one(company, overrides, message):
    with pytest.raises(BadInput, match=message):
        load_config(company.config, overrides)


def test_partly_labelled_leads_and_reviewed_titles_are_learned_from_and_never_scored(company, tmp_path):
    leads = pd.read_csv(company.folder / "leads.csv")
    leads.loc[leads.index % 3 == 0, "Grade"] = None
    leads.loc[leads.index % 3 == 1, "Dept"] = None
    leads.to_csv(tmp_path / "leads.csv", index=False)
    rows = [
        (f"{word} of ward {n}", "Nursing" if n % 2 else "", "Chief", "learn") for n in range(20) for word in ("Boss",)
    ]
    rows += [(f"Boss of clinic {n}", "Nursing", "Chief" if n % 2 else "", "score") for n in range(20)]
    reviewed = pd.DataFrame(rows, columns=["What you do", "department", "seniority", "side"])
    reviewed.to_csv(tmp_path / "reviewed.csv", index=False)
    paths = (f"leads.path={tmp_path / 'leads.csv'}", f"reviewed={tmp_path / 'reviewed.csv'}")
    config = load_config(company.config, (*paths, "systems=[keyword, tfidf, hybrid]"), allowed=[tmp_path])
    done = run(config, results=tmp_path / "results", out=None, fresh=False, on_progress=silent, announce=lambda _: None)
    parts = pd.read_csv(done.folder / "tables" / "parts.csv")
    of_reviewed = parts[(parts["source"] == "reviewed") & (parts["split"] == "title")].set_index("part")["titles"]
    assert of_reviewed["test"] == 10
    assert of_reviewed.drop("test").sum() == 20
    scores = pd.read_csv(done.folder / "tables" / "summary.csv")
    learned = scores[(scores["system"] == "tfidf") & (scores["learned_from"] == "legacy")]
    assert (learned[["department", "seniority"]].to_numpy() > 0.9).all()
    assert "lack a label" in (done.folder / "report.html").read_text()
