from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import polars as pl
import pytest

from data_cleaning.labelled_files import read_labelled
from data_cleaning.lead_columns import LeadColumns
from harness.tagging.reviewing.add_reviews import add_reviews
from tests.harness.tagging.reviewing.given_review import add, edited, pick, rows_of, write_leads


@pytest.fixture
def picked(company, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pick(company, write_leads(tmp_path), "picked.xlsx", "--n", "6") == 0
    return tmp_path / "picked.xlsx"


def marked(picked, changes, name="given.xlsx"):
    return edited(picked, picked.with_name(name), changes)


def other(row):
    return "Garden" if row["department"] != "Garden" else "Kitchen"


def stored(folder):
    return pl.read_csv(folder / "reviewed.csv", infer_schema=False)


def test_marked_and_changed_rows_are_added_and_the_others_left(company, picked, tmp_path, capsys):
    rows = rows_of(picked)
    given = marked(
        picked,
        {
            (2, "done"): "yes",
            (3, "department"): other(rows[1]),
            (4, "done"): "X",
            (4, "seniority"): None,
            (5, "done"): "no",
        },
    )
    assert add(company, given, "Ann", "reviewed.csv") == 0
    assert "Added 3 rows" in (said := capsys.readouterr().err)
    assert "3 not judged yet" in said
    found = stored(tmp_path)
    assert found.columns == ["title", "department", "seniority", "reviewer", "date", "side", "note"]
    assert found["title"].to_list() == [row["title"] for row in rows[:3]]
    assert found["department"][1] == other(rows[1])
    assert found["seniority"][2] is None
    assert set(found["reviewer"]) == {"Ann"}
    assert set(found["side"]) == {"learn"}
    assert found["date"].str.contains(r"^\d{4}-\d\d-\d\d$").all()
    read = read_labelled(tmp_path / "reviewed.csv", LeadColumns(), company.taxonomy, partly=True)
    assert len(read) == 3


def test_a_file_added_twice_is_refused_and_one_that_grew_is_not(company, picked, tmp_path, capsys):
    assert add(company, marked(picked, {(2, "done"): "yes"}), "Ann", "reviewed.csv") == 0
    before = (tmp_path / "reviewed.csv").read_bytes()
    assert add(company, tmp_path / "given.xlsx", "ANN", "reviewed.csv") == 2
    assert "was added already" in capsys.readouterr().err
    assert (tmp_path / "reviewed.csv").read_bytes() == before
    assert add(company, marked(picked, {(2, "done"): "yes", (3, "done"): "yes"}), "Ann", "reviewed.csv") == 0
    assert (tmp_path / "reviewed.csv").read_bytes().startswith(before)
    (backup,) = (tmp_path / "reviewed_backups").glob("*.csv")
    assert backup.read_bytes() == before


def test_opinions_of_several_people_are_shown_and_kept(company, picked, tmp_path, capsys):
    row = rows_of(picked)[0]
    assert add(company, marked(picked, {(2, "done"): "yes"}), "Ann", "reviewed.csv") == 0
    assert add(company, marked(picked, {(2, "department"): other(row)}), "Ben", "reviewed.csv") == 0
    shown = capsys.readouterr().out
    assert shown == f"{row['title']}: department {other(row)}; others say {row['department']} (Ann)\n"
    assert stored(tmp_path)["reviewer"].to_list() == ["Ann", "Ben"]
    read = read_labelled(tmp_path / "reviewed.csv", LeadColumns(), company.taxonomy, partly=True)
    assert read.rows() == [(row["title"], None, row["seniority"], "learn")]


def test_a_title_that_nobody_can_judge_is_remembered_and_not_learned(company, picked, tmp_path):
    given = marked(picked, {(2, "done"): "yes", (2, "department"): None, (2, "seniority"): None, (3, "done"): "yes"})
    assert add(company, given, "Ann", "reviewed.csv") == 0
    assert len(stored(tmp_path)) == 2
    assert len(read_labelled(tmp_path / "reviewed.csv", LeadColumns(), company.taxonomy, partly=True)) == 1
    assert pick(company, tmp_path / "leads.csv", "next.xlsx", "--n", "500") == 0
    assert rows_of(picked)[0]["title"] not in [row["title"] for row in rows_of(tmp_path / "next.xlsx")]


def test_every_faulty_row_is_named_and_nothing_is_changed(company, picked, tmp_path, capsys):
    rows = rows_of(picked)
    changes = {
        (2, "department"): "Gardn",
        (3, "done"): "perhaps",
        (4, "title"): rows[2]["title"].replace(" ", "’"),
        (4, "done"): "yes",
        (5, "title"): None,
        (5, "done"): "yes",
        (6, "done"): "yes",
    }
    assert add(company, marked(picked, changes), "Ann", "reviewed.csv") == 2
    said = capsys.readouterr().err
    for fault in (
        "row 2: unknown department 'Gardn'. Did you mean 'Garden'?",
        "row 3: done is 'perhaps'",
        "is not the one that was picked there; a spreadsheet may have changed quotes or dropped zeros",
        "row 5: has no title",
    ):
        assert fault in said
    assert "row 6" not in said
    assert not (tmp_path / "reviewed.csv").exists()


def test_a_reviewer_who_contradicts_themselves_is_named_with_both_rows(company, picked, tmp_path, capsys):
    row = rows_of(picked)[0]
    assert add(company, marked(picked, {(2, "done"): "yes"}), "Ann", "reviewed.csv") == 0
    before = (tmp_path / "reviewed.csv").read_bytes()
    assert add(company, marked(picked, {(2, "department"): other(row)}), "ann", "reviewed.csv") == 2
    expected = (
        f"row 2: Ann gives '{row['title']}' the department '{other(row)}', and gave it '{row['department']}' in line 2"
    )
    assert expected in capsys.readouterr().err
    assert (tmp_path / "reviewed.csv").read_bytes() == before
    twice = {(2, "done"): "yes", (3, "title"): row["title"], (3, "id"): row["id"], (3, "department"): other(row)}
    assert add(company, marked(picked, twice), "Ben", "reviewed.csv") == 2
    assert "in row 2" in capsys.readouterr().err


def test_an_edited_header_is_named(company, picked, capsys):
    for column in ("id", "department", "title", "answer", "done"):
        assert add(company, marked(picked, {(1, column): f"{column} no"}), "Ann", "reviewed.csv") == 2
        assert f"Unknown column '{column}'" in capsys.readouterr().err


def test_a_sheet_that_nobody_has_judged_is_refused_everywhere(company, picked, capsys):
    assert add(company, picked, "Ann", "reviewed.csv") == 2
    assert "has no row that anybody has judged" in capsys.readouterr().err
    with pytest.raises(Exception, match="was picked for review"):
        read_labelled(picked, LeadColumns(), company.taxonomy, partly=True)


def test_a_list_made_by_hand_needs_the_leads_and_may_hold_only_their_titles(company, picked, tmp_path, capsys):
    (tmp_path / "hand.csv").write_text("Job Title,department,seniority\nWard nurse,Nursing,\nSpy,Garden,Head\n")
    assert add(company, tmp_path / "hand.csv", "Ann", "reviewed.csv") == 2
    assert "name the leads that its titles are from with --leads" in capsys.readouterr().err
    assert add(company, tmp_path / "hand.csv", "Ann", "reviewed.csv", "--leads", tmp_path / "leads.csv") == 2
    assert "line 3: the title 'Spy' is not in the leads" in capsys.readouterr().err
    (tmp_path / "hand.csv").write_text("Job Title,department,seniority\nWard nurse,Nursing,\n")
    assert add(company, tmp_path / "hand.csv", "Ann", "reviewed.csv", "--leads", tmp_path / "leads.csv") == 0


def test_earlier_rows_keep_their_columns_and_near_duplicates_their_side(company, picked, tmp_path):
    row = rows_of(picked)[0]
    title = ", ".join(reversed(row["title"].split()))
    (tmp_path / "reviewed.csv").write_text(f'title,department,seniority,side,from\n"{title}",Kitchen,Head,score,fair\n')
    assert add(company, marked(picked, {(2, "done"): "yes"}), "Ann", "reviewed.csv") == 0
    found = stored(tmp_path)
    assert found["from"].to_list() == ["fair", None]
    assert found["side"].to_list() == ["score", "score"]


@pytest.mark.parametrize(
    ("reviewer", "into", "said"),
    [
        (" ", "reviewed.csv", "--reviewer is empty"),
        ("Ann", "reviewed.xlsx", "is no CSV file"),
        ("Ann", "absent/reviewed.csv", "expected a file in a folder that exists"),
    ],
)
def test_faulty_options_are_refused(company, picked, capsys, reviewer, into, said):
    assert add(company, picked, reviewer, into) == 2
    assert said in capsys.readouterr().err


def test_people_who_add_at_the_same_time_lose_nothing(company, picked, tmp_path):
    given = marked(picked, {(row, "done"): "yes" for row in range(2, 8)})

    def one(reviewer):
        return add_reviews(
            given, reviewer=reviewer, into=tmp_path / "reviewed.csv", taxonomy=company.taxonomy, encoding=None,
            known=None, now=datetime.now(UTC),
        ).n_added  # fmt: skip

    people = [f"reviewer {number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one, people)) == [6] * 6
    assert sorted(stored(tmp_path)["reviewer"].unique()) == people
    assert len(stored(tmp_path)) == 36
