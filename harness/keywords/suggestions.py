"""One proposed change of a keyword table, with its evidence, and the table with some changes made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput

Action = Literal["add", "re-prioritise", "narrow", "retire"]

ACTIONS: tuple[Action, ...] = ("add", "re-prioritise", "narrow", "retire")
"""A new row; another priority for a row; a substring row that reads whole words from now on; a row that goes."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for one change and against it, on top of the changes before it."""

    support_titles: int
    """Distinct titles of train that the row matches, after the change or, where it goes, before."""
    support_records: int
    """Records of these titles."""
    judged_titles: int
    """Titles of validation that the row decides after the change; where it goes, those whose verdict changes."""
    precision: float | None
    """Of these, the share for which it, or what decides in its place, is right; None where there are none."""
    precision_low: float | None
    """Lower bound of its 95% Wilson interval."""
    precision_high: float | None
    """Upper bound of it."""
    judge: str
    """Whose verdict counts as right."""
    lift: float
    """What the accuracy on validation gains, in [-1, 1]: targets weigh their importance, titles the root of their
    records."""
    lift_low: float
    """Lower bound of its one-sided 95% interval, titles resampled."""
    fixed: int
    """Titles of validation in which more targets are right after the change."""
    broken: int
    """Titles of validation in which fewer are."""
    examples: tuple[str, ...]
    """At most three of the titles fixed, the most frequent first."""
    counter_examples: tuple[str, ...]
    """At most three of those broken."""
    importance: float | None
    """Mean share of the network's importance that falls on the keyword, in [0, 1]; None where no network was asked."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """One change of a table in the columns of its file, and why."""

    action: Action
    keyword: str
    priority: float
    """Of the row from now on; the one that it has where it is retired."""
    match: str
    """How the keyword is sought from now on."""
    labels: Mapping[str, str]
    """Target to the raw label that the row sets, "" where it sets none."""
    line: int | None = None
    """Line of the row in the table's file; None for a new row."""
    old_priority: float | None = None
    old_match: str | None = None
    evidence: Evidence
    rationale: str
    """One plain sentence."""

    @property
    def key(self) -> str:
        """What the change is remembered by once it was rejected; see `key_of`."""
        return key_of(self.action, self.keyword, self.labels)


def key_of(action: Action, keyword: str, labels: Mapping[str, str]) -> str:
    """Return what a change is remembered by once it was rejected.

    A keyword that was rejected as a new row is not offered with other labels or at another priority either. A row of
    the table is known by its keyword and labels, as lines move from one revision to the next.
    """
    known_by = [] if action == "add" else [f"{target}={label}" for target, label in sorted(labels.items()) if label]
    return "|".join([action, keyword.casefold(), *known_by])


def amend(table: KeywordTable, changes: Sequence[Suggestion]) -> KeywordTable:
    """Return a table with changes made; new rows come last, and the others keep their order.

    Raises:
        BadInput: a row that is to be changed is not in the table, or the table would be faulty: two rows would set the
            same target for one keyword.
    """
    rows = table.rows.set_index("line", drop=False)
    for change in changes:
        if change.action == "add":
            continue
        line = change.line
        if line is None or line not in rows.index or rows.loc[line, "keyword"] != change.keyword:
            raise BadInput(
                f"The suggestion to {change.action} {change.keyword!r} is for line {line} of another table. "
                "Apply suggestions to the table that they were made for."
            )
        if change.action == "retire":
            rows = rows.drop(index=line)
        elif change.action == "narrow":
            rows.loc[line, "match"] = change.match
        else:
            rows.loc[line, "priority"] = change.priority
    added = [
        {"keyword": change.keyword, "priority": change.priority, "match": change.match, **change.labels}
        for change in changes
        if change.action == "add"
    ]
    whole = pd.concat([rows.drop(columns="line"), pd.DataFrame(added, dtype=object)], ignore_index=True)
    return KeywordTable.from_frame(whole, table.taxonomy, "the amended table")
