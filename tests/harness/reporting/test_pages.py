import re

import pandas as pd
import pytest

from data_cleaning.report_table import Table
from harness.reporting.pages import PagePlot, Section, table_section, write_page
from tests.html_check import assert_valid_page

TABLE = Table(
    "odd", "Odd & ends", "A note.", pd.DataFrame({"label": ["<b>a|b</b>", "z"], "n_rows": [1, 2]}), max_rows=1
)


@pytest.fixture
def page_of(tmp_path):
    def write(*sections, **given):
        write_page(tmp_path / "page.html", "Who & what?", ["First."], sections, **given)
        return (tmp_path / "page.html").read_text(encoding="utf-8")

    return write


def test_what_people_typed_is_escaped(page_of):
    page = page_of(table_section(TABLE, "tables"))
    assert "&lt;b&gt;a|b&lt;/b&gt;" in page
    assert "<b>" not in page


def test_a_table_links_to_the_file_with_all_rows(page_of):
    page = page_of(table_section(TABLE, "tables"))
    assert '1 more rows in <a href="tables/odd.csv">tables/odd.csv</a>.' in page
    assert '<th scope="col" class="number">n rows</th>' in page
    assert page.count("<tr>") == 2


def test_a_section_shows_only_what_it_has(page_of, tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "b c.png").write_bytes(b"a picture")
    page = page_of(
        Section(name="a", title="A", sentences=["One <i>.", "Two."]),
        Section(name="b", title="B", plots=[PagePlot(path="plots/b c", title="A plot")]),
        footer="The end.",
    )
    assert "<li>One &lt;i&gt;.</li>" in page
    assert '<a href="plots/b%20c.svg">' in page
    assert '<img src="data:image/png;base64,YSBwaWN0dXJl" alt="A plot">' in page, "the page holds the picture"
    assert_valid_page(tmp_path / "page.html")
    assert "<table>" not in page
    assert "<footer>The end.</footer>" in page
    assert re.findall('<li><a href="#(.)">', page) == ["a", "b"]
    assert "<footer>" not in page_of(Section(name="a", title="A"))


def test_long_text_may_break_and_groups_and_ceilings_are_marked(page_of):
    frame = pd.DataFrame({"split": ["r", "r", "t"], "system": ["a", "(noise ceiling)", "b"], "why": ["x" * 61, "", ""]})
    page = page_of(table_section(Table("t", "T", "", frame), "tables"))
    assert '<td class="text">' + "x" * 61 in page
    assert re.findall('<tr class="([^"]+)">', page) == ["ceiling", "group"]
