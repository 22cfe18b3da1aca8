"""Titles in, everything that is answered about them out; each title is answered once."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword import KeywordClassifier
from baselines.matching import distinct_texts
from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired
from data_cleaning.titles import FloatArray, IntArray
from data_cleaning.words import normalise_repaired
from harness.experiment.system_contract import NoveltyDetector
from harness.experiment.systems import load_system
from harness.tagging import review
from harness.tagging.answers import Answers, AnswerStore, Records, TitleCache
from harness.tagging.hierarchy import Hierarchy

MAX_CACHED = 500_000
"""Titles whose answers are kept in memory."""

LONGEST_TITLE = 2_000
"""Characters of a title that are read; more is no title, and would only cost time."""

_ROWS_OF_TABLE, _TITLES_OF_MODEL = 100_000, 32_768
"""New titles that are answered at a time; what a model answers is stored each time, as it takes long.

The number is fixed: a network rounds by the titles beside a title, so every call has to ask for the same batches.
"""

_LETTER, _LATIN, _ACCENTED = r"\p{L}", r"\p{Latin}", r"[\p{L}&&[^A-Za-z]]"

_CODES_OF_PLACE = ("node", "leaf", "rule", "band", "contradiction")

OnTitles = Callable[[int, int], None]
"""Called with how many new titles are answered, and how many there are."""


def fields_of(taxonomy: Taxonomy) -> np.dtype:
    """Return what is kept of a title: codes of labels and of its place, confidences, and reasons to review it.

    `labels`, `confidences` and `keywords` have a value per target. A label or place of -1 means none, for want of a
    title or, in `node`, of a hierarchy; `keywords` has rows of the table, -1 where no row decided. `repaired` says
    whether the title was damaged and answered for as `text_repair.repaired` has it.
    """
    n_targets = len(taxonomy.names)
    return np.dtype(
        [
            ("labels", np.int16, (n_targets,)),
            ("confidences", np.float32, (n_targets,)),
            ("keywords", np.int32, (n_targets,)),
            *(("node", np.int16), ("leaf", np.int16), ("rule", np.int16), ("place_confidence", np.float32)),
            *(("band", np.int8), ("contradiction", np.int8), ("reasons", np.uint32), ("repaired", np.bool_)),
        ]
    )


class Tagger:
    """A loaded system, and the hierarchy that its answers are placed in."""

    def __init__(
        self,
        system: str,
        folder: Path,
        taxonomy: Taxonomy,
        hierarchy: Hierarchy | None,
        review_below: float,
        max_cached: int = MAX_CACHED,
    ) -> None:
        """Load the system that was saved in a folder; a label of a confidence under `review_below` is for review.

        Raises:
            BadInput: the folder holds no such system, or the taxonomy has more targets than can be reviewed.
        """
        if len(taxonomy.names) > review.MAX_TARGETS:
            raise BadInput(
                f"The taxonomy has {len(taxonomy.names)} targets; at most {review.MAX_TARGETS} can be tagged."
            )
        self.taxonomy = taxonomy
        self.hierarchy = hierarchy
        self.n_answered = 0
        """Titles given to the system so far."""
        self._review_below = review_below
        self._system = load_system(system, folder, batch_invariant=True)
        self._table = self._system if isinstance(self._system, KeywordClassifier) else None
        self._fields = fields_of(taxonomy)
        self._cache = TitleCache(self._fields, max_cached)
        self._store: AnswerStore | None = None

    @property
    def keywords(self) -> list[str]:
        """The keyword of each row of the table, in the order of its rows; empty where the system has no table."""
        return [] if self._table is None else self._table.table.rows["keyword"].tolist()

    def store_answers(self, folder: Path) -> int:
        """Keep answers in a folder, unless the system gives them faster than they are read; use those that are there.

        Returns:
            How many titles have answers there.
        """
        if self._table is not None:
            return 0
        self._store = AnswerStore(folder, self._fields)
        return self._store.n_titles

    def tag(self, titles: pl.Series, on_titles: OnTitles = lambda done, total: None) -> Answers:
        """Answer for a column of titles as they were typed, (n_rows,); null is no title.

        Records have the fields of `fields_of`.
        """
        distinct, position = distinct_texts(titles.fill_null(""))
        records, known = self._cache.find(distinct)
        new = np.flatnonzero(~known)
        typed = distinct.gather(new)
        records[new] = self._answer(typed, on_titles)
        self._cache.add(typed, records[new])
        answers = Answers(records, position)
        # A learned system gives nearly every title an answer of its own.
        return answers if self._table is None else answers.distinct()

    def _answer(self, titles: pl.Series, on_titles: OnTitles) -> Records:
        """Answer for distinct titles that are not known yet, (n_titles,)."""
        typed = titles.str.head(LONGEST_TITLE)
        whole = repaired(typed)
        normal = normalise_repaired(whole)
        titled = (normal != "").to_numpy()  # (n_titles,)
        # Titles that differ in spelling alone are one to the system.
        of_title, distinct = pd.factorize(normal.filter(titled).to_numpy())
        records = self._blank(len(titles))
        records["reasons"] = review.NO_TITLE
        if len(distinct):
            records[titled] = self._records(distinct.tolist(), on_titles)[of_title]
        records["repaired"] = (whole != typed).to_numpy()
        records["reasons"] |= np.where((titles.str.len_chars() > LONGEST_TITLE).to_numpy(), review.CUT, 0).astype(
            np.uint32
        )
        return records

    def _records(self, titles: list[str], on_titles: OnTitles) -> Records:
        """Return the stored answers of distinct titles in their normal spelling, and answer for the others."""
        records, known = np.zeros(len(titles), dtype=self._fields), np.zeros(len(titles), dtype=bool)
        if self._store is not None:
            records, known = self._store.find(titles)
        new = np.flatnonzero(~known)
        at_once = _TITLES_OF_MODEL if self._table is None else _ROWS_OF_TABLE
        for start in range(0, len(new), at_once):
            rows = new[start : start + at_once]
            asked = [titles[row] for row in rows]
            records[rows] = self._ask_for(asked)
            if self._store is not None:
                self._store.add(asked, records[rows])
            on_titles(start + len(rows), len(new))
        return records

    def _ask_for(self, titles: list[str]) -> Records:
        """Ask the system for distinct titles in their normal spelling, none of them empty, (n_titles,)."""
        self.n_answered += len(titles)
        probabilities: Mapping[str, FloatArray]
        winners: Mapping[str, IntArray] = {}  # the rows that decided, for a table
        if self._table is not None:
            probabilities, winners = self._table.decide(titles)
        else:
            probabilities = self._system.predict_proba(titles)
        records = self._blank(len(titles))
        reasons = _foreign_letters(titles)
        for position, target in enumerate(self.taxonomy.names):
            rows = probabilities[target]  # (n_titles, n_classes)
            records["labels"][:, position] = rows.argmax(axis=1)
            records["confidences"][:, position] = rows.max(axis=1)
            if winners:
                records["keywords"][:, position] = winners[target]
            low = records["confidences"][:, position] < self._review_below
            reasons |= np.where(low, review.low_confidence(position), 0).astype(np.uint32)
        if isinstance(self._system, NoveltyDetector):
            unlike = self._system.unlike(titles)
            reasons |= np.where(unlike, review.UNLIKE, 0).astype(np.uint32)
            # No keyword of the hierarchy's rules may find a place for what is no title: "Not a CISO" is none.
            titles = ["" if is_unlike else title for is_unlike, title in zip(unlike, titles, strict=True)]
        if self.hierarchy is not None:
            placed = self.hierarchy.place(titles, probabilities)
            for name in _CODES_OF_PLACE:
                records[name] = getattr(placed, name)
            records["place_confidence"] = placed.confidence
            leaves = np.array([node.leaf for node in self.hierarchy.nodes])
            reasons |= np.where(leaves[placed.node], 0, review.LOW_PLACE_CONFIDENCE).astype(np.uint32)
        records["reasons"] = reasons
        return records

    def _blank(self, n_titles: int) -> Records:
        """Return records that say nothing yet: every code is -1."""
        records = np.zeros(n_titles, dtype=self._fields)
        for name in ("labels", "keywords", *_CODES_OF_PLACE):
            records[name] = -1
        return records


def _foreign_letters(titles: list[str]) -> review.Reasons:
    """Say of which titles the letters look foreign, (n_titles,): the systems learn English, and guess at the rest."""
    series = pl.Series(titles, dtype=pl.String)
    reasons = np.zeros(len(titles), dtype=np.uint32)
    beyond = (series.str.len_bytes() > series.str.len_chars()).to_numpy()  # beyond ASCII; few are, and to look is slow
    few = series.filter(beyond)
    n_letters, n_latin = few.str.count_matches(_LETTER).to_numpy(), few.str.count_matches(_LATIN).to_numpy()
    accented = few.str.contains(_ACCENTED).to_numpy()
    reasons[beyond] = np.select([n_letters > 2 * n_latin, accented], [review.OTHER_SCRIPT, review.ACCENTED], 0)
    return reasons
