"""A table on trial against tables that are amended and matched again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.keyword_table import KeywordTable
from harness.keywords.suggestions import Suggestion, amend
from harness.mining.trial_table import Row, TrialTable
from tests.harness.keywords.given_suggestions import EVIDENCE
from tests.harness.mining.by_hand import matches
from tests.harness.mining.drawn import KEYWORDS, LABELS, random_table, random_titles
from tests.harness.mining.given_labels import TAXONOMY, classes_of, table_of, weighed

PRIORITIES = (0.5, 1.0, 1.001, 1.002, 2.0, 2.0, 1e15)


def winners_of(trial: TrialTable, target: str, n_titles: int) -> list[int]:
    """Return the number of the row that decides each title, -1 for none."""
    assert len(trial.classes()[target]) == n_titles
    return trial._first[target].tolist()


class Trial:
    """A table on trial beside the changes that made it."""

    def __init__(self, table: KeywordTable, titles: list[str]) -> None:
        self.base, self.titles = table, np.array(titles, dtype=object)
        self.trial = TrialTable(table, self.titles)
        self.changes: list[Suggestion] = []
        self.cells = table.rows.to_dict("records")

    def winners(self, target: str) -> list[int]:
        return winners_of(self.trial, target, len(self.titles))

    def classes(self, target: str) -> list[int]:
        """Return the class of each title."""
        fallback = TAXONOMY[target].class_index[TAXONOMY[target].fallback]
        return [self.trial.rows[row].classes[target] if row >= 0 else fallback for row in self.winners(target)]

    def row(self, cells: dict) -> Row:
        held = [at for at, title in enumerate(self.titles) if matches(cells["keyword"], cells["match"], title)]
        classes = {t.name: t.class_index[t.group(cells[t.name])] for t in TAXONOMY.targets if cells[t.name]}
        length = len(cells["keyword"])
        return Row(titles=np.array(held, dtype=np.int64), priority=cells["priority"], length=length, classes=classes)

    def change(self, action: str, number: int, cells: dict) -> None:
        """Try a change, and make it; hold both against the table amended and matched again."""
        row = None if action == "retire" else self.row(cells)
        before = {name: self.classes(name) for name in TAXONOMY.names}
        predicted = self.trial.try_row(number, row)
        assert {name: self.classes(name) for name in TAXONOMY.names} == before
        touched = self.trial.put(number, row)
        made = {"keyword": cells["keyword"], "priority": cells["priority"], "match": cells["match"]}
        labels = {name: cells[name] for name in TAXONOMY.names}
        line = cells.get("line")
        self.changes.append(
            Suggestion(action=action, **made, labels=labels, line=line, evidence=EVIDENCE, rationale="")
        )
        if action == "add":
            self.cells.append(cells)
        self.check()
        for name in TAXONOMY.names:
            after = self.classes(name)
            expected = [
                (at, old, new) for at, (old, new) in enumerate(zip(before[name], after, strict=True)) if old != new
            ]
            found = predicted.get(name)
            columns = (found.titles, found.before, found.after) if found else ((), (), ())
            assert list(zip(*(np.array(column).tolist() for column in columns), strict=True)) == expected
            assert {at for at, *_ in expected} <= set(touched.tolist())

    def check(self) -> None:
        table = amend(self.base, self.changes)
        gone = {change.line for change in self.changes if change.action == "retire"}
        numbers = [number for number, cells in enumerate(self.cells) if cells.get("line") not in gone]
        winners = table.winners(self.titles)
        for name, classes in classes_of(table, self.titles).items():
            assert self.classes(name) == classes
            assert self.winners(name) == [numbers[row] if row >= 0 else -1 for row in winners[name]]


def random_change(random: np.random.Generator, trial: Trial) -> tuple[str, int, dict] | None:
    """Draw a change that the table can take; None where what was drawn is none."""
    held = {(cells["keyword"], cells["match"]) for cells in trial.cells}
    gone = {change.line for change in trial.changes if change.action == "retire"}
    action = str(random.choice(["add", "re-prioritise", "narrow", "retire"]))
    if action == "add":
        labels = {target: str(random.choice(of)) for target, of in LABELS.items()}
        keyword, match = str(random.choice(KEYWORDS)), str(random.choice(["substring", "word", "prefix"]))
        priority = float(random.choice(PRIORITIES))
        sound = (keyword, match) not in held and any(labels.values()) and (keyword != "&" or match == "substring")
        number = len(trial.trial.rows)
        return ("add", number, {"keyword": keyword, "match": match, "priority": priority, **labels}) if sound else None
    number = int(random.integers(len(trial.base)))
    cells = trial.cells[number]
    if cells["line"] in gone:
        return None
    if action == "narrow":
        match = str(random.choice(["word", "prefix"]))
        if cells["match"] != "substring" or cells["keyword"] == "&" or (cells["keyword"], match) in held:
            return None
        cells["match"] = match
    elif action == "re-prioritise":
        cells["priority"] = float(random.choice(PRIORITIES))
    elif len(gone) == len(trial.base) - 1:
        return None
    return action, number, cells


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_any_sequence_of_changes_equals_the_amended_table(seed):
    random = np.random.default_rng(seed)
    table = weighed(random_table(random, int(random.integers(1, 9))))
    rows = table.rows.assign(priority=random.choice(PRIORITIES, len(table)))
    trial = Trial(replace(table, rows=rows), list(random_titles(random, int(random.integers(1, 25)))))
    trial.check()
    for _ in range(8):
        change = random_change(random, trial)
        if change is not None:
            trial.change(*change)


def row_of(titles, priority, length, **classes):
    return Row(titles=np.array(titles), priority=priority, length=length, classes=classes)


@pytest.mark.parametrize(
    ("priority", "length", "wins"),
    [
        (1.0, 3, True),
        (2.0, 3, False),
        (2.0, 4, False),  # as long, and later
        (2.0, 5, True),
        (1.9999, 1, True),
        (2.0001, 5000, False),
        (1e9, 70_000, False),
    ],
)
def test_a_new_row_wins_by_priority_then_length_then_place(priority, length, wins):
    trial = TrialTable(table_of(("cook", 2, {"level": "C-Level"})), ["cook", "chef"])
    row = row_of([0, 1], priority, length, level=1)
    assert trial.try_row(1, row)["level"].titles.tolist() == ([0] if wins else [])


def test_length_and_place_count_at_any_priority():
    rows = [("cook", 1e15, {"level": "C-Level"}), ("head cook", 1e15, {"level": "Contributor"})]
    assert winners_of(TrialTable(table_of(*rows), ["head cook"]), "level", 1) == [1]
    rows = [("head", 1e15, {"level": "C-Level"}), ("cook", 1e15, {"level": "Contributor"})]
    assert winners_of(TrialTable(table_of(*rows), ["head cook"]), "level", 1) == [0]


def test_trying_says_what_would_change_and_for_which_targets():
    table = table_of(("cook", 2, {"level": "C-Level"}), ("head", 3, {"function": "IT", "level": "Contributor"}))
    trial = TrialTable(table, ["cook", "head cook", "head", "chef"])
    tried = trial.try_row(0, None)
    assert list(tried) == ["level"]
    changed = tried["level"]
    assert (changed.titles.tolist(), changed.before.tolist(), changed.after.tolist()) == ([0, 1], [0, 0], [1, 1])
    tried = trial.try_row(2, row_of([0, 3], 9.0, 4, function=1))
    assert list(tried) == ["function"]
    changed = tried["function"]
    assert (changed.titles.tolist(), changed.before.tolist(), changed.after.tolist()) == ([0, 3], [2, 2], [1, 1])


def test_a_row_may_no_longer_set_a_target():
    table = table_of(("cook", 2, {"function": "IT", "level": "C-Level"}))
    trial = TrialTable(table, ["cook"])
    tried = trial.try_row(0, row_of([0], 2.0, 4, function=0))
    assert {name: changes.after.tolist() for name, changes in tried.items()} == {"function": [], "level": [1]}
    assert trial.put(0, row_of([0], 2.0, 4, function=0)).tolist() == [0]
    assert (winners_of(trial, "function", 1), winners_of(trial, "level", 1)) == ([0], [-1])
