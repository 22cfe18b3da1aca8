"""Changes of a keyword table, placed where they gain most on train and made while validation confirms the gain."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import IntArray
from harness.keywords.suggestions import Action, key_of
from harness.mining.phrases import split_titles, titles_matching
from harness.mining.title_labels import TitleLabels
from harness.mining.trial_table import ClassChanges, Row, TrialTable

LOWER_BOUND_AT = float(norm.ppf(0.95))
"""Standard deviations below a gain where its one-sided 95% interval begins."""

ABOUT_AS_GOOD = 0.95
"""A more cautious option for a row of the table is preferred if it gains this share of what the best option gains:
matching whole words changes less than another priority, and that changes less than retiring the row."""

_NOTHING = 1e-9
_TRAIN, _VALID = 0, 1


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way to make a change."""

    action: Action
    match: str
    priority: float
    labels: Mapping[str, str]
    """Target to the class that the row sets."""
    rows: tuple[Row | None, Row | None]
    """The row after the change, over the titles of train and of validation; None where it is retired."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A row that may be changed, or a keyword that may become a row, with the options for it."""

    keyword: str
    number: int | None
    """Of the row in the table, from 0; None for a new row."""
    importance: float | None
    """Mean share of a network's importance that is on the keyword; None for rows of the table."""
    options: tuple[Option, ...]
    titles: tuple[IntArray, IntArray]
    """Titles of train and of validation that any option may change."""


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What a change is worth, with titles weighted by the root of their records."""

    total: float
    """Weight of the titles that it fixes less that of those it breaks, targets weighted by their importance."""
    low: float
    """Lower bound of its one-sided 95% interval."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One change that was made."""

    subject: Subject
    option: Option
    number: int
    """Of the row in the table, new rows after the last."""
    gain: Gain
    """On validation, on top of the changes before it."""
    class_changes: Mapping[str, ClassChanges]
    """What it changed on validation, by target."""
    decided: Mapping[str, IntArray]
    """Target to the titles of validation that the row decides from then on."""


@dataclass
class Placement:
    """A table on trial over the titles of train and of validation, with the soft labels of both."""

    train: TitleLabels
    valid: TitleLabels
    tables: tuple[TrialTable, TrialTable]
    placed: list[Placed] = field(default_factory=list)

    @classmethod
    def begin(cls, table: KeywordTable, train: TitleLabels, valid: TitleLabels) -> "Placement":
        """Start from a table as it is."""
        return cls(train, valid, (TrialTable(table, train.titles), TrialTable(table, valid.titles)))

    def run(self, subjects: Sequence[Subject], max_changes: int) -> list[Placed]:
        """Make changes one by one, the one with the largest gain first, until none is certain to gain.

        The option of a change is the best one on train. Its gain is measured on validation and needs a lower bound
        above 0, for which three fixed titles and none broken are just enough; and reviewed titles must not lose by it.

        Args:
            subjects: what may be changed; each at most once.
            max_changes: to make.
        """
        waiting = {at: plan for at, subject in enumerate(subjects) if (plan := self._plan(subject)) is not None}
        while len(self.placed) < max_changes:
            sure = {at: gain for at, (_, gain) in waiting.items() if gain.low > 0}
            if not sure:
                break
            best = max(sure, key=lambda at: (sure[at].total, -at))
            # Earlier changes may have changed the best option of this one; it then has to compete again.
            before, after = waiting.pop(best), self._plan(subjects[best])
            if after is None:
                continue
            if after != before:
                waiting[best] = after
                continue
            option, gain = after
            if self._reviewed_titles_lose(subjects[best], option):
                continue
            touched = self._make(subjects[best], option, gain)
            for at, (planned, _) in list(waiting.items()):
                if np.isin(subjects[at].titles[_VALID], touched, assume_unique=True).any():
                    waiting[at] = planned, self._gain(_VALID, subjects[at], planned)
        return self.placed

    def _plan(self, subject: Subject) -> tuple[Option, Gain] | None:
        """Return the best option of a change with its gain on validation; None if no option gains on train."""
        option = self._best_option(subject)
        return None if option is None else (option, self._gain(_VALID, subject, option))

    def _make(self, subject: Subject, option: Option, gain: Gain) -> IntArray:
        """Make a change in both tables; return the titles of validation that it may change."""
        table, row = self.tables[_VALID], option.rows[_VALID]
        number = len(table.rows) if subject.number is None else subject.number
        decided = {} if row is None else {name: table.decided(number, row, name) for name in row.classes}
        changes = table.try_row(number, row)
        self.placed.append(
            Placed(subject=subject, option=option, number=number, gain=gain, class_changes=changes, decided=decided)
        )
        self.tables[_TRAIN].put(number, option.rows[_TRAIN])
        return table.put(number, row)

    def _best_option(self, subject: Subject) -> Option | None:
        """Return the option that gains most on train; of equal ones the most cautious, which comes first."""
        gains = [self._gain(_TRAIN, subject, option).total for option in subject.options]
        enough = max(gains, default=0.0) * (1.0 if subject.number is None else ABOUT_AS_GOOD) - _NOTHING
        if enough <= 0:
            return None
        return next(option for option, gain in zip(subject.options, gains, strict=True) if gain >= enough)

    def _class_changes(self, part: int, subject: Subject, option: Option) -> dict[str, ClassChanges]:
        table = self.tables[part]
        return table.try_row(len(table.rows) if subject.number is None else subject.number, option.rows[part])

    def _gain(self, part: int, subject: Subject, option: Option) -> Gain:
        return gain_of(self._class_changes(part, subject, option), (self.train, self.valid)[part])

    def _reviewed_titles_lose(self, subject: Subject, option: Option) -> bool:
        """Say whether reviewed titles of train and validation lose by a change on the whole."""
        points = (
            title_points(self._class_changes(part, subject, option), labels)[labels.reviewed].sum()
            for part, labels in enumerate((self.train, self.valid))
        )
        return sum(points) < 0


def title_points(changes: Mapping[str, ClassChanges], labels: TitleLabels) -> npt.NDArray[np.float64]:
    """Return the gain of each title: soft label of its class after the changes less that before, (n_titles,).

    Targets are weighted by their importance, scaled to a sum of 1.
    """
    importance = sum(target.importance for target in labels.taxonomy.targets)
    points = np.zeros(len(labels))
    for name, changed in changes.items():
        shares = labels.shares[name]
        difference = shares[changed.titles, changed.after] - shares[changed.titles, changed.before]
        points[changed.titles] += difference * labels.taxonomy[name].importance / importance
    return points


def gain_of(changes: Mapping[str, ClassChanges], labels: TitleLabels) -> Gain:
    """Measure what some changes are worth.

    The lower bound assumes that each title is drawn a Poisson number of times, as `significance.clustered_intervals`
    does, and that their weighted sum is normal.
    """
    weighted = title_points(changes, labels) * labels.weights
    total = float(weighted.sum())
    return Gain(total=total, low=total - LOWER_BOUND_AT * float(np.sqrt((weighted**2).sum())))


def new_rows(
    candidates: Mapping[str, pd.DataFrame], table: KeywordTable, train: TitleLabels, valid: TitleLabels
) -> list[Subject]:
    """Offer each candidate as a new row: for every choice of the targets that it is a candidate for, at every priority.

    Args:
        candidates: target to `keyword`, `match` and `class`, and `importance` where a network was explained.
        table: whose priorities are used.
        train: titles of train, in the order of the trial.
        valid: titles of validation, in the order of the trial.
    """
    by_phrase: dict[tuple[str, str], dict[str, dict[Hashable, Any]]] = {}
    for target, frame in candidates.items():
        for row in frame.to_dict("records"):
            by_phrase.setdefault((str(row["keyword"]), str(row["match"])), {})[target] = row
    keywords, matches = [keyword for keyword, _ in by_phrase], [match for _, match in by_phrase]
    matching = [titles_matching(keywords, matches, part.titles) for part in (train, valid)]
    subjects = []
    for (keyword, match), rows, *titles in zip(by_phrase, by_phrase.values(), *matching, strict=True):
        labels = {target: str(row["class"]) for target, row in rows.items()}
        known = [float(row["importance"]) for row in rows.values() if "importance" in row]
        of_parts = titles[_TRAIN], titles[_VALID]
        subjects.append(
            Subject(
                keyword=keyword,
                number=None,
                importance=float(np.mean(known)) if known else None,
                options=tuple(_options_to_add(keyword, match, labels, of_parts, table)),
                titles=of_parts,
            )
        )
    return subjects


def _options_to_add(
    keyword: str, match: str, labels: Mapping[str, str], titles: tuple[IntArray, IntArray], table: KeywordTable
) -> Iterator[Option]:
    """Yield every choice of at least one of the labels, the fewest first, at every priority of the table."""
    # The priority that outranks the fewest rows comes first, as it is the most cautious.
    levels = sorted({float(priority) for priority in table.rows["priority"]}, reverse=True)
    for some in chain.from_iterable(combinations(labels.items(), n) for n in range(1, len(labels) + 1)):
        classes = {target: table.taxonomy[target].class_index[label] for target, label in some}
        for priority in levels:
            rows = [Row(titles=part, priority=priority, length=len(keyword), classes=classes) for part in titles]
            yield _option("add", match, priority, dict(some), rows)


def changed_rows(table: KeywordTable, placement: Placement, repriced: Mapping[int, Sequence[float]]) -> list[Subject]:
    """Offer each row of a table to be narrowed, re-prioritised or retired.

    A row is not narrowed to the keyword and match of another row, which would set a target twice.

    Args:
        table: with which the placement began.
        placement: before any change.
        repriced: number of a row to priorities that it may have instead.
    """
    has_words = [bool(words) for words in split_titles(table.rows["keyword"].tolist())]
    parts = (placement.train, placement.valid)
    setters = {
        (row["keyword"].lower(), row["match"], target)
        for row in table.rows.to_dict("records")
        for target in table.taxonomy.names
        if row[target]
    }
    narrower: dict[str, list[list[IntArray]]] = {}
    for match in ("prefix", "word"):
        in_words = replace(table, rows=table.rows.assign(match=match))
        hits = [in_words.hits(part.titles).tocsc() for part in parts]
        narrower[match] = [np.split(np.int64(one.indices), one.indptr[1:-1]) for one in hits]
    subjects = []
    for number, (keyword, match, priority) in enumerate(
        table.rows[["keyword", "match", "priority"]].itertuples(index=False)
    ):
        now = [row for trial in placement.tables if (row := trial.rows[number]) is not None]
        assert len(now) == len(parts), "rows are offered before any is retired"
        labels = {target: table.rows[target].iloc[number] for target in now[0].classes}
        options = []
        if match == "substring" and has_words[number]:
            for narrow in ("prefix", "word"):
                # Words may match where the substring does not: "i.t." as words also matches "I T nurse".
                rows = [replace(row, titles=np.sort(narrower[narrow][part][number])) for part, row in enumerate(now)]
                loses = any(len(np.setdiff1d(a.titles, b.titles)) for a, b in zip(now, rows, strict=True))
                is_taken = any((keyword.lower(), narrow, target) in setters for target in labels)
                if len(rows[0].titles) and loses and not is_taken:
                    options.append(_option("narrow", narrow, priority, labels, rows))
        for other in repriced.get(number, ()):
            moved = [replace(row, priority=other) for row in now]
            options.append(_option("re-prioritise", match, other, labels, moved))
        options.append(Option(action="retire", match=match, priority=priority, labels=labels, rows=(None, None)))
        if any(len(row.titles) for row in now):
            titles = _touched_titles(now, options)
            found = Subject(keyword=keyword, number=number, importance=None, options=tuple(options), titles=titles)
            subjects.append(found)
    return subjects


def _touched_titles(now: Sequence[Row], options: Sequence[Option]) -> tuple[IntArray, IntArray]:
    """Return the titles of train and of validation that a row matches, as it is or after any option."""
    rows = [now, *(option.rows for option in options)]
    train, valid = (np.unique(np.concatenate([row.titles for row in part if row])) for part in zip(*rows, strict=True))
    return train, valid


def not_refused(subject: Subject, refused: Collection[str]) -> Subject:
    """Leave out the options that were rejected before, by `suggestions.key_of`."""
    kept = tuple(
        option for option in subject.options if key_of(option.action, subject.keyword, option.labels) not in refused
    )
    return replace(subject, options=kept)


def _option(action: Action, match: str, priority: float, labels: Mapping[str, str], rows: Sequence[Row]) -> Option:
    return Option(action=action, match=match, priority=priority, labels=labels, rows=(rows[_TRAIN], rows[_VALID]))
