"""What amended tables are worth on titles with known labels, recounted title by title."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from data_cleaning.titles import Predictions
from harness.keywords.suggestions import Suggestion, amend
from harness.mining.proof import (
    differences,
    judge_candidates,
    lifts,
    names_the_same,
    prove_changes,
    recovered,
    recovery,
    table_predictions,
)
from tests.harness.keywords.given_suggestions import EVIDENCE
from tests.harness.mining.by_hand import matches
from tests.harness.mining.drawn import WORDS, random_table, random_titles
from tests.harness.mining.given_labels import TAXONOMY, classes_of, table_of, weighed

TABLE = table_of(
    ("cto", 1, {"function": "Engineering", "level": "C-Level"}),
    ("director", 3, {"level": "C-Level"}),
    ("sales", 4, {"function": "Other"}),
    ("nurse", 4, {"function": "Cyber"}),
)


def change(action, keyword, match="substring", priority=1.0, line=None, **labels):
    return Suggestion(
        action=action, keyword=keyword, priority=priority, match=match,
        labels={target: labels.get(target, "") for target in TAXONOMY.names}, line=line, evidence=EVIDENCE,
        rationale="",
    )  # fmt: skip


CHANGES = [
    change("narrow", "cto", "word", 1.0, 2, function="Engineering", level="C-Level"),
    change("add", "threat hunt", "prefix", 2.0, function="Security"),
    change("re-prioritise", "sales", "substring", 1.5, 4, function="Other"),
    change("retire", "nurse", "substring", 4.0, 5, function="Cyber"),
    change("add", "threat", "word", 9.0, level="Executive"),
]


def random_rows(seed):
    """Labelled rows of two references, a title with several labels among them."""
    random = np.random.default_rng(seed)
    texts = ["sales director", "cto", "threat hunter sales", "threat hunting nurse", "director of threat", "nurse"]
    texts = [f"{text} {shift}".strip() for text in texts for shift in ("", "it", "of it", "head", "vp", "intern")]
    rows = []
    for reference in ("legacy", "truth"):
        for title in texts:
            for _ in range(random.integers(1, 4)):
                labels = [str(random.choice(target.classes)) for target in TAXONOMY.targets]
                rows.append((reference, title, *labels, int(random.integers(1, 9)), "new"))
    return pl.DataFrame(
        rows, schema=["reference", "title", *TAXONOMY.names, "records", "history"], orient="row"
    )  # fmt: skip


def accuracies_by_hand(table, rows, per_title):
    """Accuracy of each target, of all and weighted, each row weighing its records or its share of its title's."""
    records_of = dict(rows.group_by("title").agg(pl.col("records").sum()).iter_rows())
    given = classes_of(table, rows["title"].to_numpy())
    sums = dict.fromkeys((*TAXONOMY.names, "all", "weighted"), 0.0)
    whole = 0.0
    for at, row in enumerate(rows.to_dicts()):
        weight = row["records"] / (records_of[row["title"]] if per_title else 1)
        right = {t.name: t.classes[given[t.name][at]] == row[t.name] for t in TAXONOMY.targets}
        right["weighted"] = 0.75 * right["function"] + 0.25 * right["level"]
        right["all"] = right["function"] and right["level"]
        whole += weight
        for name in sums:
            sums[name] += weight * right[name]
    return {name: total / whole for name, total in sums.items()}


@pytest.mark.parametrize("seed", range(3))
def test_lifts_are_differences_of_accuracies_counted_by_hand(seed):
    rows = random_rows(seed)
    tables = {"mined": amend(TABLE, CHANGES), "nothing": amend(TABLE, [])}
    found = lifts(tables, TABLE, rows, seed=3)
    assert found["source"].unique().tolist() == ["mined", "nothing"]
    assert len(found) == 2 * 2 * 2 * 4
    for line in found.to_dict("records"):
        judged = rows.filter(pl.col("reference") == line["reference"])
        before, after = (
            accuracies_by_hand(table, judged, line["weighting"] == "per title")[line["target"]]
            for table in (TABLE, tables[line["source"]])
        )
        assert (line["titles"], line["records"]) == (judged["title"].n_unique(), judged["records"].sum())
        assert (line["before"], line["after"]) == pytest.approx((before, after))
        assert line["difference"] == pytest.approx(after - before, abs=1e-9)
        assert line["low"] <= line["difference"] + 1e-6
        assert line["difference"] <= line["high"] + 1e-6
        if line["source"] == "nothing":
            assert (line["difference"], line["low"], line["high"]) == (0, 0, 0)
    assert (found[found["source"] == "mined"]["low"] < found[found["source"] == "mined"]["high"]).any()


def test_any_systems_answers_can_be_held_against_the_table():
    rows = random_rows(0).filter(pl.col("reference") == "truth")
    titles = rows["title"].unique().sort().to_numpy()
    others = np.arange(len(titles)) % 2
    answers = Predictions(
        taxonomy=TAXONOMY,
        titles=titles,
        probabilities={
            "function": np.eye(3, dtype=np.float32)[others],
            "level": np.eye(2, dtype=np.float32)[1 - others],
        },
    )
    given = table_predictions(TABLE, titles)
    found = differences(rows, {"others": answers}, given, seed=1).drop(columns="source")
    per_record = found[found["weighting"] == "per record"].set_index("target")
    code_of = dict(zip(titles, others, strict=True))
    total = rows["records"].sum()
    for target, codes in (("function", ("IT", "Security")), ("level", ("Contributor", "Executive"))):
        right = sum(row["records"] for row in rows.to_dicts() if row[target] == codes[code_of[row["title"]]])
        assert per_record.loc[target, "after"] == pytest.approx(right / total)
    assert list(found.columns) == [
        *("reference", "weighting", "target", "titles", "records", "before", "after", "difference", "low", "high"),
    ]


def test_table_predictions_are_its_classes_with_certainty():
    titles = np.array(["sales director", "cto", "nobody"], dtype=object)
    answers = table_predictions(TABLE, titles)
    assert {name: answers.predicted(name).tolist() for name in TAXONOMY.names} == classes_of(TABLE, titles)
    assert all((rows.sum(axis=1) == 1).all() for rows in answers.probabilities.values())


def right_by_hand(table, rows):
    """Title to the number of targets that a table has right, by the label of most records of each title."""
    titles = sorted(set(rows["title"]))
    given = classes_of(table, np.array(titles, dtype=object))
    found = {}
    for at, title in enumerate(titles):
        held = rows.filter(pl.col("title") == title)
        right = 0
        for target in TAXONOMY.targets:
            counts = [held.filter(pl.col(target.name) == name)["records"].sum() for name in target.classes]
            right += counts.index(max(counts)) == given[target.name][at]
        found[title] = right
    return found


def _sets(labels):
    return "; ".join(f"{name}: {label}" for name, label in labels.items() if label)


def of_row(action, cells, **changed):
    """Change one row of a table."""
    return change(action, **{name: cells[name] for name in ("keyword", "match", "priority", "line")} | changed,
                  **{target: cells[target] for target in TAXONOMY.names})  # fmt: skip


def random_changes(seed):
    """A random table, and one change of each kind for it besides new rows."""
    random = np.random.default_rng(seed)
    table = weighed(random_table(random, 10))
    cells = table.rows.to_dict("records")
    held = {(row["keyword"], row["match"]) for row in cells}
    narrowed = next(
        row
        for row in cells
        if row["match"] == "substring" and row["keyword"] != "&" and (row["keyword"], "word") not in held
    )
    others = [row for row in cells if row is not narrowed]
    moved, gone = others[0], others[1]
    return table, [
        of_row("re-prioritise", moved, priority=0.5),
        change("add", "sal", "prefix", 2.0, function="Security", level="Executive"),
        of_row("narrow", narrowed, match="word"),
        of_row("retire", gone),
        change("add", "dire", "prefix", 0.25, level="Contributor"),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_each_change_is_proved_on_top_of_those_before_it(seed):
    random = np.random.default_rng(seed)
    table, changes = (TABLE, CHANGES) if seed == 0 else random_changes(seed)
    rows = random_rows(seed).filter(pl.col("reference") == "truth")
    if seed:
        labels = [{t.name: str(random.choice(t.classes)) for t in TAXONOMY.targets} for _ in range(40)]
        counts = random_titles(random, 40)
        rows = pl.DataFrame(
            [{"title": title, **said, "records": n} for (title, n), said in zip(counts.items(), labels, strict=False)]
        )
    proved = prove_changes(table, changes, rows)
    assert list(proved["order"]) == [1, 2, 3, 4, 5]
    records = dict(rows.group_by("title").agg(pl.col("records").sum()).iter_rows())
    for number, line in enumerate(proved.to_dict("records")):
        made = changes[number]
        told = (made.action, made.keyword, made.match, made.priority, _sets(made.labels))
        assert (*map(line.get, ("action", "keyword", "match", "priority", "sets")),) == told
        before, after = (right_by_hand(amend(table, changes[:end]), rows) for end in (number, number + 1))
        for kind, sign in (("fixed", 1), ("broken", -1)):
            chosen = sorted((t for t in before if sign * (after[t] - before[t]) > 0), key=lambda t: (-records[t], t))
            assert line[kind] == len(chosen)
            assert line[f"{kind}_records"] == sum(records[title] for title in chosen)
            assert line[f"{kind}_titles"] == "; ".join(chosen[:3])
    start, end = (right_by_hand(each, rows) for each in (table, amend(table, changes)))
    assert sum(start.values()) != sum(end.values())


def test_without_changes_there_is_nothing_to_prove():
    proved = prove_changes(TABLE, [], random_rows(0))
    assert len(proved) == 0
    assert {"order", "sets", "fixed", "broken_titles"} <= set(proved.columns)


def test_few_titles_have_no_interval():
    rows = random_rows(0).filter(pl.col("title") == "cto")
    found = lifts({"mined": amend(TABLE, CHANGES)}, TABLE, rows, seed=3)
    assert found[["low", "high"]].isna().all(axis=None)
    assert pd.notna(found["difference"]).all()
    assert math.isclose(found["titles"].iloc[0], 1)


@pytest.mark.parametrize(
    ("keyword", "planted", "same"),
    [
        ("threat hunter", "threat hunter", True),
        ("threat hunt", "threat hunter", True),
        ("threat hunting", "threat hunt", True),
        ("threat hunter", "threat hunting", False),  # neither begins with the other
        ("hunt", "huntsman", True),
        ("hunt", "hunterian", False),  # five letters more
        ("hunter", "threat hunter", False),
        ("threat hunter lead", "threat hunter", False),
        ("threat hunter", "threats hunter", False),  # only the last word may end otherwise
        ("devops", "dev", True),
        ("", "hunt", False),
    ],
)
def test_a_keyword_may_differ_from_the_planted_word_in_the_last_ending(keyword, planted, same):
    assert names_the_same(keyword, planted) is same
    assert names_the_same(planted, keyword) is same


def listed(*rows):
    return pd.DataFrame(rows, columns=["keyword", "match", "class"])


def test_planted_words_are_found_among_the_first_hundred_with_the_right_class():
    fill = [(f"filler{number}", "word", "IT") for number in range(98)]
    frame = listed(*fill, ("threat hunt", "prefix", "Security"), ("devops", "word", "Security"), ("late", "word", "IT"))
    sought = {"threat hunter": "Security", "late": "IT", "devops": "IT", "filler3": "IT"}
    assert recovered(frame, sought) == ["threat hunter", "filler3"]
    assert recovered(frame.head(0), sought) == []


def judged_by_hand(candidates, target, truth, table):
    given = classes_of(table, truth["title"].to_numpy())[target]
    found = []
    for keyword, match, name in candidates.itertuples(index=False):
        gold = [(at, true) for at, true in enumerate(truth[target]) if matches(keyword, match, truth["title"][at])]
        classes = TAXONOMY[target].classes
        fixed = sum(true == name and classes[given[at]] != name for at, true in gold)
        broken = sum(true != name and classes[given[at]] == true for at, true in gold)
        share = sum(true == name for _, true in gold) / len(gold) if gold else None
        found.append((share, fixed, broken))
    return found


@pytest.fixture(params=range(3))
def case(request):
    """A random table, true labels of random titles, and candidates for both targets."""
    random = np.random.default_rng(request.param)
    titles = list(random_titles(random, 60))
    truth = pl.DataFrame(
        {"title": titles, **{t.name: random.choice(t.classes, len(titles)).tolist() for t in TAXONOMY.targets}}
    )
    words = [*(word for word in WORDS if word != "&"), "nobody"]
    frames = {
        target.name: listed(*((word, "word", str(random.choice(target.classes))) for word in words))
        for target in TAXONOMY.targets
    }
    frames["level"]["match"] = "prefix"
    return random_table(random, 10), truth, frames


@pytest.mark.parametrize("target", TAXONOMY.names)
def test_candidates_are_judged_as_by_a_loop(case, target):
    table, truth, frames = case
    judged = judge_candidates(frames[target], target, truth, table)
    assert list(judged.columns) == ["keyword", "match", "class", "true_share", "fixed", "broken"]
    figures = judged[["true_share", "fixed", "broken"]].astype(object)
    expected = judged_by_hand(frames[target], target, truth, table)
    assert [tuple(row) for row in figures.where(figures.notna(), None).to_numpy()] == expected
    assert expected[-1] == (None, 0, 0)
    assert len(judge_candidates(frames[target].head(0), target, truth, table)) == 0


def test_sources_are_compared_by_what_they_find_and_what_it_is_worth(case):
    table, truth, frames = case
    label = frames["function"].set_index("keyword")["class"]["recruiter"]
    planted = {"never": {"function": "IT"}, "recruit": {"function": label}}
    nothing = frames["function"].head(0)
    found = recovery({"mined": frames, "random": {"function": nothing}}, truth, table, planted)
    by_hand = {target: judged_by_hand(frame, target, truth, table) for target, frame in frames.items()}

    def share(target, good):
        return sum(map(good, by_hand[target])) / len(by_hand[target])

    expected = [
        {
            **{"source": "mined", "target": target, "candidates": len(frames[target]), "planted": n_planted},
            **{"recovered": n_found, "recall": recall, "missed": missed},
            "useful": share(target, lambda row: row[1] > row[2]),
            "true": share(target, lambda row: row[0] is not None and row[0] > 0.5),
        }
        for target, n_planted, n_found, recall, missed in (("function", 2, 1, 0.5, "never"), ("level", 0, 0, None, ""))
    ]
    expected.append(
        {
            **{"source": "random", "target": "function", "candidates": 0, "planted": 2, "recovered": 0, "recall": 0.0},
            **{"useful": None, "true": None, "missed": "never, recruit"},
        }
    )
    cells = found.astype(object).where(found.notna(), None)
    assert cells.to_dict("records") == expected


def test_only_the_first_fifty_are_judged():
    table = table_of(("cook", 1, {"function": "Other"}))
    truth = pl.DataFrame({"title": ["nurse"], "function": ["IT"], "level": ["Contributor"]})
    rows = [("nurse", "word", "IT")] * 50 + [("cook", "word", "IT")] * 10
    (found,) = recovery({"mined": {"function": listed(*rows)}}, truth, table, {}).to_dict("records")
    assert (found["useful"], found["true"], found["candidates"]) == (1.0, 1.0, 60)
