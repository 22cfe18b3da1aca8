import re

import polars as pl
import pytest

from data_cleaning.profile import Profile, profile_leads
from data_cleaning.report_table import Table, write_tables
from harness.data.profile_folder import PAGE, write_profile, write_profile_page
from tests.data_cleaning.profile.toy_leads import HARD, LEADS, TARGETS, TAXONOMY, letters


def test_the_written_profile_shows_every_table_and_plot(tmp_path):
    profile = profile_leads(LEADS, TARGETS, TAXONOMY, letters)
    page = write_profile(profile, tmp_path / "new").read_text(encoding="utf-8")
    for table in profile.tables:
        assert pl.read_csv(tmp_path / "new" / "tables" / f"{table.name}.csv", infer_schema=False).height == len(
            table.frame
        )
        assert f"# {table.title}" in (tmp_path / "new" / "tables" / f"{table.name}.md").read_text(encoding="utf-8")
        assert table.title in page
    shown = set(re.findall(r'src="(plots/\w+\.png)"', page))
    assert shown == {f"plots/{path.name}" for path in (tmp_path / "new" / "plots").glob("*.png")}
    assert {path.removeprefix("plots/").removesuffix(".png") for path in shown} == {
        *("missing", "shares_function", "shares_level", "grouped_function", "grouped_level", "cumulative_shares"),
        *("countries", "combinations", "grouped_combinations", "inconsistent_titles", "words", "zipf", "growth"),
        *("lengths_words", "lengths_tokens"),
    }
    assert len(list((tmp_path / "new" / "plots").glob("*.svg"))) == len(shown)


DRAWN = ("one record", "other scripts")
"""The others have nothing on their plots that these lack, and plots take time."""


@pytest.mark.parametrize("name", HARD)
def test_hard_files_are_profiled_and_omissions_are_named(name, tmp_path):
    found = profile_leads(HARD[name], TARGETS, TAXONOMY)
    if name in DRAWN:
        write_profile(found, tmp_path)
    else:
        write_profile_page(tmp_path / PAGE, found, [])
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert all(len(table.frame) for table in found.tables)
    assert all(line in page for line in found.left_out)
    absent = {
        "only titles": ["function: the leads have no such column", "No label combinations", "no tokenizer was given"],
        "one record": ["No growth", "No inconsistent titles"],
        "no labels": ["No figures on function: every label is missing", "No label combinations"],
        "no titles": ["every title is missing", "No growth"],
        "no words": ["no title holds a letter or a digit", "No growth"],
        "one label": ["No inconsistent titles"],
        "other scripts": ["no tokenizer was given"],
    }
    for phrase in absent[name]:
        assert any(phrase in line for line in found.left_out), phrase


def test_markup_in_titles_is_escaped(tmp_path):
    found = profile_leads(HARD["other scripts"], TARGETS)
    write_tables(found.tables, tmp_path, with_latex=False)
    write_profile_page(tmp_path / "page.html", found, [])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    markdown = (tmp_path / "titles.md").read_text(encoding="utf-8")
    assert r"<b>\|_x many lines" in markdown
    assert "情報システム部長" in markdown


@pytest.mark.parametrize("n_rows", [15, 40, 41, 101])
def test_long_tables_are_cut_for_reading_and_whole_as_csv(n_rows, tmp_path):
    table = Table(
        "long", "Long", "Note.", pl.DataFrame({"row": [f"row{row};" for row in range(n_rows)]}), wording="shares"
    )
    page = write_profile(Profile(tables=(table,), left_out=()), tmp_path).read_text()
    markdown = (tmp_path / "tables" / "long.md").read_text()
    assert page.count(";</td>") == (n_rows if n_rows <= 40 else 15)
    assert ("more rows in" in page) == (n_rows > 40)
    assert markdown.count(";") == min(n_rows, 100)
    assert ("1 more rows in long.csv" in markdown) == (n_rows == 101)
    assert len((tmp_path / "tables" / "long.csv").read_text().splitlines()) == n_rows + 1
