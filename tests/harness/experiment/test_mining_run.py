"""A run that mines: its files, tables and stages, and the way from a mark in its spreadsheet to the next table."""

import json
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from baselines.keyword_table import KeywordTable
from data_cleaning.progress import silent
from harness.experiment.cache import StageStore
from harness.experiment.config_file import load_config
from harness.experiment.run import run
from harness.experiment.stages import REFERENCE_ROWS
from harness.experiment.stages.mine_table import read_suggestions
from harness.keywords.suggestions import amend
from harness.mining.candidates import BASELINES
from harness.mining.miner import GROUPS, HYBRID, MINED, NEW_ROWS
from harness.mining.proof import steps
from tests.called_verb import exit_code_of
from tests.toy_company import write_toy_company

TABLES = ("mined_lift", "mined_lift_all", "mined_changes", "mined_nearly")
FILES = {"suggestions.xlsx", "suggestions.csv", "suggestions.json"}
BLOCKS = ("legacy", "legacy+reviewed")
MINED_BLOCK = "legacy+reviewed"
"""The only one with reviewed titles, without which nothing is mined."""
REVIEWED = [
    (f"{shift} head {word}", department, "Head")
    for word, department in {
        **{"gardener": "Garden", "cook": "Kitchen", "nurse": "Nursing", "surgeon": "Surgery", "driver": "Transport"},
        "visitor": "Elsewhere",
    }.items()
    for shift in ("early", "late", "evening", "morning")
]
# So trained, the tiny network hears gardeners, whom the table does not know; validation has enough of them.
SETTINGS = (
    *("split.by=[title]", "split.valid_share=0.3", "neural.epochs=8", "neural.learning_rate=0.005"),
    *("neural.runtime=torch", "neural.precision=fp32", "mining.candidates=20"),
)


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """A company of one's own, whose table takes everybody on a night shift for a head."""
    company = write_toy_company(tmp_path_factory.mktemp("owner"))
    with (company.folder / "keywords.csv").open("a") as opened:
        opened.write("night,2,,Head\n")
    frame = pd.DataFrame(REVIEWED, columns=["What you do", "Dept", "Grade"])
    frame.to_csv(company.folder / "reviewed.csv", index=False)
    return company


def arguments(owner, *overrides):
    return [*SETTINGS, f"reviewed={owner.folder / 'reviewed.csv'}", *overrides]


def do(owner, *overrides):
    given = arguments(owner, "systems=[keyword, neural, hybrid, keyword+mined]", *overrides)
    config = load_config(owner.config, given)
    results = owner.folder / "results"
    return run(config, results=results, out=None, fresh=False, on_progress=silent, announce=lambda _: None)


@pytest.fixture(scope="module")
def finished(owner):
    return do(owner)


def table_of(run_, name):
    return pd.read_csv(run_.folder / "tables" / f"{name}.csv")


def stage(owner, run_, name):
    """Return where a stage of a run lies."""
    prints = json.loads((run_.folder / "run.json").read_text())["fingerprints"]
    return StageStore(owner.folder / "results" / ".cache").place(name, prints[name])


def test_suggestions_candidates_and_tables_are_in_the_run_folder(finished, owner):
    assert {place.name for place in finished.folder.iterdir()} >= FILES
    base = KeywordTable.read(owner.folder / "keywords.csv", owner.taxonomy)
    place = finished.folder / "mined" / "title" / MINED_BLOCK
    assert {file.name for file in place.iterdir()} == {*FILES, "keywords.csv", "candidates.csv"}
    suggestions = read_suggestions(stage(owner, finished, f"mine/title/{MINED_BLOCK}/keyword+mined"))
    assert tuple(suggestions) == (MINED, GROUPS, NEW_ROWS, *BASELINES)
    listed = json.loads((place / "suggestions.json").read_text())
    assert [one["keyword"] for one in listed["suggestions"]] == [one.keyword for one in suggestions[MINED]]
    amended = KeywordTable.read(place / "keywords.csv", owner.taxonomy)
    pd.testing.assert_frame_equal(amended.rows, amend(base, suggestions[MINED]).rows)
    candidates = pd.read_csv(place / "candidates.csv")
    assert set(candidates["source"]) == {MINED, *BASELINES}
    assert (candidates.groupby(["source", "target"])["rank"].max() <= 20).all()
    # The run's own are those that reviewed titles had a say in.
    own = json.loads((finished.folder / "suggestions.json").read_text())
    assert own["suggestions"] == listed["suggestions"]
    assert "gardener" in {one["keyword"] for one in own["suggestions"]}


def test_tables_and_page_say_what_was_mined(finished):
    for name in TABLES:
        for ending in ("md", "csv", "tex"):
            assert (finished.folder / "tables" / f"{name}.{ending}").stat().st_size > 0
    page = (finished.folder / "report.html").read_text()
    assert "What is mining worth?" in page
    assert "What is nearly proposed?" in page
    facts = json.loads((finished.folder / "run.json").read_text())["mined"]
    assert {arm: told["judge"] for arm, told in facts.items()} == {"title/legacy+reviewed": HYBRID}
    assert facts["title/legacy+reviewed"]["reviewed_titles"] > 0


def test_the_mined_table_is_scored_as_one_more_system(finished, owner):
    lifts = table_of(finished, "mined_lift").set_index(["learned_from", "source"])
    summary = table_of(finished, "summary")
    plain = summary[summary["system"] == "keyword"]["all"].item()
    tests = pd.read_csv(owner.folder / "test.csv")
    scored = summary[summary["system"] == "keyword+mined"].set_index("learned_from")["all"]
    assert scored["legacy"] == plain
    assert lifts.loc[(MINED_BLOCK, MINED), ["before", "after"]].tolist() == pytest.approx([plain, scored[MINED_BLOCK]])
    assert lifts.loc[(MINED_BLOCK, MINED), "difference"] > 0
    predicted = pd.read_parquet(finished.folder / "predictions" / "title" / MINED_BLOCK / "keyword+mined.parquet")
    assert set(predicted["title"]) >= set(tests["What you do"])
    table = KeywordTable.read(finished.folder / "mined" / "title" / MINED_BLOCK / "keywords.csv", owner.taxonomy)
    right = np.ones(len(tests), dtype=bool)
    for target, column in (("department", "Dept"), ("seniority", "Grade")):
        right &= table.raw_labels(tests["What you do"].tolist())[target] == tests[column].to_numpy(dtype=object)
    assert scored[MINED_BLOCK] == pytest.approx(np.average(right))


def test_a_learning_curve_shows_each_system_on_so_many_reviewed_titles_and_on_none_and_all(owner, finished):
    with_curve = do(owner, "learning_curve.reviewed=[12, 6, 12]", "neural.epochs=1")
    curve = table_of(with_curve, "learning_curve")
    n_reviewed = len(REVIEWED)
    for system in ("neural", "keyword+mined", "hybrid"):
        of_system = curve[(curve["system"] == system) & (curve["counted"] == "reviewed")]
        assert of_system["titles"].tolist()[:3] == [0, 6, 12]
        assert 12 < of_system["titles"].iloc[3] <= n_reviewed
        summary = table_of(with_curve, "summary").set_index(["system", "learned_from"])["all"]
        assert of_system["all"].iloc[[0, 3]].tolist() == [summary[system, block] for block in BLOCKS]
    assert set(curve["counted"]) == {"reviewed"}
    assert not (finished.folder / "tables" / "learning_curve.csv").exists()


def test_proposed_changes_are_listed_with_what_they_mend_in_the_test_part(finished, owner):
    changes = table_of(finished, "mined_changes")
    assert changes["order"].tolist() == list(range(1, len(changes) + 1))
    assert (changes["p_value"] < 0.1).all()
    base = KeywordTable.read(owner.folder / "keywords.csv", owner.taxonomy)
    suggestions = read_suggestions(stage(owner, finished, "mine/title/legacy+reviewed/keyword+mined"))[MINED]
    made = steps(suggestions)
    assert len(changes) == len(made)
    rows = pd.read_parquet(stage(owner, finished, "references/title") / REFERENCE_ROWS)
    assert rows["title"].is_unique  # one record each, so that there are legacy labels alone
    for number, line in enumerate(changes.to_dict("records")):
        before, after = (n_right(amend(base, [*chain(*made[:end])]), rows) for end in (number, number + 1))
        assert (line["fixed"], line["broken"]) == (sum(after > before), sum(after < before))


def n_right(table, rows):
    """Count the targets of each title in which a table says what is labelled."""
    said = table.raw_labels(rows["title"].tolist())
    classes = {target.name: [target.group(raw) for raw in said[target.name]] for target in table.taxonomy.targets}
    return sum((rows[name] == of_target).to_numpy().astype(int) for name, of_target in classes.items())


def test_a_second_run_makes_nothing(finished, owner):
    again = do(owner)
    assert (again.made, again.already_there, again.folder) == ({}, True, finished.folder)


@pytest.mark.parametrize("setting", ["mining.candidates=5", "mining.attribution=gradient-x-input"])
def test_settings_of_mining_refit_no_network(finished, owner, setting):
    again = do(owner, setting)
    steps = {name.split("/")[0] for name in again.made}
    assert {"mine", "prove"} <= steps <= {"mine", "prove", "fit", "predict", "score", "compare", "robustness", "errors"}
    assert not any(name.endswith("/neural") or name.endswith("/keyword") for name in again.made)


@pytest.fixture(scope="module")
def asked_for_more(finished, owner):
    return do(owner, "mining.folds=2", "mining.faithful_titles=8")


def test_folds_hold_every_reviewed_title_out_once(asked_for_more, owner):
    folds = table_of(asked_for_more, "mined_folds").set_index("source")
    assert set(folds.index) == {MINED, GROUPS, NEW_ROWS, *BASELINES, "the network itself", "hybrid itself"}
    assert folds["titles"].unique().tolist() == [len(REVIEWED)]
    base = KeywordTable.read(owner.folder / "keywords.csv", owner.taxonomy)
    said = base.raw_labels([title for title, *_ in REVIEWED])
    right = [
        said["department"][at] == department and said["seniority"][at] == grade
        for at, (_, department, grade) in enumerate(REVIEWED)
    ]
    assert folds["before"].tolist() == pytest.approx([sum(right) / len(right)] * len(folds))
    assert (folds["after"] - folds["before"]).tolist() == pytest.approx(folds["difference"].tolist())


def test_explanations_are_compared_where_that_is_asked_for(asked_for_more):
    compared = table_of(asked_for_more, "faithfulness")
    assert set(compared["method"]) == {"gradient-x-input", "integrated-gradients", "grad-cam"}
    assert len(compared) == 3 * compared["target"].nunique()
    assert set(asked_for_more.made) == {
        "mine_folds/title/legacy+reviewed/keyword+mined",
        "faithfulness/title/legacy+reviewed/keyword+mined",
    }


def test_mining_alone_is_a_verb_and_shows_its_worth(finished, owner, capsys):
    options = [part for setting in arguments(owner) for part in ("--set", setting)]
    where = ["--config", owner.config, "--results", owner.folder / "results"]
    assert exit_code_of("run", "mine", *where, *options) == 0
    shown = capsys.readouterr()
    assert "nothing had changed" in shown.err
    assert "What is mining worth?" in shown.out
    assert "What is nearly proposed?" not in shown.out
    assert "suggestions.xlsx, tables/" in shown.out
    assert len(shown.out.splitlines()) <= 40
    assert "Read this first" not in shown.out


def test_a_mined_table_needs_a_network(owner, capsys, tmp_path):
    where = ["--config", owner.config, "--results", tmp_path / "r", "--set", "systems=[keyword, keyword+mined]"]
    assert exit_code_of("run", "all", *where) == 2
    (message,) = capsys.readouterr().err.strip().splitlines()
    assert "keyword+mined is mined from the network. List neural too, or drop keyword+mined." in message
    assert not (tmp_path / "r").exists()
    assert exit_code_of("run", "mine", *where, "--set", "keyword=null") == 2
    assert "add that section, or drop the systems" in capsys.readouterr().err


def mark(path, marks):
    """Write marks beside keywords of a spreadsheet; every other row stays undecided."""
    book = load_workbook(path)
    sheet = book["suggestions"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for line in range(2, sheet.max_row + 1):
        keyword = sheet.cell(line, columns["keyword"]).value
        sheet.cell(line, columns["accept"]).value = marks.get(keyword)
    book.save(path)


def test_a_mark_in_the_spreadsheet_becomes_the_next_table(finished, owner, capsys, tmp_path):
    sheet = tmp_path / "suggestions.xlsx"
    sheet.write_bytes((finished.folder / "suggestions.xlsx").read_bytes())
    mark(sheet, {"gardener": "accept"})
    out = tmp_path / "next.csv"
    where = ["--table", owner.folder / "keywords.csv", "--config", owner.config, "--out", out]
    assert exit_code_of("suggest", "apply", sheet, *where) == 0
    base = KeywordTable.read(owner.folder / "keywords.csv", owner.taxonomy)
    table = KeywordTable.read(out, owner.taxonomy)
    assert len(table) == len(base) + 1
    assert table.raw_labels(["night gardener", "cook"])["department"].tolist() == ["Garden", "Kitchen"]
    assert base.raw_labels(["night gardener"])["department"].tolist() == ["Elsewhere"]
    capsys.readouterr()


def test_a_rejected_suggestion_is_not_proposed_by_the_next_run(finished, owner, capsys, tmp_path):
    sheet, memory = tmp_path / "suggestions.xlsx", owner.folder / "rejected_suggestions.csv"
    sheet.write_bytes((finished.folder / "suggestions.xlsx").read_bytes())
    mark(sheet, {"gardener": "reject"})
    where = ["--table", owner.folder / "keywords.csv", "--config", owner.config]
    try:
        assert exit_code_of("suggest", "apply", sheet, *where) == 0
        again = do(owner)
    finally:
        memory.unlink(missing_ok=True)
    capsys.readouterr()
    assert "gardener" not in table_of(again, "mined_changes")["keyword"].tolist()
    assert {name.split("/")[0] for name in again.made} >= {"mine", "prove"}
    assert not any(name.endswith("/neural") for name in again.made)
