"""What an audit found, ranked by what it costs, in one sentence each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from data_cleaning.taxonomy import Taxonomy
from harness.keywords import finding_sentences as sentences
from harness.keywords.audit_tables import FALLBACK, OWN
from harness.keywords.judged_hits import wilson_bounds
from harness.keywords.row_conflicts import START

_WORDED: Mapping[str, tuple[Callable[[sentences.Line], str], str, str | None]] = {
    "accident": (sentences.accident, "decided_records", "line"),
    "clash": (sentences.clash, "decided_records", "line"),
    "chain": (sentences.chain, "records", "third_line"),
    "conflict": (sentences.conflict, "decided_records", "line"),
    "wrong": (sentences.wrong, "decided_records", "line"),
    "fallback": (sentences.fallback, "records", None),
}
"""Kind of a finding to its sentence, and to the columns that hold its records and the line of the row at fault; the
kind that says most about the cause comes first."""

MAX_COSTED, MAX_OTHERS = 30, 5
"""Findings that are kept: of those whose cost a reference knows, in all; of the others, per kind."""

_MIN_TITLES = 5
"""Distinct titles that a finding needs, and that a reference must know to judge it."""

_SUSPECT = 0.1
"""Smallest share of wrong records for which a match inside a longer word counts as an accident. Where the keyword is
meant as a stem, as in "recruiter", most records are right."""

_NO_COST = 1e-6
"""Records; the bound of a share of 0 is computed as a little more than 0."""

_MAX_CANDIDATES = 300
"""Of each kind. More than are kept, as each row is named only once."""

_SCHEMA = {"kind": pl.String, "records": pl.Int64, "line": pl.Int64, "sentence": pl.String}


@dataclass(frozen=True, kw_only=True)
class _Finding:
    kind: str
    sentence: str
    records: int | None = None
    line: int | None = None
    cost: float = 0.0
    """Lower bound of the records that it costs, as far as a reference knows."""


def find_faults(frames: Mapping[str, pl.DataFrame], taxonomy: Taxonomy, references: Sequence[str]) -> pl.DataFrame:
    """Rank what an audit found.

    Duplicates come first, since no other verb accepts such a table, then keywords that are questioned. Next comes what
    costs records according to a reference: their number times the lower bound of the 95% Wilson interval of the share
    that is wrong, or of the share for which the outranked row would be right, less the share that is right now. Each
    row is named once, with the most specific cause that explains half of its cost. Next comes what no reference knows,
    by records, and last the rows that decide nothing. A finding is compared with the most trustworthy reference that
    knows five of its titles.

    Without titles, rows that can never decide a title come before rows of equal priority that conflict.

    Args:
        frames: those of an audit by name; without titles `rows`, `duplicates`, `questions` and `clashes` are enough.
        taxonomy: of the table.
        references: names, the most trustworthy first.

    Returns:
        `rank`, `kind`, `records`, `line` of the row at fault (null for none), and `sentence`.
    """
    found = [*_duplicates(frames["duplicates"], frames["rows"]), *_questions(frames["questions"])]
    if "records" in frames["rows"].columns:
        costed = _costed_once(frames, taxonomy, references) if references else []
        found += sorted(costed, key=lambda finding: -finding.cost)[:MAX_COSTED]
        found += sorted(_others(frames, taxonomy, references), key=lambda finding: -(finding.records or 0))
        # A question of a row is a finding of its own already.
        asked = pl.col("line").is_in(frames["questions"]["line"].implode())
        never = pl.when(~asked).then(pl.col("never_because")).alias("never_because")
        found += _idle(frames["rows"].with_columns(never), frames["idle"])
    else:
        for line in frames["rows"].filter(pl.col("verdict").is_not_null()).to_dicts():
            found.append(_Finding(kind="idle", line=line["line"], sentence=sentences.never_decides(line)))
        for line in frames["clashes"].to_dicts():
            found.append(_Finding(kind="clash", line=line["line"], sentence=sentences.overlap(line)))
    lines = [(one.kind, one.records, one.line, one.sentence) for one in found]
    rank = pl.int_range(1, pl.len() + 1).alias("rank")
    return pl.DataFrame(lines, schema=_SCHEMA, orient="row").select(rank, pl.all())


def _duplicates(duplicates: pl.DataFrame, rows: pl.DataFrame) -> Iterable[_Finding]:
    for line in duplicates.to_dicts():
        figure, records = f"decided_records_{line['target']}", None
        if figure in rows.columns:
            records = rows.row(by_predicate=pl.col("line") == line["first_line"], named=True)[figure]
        sentence = sentences.duplicate({**line, "records": records})
        yield _Finding(kind="duplicate", line=line["line"], records=records, sentence=sentence)


def _questions(questions: pl.DataFrame) -> Iterable[_Finding]:
    for line in questions.to_dicts():
        yield _Finding(
            kind="question", line=line["line"], records=line.get("records"), sentence=sentences.question(line)
        )


def _costed_once(
    frames: Mapping[str, pl.DataFrame], taxonomy: Taxonomy, references: Sequence[str]
) -> Iterable[_Finding]:
    """Return what costs records according to references: one finding for each row, and the fallbacks."""
    of_row: dict[int | None, list[_Finding]] = {}
    for one in (
        *_accidents(frames["accident_words"], references),
        *_rivals("clash", frames["clashes"], references),
        *_rivals("conflict", frames["conflicts"].filter(pl.col("wins") == OWN), references),
        *_chains(frames["chains"], references),
        *_wrong_rows(frames["rows"], taxonomy, references),
    ):
        of_row.setdefault(one.line, []).append(one)
    for of_one in of_row.values():
        most = max(one.cost for one in of_one)
        enough = [one for one in of_one if one.cost >= most / 2]
        yield min(enough, key=lambda one: (list(_WORDED).index(one.kind), -one.cost))
    left = _judged(_left_to_fallback(frames["coverage"], taxonomy), references, "wrong_records")
    yield from _findings("fallback", _costed(left, "records", _share("wrong_records")))


def _accidents(words: pl.DataFrame, references: Sequence[str]) -> Iterable[_Finding]:
    """Price for each row the longer words that it should not decide."""
    judged = _judged(words, references, "wrong_records", together="line")
    bad = judged.filter((pl.col("judged_records") > 0) & (_share("wrong_records") >= _SUSPECT))
    figures = ["decided_records", "judged_titles", "judged_records", "wrong_records"]
    summed = bad.group_by("line", "keyword", "judge", maintain_order=True).agg(
        pl.col(figures).sum(), pl.col("host").alias("hosts")
    )
    yield from _findings("accident", _costed(summed, "decided_records", _share("wrong_records")))


def _rivals(kind: str, pairs: pl.DataFrame, references: Sequence[str]) -> Iterable[_Finding]:
    """Price pairs of rows in which the losing row is right more often."""
    judged = _judged(pairs, references, "own_right", "opponent_right")
    yield from _findings(kind, _costed(judged, "decided_records", _share("opponent_right"), _share("own_right")))


def _chains(chains: pl.DataFrame, references: Sequence[str]) -> Iterable[_Finding]:
    """Price chains in which the first row is right more often than the third, which wins."""
    judged = _judged(chains, references, "right", "right_without")
    yield from _findings("chain", _costed(judged, "records", _share("right_without"), _share("right")))


def _wrong_rows(rows: pl.DataFrame, taxonomy: Taxonomy, references: Sequence[str]) -> Iterable[_Finding]:
    """Price how often each row is wrong about each target."""
    for target in taxonomy.names:
        judged = _judged(rows, references, "wrong_records", "instead", target=target).with_columns(
            pl.lit(target).alias("target"),
            pl.col(f"sets_{target}").alias("label"),
            pl.col(f"decided_records_{target}").alias("decided_records"),
        )
        yield from _findings("wrong", _costed(judged, "decided_records", _share("wrong_records")))


def _others(frames: Mapping[str, pl.DataFrame], taxonomy: Taxonomy, references: Sequence[str]) -> Iterable[_Finding]:
    """Return the most frequent of what no reference knows enough about, kind by kind."""
    words = _unknown(frames["accident_words"], references, together="line")
    # At the start of a longer word a keyword is usually meant as a stem.
    within = words.filter((pl.col("at") != START) & (pl.col("decided_records") > 0))
    accidents = within.group_by("line", "keyword", maintain_order=True).agg(
        pl.col("decided_titles", "decided_records").sum(), pl.col("host").alias("hosts")
    )
    yield from _findings("accident", _most(accidents, "decided"))
    yield from _findings("clash", _most(_unknown(frames["clashes"], references), "decided"))
    yield from _findings("chain", _most(_unknown(frames["chains"], references)))
    yield from _findings("fallback", _most(_unknown(_left_to_fallback(frames["coverage"], taxonomy), references)))


def _idle(rows: pl.DataFrame, idle: pl.DataFrame) -> Iterable[_Finding]:
    """Return one finding for each reason for which rows decide nothing."""
    for kind, n_rows, _, records in idle.iter_rows():
        if n_rows:
            chosen = rows.filter(pl.col("verdict").str.starts_with(kind))
            named = chosen.sort("records", descending=True, maintain_order=True).to_dicts()
            yield _Finding(kind="idle", records=records, sentence=sentences.idle(kind, records, named))


def _left_to_fallback(coverage: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Return what no row decides, by target, with the records of all titles and the fallback's name."""
    fallbacks = {target.name: target.fallback for target in taxonomy.targets}
    return coverage.with_columns(
        pl.col("records").sum().over("target").alias("all_records"),
        pl.col("target").replace_strict(fallbacks).alias("fallback"),
    ).filter(pl.col("decided_by") == FALLBACK)


def _findings(kind: str, lines: Iterable[dict[str, Any]]) -> Iterator[_Finding]:
    say, records, of = _WORDED[kind]
    for line in lines:
        at = line[of] if of else None
        yield _Finding(kind=kind, sentence=say(line), records=line[records], line=at, cost=line.get("cost", 0.0))


def _judged(
    frame: pl.DataFrame, references: Sequence[str], *figures: str, target: str = "", together: str | None = None
) -> pl.DataFrame:
    """Judge each line by the most trustworthy reference that knows enough of its titles; drop lines without one.

    Args:
        frame: with `judged_titles_<reference>` and further figures, or `judged_titles_<target>_<reference>`.
        references: names, the most trustworthy first, at least one.
        figures: to return besides the titles and records that are judged.
        target: that the figures are of; empty where the frame has no figures by target.
        together: lines with the same value in this column are judged together.

    Returns:
        The lines with `judge`, the name of the reference, and its figures under their own names.
    """
    prefix = f"{target}_" if target else ""
    chosen = dict.fromkeys(("judge", "judged_titles", "judged_records", *figures), pl.lit(None))
    for name in reversed(references):
        enough = _is_known(f"judged_titles_{prefix}{name}", together)
        for figure, before in chosen.items():
            here = pl.lit(name) if figure == "judge" else pl.col(f"{figure}_{prefix}{name}")
            chosen[figure] = pl.when(enough).then(here).otherwise(before)
    return frame.with_columns(**chosen).filter(pl.col("judge").is_not_null())


def _unknown(frame: pl.DataFrame, references: Sequence[str], together: str | None = None) -> pl.DataFrame:
    """Return the lines of which no reference knows enough titles; see `_judged`."""
    return frame.filter(*(~_is_known(f"judged_titles_{name}", together) for name in references))


def _is_known(judged_titles: str, together: str | None) -> pl.Expr:
    titles = pl.col(judged_titles)
    return (titles.sum().over(together) if together else titles) >= _MIN_TITLES


def _share(figure: str) -> pl.Expr:
    """Return the share of the judged records that a figure counts."""
    return pl.col(figure) / pl.col("judged_records")


def _costed(frame: pl.DataFrame, records: str, share: pl.Expr, right: pl.Expr | None = None) -> list[dict[str, Any]]:
    """Return the lines that certainly cost records, the most expensive first, with their `cost`.

    The cost is the records times the lower bound of a share, less the share that is right now if it is given.
    """
    shares = frame.select(share.cast(pl.Float64).alias("share"), "judged_titles")
    low, _ = wilson_bounds(shares["share"].to_numpy(), shares["judged_titles"].to_numpy())
    lost = pl.Series("low", low) - (0.0 if right is None else frame.select(right.alias("right")).to_series())
    costed = frame.with_columns((lost * frame[records]).alias("cost")).filter(pl.col("cost") > _NO_COST)
    return costed.sort("cost", descending=True, maintain_order=True).head(_MAX_CANDIDATES).to_dicts()


def _most(frame: pl.DataFrame, kind: str = "") -> list[dict[str, Any]]:
    """Return the lines with most records, in all or of one kind, leaving out those with few titles."""
    titles, records = (f"{kind}_{name}" if kind else name for name in ("titles", "records"))
    kept = frame.filter(pl.col(titles) >= _MIN_TITLES).sort(records, descending=True, maintain_order=True)
    return kept.head(MAX_OTHERS).to_dicts()
