import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.progress import silent
from harness.tagging.reviewing.review_status import review_status
from tests.called_verb import exit_code_of
from tests.harness.tagging.given_run import toy_run

OPINIONS = """title,department,seniority,reviewer,date,side
Cook,Kitchen,Head,Ann,2026-11-01,learn
Nurse,Nursing,Head,Ann,2026-11-02,learn
Driver,Transport,,Ann,2026-11-02,score
Cook,Kitchen,Head,Ben,2026-11-03,learn
Nurse,Surgery,Head,Ben,2026-11-03,learn
Driver,Transport,Head,Ben,2026-11-03,score
Spy,,,Ben,2026-11-04,learn
"""


@pytest.fixture
def reviewed(tmp_path):
    (tmp_path / "reviewed.csv").write_text(OPINIONS)
    return tmp_path / "reviewed.csv"


def table(status, name):
    (found,) = (one.frame for one in status.tables if one.name == name)
    return found


def test_people_targets_and_agreement_are_counted(company, reviewed):
    status = review_status(reviewed, company.taxonomy, None, silent)
    assert table(status, "people").rows() == [
        ("Ann", 3, 0, 1, "2026-11-01", "2026-11-02"),
        ("Ben", 4, 1, 1, "2026-11-03", "2026-11-04"),
    ]
    assert table(status, "targets").rows() == [("department", 2, 1, 1), ("seniority", 3, 0, 1)]
    # By hand: two of three agree; by chance 2/9 do. Kappa is (2/3 - 2/9) / (1 - 2/9).
    assert table(status, "agreement").rows() == [
        ("Ann", "Ben", "department", 3, 0.667, 0.571),
        ("Ann", "Ben", "seniority", 2, 1.0, None),
    ]
    assert status.sentences[0].startswith("4 titles reviewed by 2 people; 1 of them")
    assert "too few to say what more would bring" in status.sentences[-1]


def test_coverage_counts_records_of_near_duplicates_too(company, reviewed):
    leads = pl.DataFrame({"title": ["cook", "Cook, the", "Gardener"], "count": [6, 1, 3]})
    said = review_status(reviewed, company.taxonomy, leads, silent).sentences[1]
    assert said.startswith("70.0% of the 10 records have a reviewed title")


def test_enough_titles_foretell_what_more_would_bring(company, tmp_path):
    named = company.titles.rename(columns={"What you do": "title", "Dept": "department", "Grade": "seniority"})
    named[["title", "department", "seniority"]][::3].to_csv(tmp_path / "reviewed.csv", index=False)
    status = review_status(tmp_path / "reviewed.csv", company.taxonomy, None, silent)
    assert len(table(status, "curve")) == 4
    assert "100 more titles to learn from would bring about" in status.sentences[-1]


def test_the_verb_takes_the_leads_of_a_run(company, reviewed, capsys):
    run = toy_run(company.config, "systems=[keyword, tfidf]")
    assert exit_code_of("review", "status", "--reviewed", reviewed, "--leads", run) == 0
    assert "records have a reviewed title" in capsys.readouterr().out


def test_a_missing_file_is_refused_with_the_way_to_make_one(company, tmp_path):
    with pytest.raises(BadInput, match="Pick some with 'review pick'"):
        review_status(tmp_path / "absent.csv", company.taxonomy, None, silent)
