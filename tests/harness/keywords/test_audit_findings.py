"""What costs most records comes first, each row once, in one plain sentence with its number of records."""

from dataclasses import replace

import polars as pl
import pytest

from baselines.table_file import Duplicate
from harness.keywords import audit_findings
from harness.keywords.audit import audit_table
from harness.keywords.finding_sentences import accident, percent
from tests.harness.mining.by_hand import table_of, titles_of

PLACES = ("east", "west", "north", "south", "central")


def spread(text: str, count: int) -> dict[str, int]:
    """Five titles with a text, which is as many as a finding needs."""
    return {f"{text} {place}": count for place in PLACES}


def labelled(rows: dict[str, str], titles: pl.DataFrame, target: str = "function") -> pl.DataFrame:
    """Label every title that holds a text."""
    found = [
        (title, label, count) for title, count in titles.iter_rows() for text, label in rows.items() if text in title
    ]
    return pl.DataFrame(found, schema=["title", target, "count"], orient="row")


def findings(table, titles, references, **options) -> list[tuple]:
    found = audit_table(table, titles, references, **options).findings
    return found.select("kind", "records", "line", "sentence").rows()


def test_an_accident_names_the_word_and_the_share_that_is_wrong():
    table = table_of(("cto", 1, {"function": "IT"}), ("cto officer", 2, {"function": "IT"}, "word"))
    titles = titles_of(spread("director", 200) | spread("sector head", 40) | spread("cto", 10) | spread("vectors", 1))
    truth = labelled({"director": "Other", "sector": "Other", "vectors": "IT", "cto": "IT"}, titles)
    truth = truth.unique(["title"], keep="first", maintain_order=True)
    first = findings(table, titles, {"truth": truth})[0]
    assert first == (
        *("accident", 1_200, 2),
        "'cto' (line 2) decides 1,200 records in which it only occurs inside 'director' or 'sector'; 100% of them are "
        "wrong according to truth.",
    )


@pytest.mark.parametrize(
    ("hosts", "named"),
    [
        (["director"], "'director'"),
        (["director", "vector", "sector"], "'director', 'vector' or 'sector'"),
        (["director", "vector", "sector", "factor"], "'director', 'vector' or 2 other words"),
    ],
)
def test_the_commonest_longer_words_are_named_and_the_rest_counted(hosts, named):
    line = {"keyword": "cto", "line": 2, "hosts": [*hosts, "director"], "decided_records": 1}
    assert accident(line) == f"'cto' (line 2) decides 1 record in which it only occurs inside {named}."


def test_longer_words_with_right_records_are_no_accident():
    table = table_of(("recruit", 1, {"function": "Other"}), ("nurse", 2, {"level": "Executive"}))
    titles = titles_of(spread("recruiter", 50))
    kinds = [row[0] for row in findings(table, titles, {"truth": labelled({"recruiter": "Other"}, titles)})]
    assert "accident" not in kinds


def test_a_conflict_says_which_class_is_right_how_often():
    table = table_of(("security", 1, {"function": "Security"}), ("sales", 2, {"function": "Other"}))
    titles = titles_of(spread("security sales", 20) | spread("security", 5))
    truth = labelled({"security": "Security"}, titles).with_columns(
        pl.when(pl.col("title").str.contains("sales")).then(pl.lit("Other")).otherwise("function").alias("function")
    )
    assert findings(table, titles, {"truth": truth})[0] == (
        *("conflict", 100, 2),
        "'security' (line 2) outranks 'sales' (line 3), setting the function of 100 records to 'Security' instead of "
        "'Other'; in truth 100% of 100 are 'Other' and 0% 'Security'.",
    )


def test_a_clash_says_which_row_wins_at_equal_priority_and_why():
    table = table_of(("sales", 1, {"function": "Other"}), ("security", 1, {"function": "Security"}))
    titles = titles_of(spread("security sales", 20))
    truth = labelled({"security sales": "Other"}, titles)
    assert findings(table, titles, {"truth": truth})[0][::3] == (
        "clash",
        "'security' (line 3) has the same priority as 'sales' (line 2) and wins because it is longer, setting the "
        "function of 100 records to 'Security' instead of 'Other'; in truth 100% of 100 are 'Other' and 0% 'Security'.",
    )


def test_a_chain_names_all_three_keywords():
    table = table_of(
        ("audit", 1, {"function": "Other"}), ("cto", 2, {"function": "IT"}), ("security", 3, {"function": "Security"})
    )
    titles = titles_of(spread("cto audit security", 10))
    truth = labelled({"audit": "IT"}, titles)
    assert findings(table, titles, {"truth": truth})[0] == (
        *("chain", 50, 2),
        "'cto' (line 3) beats 'security' (line 4), but 'audit' (line 2) beats both, setting the function of 50 records "
        "to 'Other' instead of 'IT'; in truth 100% of 50 are 'IT' and 0% 'Other'.",
    )


def test_a_wrong_row_and_the_fallback_say_of_how_many_records_something_is_known():
    table = table_of(("manager", 1, {"function": "IT", "level": "Executive"}))
    titles = titles_of(spread("manager", 30) | spread("nurse", 100))
    known = labelled({"manager": "Other", "nurse": "IT"}, titles).with_columns(pl.col("count") // 2)
    rows = findings(table, titles, {"legacy": known})
    assert rows[0] == (
        *("fallback", 500, None),
        "No row decides the function of 500 records, 77% of all, which get 'Other'; of the 250 that legacy knows, 100% "
        "are wrong.",
    )
    assert rows[1] == (
        *("wrong", 150, 2),
        "'manager' (line 2) sets the function of 150 records to 'IT'; of the 75 that legacy knows, 100% are wrong, "
        "where 'Other' is right most often.",
    )


def test_a_row_is_named_once_with_the_cause_that_explains_half_of_its_cost():
    table = table_of(("cto", 1, {"function": "IT"}))
    titles = titles_of(spread("director", 60) | spread("cto", 20))
    truth = labelled({"cto": "Other"}, titles)
    of_row = [kind for kind, _, line, _ in findings(table, titles, {"truth": truth}) if line == 2]
    assert of_row == ["accident"]
    titles = titles_of(spread("director", 10) | spread("cto", 200))
    truth = labelled({"cto": "Other"}, titles)
    of_row = [kind for kind, _, line, _ in findings(table, titles, {"truth": truth}) if line == 2]
    assert of_row == ["wrong"]


def test_the_most_trustworthy_reference_that_knows_enough_titles_is_asked():
    table = table_of(("cto", 1, {"function": "IT"}), ("ciso", 1, {"function": "Security"}))
    titles = titles_of(spread("cto", 20) | spread("ciso", 10))
    legacy = labelled({"cto": "Other", "ciso": "Other"}, titles)
    truth = labelled({"ciso": "IT"}, titles).head(4)
    said = [sentence for *_, sentence in findings(table, titles, {"truth": truth, "legacy": legacy})]
    assert "according to legacy" in said[0]
    assert "according to legacy" in said[1]
    truth = labelled({"ciso": "IT"}, titles)
    said = [sentence for *_, sentence in findings(table, titles, {"truth": truth, "legacy": legacy})]
    assert said[1].startswith("'ciso' (line 3) sets the function of 50 records to 'Security'; 100% of them are wrong")
    assert "according to truth, where 'IT'" in said[1]


def test_without_labels_the_most_frequent_come_first_and_stems_are_left_out():
    table = table_of(
        ("cto", 1, {"function": "IT"}),
        ("recruit", 1, {"function": "Other"}),
        ("sales", 1, {"function": "Other"}),
        ("security", 2, {"function": "Security", "level": "Contributor"}),
    )
    titles = titles_of(spread("director", 30) | spread("recruiter", 50) | spread("nurse", 10))
    rows = findings(table, titles, {})
    assert [row[:3] for row in rows] == [
        *(("fallback", 450, None), ("accident", 150, 2), ("fallback", 50, None), ("idle", 0, None)),
    ]
    assert rows[1][3] == "'cto' (line 2) decides 150 records in which it only occurs inside 'director'."
    assert rows[-1][3] == "2 rows never fired: 'sales' (line 4); 'security' (line 5)."


def test_faults_in_fewer_than_five_titles_are_no_finding():
    table = table_of(("cto", 1, {"function": "IT", "level": "Executive"}))
    titles = titles_of({"director": 1_000, "cto": 1, "nurse": 3})
    assert findings(table, titles, {"truth": labelled({"director": "Other"}, titles)}) == []


def test_rows_that_decide_nothing_are_named_with_those_that_outrank_them():
    rows = [("sales", 1, {"function": "Other"}), ("head", 1, {"function": "IT"})]
    rows += [
        (f"{word} sales", 2, {"function": "IT"}) for word in ("inside", "field", "area", "night", "day", "lead", "x")
    ]
    table = table_of(*rows, ("lead", 3, {"function": "IT"}))
    titles = titles_of({"inside sales": 3, "area sales": 2, "head lead": 4, "lead sales": 4})
    said = [sentence for *_, sentence in findings(table, titles, {})]
    assert said[-2:] == [
        "8 records are hit by 1 row that is outranked every time: 'lead' (line 11) by line 2 ('sales').",
        "9 records are hit by 7 rows that can never decide a title: 'lead sales' (line 9) because of line 2 "
        "('sales'); 'inside sales' (line 4) because of line 2 ('sales'); 'area sales' (line 6) because of line 2 "
        "('sales'); 'field sales' (line 5) because of line 2 ('sales'); 'night sales' (line 7) because of line 2 "
        "('sales'); and 2 more.",
    ]


def test_duplicates_come_before_everything_else():
    table = table_of(("cto", 1, {"function": "IT"}))
    titles = titles_of({"cto": 7})
    twice = {"line": 9, "first_line": 2, "keyword": "CTO", "match": "substring", "target": "function"}
    duplicates = [Duplicate(**twice, label="Other", first_label="IT"), Duplicate(**twice, label="IT", first_label="IT")]
    audit = audit_table(replace(table, duplicates=tuple(duplicates)), titles, {})
    assert audit.findings["sentence"].head(2).to_list() == [
        "'CTO' (line 9) repeats the function that line 2 sets, with another label, 'Other' and not 'IT'; the earlier "
        "row was kept here, and decides 7 records. Other verbs refuse the table.",
        "'CTO' (line 9) repeats the function that line 2 sets, with the same label; the earlier row was kept here, and "
        "decides 7 records. Other verbs refuse the table.",
    ]
    assert audit.duplicates["agree"].to_list() == [False, True]


def test_only_the_most_expensive_findings_are_kept(monkeypatch):
    monkeypatch.setattr(audit_findings, "MAX_COSTED", 3)
    words = ("ward", "shift", "desk", "yard", "dock", "gate")
    table = table_of(*((word, 1, {"function": "IT"}) for word in words))
    titles = titles_of(
        {title: count for size, word in enumerate(words, 1) for title, count in spread(word, size).items()}
    )
    rows = findings(table, titles, {"truth": labelled(dict.fromkeys(words, "Other"), titles)})
    assert [row[1] for row in rows if row[0] == "wrong"] == [30, 25, 20]


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0%"), (0.004, "under 1%"), (0.006, "1%"), (0.5, "50%"), (0.996, "over 99%"), (1, "100%")]
)
def test_only_all_records_are_100_percent_and_only_none_are_0(share, said):
    assert percent(share) == said
