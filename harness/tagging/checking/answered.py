"""What a keyword table answers for each title of the leads, and the rows behind each answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import IntArray
from harness.keywords.judged_hits import RankedHits, rank_hits
from harness.keywords.row_conflicts import END, START, find_accidents
from harness.tagging.checking.no_titles import is_no_title
from harness.tagging.hierarchy import Hierarchy, Placements
from harness.tagging.hierarchy.nodes_and_rules import ROOT

_INFLECTIONS = (
    *("s", "es", "ed", "er", "ers", "or", "ors", "ing", "ings", "ment", "ments", "ion", "ions", "ation", "ations"),
    *("ant", "ants", "ent", "ents", "ance", "ence", "ist", "ists", "ure", "ures", "ity", "y", "ies", "ory", "ive"),
    *("ives", "ian", "ians", "istrator", "istrators", "istration", "istrative", "ative", "ator", "ators", "ency"),
)
"""What may follow a keyword that is meant as a stem: "recruit" in "recruiter", but not "intern" in "internal"."""

_MIN_STEM, _MIN_PART, _LONG_WORD = 4, 3, 7
"""Letters of the shortest stem, of the shortest part of a joined word, and of a word that is hardly in another one by
chance."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answered:
    """Distinct titles, and what a table answers for them; arrays have length n_titles."""

    titles: pl.DataFrame
    """`title` in normal spelling and `count`, its records, those of most records first."""
    table: KeywordTable
    hierarchy: Hierarchy | None

    @property
    def texts(self) -> pl.Series:
        """The titles, (n_titles,)."""
        return self.titles["title"]

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Records of each title."""
        return self.titles["count"].cast(pl.Int64).to_numpy()

    @cached_property
    def by_target(self) -> dict[str, sparse.csr_matrix]:
        """The rows that match each title, outranked or not, per target: booleans, (n_titles, n_rows)."""
        return self.table.hits_by_target(self.texts.to_numpy())

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """The same for any target."""
        return self.table.for_any_target(self.by_target)

    @cached_property
    def hits(self) -> dict[str, RankedHits]:
        """The matching rows per target, ranked."""
        return rank_hits(self.table, self.by_target)

    @cached_property
    def recognised(self) -> BoolArray:
        """Whether any row matches."""
        return np.asarray(self.matrix.sum(axis=1)).ravel() > 0

    @cached_property
    def no_title(self) -> BoolArray:
        """Whether the text is no job title by its form."""
        return is_no_title(self.texts).to_numpy()

    @cached_property
    def labels(self) -> dict[str, npt.NDArray[np.int64]]:
        """Target to the class of each title, by position."""
        return classes_of(self.table, self.hits)

    @cached_property
    def accidents(self) -> pl.DataFrame:
        """`row_conflicts.find_accidents`, without inflections of the keyword and without words joined in writing.

        "cybersecurity" has "cyber" and "security", as the leads have both as words of their own.
        """
        found = find_accidents(self.table, self.texts, self.matrix)
        keywords = pl.Series("keyword", self.table.rows["keyword"].tolist(), dtype=pl.String).str.to_lowercase()
        words = {word for title in self.texts.str.to_lowercase() for word in title.split()}
        meant = [
            _is_meant(host, keyword, at, words)
            for host, keyword, at in zip(found["host"], keywords.gather(found["row"]), found["at"], strict=True)
        ]
        return found.filter(~pl.Series(meant, dtype=pl.Boolean))

    @cached_property
    def narrowed(self) -> dict[str, RankedHits]:
        """The matching rows without accidents, per target."""
        shape = self.matrix.shape
        pairs = (self.accidents["title"].to_numpy(), self.accidents["row"].to_numpy())
        dropped = sparse.csr_matrix((np.ones(len(pairs[0]), dtype=np.int8), pairs), shape=shape)
        left = {target: ((of.astype(np.int8) - dropped) > 0).tocsr() for target, of in self.by_target.items()}
        return rank_hits(self.table, left)

    @cached_property
    def placements(self) -> Placements | None:
        """The place of each title in the hierarchy, if there is one.

        Nothing is sure of a title that neither a row nor a rule knows, or of a text that is no title.
        """
        if self.hierarchy is None:
            return None
        probabilities = {
            target.name: np.eye(target.n_classes)[self.labels[target.name]] for target in self.table.taxonomy.targets
        }
        placed = self.hierarchy.place(self.texts.to_list(), probabilities)
        by_keyword = np.array([bool(rule.keywords) for rule in self.hierarchy.rules])[placed.rule]
        known = (self.recognised | by_keyword) & ~self.no_title
        return replace(
            placed,
            node=np.where(known, placed.node, ROOT).astype(placed.node.dtype),
            band=np.where(known, placed.band, -1).astype(placed.band.dtype),
        )

    def named(self, labels: Mapping[str, IntArray]) -> pl.Series:
        """Return the classes of each title in one text, "IT / Networking / Manager"."""
        columns = [
            pl.Series(target.name, [target.classes[at] for at in labels[target.name]], dtype=pl.String)
            for target in self.table.taxonomy.targets
        ]
        return pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator=" / ")).to_series()

    @cached_property
    def decided_by(self) -> list[str]:
        """The rows behind each answer, "function, role: 'network' (line 12); level: no row"."""
        names = [row_name(self.table, row) for row in range(len(self.table))]
        worded = []
        for winners in zip(*(ranked.winners.tolist() for ranked in self.hits.values()), strict=True):
            of_row: dict[int, list[str]] = {}
            for target, row in zip(self.hits, winners, strict=True):
                of_row.setdefault(row, []).append(target)
            parts = [f"{', '.join(targets)}: {names[row] if row >= 0 else 'no row'}" for row, targets in of_row.items()]
            worded.append("; ".join(parts) if self.hits and any(row >= 0 for row in winners) else "no row")
        return worded

    def examples(self, chosen: Sequence[int] | IntArray, most: int = 3) -> str:
        """Name the titles of most records among some positions, in one text."""
        first = sorted(int(at) for at in chosen)[:most]  # the titles are in the order of their records
        return "; ".join(f"{self.texts[at]} ({self.counts[at]:,})" for at in first)


def classes_of(table: KeywordTable, hits: Mapping[str, RankedHits]) -> dict[str, npt.NDArray[np.int64]]:
    """Return the class that each title gets from ranked hits, by position, per target."""
    return {name: table.class_positions[name][ranked.winners] for name, ranked in hits.items()}


def row_name(table: KeywordTable, row: int) -> str:
    """Name one row of a table for its owner."""
    return f"{table.rows['keyword'].iloc[row]!r} (line {table.rows['line'].iloc[row]})"


def _is_meant(host: str, keyword: str, at: str, words: set[str]) -> bool:
    """Say whether a keyword within a longer word, or longer words, is likely to be meant there."""
    before, _, after = host.partition(keyword)
    first, last = keyword.split()[0], keyword.split()[-1]
    if at == START and len(keyword) >= _MIN_STEM:
        # A beginning that is no word of its own was cut short on purpose, as "vulnerab" was; so was "data scien".
        is_stem = last not in words or " " in keyword or len(last) >= _LONG_WORD
        return is_stem or after in _INFLECTIONS or _is_word(after, words)
    if at == END and len(keyword) >= _MIN_STEM:
        return len(first) >= _LONG_WORD or _is_word(before, words)
    return False


def _is_word(rest: str, words: set[str]) -> bool:
    return len(rest) >= _MIN_PART and rest in words
