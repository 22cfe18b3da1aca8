import pandas as pd
import polars as pl
import pytest

from data_cleaning.report_table import Table, as_markdown, cut, percent, write_tables

TABLE = Table(
    "odd",
    "Odd & ends",
    "A note.",
    pd.DataFrame(
        {
            "learned_from": ["legacy", ""],
            "system": ["<b>a|b</b>", "100%_sure"],
            "all": [0.12345, None],
            "records": pd.array([1234567, None], dtype="Int64"),
        }
    ),
)


def test_cells_are_worded_for_people_and_kept_for_machines(tmp_path):
    shown = TABLE.shown()
    assert shown.columns == ("system", "all", "records")  # what is learned from is the same for all
    assert shown.is_number == (False, True, True)
    assert shown.rows == [("<b>a|b</b>", "0.123", "1,234,567"), ("100%_sure", "–", "–")]
    write_tables([TABLE], tmp_path)
    assert pd.read_csv(tmp_path / "odd.csv")["all"][0] == pytest.approx(0.12345)


def test_markdown_and_latex_escape_their_own_signs(tmp_path):
    write_tables([TABLE], tmp_path)
    tex = (tmp_path / "odd.tex").read_text()
    assert r"100\%\_sure" in tex
    rows = (tmp_path / "odd.md").read_text().splitlines()
    assert rows[0] == "# Odd & ends"
    assert len({row.replace(r"\|", "").count("|") for row in rows if row.startswith("|")}) == 1


def test_shares_are_worded_in_per_cent_and_long_text_is_cut():
    frame = pl.DataFrame(
        {"long_name": ["x" * 91, None], "share": [0.5, 0.00001], "mean": [2.0, 1.5], "known": [True, False]}
    )
    table = Table("s", "S", "", frame, wording="shares")
    assert table.shown().rows == [("x" * 89 + "…", "50.00%", "2", "yes"), ("–", "<0.01%", "1.500", "no")]
    assert as_markdown(table).startswith("| long name")


def test_a_long_table_shows_its_first_rows_without_columns_that_never_vary():
    frame = pd.DataFrame({"system": ["a", "a", "b"], "split": ["record", "title", "title"], "n": [1, 2, 3]})
    shown = Table("long", "Long", "", frame, max_rows=2).shown()
    assert (shown.columns, shown.rows, shown.n_more) == (("split", "n"), [("record", "1"), ("title", "2")], 1)
    assert len(Table("long", "Long", "", frame, max_rows=2).shown(3).rows) == 3


@pytest.mark.parametrize(
    ("share", "worded"), [(0, "0%"), (1, "100%"), (0.99999, ">99.99%"), (0.00009, "<0.01%"), (0.12345, "12.35%")]
)
def test_only_all_is_all_and_only_none_is_none(share, worded):
    assert percent(share) == worded


def test_a_cut_text_ends_in_an_ellipsis():
    assert [cut("abc def", length) for length in (7, 5)] == ["abc def", "abc…"]
