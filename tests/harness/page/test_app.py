"""The jobs of the page from start to end, by Streamlit's own tester."""

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from harness.keywords.suggestion_sheets import write_suggestions
from harness.keywords.suggestions import Origin, read_memory
from harness.page.serve import Served, hold
from harness.tagging.export import export_model
from harness.tagging.models import open_exported, open_run
from tests.harness.keywords.given_suggestions import COOK, GARDENER
from tests.harness.tagging.given_run import toy_run

streamlit = pytest.importorskip("streamlit", reason="Streamlit, the extra `serve`, is not installed")
testing = pytest.importorskip("streamlit.testing.v1", reason="Streamlit, the extra `serve`, is not installed")

APP = Path(__file__).parents[3] / "harness" / "page" / "app.py"
EVIL = "<img src=x onerror=alert(1)> **night** ![x](http://x.invalid/y.png) nurse"


def about(tmp_path, model, **given):
    streamlit.cache_resource.clear()  # to the tester, all tests are one session
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    facts = {"reviewed": tmp_path / "reviewed.csv", "table": None, "password": None}
    hold(Served(model=model, scratch=scratch, **(facts | given)))
    return scratch


@pytest.fixture
def open_page(company, tmp_path):
    """Open a job of the page about the toy run; files of the session lie in its scratch folder."""

    def opened(job="Understand", run=None, model=None, **given):
        about(tmp_path, model or open_run(run or toy_run(company.config)), **given)
        page = testing.AppTest.from_file(str(APP), default_timeout=60)
        page.query_params["job"] = job
        page.run()
        return page

    return opened


def words(page):
    """Return all Markdown of a page."""
    kinds = (page.markdown, page.caption, page.error, page.success, page.info, page.warning)
    assert not page.exception
    return "\n".join(one.value for kind in kinds for one in kind)


def test_a_typed_title_is_explained_by_every_system(open_page):
    page = open_page()
    page.text_input(key="title").set_value("night head nurse").run()
    answers = page.dataframe[1].value
    assert {"keyword", "tfidf", "neural"} <= set(answers["system"])
    assert "Nursing" in answers.set_index("system").loc["keyword", "department"]
    assert "nurse" in str(page.dataframe[2].value["keyword"].tolist())


def test_a_typed_title_is_compared_with_the_reviewed_titles_that_are_most_like_it(open_page, tmp_path):
    page = open_page()
    page.text_input(key="title").set_value("head nurse").run()
    assert "no reviewed title to compare with" in words(page)
    (tmp_path / "reviewed.csv").write_text("title,department,seniority\nnight head nurse,Surgery,Head\n")
    page.text_input(key="title").set_value("chief nurse").run()
    (nearest,) = [one.value for one in page.dataframe if "likeness" in one.value]
    assert nearest[["title", "department"]].values.tolist() == [["night head nurse", "Surgery"]]


def test_a_title_of_html_and_markdown_is_shown_as_text(open_page):
    page = open_page()
    page.text_input(key="title").set_value(EVIL).run()
    said = words(page)
    assert "![x]" not in said
    assert "**night**" not in said
    assert not any(one.allow_html for one in page.markdown)


def test_an_uploaded_file_is_tagged_and_offered_for_download(open_page):
    page = open_page("Tag")
    page.file_uploader(key="tag-file").set_value(
        ("=leads;1.csv", b"What you do;City\nhead nurse;Bonn\n=x;Ulm\n", "text/csv")
    )
    page.run()
    assert page.selectbox[0].value == "What you do"
    next(one for one in page.button if one.label == "Tag the file").click().run()
    assert "Tagged 2 rows" in words(page).replace("\\", "")
    assert any(one.label.endswith("csv") for one in page.download_button)


def test_a_file_without_titles_is_told_and_the_column_can_be_chosen(open_page):
    page = open_page("Tag")
    page.file_uploader(key="tag-file").set_value(("a.csv", b"x,y\n1,2\n3,4\n", "text/csv")).run()
    assert page.selectbox[0].value is None
    assert "a.csv" in words(page).replace("\\", "")
    assert str(page.selectbox[0].options) == "['x', 'y']"


def test_a_page_with_a_password_shows_nothing_before_it(open_page):
    page = open_page(password="correct horse")
    assert not page.segmented_control
    page.text_input[0].set_value("wrong")
    page.button[0].click().run()
    assert "not the password" in words(page)
    page.text_input[0].set_value("correct horse")
    page.button[0].click().run()
    assert page.segmented_control


def test_without_a_run_the_page_says_how_to_make_one(tmp_path):
    about(tmp_path, None)
    page = testing.AppTest.from_file(str(APP), default_timeout=60).run()
    assert "no run yet" in words(page)


def begin(page, reviewer="Ann", titles=4):
    page.text_input(key="reviewer").set_value(reviewer)
    page.number_input[0].set_value(titles)
    next(one for one in page.button if one.label == "Begin").click().run()


def press(page, key):
    page.button(key=key).click().run()


def test_reviews_are_taken_corrected_undone_and_saved_when_it_is_finished(open_page, tmp_path):
    page = open_page("Review")
    begin(page)
    press(page, "take")
    press(page, "take")
    press(page, "undo")
    press(page, "1-department-2")
    press(page, "take")
    press(page, "unclear")
    assert not (tmp_path / "reviewed.csv").exists()
    press(page, "finish")
    rows = pl.read_csv(tmp_path / "reviewed.csv")
    assert rows["reviewer"].to_list() == ["Ann"] * 3
    assert rows["department"].to_list()[1] == "Pharmacy"
    assert rows["department"].to_list()[2] is None


def tick(page, key, edits):
    """Edit a table, as its widget does in a browser."""
    page.session_state[key] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}


def test_titles_are_reviewed_in_a_table_beside_one_at_a_time(open_page, tmp_path):
    page = open_page("Review")
    begin(page)
    press(page, "take")
    page.segmented_control(key="how").set_value("As a table").run()
    tick(page, "table-1-0", {0: {"department": "Pharmacy"}, 2: {"done": True, "department": None, "seniority": None}})
    page.run()
    assert page.button(key="save-table").label == "Save 2 rows"
    press(page, "save-table")
    rows = pl.read_csv(tmp_path / "reviewed.csv")
    assert rows["department"].to_list() == ["Pharmacy", None]
    assert page.button(key="save-table").disabled
    page.segmented_control(key="how").set_value("One at a time").run()
    assert "3 of 4 titles reviewed" in page.get("progress")[0].proto.text
    press(page, "take")
    press(page, "finish")
    assert len(pl.read_csv(tmp_path / "reviewed.csv")["title"].unique()) == 4


def test_rows_that_were_ticked_are_not_lost_when_another_job_is_opened(open_page, tmp_path):
    page = open_page("Review")
    begin(page)
    page.segmented_control(key="how").set_value("As a table").run()
    tick(page, "table-0-0", {1: {"done": True}})
    page.run()
    page.segmented_control(key="job").set_value("Tag").run()
    page.segmented_control(key="job").set_value("Review").run()
    assert len(pl.read_csv(tmp_path / "reviewed.csv")) == 1


@pytest.mark.parametrize("about", ["run", "exported folder"])
def test_titles_of_a_file_of_leads_are_reviewed(open_page, company, tmp_path, about):
    export_model(toy_run(company.config), tmp_path / "model")
    page = open_page("Review", **({} if about == "run" else {"model": open_exported(tmp_path / "model")}))
    if about == "run":
        page.radio(key="titles of").set_value("of a file of leads").run()
    page.file_uploader(key="review-file").set_value(
        ("x.csv", b"Job Title\nward cook\nnight surgeon\n", "text/csv")
    ).run()
    begin(page)
    press(page, "take")
    press(page, "take")
    press(page, "finish")
    rows = pl.read_csv(tmp_path / "reviewed.csv")
    assert set(rows["title"]) == {"ward cook", "night surgeon"}
    assert rows.filter(pl.col("title") == "ward cook")["department"].to_list() == ["Kitchen"]


def test_answers_of_the_systems_are_shown_on_request_only(open_page):
    page = open_page("Review")
    begin(page)
    assert not page.dataframe
    press(page, "ask")
    assert {"keyword", "neural"} <= set(page.dataframe[0].value["system"])


def test_leads_are_looked_at_before_there_is_a_run(tmp_path):
    about(tmp_path, None)
    page = testing.AppTest.from_file(str(APP), default_timeout=60)
    page.query_params["job"] = "Leads"
    page.run()
    leads = f"Job Title,Event\nCISO,Bonn\nIT Manager,Ulm\nCISO,Ulm\n{EVIL},Ulm\n"
    page.file_uploader(key="check-file").set_value(("leads.csv", leads.encode(), "text/csv")).run()
    assert "has 4 records" in words(page)
    assert "<img" not in words(page)
    assert {"CISO", EVIL} <= set(page.dataframe[1].value["title"])
    next(box for box in page.selectbox if box.label == "Event").set_value("Bonn").run()
    assert page.dataframe[1].value["title"].tolist() == ["CISO"]
    assert not page.get("image")
    next(one for one in page.button if one.label == "Draw its charts").click().run()
    assert len(page.get("image")) >= 3
    assert "Figures at a glance" in words(page)
    next(box for box in page.selectbox if box.label == "Column of titles").select("Event").run()
    assert "Bonn" in page.dataframe[1].value["title"].tolist()
    assert not page.get("image")


@pytest.fixture
def suggested(open_page, company, tmp_path):
    """Open the suggestions of a run for a table of one's own."""
    table = shutil.copy(company.folder / "keywords.csv", tmp_path)
    run = shutil.copytree(toy_run(company.config), tmp_path / "run")
    origin = Origin.of(Path(table), company.taxonomy.names, run="toy", split="title", learned_from="legacy")
    write_suggestions(run, (GARDENER, COOK), origin)
    return lambda: open_page("Keywords", table=Path(table), run=run)


def test_an_accepted_suggestion_is_judged_and_written_to_the_next_revision(suggested, tmp_path):
    page = suggested()
    tick(page, "suggestions", {0: {"accept": True}})
    page.run()
    assert "held-out titles" in words(page)
    assert "certainly costs most records" in words(page)
    assert not (tmp_path / "keywords-next.csv").exists()
    tick(page, "suggestions", {0: {"accept": True}})
    next(one for one in page.button if one.label.startswith("Write it: 1 accepted")).click().run()
    assert "gardener" in (tmp_path / "keywords-next.csv").read_text()
    assert "gardener" not in (tmp_path / "keywords.csv").read_text()


def test_suggestions_with_and_without_a_line_of_the_table_are_accepted_together(suggested, tmp_path):
    page = suggested()
    edits = {0: {"accept": True}, 1: {"accept": True}}
    tick(page, "suggestions", edits)
    page.run()
    tick(page, "suggestions", edits)
    next(one for one in page.button if one.label.startswith("Write it: 2 accepted")).click().run()
    written = (tmp_path / "keywords-next.csv").read_text()
    assert "gardener" in written
    assert re.search("cook,.*word", written)


def test_a_rejected_suggestion_is_remembered_with_its_reason(suggested, tmp_path):
    page = suggested()
    edits = {0: {"reject": True, "reason": "=a garden has no head"}}
    tick(page, "suggestions", edits)
    page.run()
    tick(page, "suggestions", edits)
    next(one for one in page.button if one.label.startswith("Write it: 0 accepted, 1 rejected")).click().run()
    assert read_memory(tmp_path / "rejected_suggestions.csv")["reason"].to_list() == ["=a garden has no head"]
    assert not (tmp_path / "keywords-next.csv").exists()


def test_titles_that_would_be_fixed_or_broken_without_a_row_are_shown(suggested):
    page = suggested()
    nurse = next(one for one in page.selectbox(key="without").options if one.endswith(": nurse"))
    page.selectbox(key="without").select(nurse).run()
    assert re.search(r"[1-9]\d* titles? broken", words(page))


def test_an_exported_folder_has_its_table_audited_by_its_rows_alone(open_page, company, tmp_path):
    export_model(toy_run(company.config), tmp_path / "model")
    page = open_page("Keywords", model=open_exported(tmp_path / "model"))
    assert "no suggestions here" in words(page)
    assert "wrong with keywords" in "".join(one.value for one in page.subheader).replace("\\", "")
