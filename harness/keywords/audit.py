"""An audit of a keyword table: what each row hits, decides and gets wrong, and where rows collide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from baselines.keyword_table import KeywordTable
from data_cleaning.progress import Progress, silent
from harness.keywords.audit_findings import find_faults
from harness.keywords.audit_tables import (
    NEVER_FIRED,
    SHADOWED,
    UNREACHABLE,
    coverage,
    name_accidents,
    name_chains,
    name_clashes,
    name_conflicts,
    name_duplicates,
    name_questions,
    name_rows,
    sum_by,
    target_figures,
    titles_decided,
)
from harness.keywords.judged_hits import Counts, RankedHits, judge_decisions, rank_hits, read_references
from harness.keywords.row_conflicts import (
    count_accidents,
    covered_by,
    equal_overlaps,
    find_accidents,
    find_chains,
    find_conflicts,
    never_because,
    unreachable,
)

_Reasons = dict[int, tuple[str, tuple[int, ...]]]
"""Position of a row that decides nothing, to the reason and to the rows that decide instead."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found. Titles are distinct, records are rows of the leads; a frame may be empty."""

    findings: pl.DataFrame
    """What `audit_findings.find_faults` returns."""
    rows: pl.DataFrame
    """One line per row of the table: `line`, `keyword`, `priority`, `match`, `sets_<target>`, and `verdict`: why the
    row decides nothing and because of which others, null if it decides something. With titles also `never_because`, why
    the row never fired as far as that is known, `titles` and
    `records` that it hits, `decided_titles` and `decided_records` for any target, per reference `judged_records_` and
    `wrong_records_` of these, and per target what `audit_tables.target_figures` counts."""
    idle: pl.DataFrame
    """`verdict`, and the number of `rows` with it and of the `titles` and `records` that they hit."""
    duplicates: pl.DataFrame
    """What a lenient load left out; see `audit_tables.name_duplicates`."""
    questions: pl.DataFrame
    """`line`, `keyword` and `reason` of the table's questions; with titles also the `records` that each row hits."""
    coverage: pl.DataFrame
    """See `audit_tables.coverage`."""
    conflicts: pl.DataFrame
    """See `audit_tables.name_conflicts`."""
    clashes: pl.DataFrame
    """Rows of equal priority and different classes that hit the same title, or of which one covers the other; see
    `audit_tables.name_clashes`."""
    accidents: pl.DataFrame
    """Substring rows that only match inside longer words; see `row_conflicts.count_accidents`."""
    accident_words: pl.DataFrame
    """The same with a line for each longer word."""
    chains: pl.DataFrame
    """See `audit_tables.name_chains`."""
    references: tuple[str, ...]
    """What the table was compared with, the most trustworthy first."""


def audit_table(
    table: KeywordTable,
    titles: pl.DataFrame,
    references: Mapping[str, pl.DataFrame],
    *,
    on_progress: Progress = silent,
) -> Audit:
    """Audit a table on titles.

    Precision is counted in records, so frequent titles count as often as they occur; see `judged_hits.wilson_bounds`.

    Args:
        table: the table.
        titles: distinct `title`, not null, and `count`, its records, at least one title.
        references: what `judged_hits.read_references` aligns with the titles.
        on_progress: told of each step.

    Raises:
        BadInput: a label is in no class of the taxonomy.
        ValueError: there are no titles, or a title occurs twice.
    """
    if titles.is_empty() or titles["title"].is_duplicated().any():
        n_distinct = titles["title"].n_unique()
        raise ValueError(
            f"An audit needs distinct titles, at least one; got {len(titles)}, {n_distinct} of them distinct."
        )
    counts = titles["count"].cast(pl.Int64).to_numpy()
    known = read_references(references, titles["title"], table.taxonomy)
    on_progress("Audit the table", 1, 5, "steps")
    by_target = table.hits_by_target(titles["title"].to_numpy())
    matrix, hits = table.for_any_target(by_target), rank_hits(table, by_target)
    on_progress("Audit the table", 2, 5, "steps")
    conflicts = find_conflicts(table, hits, counts, known)
    chains = find_chains(table, hits, counts, known)
    on_progress("Audit the table", 3, 5, "steps")
    judged = [(one.name, judge_decisions(one, hits, table.class_positions)) for one in known]
    decided = titles_decided(hits)
    accidents = find_accidents(table, titles["title"], matrix)
    by_row, by_host = count_accidents(accidents, decided, titles["count"].cast(pl.Int64), judged)
    on_progress("Audit the table", 4, 5, "steps")
    figures = _figures(matrix, decided, judged, counts)
    for ranked in hits.values():
        figures |= target_figures(table, ranked, counts, known)
    reasons = _idle_here(table, hits, counts, figures) | _unreachable(table)
    never = [row for row, (kind, _) in reasons.items() if kind == NEVER_FIRED]
    because = never_because(table, never, titles)
    rows = name_rows(table).with_columns(_worded(table, reasons), because, **figures)
    frames = {
        "rows": rows,
        "questions": name_questions(table.questions).join(rows.select("line", "records"), on="line", how="left"),
        "idle": _count_idle(reasons, matrix, counts),
        "duplicates": name_duplicates(table.duplicates),
        "clashes": name_clashes(table, conflicts),
        "coverage": coverage(table, hits, counts, known),
        "conflicts": name_conflicts(table, conflicts),
        "accidents": name_accidents(table, by_row),
        "accident_words": name_accidents(table, by_host),
        "chains": name_chains(table, chains),
    }
    names = tuple(one.name for one in known)
    findings = find_faults(frames, table.taxonomy, names)
    on_progress("Audit the table", 5, 5, "steps")
    return Audit(findings=findings, references=names, **frames)


def audit_rows(table: KeywordTable) -> Audit:
    """Audit a table without any titles: duplicates, rows that can never decide, and clashes of equal priority."""
    reasons = _unreachable(table)
    schema = {"winner": pl.Int64, "loser": pl.Int64, "target": pl.String}
    pairs = pl.DataFrame(equal_overlaps(table, covered_by(table)), schema=schema, orient="row")
    frames = dict.fromkeys(("coverage", "conflicts", "accidents", "accident_words", "chains", "idle"), pl.DataFrame())
    frames |= {
        "rows": name_rows(table).with_columns(_worded(table, reasons)),
        "duplicates": name_duplicates(table.duplicates),
        "questions": name_questions(table.questions),
        "clashes": name_clashes(table, pairs),
    }
    return Audit(findings=find_faults(frames, table.taxonomy, ()), references=(), **frames)


def _figures(
    matrix: sparse.csr_matrix, decided: pl.DataFrame, judged: Sequence[tuple[str, pl.DataFrame]], counts: Counts
) -> dict[str, pl.Series]:
    """Count what each row hits, decides for any target and, per reference, gets wrong of that; each (n_rows,)."""
    n_rows = matrix.shape[1]
    rows, titles = decided["row"].to_numpy(), decided["title"].to_numpy()
    figures = {
        "titles": sum_by(matrix.indices, None, n_rows),
        "records": matrix.T.astype(np.int64) @ counts,
        "decided_titles": sum_by(rows, None, n_rows),
        "decided_records": sum_by(rows, counts[titles], n_rows),
    }
    for name, decisions in judged:
        for kind in ("judged_records", "wrong_records"):
            figures[f"{kind}_{name}"] = sum_by(decisions["row"].to_numpy(), decisions[kind].to_numpy(), n_rows)
    return {name: pl.Series(values) for name, values in figures.items()}


def _unreachable(table: KeywordTable) -> _Reasons:
    return {row: (UNREACHABLE, others) for row, others in unreachable(table, covered_by(table)).items()}


def _idle_here(
    table: KeywordTable, hits: Mapping[str, RankedHits], counts: Counts, figures: Mapping[str, pl.Series]
) -> _Reasons:
    """Return the rows that hit no title, and those that decide none, with the row that decides most of them instead."""
    fired, decides = ((figures[name] > 0).to_numpy() for name in ("titles", "decided_titles"))
    reasons: _Reasons = {row: (NEVER_FIRED, ()) for row in np.flatnonzero(~fired).tolist()}
    rank = np.argsort(table.order)
    beaten = fired & ~decides
    pieces = []
    for ranked in hits.values():
        chosen = beaten[ranked.rows]
        titles = ranked.titles[chosen]
        by = ranked.winners[titles]
        pieces.append(pl.DataFrame({"row": ranked.rows[chosen], "by": by, "records": counts[titles], "rank": rank[by]}))
    summed = pl.concat(pieces).group_by("row", "by", "rank").agg(pl.col("records").sum())
    most = summed.sort("records", "rank", descending=[True, False]).unique("row", keep="first", maintain_order=True)
    return reasons | {row: (SHADOWED, (by,)) for row, by in most.select("row", "by").iter_rows()}


def _worded(table: KeywordTable, reasons: _Reasons) -> pl.Series:
    lines, keywords = (table.rows[name].tolist() for name in ("line", "keyword"))
    words = {}
    for row, (kind, others) in reasons.items():
        named = " and ".join(f"line {lines[other]} ({keywords[other]!r})" for other in others)
        words[row] = f"{kind} {named}".rstrip()
    return pl.Series("verdict", [words.get(row) for row in range(len(table))], dtype=pl.String)


def _count_idle(reasons: _Reasons, matrix: sparse.csr_matrix, counts: Counts) -> pl.DataFrame:
    lines = []
    for kind in (SHADOWED, UNREACHABLE, NEVER_FIRED):
        rows = [row for row, (why, _) in reasons.items() if why == kind]
        hit = np.asarray(matrix[:, rows].sum(axis=1)).ravel() > 0
        lines.append((kind, len(rows), int(hit.sum()), int(counts[hit].sum())))
    return pl.DataFrame(lines, schema=["verdict", "rows", "titles", "records"], orient="row")
