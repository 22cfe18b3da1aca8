"""Titles whose answer is doubtful, and why: no row, a match inside a word, rows that disagree, and so on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from baselines.matching import normal_form
from data_cleaning.language import judge_languages
from data_cleaning.progress import Progress, silent
from harness.tagging.checking.answered import Answered, classes_of, row_name

NOT_A_TITLE, FOREIGN, NO_ROW = "not a title", "in another language", "no row matches"
NOT_HELD, INSIDE, DISAGREE = "a rank that is not held", "matched only inside a word", "rows disagree"
MISPLACED = "labels and place disagree"
REASONS = (NOT_A_TITLE, FOREIGN, NO_ROW, NOT_HELD, INSIDE, MISPLACED, DISAGREE)
"""The first that holds names the kind of a title; all that hold are said."""

_TODO = {
    NOT_A_TITLE: "Leave it out of mailings, or ask the person again; do not write a keyword for it.",
    FOREIGN: "Translate it, or add its words as keywords.",
    NO_ROW: "Add a keyword if such people matter; see the sheet of new words.",
    NOT_HELD: "Add a row with these words and a better priority than the rank has, or label it by hand.",
    INSIDE: "Set the match of the row to word; see the sheet of keywords.",
    MISPLACED: "Add a row with these words, the labels of that place and a better priority.",
    DISAGREE: "Decide which row should win, and give it the lower priority number.",
}

_FORMER = (
    r"^(?:former|formerly|ex|previous|previously|past|retired|aspiring|future|unemployed|seeking|open to work) |"
    r" (?:former|formerly|retired|aspiring) "
)
_SERVES = r"(?:^| )(?:assistants?|secretary|aide|ea|pa|advisor|adviser) (?:to|of|for) |(?:^| )offices? of (?:the )?"


@dataclass(frozen=True)
class _Doubt:
    """One reason to doubt the answers for some titles."""

    reason: str
    titles: np.ndarray
    """Positions, (n_doubtful,)."""
    why: pl.Series
    """A phrase per title."""


def find_suspicious(answered: Answered, on_progress: Progress = silent) -> pl.DataFrame:
    """Find the titles whose answer is doubtful.

    Returns:
        `position` of a title in `answered.titles`, `kind` (one of `REASONS`), `why` in words, and `todo`; titles of
        most records first.
    """
    doubts = [
        _not_titles(answered),
        _foreign(answered, on_progress),
        _unmatched(answered),
        *_not_held(answered),
        *_inside(answered),
        *_misplaced(answered),
        *_disagreeing(answered),
    ]
    rank = {reason: at for at, reason in enumerate(REASONS)}
    frames = [
        pl.DataFrame({"position": one.titles.astype(np.int64), "why": one.why.cast(pl.String)}).with_columns(
            pl.lit(rank[one.reason]).alias("rank")
        )
        for one in doubts
    ]
    found = pl.concat(frames).sort("position", "rank", maintain_order=True).unique(maintain_order=True)
    # Of a text that is no English title, nothing else needs to be said.
    first = pl.col("rank").min().over("position")
    found = found.filter((first > rank[FOREIGN]) | (pl.col("rank") == first))
    grouped = found.group_by("position", maintain_order=True).agg(
        pl.col("rank").first(), pl.col("why").str.join("; ").alias("why")
    )
    kinds = pl.col("rank").replace_strict(dict(enumerate(REASONS)), return_dtype=pl.String).alias("kind")
    todo = pl.col("kind").replace_strict(_TODO, return_dtype=pl.String).alias("todo")
    return grouped.select("position", kinds, "why").with_columns(todo)


def records_by_kind(suspicious: pl.DataFrame, answered: Answered) -> dict[str, int]:
    """Return the records of each kind of doubtful title, in the order of `REASONS`."""
    counts = pl.Series("records", answered.counts[suspicious["position"].to_numpy()])
    summed = suspicious.with_columns(counts).group_by("kind").agg(pl.col("records").sum())
    records = dict(summed.iter_rows())
    return {reason: records[reason] for reason in REASONS if reason in records}


def _not_titles(answered: Answered) -> _Doubt:
    at = np.flatnonzero(answered.no_title)
    return _Doubt(NOT_A_TITLE, at, _same("it does not look like a job title", len(at)))


def _foreign(answered: Answered, on_progress: Progress) -> _Doubt:
    titles = answered.titles.select("title", "count")
    known = (*answered.table.rows["keyword"], *answered.table.taxonomy.raw_labels)
    judged = judge_languages(titles, progress=on_progress, known=known)
    at = np.flatnonzero(judged["reason"].is_not_null())
    return _Doubt(FOREIGN, at, judged["reason"].gather(at))


def _unmatched(answered: Answered) -> _Doubt:
    at = np.flatnonzero(~answered.recognised)
    return _Doubt(NO_ROW, at, _same("no row matches", len(at)))


def _not_held(answered: Answered) -> Iterator[_Doubt]:
    """Find titles in which a rank that somebody had, wants or serves decides as if it were held."""
    table = answered.table
    ordinal = [target.name for target in table.taxonomy.targets if target.ordinal]
    spelled = normal_form(answered.texts)
    for pattern, targets in ((_FORMER, ordinal or table.taxonomy.names), (_SERVES, table.taxonomy.names)):
        found = np.flatnonzero(_found(spelled, pattern))
        if not len(found):
            continue
        after = [re.split(pattern, text, maxsplit=1)[-1] for text in _unpadded(spelled.gather(found))]
        winners = table.winners(after)
        held = np.zeros(len(found), dtype=bool)
        for target in targets:
            own = answered.hits[target].winners[found]
            fallback = table.class_positions[target][-1]
            credited = table.class_positions[target][own] != fallback
            held |= (own >= 0) & (own == winners[target]) & credited
        words = [_matched(pattern, text) for text in _unpadded(spelled.gather(found))]
        why = pl.Series([f"'{word}' stands before the words that decide" for word in words], dtype=pl.String)
        yield _Doubt(NOT_HELD, found[held], why.filter(pl.Series(held)))


def _unpadded(spelled: pl.Series) -> list[str]:
    return [text.lstrip() for text in spelled]


def _found(spelled: pl.Series, pattern: str) -> pl.Series:
    return spelled.str.strip_chars_start().str.contains(pattern)


def _matched(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group().strip() if found else ""


def _inside(answered: Answered) -> Iterator[_Doubt]:
    """Find titles whose answer would be another one if no keyword counted inside a longer word by accident."""
    table = answered.table
    narrowed = classes_of(table, answered.narrowed)
    others = answered.named(narrowed)
    hosts = {(title, row): host for title, row, host in answered.accidents.select("title", "row", "host").iter_rows()}
    named = [row_name(table, row) for row in range(len(table))]
    for target, ranked in answered.hits.items():
        at = np.flatnonzero(narrowed[target] != answered.labels[target])
        pairs = [(int(title), int(ranked.winners[title])) for title in at]
        why = [
            f"{named[row]} is only inside {hosts.get((title, row), 'a longer word')!r}; without it {others[title]}"
            for title, row in pairs
        ]
        yield _Doubt(INSIDE, at, pl.Series(why, dtype=pl.String))


def _misplaced(answered: Answered) -> Iterator[_Doubt]:
    """Find titles of which the hierarchy says that the labels contradict each other, or do not go with the place."""
    hierarchy, placed = answered.hierarchy, answered.placements
    if hierarchy is None or placed is None:
        return
    labels = np.column_stack([answered.labels[name] for name in answered.table.taxonomy.names])
    at = np.flatnonzero(placed.contradiction >= 0)
    why = [f"labels contradict: {hierarchy.contradictions[code].why}" for code in placed.contradiction[at]]
    yield _Doubt(MISPLACED, at, pl.Series(why, dtype=pl.String))
    codes, said = hierarchy.disagreements(labels, placed.node, placed.band)
    at = np.flatnonzero((codes >= 0) & (placed.contradiction < 0) & answered.recognised)
    yield _Doubt(MISPLACED, at, pl.Series([f"labels do not go with the place: {said[code]}" for code in codes[at]]))


def _disagreeing(answered: Answered) -> Iterator[_Doubt]:
    table = answered.table
    named = [row_name(table, row) for row in range(len(table))]
    # Of each title and target, the pair in which the loser comes closest is enough.
    pairs = disagreements(answered).unique(["target", "title"], keep="first", maintain_order=True)
    merged = pairs.group_by("title", "winner", "loser", "near", maintain_order=True).agg("target")
    why = [
        f"{named[winner]} says {labels_set(answered, winner, targets)}, "
        f"{named[loser]} of the {near} priority says {labels_set(answered, loser, targets)}"
        for winner, loser, near, targets in merged.select("winner", "loser", "near", "target").iter_rows()
    ]
    yield _Doubt(DISAGREE, merged["title"].to_numpy(), pl.Series(why, dtype=pl.String))


def labels_set(answered: Answered, row: int, targets: Sequence[str]) -> str:
    """Name the classes that a row sets, "function IT and role Networking"."""
    table = answered.table
    named = [f"{name} {table.taxonomy[name].classes[table.class_positions[name][row]]}" for name in targets]
    return " and ".join(named)


SAME, NEXT = "same", "next"


def disagreements(answered: Answered) -> pl.DataFrame:
    """Find titles on which two rows of the same or the next priority set different classes.

    A keyword that holds the other one is more specific, and outranks it on purpose; accidents do not count. For an
    ordinal target only the same priority counts, as tables give each rank the priority after the one above it.

    Returns:
        `target`, `title`, `winner` and `loser` (positions), and `near`, `SAME` or `NEXT`.
    """
    table = answered.table
    priority = table.rows["priority"].to_numpy()
    steps = np.unique(priority)
    step = np.searchsorted(steps, priority)
    keywords = [str(keyword).lower() for keyword in table.rows["keyword"]]
    frames = []
    for target, ranked in answered.narrowed.items():
        classes = table.class_positions[target]
        winners = ranked.winners[ranked.titles]
        gap = step[ranked.rows] - step[winners]
        most = 0 if table.taxonomy[target].ordinal else 1
        chosen = (classes[winners] != classes[ranked.rows]) & (gap <= most)
        # Where an accident wins, the title is doubtful for that reason.
        chosen &= answered.hits[target].winners[ranked.titles] == winners
        frame = pl.DataFrame(
            {
                "title": ranked.titles[chosen],
                "winner": winners[chosen],
                "loser": ranked.rows[chosen],
                "near": np.where(gap[chosen] == 0, SAME, NEXT).tolist(),
            },
            schema={"title": pl.Int64, "winner": pl.Int64, "loser": pl.Int64, "near": pl.String},
        )
        apart = [
            keywords[winner] not in keywords[loser] and keywords[loser] not in keywords[winner]
            for winner, loser in frame.select("winner", "loser").iter_rows()
        ]
        frames.append(frame.filter(pl.Series(apart, dtype=pl.Boolean)).select(pl.lit(target).alias("target"), pl.all()))
    return pl.concat(frames)


def _same(why: str, n_titles: int) -> pl.Series:
    return pl.Series([why] * n_titles, dtype=pl.String)
