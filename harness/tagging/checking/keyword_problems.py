"""Rows of a keyword table to narrow, to re-prioritise or to drop, with what they do to these leads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from baselines.table_file import Duplicate
from data_cleaning.errors import counted
from harness.keywords.audit import audit_table
from harness.keywords.audit_tables import NEVER_FIRED, SHADOWED, UNREACHABLE, name_duplicates, titles_decided
from harness.tagging.checking.answered import Answered, classes_of, row_name
from harness.tagging.checking.suspicious import SAME, disagreements, labels_set

INSIDE_WORDS, TIES, NARROW_LOSES = "decides inside longer words", "ties with another row", "a broader row outranks it"
DOUBTFUL = "probably not what was meant"
REPEATS, CANNOT, OUTRANKED, NEVER = "repeats an earlier row", "can never decide", "outranked each time", "never matches"

_MOST_HOSTS = 3


@dataclass(frozen=True, kw_only=True)
class RowProblem:
    """What is wrong with one row, or with two that meet."""

    row: int | None
    """Position in the table; None for a row that was left out as a repetition."""
    line: int
    keyword: str
    kind: str
    """One of the phrases above, such as `TIES`."""
    records: int
    """Records whose answer depends on it."""
    why: str
    examples: str
    todo: str


def find_keyword_problems(answered: Answered) -> list[RowProblem]:
    """Find what to change in a table; what concerns most records comes first, and rows that decide nothing last."""
    found = [*_inside_words(answered), *_meeting(answered)]
    found.sort(key=lambda one: -one.records)
    return [*found, *_doubtful(answered), *_repeated(answered.table.duplicates), *_idle(answered)]


def _problem(answered: Answered, row: int, kind: str, titles: np.ndarray, why: str, todo: str) -> RowProblem:
    rows = answered.table.rows
    return RowProblem(
        row=row,
        line=int(rows["line"].iloc[row]),
        keyword=str(rows["keyword"].iloc[row]),
        kind=kind,
        records=int(answered.counts[titles].sum()),
        why=why,
        examples=answered.examples(titles),
        todo=todo,
    )


def _inside_words(answered: Answered) -> Iterator[RowProblem]:
    """Find rows that decide titles by accident, where the answer would be another one without them."""
    narrowed = classes_of(answered.table, answered.narrowed)
    changed = np.zeros(len(answered.texts), dtype=bool)
    for target, labels in answered.labels.items():
        changed |= narrowed[target] != labels
    decided = titles_decided(answered.hits)
    decided = decided.with_columns(pl.Series("records", answered.counts[decided["title"].to_numpy()]))
    all_records = dict(decided.group_by("row").agg(pl.col("records").sum()).iter_rows())
    inside = answered.accidents.join(decided, on=["title", "row"])
    for (row,), one in inside.group_by("row", maintain_order=True):
        position = int(row)
        titles = one.filter(pl.Series(changed[one["title"].to_numpy()]))["title"].to_numpy()
        if not len(titles):
            continue
        hosts = one.group_by("host").agg(pl.col("records").sum())
        hosts = hosts.sort("records", "host", descending=[True, False])
        listed = ", ".join(f"{host!r} ({n:,})" for host, n in hosts.head(_MOST_HOSTS).iter_rows())
        others = f" and {counted(len(hosts) - _MOST_HOSTS, 'other word')}" if len(hosts) > _MOST_HOSTS else ""
        n_inside, n_all = int(one["records"].sum()), int(all_records[position])
        n_changed = int(answered.counts[titles].sum())
        why = f"In {n_inside:,} of the {counted(n_all, 'record')} that it decides it is only inside {listed}{others}."
        if n_changed < n_inside:
            why += f" Without these matches {n_changed:,} get another answer."
        todo = f"Set its match to word; it then decides {counted(n_all - n_inside, 'record')}."
        yield _problem(answered, position, INSIDE_WORDS, titles, why, todo)


def _meeting(answered: Answered) -> Iterator[RowProblem]:
    """Find rows of one priority that set different classes, and broad rows that outrank narrower ones."""
    table = answered.table
    ties = disagreements(answered).filter(pl.col("near") == SAME)
    for (winner, loser), one in ties.group_by("winner", "loser", maintain_order=True):
        first, second = int(winner), int(loser)
        titles, targets = np.unique(one["title"].to_numpy()), one["target"].unique(maintain_order=True).to_list()
        by = "longer" if _length(answered, first) > _length(answered, second) else "earlier"
        why = (
            f"It sets {labels_set(answered, first, targets)}, and {row_name(table, second)} of the same priority "
            f"{labels_set(answered, second, targets)}; it wins because it is {by}."
        )
        todo = f"Give {row_name(table, second)} a lower priority number if it should win here."
        yield _problem(answered, first, TIES, titles, why, todo)
    for name, ranked in answered.hits.items():
        classes, winners = table.class_positions[name], ranked.winners[ranked.titles]
        beaten = (winners != ranked.rows) & (classes[winners] != classes[ranked.rows])
        pairs = pl.DataFrame({"title": ranked.titles, "winner": winners, "loser": ranked.rows}).filter(
            pl.Series(beaten)
        )
        for (winner, loser), one in pairs.group_by("winner", "loser", maintain_order=True):
            first, second = int(winner), int(loser)
            broad, narrow = _keyword(answered, first), _keyword(answered, second)
            if broad == narrow or f" {broad} " not in f" {narrow} ":
                continue
            titles = one["title"].to_numpy()
            why = (
                f"{row_name(table, first)} sets the {name} to {_class(answered, name, first)!r} wherever this row "
                f"would set {_class(answered, name, second)!r}."
            )
            todo = f"Give it a lower priority number than {broad!r}, or delete it."
            yield _problem(answered, second, NARROW_LOSES, titles, why, todo)


def _doubtful(answered: Answered) -> Iterator[RowProblem]:
    """Pass on the questions that reading the table has raised."""
    for one in answered.table.questions:
        yield RowProblem(
            row=None, line=one.line, keyword=one.keyword, kind=DOUBTFUL, records=0, why=f"{one.reason[:1].upper()}"
            f"{one.reason[1:]}.", examples="", todo="Write the keyword as it stands in titles, or delete the row.",
        )  # fmt: skip


def _repeated(duplicates: Sequence[Duplicate]) -> Iterator[RowProblem]:
    for line in name_duplicates(duplicates).iter_rows(named=True):
        label = (
            "the same label" if line["agree"] else f"another label, {line['label']!r} and not {line['first_label']!r}"
        )
        yield RowProblem(
            row=None, line=line["line"], keyword=line["keyword"], kind=REPEATS, records=0,
            why=f"It repeats the {line['target']} of line {line['first_line']}, with {label}; the earlier row counts.",
            examples="", todo="Delete one of the two rows; other verbs refuse the table.",
        )  # fmt: skip


def _idle(answered: Answered) -> Iterator[RowProblem]:
    """Find rows that decide nothing here, with the reason that an audit gives."""
    kinds = {UNREACHABLE: (CANNOT, "Delete it, or give it a lower priority number than those rows.")}
    kinds[SHADOWED] = (OUTRANKED, "Keep it only if other leads need it, or give it a lower priority number.")
    kinds[NEVER_FIRED] = (NEVER, "Keep it only if other leads need it.")
    rows = audit_table(answered.table, answered.titles, {}).rows
    questioned = {one.line for one in answered.table.questions}
    idle = rows.with_row_index("row").filter(pl.col("verdict").is_not_null())
    for start, (kind, todo) in kinds.items():
        for line in idle.filter(pl.col("verdict").str.starts_with(start)).iter_rows(named=True):
            hit = f"It matches {counted(line['records'], 'record')} and decides none: {line['verdict']}."
            if kind == NEVER and line["line"] in questioned:
                continue  # which says why
            because = f", because {line['never_because']}" if line["never_because"] else ""
            yield RowProblem(
                row=line["row"], line=line["line"], keyword=line["keyword"], kind=kind, records=0,
                why=f"It matches none of these titles{because}." if kind == NEVER else hit,
                examples="" if kind == NEVER else _matched(answered, line["row"]), todo=todo,
            )  # fmt: skip


def _matched(answered: Answered, row: int) -> str:
    return answered.examples(answered.matrix[:, [row]].tocoo().row)


def _class(answered: Answered, target: str, row: int) -> str:
    return answered.table.taxonomy[target].classes[answered.table.class_positions[target][row]]


def _keyword(answered: Answered, row: int) -> str:
    return str(answered.table.rows["keyword"].iloc[row]).lower().strip()


def _length(answered: Answered, row: int) -> int:
    return len(str(answered.table.rows["keyword"].iloc[row]))
