"""An audit against loops over titles and rows."""

from itertools import chain

import numpy as np
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from harness.keywords import row_conflicts
from harness.keywords.audit import audit_rows, audit_table
from harness.keywords.judged_hits import wilson_bounds
from harness.scoring.significance import wilson_interval
from tests.harness.mining.by_hand import ByHand, table_of, titles_of
from tests.harness.mining.drawn import random_reference, random_table, random_titles, reference_frame


def as_set(lines) -> set:
    return {tuple(sorted(line.items())) for line in lines}


@pytest.fixture(scope="module", params=range(5))
def audited(request):
    random = np.random.default_rng(request.param)
    table, counts = random_table(random, 18), random_titles(random, 60)
    references = {name: random_reference(random, counts) for name in ("truth", "legacy")}
    frames = {name: reference_frame(rows) for name, rows in references.items()}
    return audit_table(table, titles_of(counts), frames), ByHand(table, counts, references), table


def test_every_figure_of_a_row_is_that_of_a_recount(audited):
    audit, by_hand, _ = audited
    assert audit.rows.columns[:4] == ["line", "keyword", "priority", "match"]
    for at, found in enumerate(audit.rows.to_dicts()):
        for name, expected in by_hand.row(at).items():
            assert found[name] == (pytest.approx(expected) if isinstance(expected, float) else expected), name
        if found["verdict"] is None or not found["verdict"].startswith("unreachable"):
            assert found["verdict"] == by_hand.verdict(at)
        else:
            assert by_hand.verdict(at) is not None


def test_rows_that_decide_nothing_are_counted_by_reason(audited):
    audit, by_hand, _ = audited
    for line in audit.idle.to_dicts():
        rows = audit.rows["verdict"].str.starts_with(line["verdict"]).fill_null(False).arg_true().to_list()
        titles = [title for title, hits in by_hand.hits.items() if set(hits) & set(rows)]
        assert (line["rows"], line["titles"], line["records"]) == (len(rows), len(titles), by_hand.records(titles))


def test_coverage_is_that_of_a_recount(audited):
    audit, by_hand, _ = audited
    assert audit.coverage.to_dicts() == by_hand.coverage()


def test_conflicts_are_those_of_a_recount_and_seen_from_either_side(audited):
    audit, by_hand, _ = audited
    own = audit.conflicts.filter(pl.col("wins") == "this row").drop("wins")
    assert as_set(own.to_dicts()) == as_set(by_hand.conflicts())
    assert own["decided_records"].is_sorted(descending=True)
    swapped = {"line": "opponent_line", "keyword": "opponent", "class": "opponent_class"}
    swapped |= {f"own_right_{name}": f"opponent_right_{name}" for name in audit.references}
    other = audit.conflicts.filter(pl.col("wins") == "the opponent").drop("wins")
    there_and_back = other.rename(swapped | {theirs: ours for ours, theirs in swapped.items()})
    assert as_set(there_and_back.to_dicts()) == as_set(own.to_dicts())


def test_clashes_are_the_conflicts_of_equal_priority(audited):
    audit, by_hand, _ = audited
    rows = {row["line"]: row for row in by_hand.rows}
    expected = []
    for line in by_hand.conflicts():
        one, other = rows[line["line"]], rows[line["opponent_line"]]
        if one["priority"] == other["priority"]:
            longer = len(one["keyword"]) > len(other["keyword"])
            how = "longer keyword" if longer else "earlier row"
            expected.append({**line, "priority": one["priority"], "wins_by": how})
    assert expected
    assert as_set(audit.clashes.to_dicts()) == as_set(expected)


def test_chains_are_those_of_a_recount(audited):
    audit, by_hand, _ = audited
    assert len(audit.chains)
    assert as_set(audit.chains.to_dicts()) == as_set(by_hand.chains())
    assert audit.chains["records"].is_sorted(descending=True)


def test_only_the_most_frequent_chains_are_kept(audited, monkeypatch):
    _, by_hand, table = audited
    monkeypatch.setattr(row_conflicts, "MAX_CHAINS", 2)
    audit = audit_table(table, titles_of(by_hand.counts), {})
    assert audit.chains["records"].to_list() == sorted((c["records"] for c in by_hand.chains()), reverse=True)[:2]


def test_accidents_are_those_of_a_recount(audited):
    audit, by_hand, _ = audited
    found = by_hand.accidents()
    words = [{**by_hand.priced(at, titles), "host": host, "at": where} for (at, host, where), titles in found.items()]
    assert as_set(audit.accident_words.to_dicts()) == as_set(words)
    rows = []
    for at in {at for at, *_ in found}:
        hosts: dict[str, list[str]] = {}
        for (row, host, _), titles in found.items():
            if row == at:
                hosts.setdefault(host, []).extend(titles)
        counted = sorted(((-by_hand.records(titles), host) for host, titles in hosts.items()))
        named = ", ".join(f"{host} ({-records})" for records, host in counted[:5])
        rows.append({**by_hand.priced(at, list(chain.from_iterable(hosts.values()))), "hosts": named})
    assert as_set(audit.accidents.to_dicts()) == as_set(rows)


def test_findings_are_ranked_and_name_at_least_five_with_their_records(audited):
    audit, _, _ = audited
    assert audit.findings["rank"].to_list() == list(range(1, len(audit.findings) + 1))
    assert len(audit.findings) >= 5
    for line in audit.findings.to_dicts():
        assert f"{line['records']:,} record" in line["sentence"] or line["records"] == 0


def test_intervals_are_those_of_scipy():
    pairs = [(0, 1), (1, 1), (0, 40), (40, 40), (3, 7), (999, 1_000), (12, 330_000)]
    right, titles = np.array(pairs).T
    low, high = wilson_bounds(right / titles, titles)
    np.testing.assert_allclose(np.stack([low, high], axis=1), [wilson_interval(*pair) for pair in pairs], atol=1e-12)
    assert np.isnan(wilson_bounds([np.nan], [0])).all()


def test_precision_counts_records_and_its_interval_titles():
    table = table_of(("cto", 1, {"function": "IT"}))
    titles = titles_of({"cto": 98, "a cto": 1, "my cto": 1})
    truth = pl.DataFrame(
        {"title": ["cto", "a cto", "my cto"], "function": ["IT", "Other", "Other"], "count": [98, 1, 1]}
    )
    row = audit_table(table, titles, {"truth": truth}).rows.row(0, named=True)
    assert row["precision_function_truth"] == 0.98
    low, high = wilson_bounds([0.98], [3])
    assert (row["low_function_truth"], row["high_function_truth"]) == (low[0], high[0])
    assert row["low_function_truth"] < 0.5


def test_references_come_by_trust_and_those_without_a_title_count_for_nothing():
    table = table_of(("cto", 1, {"function": "IT"}))
    labelled = pl.DataFrame({"title": ["cto"], "function": ["IT"], "count": [2]})
    elsewhere = labelled.with_columns(title=pl.lit("ceo"))
    references = {"own": labelled, "legacy": labelled, "truth": elsewhere}
    audit = audit_table(table, titles_of({"cto": 1}), references)
    assert audit.references == ("truth", "legacy", "own")
    row = audit.rows.row(0, named=True)
    assert (row["judged_records_truth"], row["precision_function_truth"]) == (0, None)
    assert (row["judged_records_legacy"], row["judged_records_level_legacy"]) == (2, None)


def test_a_label_that_the_taxonomy_lacks_is_bad_input():
    labelled = pl.DataFrame({"title": ["cto"], "function": ["ITT"], "count": [1]})
    with pytest.raises(BadInput, match="Unknown function label 'ITT'"):
        audit_table(table_of(("cto", 1, {"function": "IT"})), titles_of({"cto": 1}), {"legacy": labelled})


@pytest.mark.parametrize("titles", [[], ["a", "a"]])
def test_titles_must_be_distinct_and_there(titles):
    frame = pl.DataFrame({"title": titles, "count": [1] * len(titles)}, schema={"title": pl.String, "count": pl.Int64})
    with pytest.raises(ValueError, match="distinct titles"):
        audit_table(table_of(("cto", 1, {"function": "IT"})), frame, {})


@pytest.mark.parametrize("match", ["word", "substring"])
def test_a_table_that_hits_nothing_is_audited_all_the_same(match):
    labelled = pl.DataFrame({"title": ["nurse"], "function": ["Other"], "level": [None], "count": [7]})
    audit = audit_table(
        table_of(("cto", 1, {"function": "IT"}, match)), titles_of({"nurse": 7, "": 1}), {"truth": labelled}
    )
    assert audit.rows["verdict"].to_list() == ["never fired"]
    assert [len(frame) for frame in (audit.conflicts, audit.clashes, audit.chains, audit.accidents)] == [0, 0, 0, 0]
    assert audit.coverage.filter(pl.col("decided_by") == "the fallback")["records"].to_list() == [8, 8]


def test_progress_ends_with_the_last_step():
    told = []
    audit_table(
        table_of(("cto", 1, {"function": "IT"})), titles_of({"cto": 1}), {}, on_progress=lambda *step: told.append(step)
    )
    assert told[-1][1] == told[-1][2] == len(told)


def test_without_titles_rows_are_audited_alone():
    table = table_of(
        ("sales", 1, {"function": "Other"}),
        ("inside sales", 2, {"function": "IT"}),
        ("sales engineer", 1, {"function": "IT"}),
        ("head", 3, {"level": "Executive"}),
        ("head of sales", 3, {"level": "Executive", "function": "Other"}),
    )
    audit = audit_rows(table)
    assert audit.rows["verdict"].to_list() == [None, "unreachable because of line 2 ('sales')", None, None, None]
    clash = audit.clashes.row(0, named=True)
    assert (len(audit.clashes), clash["keyword"], clash["opponent"], clash["target"]) == (
        *(1, "sales engineer", "sales", "function"),
    )
    assert audit.findings["sentence"].to_list() == [
        "'inside sales' (line 3) can never decide a title: it is unreachable because of line 2 ('sales').",
        "'sales engineer' (line 4) and 'sales' (line 2) have the same priority but set the function to 'IT' and "
        "'Other'; where both match, the first wins as the longer keyword.",
    ]
    assert audit.references == ()
    assert audit.conflicts.is_empty()
