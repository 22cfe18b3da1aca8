import re

import pandas as pd
import pytest

from data_cleaning.report_table import Table
from harness.reporting.pages import PagePlot, Section, table_section, write_page, write_run_page

FACTS = {"name": "x", "made_at": "now", "seed": 1, "device": "cpu", "fingerprint": "f", "commit": None,
         "data_hash": "d", "warnings": ["Train lacks <a class>."], "split_hash": {"record": "h"}}  # fmt: skip
TABLE = Table(
    "odd", "Odd & ends", "A note.", pd.DataFrame({"label": ["<b>a|b</b>", "z"], "n_rows": [1, 2]}), max_rows=1
)


@pytest.fixture
def page_of(tmp_path):
    def write(*sections, **given):
        write_page(tmp_path / "page.html", "Who & what?", ["First."], sections, **given)
        return (tmp_path / "page.html").read_text(encoding="utf-8")

    return write


def test_a_page_of_a_run_escapes_what_people_typed_and_says_what_it_was_made_with(tmp_path):
    write_run_page(tmp_path / "report.html", [TABLE], FACTS)
    page = (tmp_path / "report.html").read_text()
    assert "&lt;b&gt;a|b&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "Train lacks &lt;a class&gt;." in page
    assert "x: which system should sort our titles?" in page
    assert "Fingerprint f; sources at no commit; data d; splits record h." in page


def test_a_table_links_to_the_file_with_all_rows(page_of):
    page = page_of(table_section(TABLE, "tables"))
    assert '1 more rows in <a href="tables/odd.csv">tables/odd.csv</a>.' in page
    assert '<th class="number">n rows</th>' in page
    assert page.count("<tr>") == 2


def test_a_section_shows_only_what_it_has(page_of):
    page = page_of(
        Section(name="a", title="A", sentences=["One <i>.", "Two."]),
        Section(name="b", title="B", plots=[PagePlot(path="plots/b c", title="A plot")]),
        footer="The end.",
    )
    assert "<li>One &lt;i&gt;.</li>" in page
    assert '<img src="plots/b%20c.png" alt="A plot" loading="lazy">' in page
    assert "<table>" not in page
    assert "<footer>The end.</footer>" in page
    assert re.findall('<a href="#(.)">', page) == ["a", "b"]
    assert "<footer>" not in page_of(Section(name="a", title="A"))


def test_long_text_may_break_and_groups_and_ceilings_are_marked(page_of):
    frame = pd.DataFrame({"split": ["r", "r", "t"], "system": ["a", "(noise ceiling)", "b"], "why": ["x" * 61, "", ""]})
    page = page_of(table_section(Table("t", "T", "", frame), "tables"))
    assert '<td class="text">' + "x" * 61 in page
    assert re.findall('<tr class="([^"]+)">', page) == ["ceiling", "group"]
