"""Changes of many rows of a keyword table that are tried as one: short keywords as words, forms of titles, acronyms."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import false_discovery_control

from baselines.gap_and_mask import MASK, STAR
from baselines.keyword_table import KeywordTable
from baselines.matching import has_symbol, normal_form
from data_cleaning.titles import IntArray, StrArray
from harness.keywords.suggestions import Action, Evidence, Suggestion, amend
from harness.mining.evidence import (
    Outcome,
    class_changes,
    example_titles,
    fixed_and_broken,
    outcome_of,
    title_points,
)
from harness.mining.phrases import split_titles
from harness.mining.placement import FALSE_DISCOVERY_RATE
from harness.mining.title_labels import TitleLabels

SHORT = (2, 3, 4)
"""Letters of the longest keyword that counts as short."""

MASKS, ACRONYMS = "words around a title that hide it", "acronyms spelled with dots or blanks"

_EVEN = 0.5
"""A p-value from which on as many titles are broken as fixed."""

_VARIANTS_PER_PHRASE = 6
_WORD = re.compile(r"[A-Za-z]+")
_ACRONYM = re.compile(r"(?<![\w.&'-])[A-Z]{2,5}(?![\w.&'-])")


@dataclass(frozen=True, kw_only=True)
class RowGroup:
    """Changes that are tried as one."""

    name: str
    changes: tuple[Suggestion, ...]
    """Without evidence yet."""


@dataclass(frozen=True, kw_only=True)
class PlacedGroups:
    """The groups that were made, one after the other."""

    table: KeywordTable
    """With all of them; the rows of the table that was given come first, in its order."""
    suggestions: list[Suggestion]
    p_values: list[float]
    nearly: list[Suggestion]
    """The first change of each group that gained, but not surely enough."""


def row_groups(table: KeywordTable, titles: StrArray, judge: str, refused: Collection[str] = ()) -> list[RowGroup]:
    """Return the groups that may be tried, without what was rejected before.

    Args:
        table: in force.
        titles: in which acronyms are looked for.
        judge: whose labels will count as right.
        refused: keys of suggestions that were rejected.
    """
    longest = int(table.rows["keyword"].str.len().max())
    groups = [
        *(_narrowed(table, f"keywords of at most {n} letters as words", "word", range(n + 1), judge) for n in SHORT),
        *(
            _narrowed(
                table,
                f"keywords of more than {n} letters at word beginnings",
                "prefix",
                range(n + 1, longest + 1),
                judge,
            )
            for n in SHORT
        ),
        RowGroup(name=MASKS, changes=tuple(_masks(table, judge))),
        RowGroup(name=ACRONYMS, changes=tuple(_spelled(table, titles, judge))),
    ]
    kept = [replace(group, changes=tuple(one for one in group.changes if one.key not in refused)) for group in groups]
    return [group for group in kept if group.changes]


def variants_of(labels: TitleLabels, table: KeywordTable) -> TitleLabels:
    """Derive titles with known labels from those that a person labelled.

    Each form of the taxonomy that a mask can express gives its labels to a few titles of high rank; titles with an
    acronym that the table knows are spelled "C.I.S.O." and "C I S O".
    """
    taxonomy = labels.taxonomy
    found: dict[str, dict[str, int]] = {}
    scale = next((target.name for target in taxonomy.targets if target.ordinal), None)
    level = labels.top_classes(scale) if scale else np.zeros(len(labels), dtype=np.int64)
    ranked = np.lexsort((np.arange(len(labels)), -labels.records, level, ~labels.reviewed))
    first = ranked[: _VARIANTS_PER_PHRASE * 2 : 2] if labels.reviewed.any() else ranked[:0]
    own = {name: labels.top_classes(name) for name in taxonomy.names}
    for form in taxonomy.forms:
        if form.of:
            continue
        given = {name: taxonomy[name].class_index[label] for name, label in form.labels.items()}
        for at in first.tolist():
            for text in replace(form, after=()).written(str(labels.titles[at])):
                found.setdefault(text, {name: int(codes[at]) for name, codes in own.items()} | given)
    known = _acronym_rows(table)
    left = dict.fromkeys(known, _VARIANTS_PER_PHRASE)
    for at in ranked.tolist() if labels.reviewed.any() else []:
        for text in _ACRONYM.findall(str(labels.titles[at])):
            if left.get(text.lower(), 0):
                left[text.lower()] -= 1
                for spelled in (".".join(text) + ".", " ".join(text)):
                    title = str(labels.titles[at]).replace(text, spelled)
                    found.setdefault(title, {name: int(codes[at]) for name, codes in own.items()})
    for title in set(found) & set(labels.titles.tolist()):
        del found[title]
    return TitleLabels(
        taxonomy=taxonomy,
        titles=np.array(list(found), dtype=object),
        records=np.ones(len(found), dtype=np.int64),
        shares={
            target.name: np.eye(target.n_classes)[[codes[target.name] for codes in found.values()]].reshape(
                -1, target.n_classes
            )
            for target in taxonomy.targets
        },
        reviewed=np.zeros(len(found), dtype=bool),
        variant=np.ones(len(found), dtype=bool),
    )


def place_groups(table: KeywordTable, groups: Sequence[RowGroup], labels: TitleLabels) -> PlacedGroups:
    """Make groups of changes one by one, the one that gains most first, until none is sure enough."""
    suggestions: list[Suggestion] = []
    p_values: list[float] = []
    waiting = list(groups)
    classes = table.classes(labels.titles)
    tried: list[tuple[RowGroup, KeywordTable, dict[str, IntArray], Outcome]] = []
    while waiting:
        tried = []
        for group in waiting:
            group, others = _on_top(group, suggestions)
            if group.changes:
                after = amend(table, [*others, *group.changes])
                codes = after.classes(labels.titles)
                tried.append((group, after, codes, outcome_of(class_changes(classes, codes), labels)))
        known = [outcome.p_value if outcome.convinces else 1.0 for *_, outcome in tried]
        if not known:
            break
        adjusted = false_discovery_control([*known, *p_values])
        sure = [at for at in range(len(tried)) if adjusted[at] <= FALSE_DISCOVERY_RATE]
        if not sure:
            break
        group, after, codes, outcome = tried[max(sure, key=lambda at: (tried[at][3].points, -at))]
        before = amend(table, suggestions)
        written = _with_evidence(group, before, after, (classes, codes), labels, outcome)
        suggestions = [*_on_top(group, suggestions)[1], *written]
        p_values.append(outcome.p_value)
        waiting = [one for one in waiting if one.name != group.name]
        classes = amend(table, suggestions).classes(labels.titles)
    before = amend(table, suggestions)
    nearly = [
        _with_evidence(replace(group, changes=group.changes[:1]), before, after, (classes, codes), labels, outcome)[0]
        for group, after, codes, outcome in tried
        if outcome.points > 0 and outcome.p_value < _EVEN and group.name not in {one.group for one in suggestions}
    ]
    return PlacedGroups(table=before, suggestions=suggestions, p_values=p_values, nearly=nearly)


def _on_top(group: RowGroup, made: Sequence[Suggestion]) -> tuple[RowGroup, list[Suggestion]]:
    """Leave out what other groups have made already; return the rest, and what was made of other rows."""
    known = {(one.line, one.keyword, one.match) for one in made}
    changes = tuple(one for one in group.changes if (one.line, one.keyword, one.match) not in known)
    lines = {one.line for one in changes if one.line is not None}
    return replace(group, changes=changes), [one for one in made if one.line not in lines]


def _narrowed(table: KeywordTable, name: str, match: str, lengths: range, judge: str) -> RowGroup:
    """Match the substring rows of some lengths otherwise, except where another row has the keyword and match."""
    keywords = pl.Series(table.rows["keyword"].tolist(), dtype=pl.String)
    # The beginning of a keyword with symbols may be found in other words: that of "r&d" in "H R Director".
    has_words = (normal_form(keywords) != " ") & ~has_symbol(keywords)
    taken = {(row["keyword"].lower(), row["match"]) for row in table.rows.to_dict("records")}
    changes = []
    for row, is_word in zip(table.rows.to_dict("records"), has_words, strict=True):
        fits = row["match"] == "substring" and is_word and len(row["keyword"]) in lengths
        if fits and (row["keyword"].lower(), match) not in taken:
            changes.append(_change("narrow", table, row, judge, match=match, group=name))
    return RowGroup(name=name, changes=tuple(changes))


def _masks(table: KeywordTable, judge: str) -> Iterator[Suggestion]:
    """Yield a mask row for each phrase of a form of the taxonomy that a mask can express.

    A form whose words begin a title answers last, as what comes before them is another title; one whose words may
    follow others answers first.
    """
    priorities = table.rows["priority"].to_numpy()
    taken = {(row["keyword"].lower(), row["match"]) for row in table.rows.to_dict("records")}
    for form in table.taxonomy.forms:
        for phrases, priority in ((form.before, priorities.max()), (form.within, priorities.min())):
            for phrase in phrases if not form.of else ():
                keyword = f"{' '.join(split_titles([phrase])[0])} {STAR}"
                if (keyword, MASK) not in taken:
                    taken.add((keyword, MASK))
                    row = {"keyword": keyword, "priority": float(priority), **form.labels}
                    yield _change("add", table, row, judge, match=MASK, group=MASKS)


def _spelled(table: KeywordTable, titles: StrArray, judge: str) -> Iterator[Suggestion]:
    """Yield a row for each acronym of the table: "c i s o" beside "ciso".

    A short keyword is no acronym if a title that has capitals writes it in small letters, as "lab" in "Lab Technician".
    """
    mixed = [str(title) for title in titles if str(title) != str(title).lower()]
    written = {word.lower() for title in mixed for word in _WORD.findall(title) if word != word.upper()}
    taken = {(row["keyword"].lower(), row["match"]) for row in table.rows.to_dict("records")}
    for keyword, rows in _acronym_rows(table).items():
        spelled = " ".join(keyword)
        for row in rows if keyword not in written and (spelled, "word") not in taken else ():
            yield _change("add", table, {**row, "keyword": spelled}, judge, match="word", group=ACRONYMS)


def _acronym_rows(table: KeywordTable) -> dict[str, list[dict[str, Any]]]:
    """Return the rows whose keyword may be an acronym, by keyword."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.rows.to_dict("records"):
        keyword = row["keyword"].lower()
        if _ACRONYM.fullmatch(keyword.upper()):
            found.setdefault(keyword, []).append({str(name): cell for name, cell in row.items()})
    return found


def _change(
    action: Action, table: KeywordTable, row: Mapping[Any, Any], judge: str, *, match: str, group: str
) -> Suggestion:
    """Return a change whose evidence is still to come."""
    is_new = action == "add"
    nothing = Evidence(
        support_titles=0, support_records=0, judge=judge, lift=0.0, p_value=1.0, reviewed_fixed=0, reviewed_broken=0,
        believed_fixed=0, believed_broken=0, variants_fixed=0, variants_broken=0, examples=(), counter_examples=(),
        importance=None,
    )  # fmt: skip
    return Suggestion(
        action=action,
        keyword=row["keyword"],
        priority=float(row["priority"]),
        match=match,
        labels={name: row.get(name, "") for name in table.taxonomy.names},
        line=None if is_new else int(row["line"]),
        old_priority=None if is_new else float(row["priority"]),
        old_match=None if is_new else row["match"],
        evidence=nothing,
        rationale="",
        group=group,
    )


def _with_evidence(
    group: RowGroup,
    before: KeywordTable,
    after: KeywordTable,
    classes: tuple[Mapping[str, IntArray], Mapping[str, IntArray]],
    labels: TitleLabels,
    outcome: Outcome,
) -> list[Suggestion]:
    """Give each change of a group the titles that change and that its row matches before or after, but not both."""
    changes = class_changes(*classes)
    fixed, broken = fixed_and_broken(changes, labels)
    points = title_points(changes, labels)
    was, becomes = (of.hits(labels.titles).tocsc() for of in (before, after))
    place = {int(line): at for at, line in enumerate(before.rows["line"])}
    n_new = sum(one.line is None for one in group.changes)
    new = iter(range(len(after) - n_new, len(after)))
    written = []
    for change in group.changes:
        now = np.zeros(len(labels), dtype=bool)
        if change.line is None:
            at = next(new)
        else:
            at = place[change.line]
            now[was.indices[was.indptr[at] : was.indptr[at + 1]]] = True
        then = np.zeros(len(labels), dtype=bool)
        then[becomes.indices[becomes.indptr[at] : becomes.indptr[at + 1]]] = True
        own = now != then
        evidence = replace(
            change.evidence,
            support_titles=int(then.sum()),
            support_records=int(labels.records[then].sum()),
            lift=float(points[own].sum()) / len(labels),
            p_value=outcome.p_value,
            reviewed_fixed=int((fixed & own & labels.reviewed).sum()),
            reviewed_broken=int((broken & own & labels.reviewed).sum()),
            believed_fixed=int((fixed & own & labels.believed).sum()),
            believed_broken=int((broken & own & labels.believed).sum()),
            variants_fixed=int((fixed & own & labels.variant).sum()),
            variants_broken=int((broken & own & labels.variant).sum()),
            examples=example_titles(labels, fixed & own),
            counter_examples=example_titles(labels, broken & own),
        )
        written.append(replace(change, evidence=evidence, rationale=_sentence(change, group, evidence, outcome)))
    # What has most effect is read first.
    return sorted(written, key=lambda one: -(one.evidence.fixed + one.evidence.broken))


def _sentence(change: Suggestion, group: RowGroup, evidence: Evidence, outcome: Outcome) -> str:
    """Say what a change of a group does, and what the group does as a whole."""
    if change.match == MASK:
        labels = " and ".join(f"{target} {label}" for target, label in change.labels.items() if label)
        does = f"{change.keyword!r} hides the words after it and gives {labels}"
    elif change.action == "add":
        does = f"{change.keyword!r} is {change.keyword.replace(' ', '')!r} as some people spell it"
    else:
        way = "as a whole word" if change.match == "word" else "at the beginning of words"
        does = f"{change.keyword!r} is found {way} only"
    fixed, broken = (a + b + c for a, b, c in zip(outcome.reviewed, outcome.believed, outcome.variants, strict=True))
    return (
        f"{does}: {evidence.fixed} titles are fixed and {evidence.broken} broken; all {len(group.changes)} changes of "
        f"the group together fix {fixed}, {outcome.reviewed[0]} of them reviewed, and break {broken}, "
        f"{outcome.reviewed[1]} of them reviewed."
    )
