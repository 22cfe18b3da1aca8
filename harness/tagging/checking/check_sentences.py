"""What a check says first: the leads, the table, whom they reach, what is doubtful, and what to do next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from data_cleaning.errors import counted
from data_cleaning.labelled_files import LABELLING_SHEET
from data_cleaning.titles import IntArray
from harness.keywords.judged_hits import wilson_bounds
from harness.tagging.business.summary import Summary
from harness.tagging.checking.answered import Answered, row_name
from harness.tagging.checking.keyword_problems import INSIDE_WORDS, NARROW_LOSES, NEVER, TIES, RowProblem
from harness.tagging.checking.lead_facts import LeadFacts
from harness.tagging.checking.new_words import NewWord
from harness.tagging.checking.suspicious import (
    DISAGREE,
    FOREIGN,
    INSIDE,
    MISPLACED,
    NO_ROW,
    NOT_A_TITLE,
    NOT_HELD,
    records_by_kind,
)
from harness.tagging.checking.titles_to_label import COMMON

SUSPICIOUS_SHEET, KEYWORDS_SHEET, WORDS_SHEET = "Suspicious titles", "Keywords", "New words"
LABELS_SHEET, FILE_SHEET = LABELLING_SHEET, "File"

_N_ACTIONS, _N_WORDS, _MIN_RECORDS = 3, 8, 30
_NOT_OF_REACH = ("have a title", "contradict", "a person to review", "was repaired")
"""What the summary of a tagged file says as well."""

_SAID = {
    NO_ROW: "matched by no row",
    INSIDE: "decided by a keyword inside a longer word",
    DISAGREE: "matched by rows that disagree",
    MISPLACED: "with labels that do not go with their place",
    NOT_HELD: "with a rank that the person does not hold",
    FOREIGN: "in another language",
    NOT_A_TITLE: "that are no job titles",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Check:
    """Everything that a check found out."""

    facts: LeadFacts
    answered: Answered
    of_record: IntArray
    """Position of each record's title in `answered.titles`, -1 for none, (n_records,)."""
    table: str
    """Which table answers, for a sentence."""
    notes: Sequence[str]
    """What a reader should know about table and taxonomy."""
    suspicious: pl.DataFrame
    """As `find_suspicious` returns it."""
    keywords: Sequence[RowProblem]
    words: Sequence[NewWord]
    to_label: pl.DataFrame
    """As `choose_titles` returns it."""
    summary: Summary | None
    """None without a hierarchy."""

    @cached_property
    def n_records(self) -> int:
        """Records of the file."""
        return len(self.of_record)

    @cached_property
    def n_titled(self) -> int:
        """Records with a title."""
        return int((self.of_record >= 0).sum())

    @cached_property
    def kinds(self) -> dict[str, int]:
        """Records of each kind of suspicious title."""
        return records_by_kind(self.suspicious, self.answered)

    def records_of(self, positions: np.ndarray) -> int:
        """Return the records of some titles."""
        return int(self.answered.counts[positions].sum())


def sentences(check: Check) -> list[str]:
    """Return what matters, the most important first."""
    return [*_of_leads(check), *check.notes, *_of_reach(check), *_of_doubts(check), *_of_table(check), *_of_rows(check)]


def _of_leads(check: Check) -> Iterator[str]:
    titled = f"{share(check.n_titled, check.n_records)} of them with a title ({check.n_titled:,})"
    distinct = counted(len(check.answered.texts), "distinct title")
    yield f"{check.facts.path.name} has {counted(check.n_records, 'record')}, {titled}; there are {distinct}."


def _of_table(check: Check) -> Iterator[str]:
    answered = check.answered
    known = int(answered.counts[answered.recognised].sum())
    said = f"{check.table} has a row that matches for {share(known, check.n_titled)} of the records with a title."
    decided = [
        f"the {name} of {share(int(answered.counts[ranked.winners >= 0].sum()), check.n_titled)}"
        for name, ranked in answered.hits.items()
    ]
    yield f"{said} A row decides {listed(decided)}; the rest get the fallback."


def _of_reach(check: Check) -> Iterator[str]:
    if check.summary is None:
        target = check.answered.table.taxonomy.targets[0]
        records = np.bincount(
            check.answered.labels[target.name], weights=check.answered.counts, minlength=target.n_classes
        )
        most = np.argsort(-records, kind="stable")[:4]
        parts = [f"{target.classes[at]} {share(int(records[at]), check.n_titled)}" for at in most if records[at]]
        yield f"By {target.name}: {', '.join(parts)} of the records with a title."
        return
    reach = [one for one in check.summary.sentences if not any(words in one for words in _NOT_OF_REACH)]
    if not any(one.startswith("Of ") for one in reach):
        yield "No record is placed in a group of the hierarchy, such as the ideal customers."
    yield from reach
    yield from _of_events(check, check.summary)


def _of_events(check: Check, summary: Summary) -> Iterator[str]:
    """Name the value with the largest and the smallest share of the first group, among those with enough records."""
    hierarchy = check.answered.hierarchy
    group = next(iter(hierarchy.groups), None) if hierarchy is not None else None
    for name, frame in summary.by.items():
        column = f"{group}, share of row"
        if group is None or column not in frame.columns:
            continue
        values = frame.filter((pl.col("records") >= _MIN_RECORDS) & ~pl.col(frame.columns[0]).str.starts_with("("))
        if len(values) < 2:
            continue
        ranked = values.sort(column, descending=True)
        (best, n_best, of_best), (last, n_last, of_last) = (
            ranked.select(frame.columns[0], "records", column).row(at) for at in (0, -1)
        )
        low, _ = wilson_bounds(of_best, n_best)
        _, high = wilson_bounds(of_last, n_last)
        if low <= high:
            yield f"By {name}, the shares of {group} are alike: from {of_last:.1%} to {of_best:.1%}."
            continue
        yield (
            f"By {name}, the share of {group} is highest for {best!r} ({of_best:.1%} of {counted(n_best, 'record')}) "
            f"and lowest for {last!r} ({of_last:.1%} of {counted(n_last, 'record')})."
        )


def _of_doubts(check: Check) -> Iterator[str]:
    kinds = sorted(check.kinds.items(), key=lambda one: -one[1])
    if not kinds:
        yield "No title looks suspicious."
        return
    parts = [f"{records:,} {_SAID[kind]}" for kind, records in kinds]
    total = sum(check.kinds.values())
    yield f"The answer is doubtful for {counted(total, 'record')} ({share(total, check.n_titled)}): {', '.join(parts)}."


def _of_rows(check: Check) -> Iterator[str]:
    idle = sum(one.kind == NEVER for one in check.keywords)
    others = len({one.line for one in check.keywords if one.kind != NEVER})
    said = f"Of the {counted(len(check.answered.table), 'row')} of the table, {others:,} should be looked at"
    yield f"{said}, and {idle:,} match none of these titles." if idle else f"{said}."


def actions(check: Check) -> list[str]:
    """Return what to do next, what concerns most records first."""
    found = sorted(_actions(check), key=lambda one: -one[0])
    return [said for records, said in found if records][:_N_ACTIONS]


def _actions(check: Check) -> Iterator[tuple[int, str]]:
    """Yield what could be done, and the records that it concerns."""
    yield from _label(check)
    yield from _add_words(check)
    yield from _narrow(check)
    ties = [one for one in check.keywords if one.kind in (TIES, NARROW_LOSES)]
    if ties:
        positions = check.suspicious.filter(pl.col("kind") == DISAGREE)["position"].to_numpy()
        records = check.records_of(positions)
        yield (
            records,
            (
                f"Decide which rows should win where they disagree, first {ties[0].keyword!r} (line {ties[0].line}): "
                f"{counted(records, 'record')}. See {KEYWORDS_SHEET}."
            ),
        )
    foreign = check.kinds.get(FOREIGN, 0)
    yield (
        foreign,
        (f"Translate {counted(foreign, 'record')} in other languages, or add their words. See {SUSPICIOUS_SHEET}."),
    )
    empty = check.n_records - check.n_titled
    yield empty, f"Ask for the title of {counted(empty, 'record')} without one. See {FILE_SHEET}."
    yield (
        check.facts.n_rejected,
        (f"Correct {counted(check.facts.n_rejected, 'row')} that could not be read. See {FILE_SHEET}."),
    )


def _label(check: Check) -> Iterator[tuple[int, str]]:
    doubtful = check.to_label.filter(pl.col("why") != COMMON)["position"].to_numpy()
    records = check.records_of(doubtful)
    yield (
        records,
        (
            f"Label the {counted(len(check.to_label), 'title')} of {LABELS_SHEET}: {len(doubtful):,} are doubtful and "
            f"stand for {counted(records, 'record')}."
        ),
    )


def _add_words(check: Check) -> Iterator[tuple[int, str]]:
    words = [one for one in check.words if one.unmatched][:_N_WORDS]
    if not words:
        return
    answered = check.answered
    spelled = pl.Series(answered.texts).str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ")
    padded = " " + spelled + " "
    held = np.zeros(len(padded), dtype=bool)
    for one in words:
        held |= padded.str.contains(f" {one.text} ", literal=True).to_numpy()
    records = int(answered.counts[held & ~answered.recognised].sum())
    yield (
        records,
        (
            f"Decide on keywords for {listed([repr(one.text) for one in words])}: no row matches "
            f"{counted(records, 'record')} that hold one of them. See {WORDS_SHEET}."
        ),
    )


def _narrow(check: Check) -> Iterator[tuple[int, str]]:
    rows = [one for one in check.keywords if one.kind == INSIDE_WORDS]
    if not rows:
        return
    positions = check.suspicious.filter(pl.col("kind") == INSIDE)["position"].to_numpy()
    records = check.records_of(positions)
    named = [row_name(check.answered.table, one.row) for one in rows[:2] if one.row is not None]
    more = f" and of {counted(len(rows) - len(named), 'other row')}" if len(rows) > len(named) else ""
    yield (
        records,
        (
            f"Set the match of {listed(named)}{more} to word: {counted(records, 'record')} are decided by letters "
            f"inside a longer word. See {KEYWORDS_SHEET}."
        ),
    )


def share(part: int, whole: int) -> str:
    """Word a share; one that is not nothing does not read as nothing, and only all is all."""
    percent = 100 * part / max(whole, 1)
    if 0 < percent < 0.05:
        return "under 0.1%"
    return "over 99.9%" if 99.95 <= percent < 100 else f"{percent:.1f}%"


def listed(items: Sequence[str]) -> str:
    """Join items for a sentence: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
