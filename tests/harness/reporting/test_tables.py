import pandas as pd
import pytest

from harness.reporting.run_page import write_page
from harness.reporting.table import Table, display, write_tables

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


def test_numbers_are_worded_for_people_and_kept_for_machines(tmp_path):
    worded = display(TABLE.frame)
    assert worded.to_dict("list") == {
        "system": ["<b>a|b</b>", "100%_sure"],
        "all": ["0.123", "–"],
        "records": ["1,234,567", "–"],
    }
    write_tables([TABLE], tmp_path)
    assert pd.read_csv(tmp_path / "odd.csv")["all"][0] == pytest.approx(0.12345)


def test_markdown_and_latex_survive_their_own_signs(tmp_path):
    write_tables([TABLE], tmp_path)
    tex = (tmp_path / "odd.tex").read_text()
    assert r"100\%\_sure" in tex
    rows = (tmp_path / "odd.md").read_text().splitlines()
    assert rows[0] == "# Odd & ends"
    assert len({row.replace(r"\|", "").count("|") for row in rows if row.startswith("|")}) == 1


def test_the_page_escapes_what_people_typed(tmp_path):
    facts = {"name": "x", "made_at": "now", "seed": 1, "device": "cpu", "fingerprint": "f", "commit": None,
             "data_hash": "d", "split_hash": {"record": "h"}}  # fmt: skip
    write_page(tmp_path / "report.html", [TABLE], facts)
    page = (tmp_path / "report.html").read_text()
    assert "&lt;b&gt;a|b&lt;/b&gt;" in page
    assert "<b>" not in page
