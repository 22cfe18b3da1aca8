"""Changes of a keyword table, each placed where it gains most, and made while the evidence for it is sure enough."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from baselines.gap_and_mask import GAP, MASK
from baselines.keyword_table import KeywordTable
from data_cleaning.titles import BoolArray, IntArray
from harness.keywords.suggestions import Action, key_of
from harness.mining.evidence import Outcome, fixed_and_broken, outcome_of
from harness.mining.phrases import split_titles, titles_matching
from harness.mining.title_labels import TitleLabels
from harness.mining.trial_table import ClassChanges, Row, TrialTable

FALSE_DISCOVERY_RATE = 0.1
"""Expected share of changes that gain nothing among those that are made, by the procedure of Benjamini and Hochberg."""

ABOUT_AS_GOOD = 0.95
"""A more cautious option for a row of the table is preferred if it gains this share of what the best option gains:
matching whole words changes less than another priority, and that changes less than retiring the row."""

_MAX_NEARLY = 20
_PAIRED_ROWS, _PAIRED_TITLES, _PAIRED_WITH = 12, 3, 20
"""Rows of the table, those with most wrong titles, that are changed together with a new row; the titles that both must
match; and the new rows, those with most such titles, that are tried with each."""
_NOTHING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way to make a change."""

    action: Action
    match: str
    priority: float
    labels: Mapping[str, str]
    """Target to the class that the row sets."""
    row: Row | None
    """The row after the change; None where it is retired."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A row that may be changed, or a keyword that may become a row, with the options for it."""

    keyword: str
    number: int | None
    """Of the row in the table, from 0; None for a new row."""
    importance: float | None
    """Mean share of a network's importance that is on the keyword; None for rows of the table."""
    options: tuple[Option, ...]
    titles: IntArray
    """Titles that any option may change."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One change that was made, or nearly."""

    subject: Subject
    option: Option
    outcome: Outcome
    """On top of the changes before it; of a pair, that of both."""
    titles: tuple[BoolArray, BoolArray]
    """Which titles it fixes and which it breaks, (n_titles,) each."""
    pair: str = ""
    """Name of the pair that it is one of."""


@dataclass
class Placement:
    """A table on trial over judged titles."""

    labels: TitleLabels
    table: TrialTable
    tested: list[float]
    """The p-values of the changes that were made so far, which count among all that were tested."""
    placed: list[Placed] = field(default_factory=list)
    nearly: list[Placed] = field(default_factory=list)
    """The changes with the best evidence among those that were not made."""

    @classmethod
    def begin(cls, table: KeywordTable, labels: TitleLabels, tested: Sequence[float] = ()) -> "Placement":
        """Start from a table as it is; `tested` are p-values of what was changed in it before."""
        return cls(labels, TrialTable(table, labels.titles), list(tested))

    def run(self, subjects: Sequence[Subject], max_changes: int) -> list[Placed]:
        """Make changes one by one, the one with the largest gain first, until none is sure enough.

        Each change takes the option that gains most. It is sure enough if its p-value passes at
        `FALSE_DISCOVERY_RATE` among those of all changes, and if more of the titles that a person labelled, or that
        were derived from such, are fixed than broken, where any of them changes.

        Args:
            subjects: what may be changed; each at most once.
            max_changes: to make.
        """
        plans = {at: plan for at, subject in enumerate(subjects) if (plan := self._plan(subject)) is not None}
        done: set[int] = set()
        while len(self.placed) < max_changes:
            sure = self._sure([(at, outcome) for at, (_, outcome) in plans.items()], len(subjects) - len(done))
            if sure:
                best = max(sure, key=lambda at: (plans[at][1].points, -at))
                changed = [best]
                self._record(subjects[best], *plans[best])
            else:
                changed = self._place_pair(subjects, plans, len(subjects) - len(done))
                if not changed:
                    break
            done.update(changed)
            touched = np.zeros(len(self.labels), dtype=bool)
            touched[np.concatenate([subjects[at].titles for at in changed])] = True
            for at, subject in enumerate(subjects):
                if at in done:
                    plans.pop(at, None)
                elif touched[subject.titles].any():
                    plan = self._plan(subject)
                    plans.pop(at, None)
                    if plan is not None:
                        plans[at] = plan
        left = sorted(plans.items(), key=lambda item: (item[1][1].p_value, -item[1][1].points, item[0]))
        self.nearly = [self._described(subjects[at], option, outcome) for at, (option, outcome) in left[:_MAX_NEARLY]]
        return self.placed

    def _sure(self, outcomes: Sequence[tuple[int, Outcome]], n_tested: int) -> list[int]:
        """Return the changes that pass among all, those without a gain among them, which have a p-value of 1."""
        known = [outcome.p_value if outcome.convinces else 1.0 for _, outcome in outcomes]
        every = [*known, *self.tested, *[1.0] * (n_tested - len(known))]
        if not every:
            return []
        adjusted = false_discovery_control(every)[: len(known)]
        return [at for (at, _), value in zip(outcomes, adjusted, strict=True) if value <= FALSE_DISCOVERY_RATE]

    def _plan(self, subject: Subject) -> tuple[Option, Outcome] | None:
        """Return the option that gains most, of equal ones the most cautious, which comes first; None if none gains."""
        rows = [option.row for option in subject.options]
        points = self.table.gains(self._number(subject), rows, self.labels.shares)
        enough = points.max(initial=0.0) * (1.0 if subject.number is None else ABOUT_AS_GOOD) - _NOTHING
        if enough <= 0:
            return None
        option = subject.options[int(np.argmax(points >= enough))]
        return option, outcome_of(self._changes(subject, option), self.labels)

    def _record(self, subject: Subject, option: Option, outcome: Outcome, pair: str = "") -> None:
        self.placed.append(self._described(subject, option, outcome, pair))
        self.table.put(self._number(subject), option.row)
        self.tested.append(outcome.p_value)

    def _described(self, subject: Subject, option: Option, outcome: Outcome, pair: str = "") -> Placed:
        titles = fixed_and_broken(self._changes(subject, option), self.labels)
        return Placed(subject=subject, option=option, outcome=outcome, titles=titles, pair=pair)

    def _number(self, subject: Subject) -> int:
        return len(self.table.rows) if subject.number is None else subject.number

    def _changes(self, subject: Subject, option: Option) -> dict[str, ClassChanges]:
        return self.table.try_row(self._number(subject), option.row)

    def _place_pair(
        self, subjects: Sequence[Subject], plans: Mapping[int, tuple[Option, Outcome]], n_tested: int
    ) -> list[int]:
        """Make the change of a row and the new row that gain most together, if they do so only together."""
        wrong = self._wrong_titles()
        rows = [at for at, subject in enumerate(subjects) if subject.number is not None and subject.titles.size]
        rows = sorted(rows, key=lambda at: (-wrong[subjects[at].titles].sum(), at))[:_PAIRED_ROWS]
        tried: list[tuple[int, Outcome]] = []
        found: list[tuple[list[int], list[Option]]] = []
        for at in rows:
            subject = subjects[at]
            in_row = np.zeros(len(self.labels), dtype=bool)
            in_row[subject.titles] = True
            shared = {other: int(in_row[one.titles].sum()) for other, one in enumerate(subjects) if one.number is None}
            near = [other for other in shared if shared[other] >= _PAIRED_TITLES]
            near = sorted(near, key=lambda other: (-shared[other], other))[:_PAIRED_WITH]
            for option in _demoting(subject):
                before = self.table.rows[self._number(subject)]
                if before is None or not near:
                    continue
                first = self._changes(subject, option)
                self.table.put(self._number(subject), option.row)
                follow = [(other, plan) for other in near if (plan := self._plan(subjects[other])) is not None]
                if follow:
                    other, (second, _) = max(follow, key=lambda one: one[1][1].points)
                    both = _combined(first, self._changes(subjects[other], second))
                    outcome = outcome_of(both, self.labels)
                    alone = max((plans[one][1].points for one in (at, other) if one in plans), default=0.0)
                    if outcome.points > alone + _NOTHING:
                        tried.append((len(found), outcome))
                        found.append(([at, other], [option, second]))
                self.table.put(self._number(subject), before)
        sure = self._sure(tried, n_tested + len(tried))
        if not sure:
            return []
        best = max(sure, key=lambda place: (tried[place][1].points, -place))
        pair, options = found[best]
        name = " + ".join(subjects[at].keyword for at in pair)
        for at, option in zip(pair, options, strict=True):
            self._record(subjects[at], option, tried[best][1], name)
        self.tested.pop()  # the two changes were tested once
        return pair

    def _wrong_titles(self) -> IntArray:
        """Return for each title in how many targets the table differs from the labels, (n_titles,)."""
        classes = self.table.classes()
        return np.sum([classes[name] != self.labels.top_classes(name) for name in classes], axis=0)


def _demoting(subject: Subject) -> list[Option]:
    """Return the ways to let other rows decide in place of a row: in words alone, by the last priority, or without."""
    moved = [option for option in subject.options if option.action == "re-prioritise"]
    last = max(moved, key=lambda option: option.priority, default=None)
    return [option for option in subject.options if option.action in ("narrow", "retire") or option is last]


def _combined(first: Mapping[str, ClassChanges], second: Mapping[str, ClassChanges]) -> dict[str, ClassChanges]:
    """Return what two changes, made one after the other, change together."""
    whole = {}
    for name in {**first, **second}:
        before: dict[int, int] = {}
        after: dict[int, int] = {}
        for changes in (first.get(name), second.get(name)):
            if changes is not None:
                rows = zip(changes.titles.tolist(), changes.before.tolist(), changes.after.tolist(), strict=True)
                for title, old, new in rows:
                    before.setdefault(title, old)
                    after[title] = new
        titles = [title for title in sorted(before) if before[title] != after[title]]
        columns = [titles, [before[title] for title in titles], [after[title] for title in titles]]
        of = [np.array(column, dtype=np.int64) for column in columns]
        whole[name] = ClassChanges(titles=of[0], before=of[1], after=of[2])
    return whole


def new_rows(candidates: Mapping[str, pd.DataFrame], table: KeywordTable, labels: TitleLabels) -> list[Subject]:
    """Offer each candidate as a new row: for every choice of the targets that it is a candidate for, at every priority.

    Args:
        candidates: target to `keyword`, `match` and `class`, and `importance` where a network was explained.
        table: whose priorities are used.
        labels: of the judged titles, in the order of the trial.
    """
    by_phrase: dict[tuple[str, str], dict[str, dict[Hashable, Any]]] = {}
    for target, frame in candidates.items():
        for row in frame.to_dict("records"):
            by_phrase.setdefault((str(row["keyword"]), str(row["match"])), {})[target] = row
    keywords, matches = [keyword for keyword, _ in by_phrase], [match for _, match in by_phrase]
    subjects = []
    for (keyword, match), rows, titles in zip(
        by_phrase, by_phrase.values(), titles_matching(keywords, matches, labels.titles), strict=True
    ):
        classes = {target: str(row["class"]) for target, row in rows.items()}
        known = [float(row["importance"]) for row in rows.values() if row.get("importance") is not None]
        subjects.append(
            Subject(
                keyword=keyword,
                number=None,
                importance=float(np.mean(known)) if known else None,
                options=tuple(_options_to_add(keyword, match, classes, titles, table)),
                titles=titles,
            )
        )
    return subjects


def _options_to_add(
    keyword: str, match: str, labels: Mapping[str, str], titles: IntArray, table: KeywordTable
) -> Iterator[Option]:
    """Yield every choice of at least one of the labels, the fewest first, at every priority of the table."""
    for some in chain.from_iterable(combinations(labels.items(), n) for n in range(1, len(labels) + 1)):
        classes = {target: table.taxonomy[target].class_index[label] for target, label in some}
        for priority in _levels(table):
            row = Row(titles=titles, priority=priority, length=len(keyword), classes=classes)
            yield Option(action="add", match=match, priority=priority, labels=dict(some), row=row)


def _levels(table: KeywordTable) -> list[float]:
    """Return the priorities of a table; the one that outranks the fewest rows is the most cautious and comes first."""
    return sorted({float(priority) for priority in table.rows["priority"]}, reverse=True)


def changed_rows(table: KeywordTable, placement: Placement, given: KeywordTable) -> list[Subject]:
    """Offer each row of a table to be matched otherwise, re-prioritised or retired.

    A row is not matched as another row with its keyword is, which would set a target twice.

    Args:
        table: with which the placement began.
        placement: before any change.
        given: the table before groups of its rows were changed; its rows come first, and only they are offered.
    """
    has_words = [bool(words) for words in split_titles(given.rows["keyword"].tolist())]
    setters = {
        (row["keyword"].lower(), row["match"], target)
        for row in table.rows.to_dict("records")
        for target in table.taxonomy.names
        if row[target]
    }
    found: dict[str, list[IntArray]] = {}
    for match in ("substring", "prefix", "word"):
        tried = replace(given, rows=given.rows.assign(match=match)).hits(placement.labels.titles).tocsc()
        found[match] = np.split(np.int64(tried.indices), tried.indptr[1:-1])
    subjects = []
    now = table.rows.iloc[: len(given)][["keyword", "match", "priority"]].itertuples(index=False)
    for number, (keyword, match, priority) in enumerate(now):
        row = placement.table.rows[number]
        assert row is not None, "rows are offered before any is retired"
        labels = {target: table.rows[target].iloc[number] for target in row.classes}
        options = []
        if given.rows["match"].iloc[number] == "substring" and has_words[number]:
            for other in (name for name in found if name != match and (name != "substring" or match != "prefix")):
                # Words may match where the substring does not: "i.t." as words also matches "I T nurse".
                titles = np.sort(found[other][number])
                is_taken = any((keyword.lower(), other, target) in setters for target in labels)
                if len(titles) and not is_taken and not np.array_equal(titles, row.titles):
                    moved = replace(row, titles=titles)
                    options.append(Option(action="narrow", match=other, priority=priority, labels=labels, row=moved))
        for level in sorted(_levels(table), key=lambda level: abs(level - priority)):
            if level != priority:
                moved = replace(row, priority=level)
                options.append(Option(action="re-prioritise", match=match, priority=level, labels=labels, row=moved))
        options.append(Option(action="retire", match=match, priority=priority, labels=labels, row=None))
        titles = np.unique(np.concatenate([row.titles, *(option.row.titles for option in options if option.row)]))
        if len(row.titles) and match not in (GAP, MASK):
            subjects.append(
                Subject(keyword=keyword, number=number, importance=None, options=tuple(options), titles=titles)
            )
    return subjects


def not_refused(subject: Subject, refused: Collection[str]) -> Subject:
    """Leave out the options that were rejected before, by `suggestions.key_of`."""
    kept = tuple(
        option for option in subject.options if key_of(option.action, subject.keyword, option.labels) not in refused
    )
    return replace(subject, options=kept)
