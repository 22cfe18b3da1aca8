import re
from html import escape
from pathlib import Path

import pytest

import harness
from harness.reporting.run_page import _GROUPS, write_run_page
from tests.harness.reporting.toy_run_page import FACTS, SCRIPT, toy_tables, write_toy_page
from tests.html_check import assert_valid_page


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_toy_page(tmp_path_factory.mktemp("page"))


@pytest.fixture
def page(opened, path):
    with opened(path) as page:
        yield page


def test_the_page_is_valid_html_that_loads_nothing(path):
    assert_valid_page(path)


def test_text_from_files_is_never_markup(path):
    text = path.read_text(encoding="utf-8")
    assert SCRIPT not in text
    assert text.count("</script>") == 2, "the data of the lookup box and the page's own script"
    assert text.count(escape(SCRIPT)) > 30


def test_the_page_says_what_the_run_was_made_with(path):
    text = path.read_text(encoding="utf-8")
    assert "Made on 2026-11-29 at 09:05 with seed 1, on cpu. Under Data, 1 warning about the leads." in text
    assert "Fingerprint f; sources at no commit; data d; splits title h." in text


def test_the_verdict_is_first_then_data_to_cost_and_details_are_closed(path):
    text = path.read_text(encoding="utf-8")
    headings = ["Scores", "Data", "Comparison", "Errors", "Mining", "Cost", "Research details"]
    assert re.findall(r"<h2>(.*?)</h2>", text) == ["Look up a title", *headings]
    assert text.index('id="verdict-card"') < text.index("<svg") < text.index("<nav") < text.index("<h2>Scores")
    assert '<details class="group"><summary><h2>Research details' in text


def test_every_table_that_has_a_place_on_the_page_is_one_that_runs_make():
    rooms = [Path(harness.__file__).parent / room for room in ("reporting", "mining")]
    modules = [module for room in rooms for module in room.glob("*.py") if module.name != "run_page.py"]
    sources = "".join(module.read_text(encoding="utf-8") for module in modules)
    assert [name for names in _GROUPS.values() for name in names if f'"{name}"' not in sources] == []


def test_a_run_without_verdict_or_lookup_has_a_page_too(tmp_path):
    tables = [table for table in toy_tables() if table.name == "costs"]
    write_run_page(tmp_path / "report.html", tables, FACTS | {"warnings": []})
    assert_valid_page(tmp_path / "report.html")
    assert "verdict-card" not in (tmp_path / "report.html").read_text()


def test_scripts_in_titles_labels_keywords_and_columns_are_shown_as_text(page):
    assert page.locator("h1").inner_text().startswith(f"toy {SCRIPT}")
    assert SCRIPT in page.locator("#verdict-card").inner_text()
    assert f"title {SCRIPT}" in page.locator("th").all_inner_texts()
    assert SCRIPT in page.locator("svg text").all_text_contents()
    page.get_by_label("Title of the test set").fill("nurse")
    answers = page.locator("#lookup-answer").inner_text()
    assert f"{SCRIPT} nurse (1,200 records)" in answers
    assert f"{SCRIPT}: {SCRIPT}*" in answers, "target and keyword"


def test_a_click_on_a_header_sorts_the_largest_first_and_another_turns_it_round(page):
    table = page.locator("#errors ~ div table")
    records = lambda: table.locator("tbody td:nth-child(2)").all_inner_texts()  # noqa: E731
    header = table.locator("th", has_text="records")
    header.get_by_role("button").click()
    assert records()[:3] == ["1,000.0", "90.0", "80.0"]
    assert records()[-1] == "–"
    assert header.get_attribute("aria-sort") == "descending"
    header.get_by_role("button").press("Enter")
    assert records()[:2] + records()[-1:] == ["9.0", "10.0", "–"]


def test_a_filter_leaves_the_rows_with_every_word(page):
    page.get_by_label(f"Filter The table errors {SCRIPT}").fill("ALERT 11")
    assert page.locator("#errors ~ div tbody tr:visible").count() == 1
    assert page.get_by_text("1 of 12 rows").is_visible()


def test_the_lookup_shows_every_system_and_marks_wrong_answers(page):
    box = page.get_by_label("Title of the test set")
    box.fill("night nurse")
    rows = page.locator("#lookup-answer tbody tr").all_inner_texts()
    assert rows[0].split("\t")[:3] == ["label (truth)", "nurse", "high"]
    assert rows[1].split("\t") == ["keyword", f"{SCRIPT} ✗", "high", "50%", f"role: {SCRIPT}*"]
    assert rows[2].split("\t") == [SCRIPT, "nurse", "high", "81%", ""]
    box.fill("cook")
    assert "✗" not in page.locator("#lookup-answer").inner_text(), "the right label is not known"
    box.fill("pilot")
    assert page.locator("#lookup-answer").inner_text() == "No title of the test set contains this."
    box.fill("nurse")
    page.locator("#lookup-found").get_by_role("button", name="Night Nurse").click()
    assert "Night Nurse (2 records)" in page.locator("#lookup-answer").inner_text()


def test_contents_lead_to_every_section_closed_ones_too(page):
    links = page.locator("nav a")
    assert links.count() == 1 + 1 + len(toy_tables())
    for link in links.all():
        link.click()
        target = page.locator(f'[id="{link.get_attribute("href")[1:]}"]')
        assert target.is_visible()
        assert -1 <= target.bounding_box()["y"] < 800


@pytest.mark.parametrize("dark", [False, True])
def test_colours_follow_the_system_and_the_button(opened, path, dark):
    def is_dark(page):
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", paper)[:3])) < 3 * 128

    with opened(path, dark=dark) as page:
        assert is_dark(page) == dark
        label = page.locator("svg text").first
        before = label.evaluate("mark => getComputedStyle(mark).fill")
        page.locator("#theme").click()
        assert is_dark(page) != dark
        assert label.evaluate("mark => getComputedStyle(mark).fill") != before
        page.reload()
        assert is_dark(page) != dark, "the choice is remembered"


def test_a_phone_shows_the_verdict_and_scores_without_moving_sideways(opened, path):
    with opened(path, width=390) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.locator("nav li").first.is_hidden(), "contents are closed until wanted"
        score = page.locator("#verdict ~ div tbody tr").first.locator("td").nth(1)
        assert score.inner_text() == "0.930"
        place = score.bounding_box()
        assert place["x"] + place["width"] < 390


def test_print_is_light_and_opens_what_is_closed(opened, path):
    with opened(path, dark=True) as page:
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("#scores_by_title").is_visible()
        assert page.locator("nav").is_hidden()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("#scores_by_title").is_hidden()
