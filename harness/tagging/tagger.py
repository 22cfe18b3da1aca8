"""Titles in, everything that is answered about them out; each title is answered once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword import KeywordClassifier
from baselines.matching import distinct_texts
from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, IntArray
from data_cleaning.words import normalise_titles
from harness.experiment.stages.predicting import predict_titles
from harness.experiment.systems import load_system
from harness.tagging import review
from harness.tagging.hierarchy import Hierarchy
from harness.tagging.title_cache import Records, TitleCache

MOST_CACHED = 500_000
"""Titles whose answers are kept."""

LONGEST_TITLE = 2_000
"""Characters of a title that are read; more is no title, and would only cost time."""

_AT_ONCE = 100_000
"""New titles answered at a time."""

_LETTER, _LATIN, _ACCENTED = r"\p{L}", r"\p{Latin}", r"[\p{L}&&[^A-Za-z]]"

OnTitles = Callable[[int, int], None]
"""Told how many of how many new titles are answered."""


def fields_of(taxonomy: Taxonomy) -> np.dtype:
    """Return what is kept of a title: codes of labels and of its place, confidences, and reasons to review it.

    `labels`, `confidences` and `keywords` have a value per target. A label or place of -1 means none, for want of a
    title or, in `node`, of a hierarchy; `keywords` has rows of the table, -1 where no row decided.
    """
    n_targets = len(taxonomy.names)
    return np.dtype(
        [
            ("labels", np.int16, (n_targets,)),
            ("confidences", np.float32, (n_targets,)),
            ("keywords", np.int32, (n_targets,)),
            *(("node", np.int16), ("leaf", np.int16), ("rule", np.int16), ("place_confidence", np.float32)),
            *(("band", np.int8), ("contradiction", np.int8), ("reasons", np.uint32)),
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
        most_cached: int = MOST_CACHED,
        seeds: Sequence[int] | None = None,
    ) -> None:
        """Load the system.

        Args:
            system: its name.
            folder: that it was saved in.
            taxonomy: what it answers with.
            hierarchy: None places nothing.
            review_below: confidence under which a label is for review.
            most_cached: titles whose answers are kept.
            seeds: those of a tagger whose titles will be restored; None draws new ones.

        Raises:
            BadInput: the folder holds no such system, or the taxonomy has more targets than can be reviewed.
        """
        if len(taxonomy.names) > review.MOST_TARGETS:
            raise BadInput(
                f"The taxonomy has {len(taxonomy.names)} targets; at most {review.MOST_TARGETS} can be tagged."
            )
        self.taxonomy = taxonomy
        self.hierarchy = hierarchy
        self.n_answered = 0
        """Titles given to the system so far."""
        self._review_below = review_below
        self._system = load_system(system, folder, batch_invariant=True)
        self._table = self._system if isinstance(self._system, KeywordClassifier) else None
        self._cache = TitleCache(fields_of(taxonomy), most_cached, seeds)

    @property
    def keywords(self) -> list[str]:
        """The keyword of each row of the table, in the order of its rows; empty where the system has no table."""
        return [] if self._table is None else self._table.table.rows["keyword"].tolist()

    @property
    def seeds(self) -> list[int]:
        """What a tagger needs to take over the titles of this one."""
        return self._cache.seeds

    def restore(self, kept: Records) -> None:
        """Take over titles that another tagger has answered, in its order."""
        self._cache.restore(kept)

    def tag(self, titles: pl.Series, on_titles: OnTitles = lambda done, total: None) -> tuple[Records, Records]:
        """Answer for a column of titles as they were typed; null is no title.

        Returns:
            A record per row, (n_rows,), with the fields of `fields_of`; and what `restore` takes, (n_kept,).
        """
        distinct, position = distinct_texts(titles.fill_null(""))
        records, known = self._cache.find(distinct)
        new = np.flatnonzero(~known)
        for start in range(0, len(new), _AT_ONCE):
            rows = new[start : start + _AT_ONCE]

            def told(done: int, _total: int, before: int = start) -> None:
                on_titles(before + done, len(new))

            records[rows] = self._answer(distinct.gather(rows), told)
            on_titles(start + len(rows), len(new))
        kept = self._cache.add(distinct.gather(new), records[new])
        return records[position], kept

    def _answer(self, titles: pl.Series, on_titles: OnTitles) -> Records:
        """Answer for distinct titles that are not known yet, (n_titles,)."""
        normal = normalise_titles(titles.str.head(LONGEST_TITLE))
        titled = (normal != "").to_numpy()  # (n_titles,)
        # Titles that differ in spelling alone are one to the system.
        of_title, distinct = pd.factorize(normal.filter(titled).to_numpy())
        records = np.zeros(len(titles), dtype=fields_of(self.taxonomy))
        for name in ("labels", "keywords", "node", "leaf", "rule", "band", "contradiction"):
            records[name] = -1
        records["reasons"] = review.NO_TITLE
        if len(distinct):
            records[titled] = self._records(distinct.tolist(), on_titles)[of_title]
        records["reasons"] |= np.where((titles.str.len_chars() > LONGEST_TITLE).to_numpy(), review.CUT, 0).astype(
            np.uint32
        )
        return records

    def _records(self, titles: list[str], on_titles: OnTitles) -> Records:
        """Answer for distinct titles in their normal spelling, none of them empty, (n_titles,)."""
        self.n_answered += len(titles)
        probabilities, winners = self._ask(titles, on_titles)
        records = np.zeros(len(titles), dtype=fields_of(self.taxonomy))
        reasons = _foreign_letters(titles)
        for position, target in enumerate(self.taxonomy.names):
            rows = probabilities[target]  # (n_titles, n_classes)
            records["labels"][:, position] = rows.argmax(axis=1)
            records["confidences"][:, position] = rows.max(axis=1)
            records["keywords"][:, position] = winners[target] if winners else -1
            low = records["confidences"][:, position] < self._review_below
            reasons |= np.where(low, review.unsure(position), 0).astype(np.uint32)
        if winners:
            reasons |= np.where((records["keywords"] < 0).all(axis=1), review.NO_KEYWORD, 0).astype(np.uint32)
        reasons |= self._place(titles, probabilities, records)
        records["reasons"] = reasons
        return records

    def _ask(self, titles: Sequence[str], on_titles: OnTitles) -> tuple[dict[str, FloatArray], dict[str, IntArray]]:
        """Return the probabilities per target, and the rows that decided where the system is a table."""
        if self._table is not None:
            return self._table.decide(titles)

        def told(step: str, done: int, total: int, unit: str = "titles") -> None:
            on_titles(done, total)

        predicted = predict_titles(self._system, titles, self.taxonomy, "", told)
        return dict(predicted.probabilities), {}

    def _place(self, titles: list[str], probabilities: dict[str, FloatArray], records: Records) -> review.Reasons:
        """Write each title's place in the hierarchy into its record; return who is for review because of it."""
        if self.hierarchy is None:
            for name in ("node", "leaf", "rule", "band", "contradiction"):
                records[name] = -1
            return np.zeros(len(titles), dtype=np.uint32)
        placed = self.hierarchy.place(titles, probabilities)
        for name in ("node", "leaf", "rule", "band", "contradiction"):
            records[name] = getattr(placed, name)
        records["place_confidence"] = placed.confidence
        leaves = np.array([node.leaf for node in self.hierarchy.nodes])
        return np.where(leaves[placed.node], 0, review.PLACE_UNSURE).astype(np.uint32)


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
