"""The keyword table that the business runs on: rows, matching, priorities, and the row that won."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from scipy import sparse

from baselines.matching import MatchingPass, find_matches, lower_case, lowest_ranks, normal_form
from baselines.table_file import check_rows, read_rows, write_rows
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray, StrArray

_Spelled = tuple[StrArray, Callable[[pl.Series], pl.Series]]


@dataclass(frozen=True, kw_only=True, eq=False)
class KeywordTable:
    """Keywords, each setting one or more targets of the titles that it matches.

    Each target takes the value of the matching row with the lowest priority number among those that set it; ties go to
    the longer keyword, then to the earlier row. A target that no matching row sets takes its fallback class.

    A `substring` row matches where the lower-cased title holds the lower-cased keyword, be it within a word: "cto"
    matches "Director". A `word` row matches whole words, a `prefix` row the beginning of words, both regardless of case
    and punctuation (see `matching.normal_form`). The corrected reading, `normalised`, takes substring rows for word
    rows, in which a keyword without a letter or digit matches nothing.

    Every method that takes titles raises `BadInput` where one is missing or is no text.
    """

    taxonomy: Taxonomy
    rows: pd.DataFrame
    """`line` in the file, `keyword`, `priority`, `match`, and a raw label or "" per target; see `check_rows`."""

    @classmethod
    def read(cls, path: Path, taxonomy: Taxonomy) -> "KeywordTable":
        """Read a table from CSV: `keyword`, `priority`, optionally `match`, and a column per target of the taxonomy.

        Raises:
            BadInput: the file is missing or faulty; every fault is named with its line.
        """
        return cls(taxonomy=taxonomy, rows=read_rows(path, taxonomy))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, taxonomy: Taxonomy, where: str = "keyword table") -> "KeywordTable":
        """Build from a frame with the columns of the file, numbering its rows as the file that `to_csv` writes.

        Raises:
            BadInput: a row is faulty; every fault is named with its line.
        """
        cells = frame.astype(object).where(frame.notna(), "").astype(str).to_dict("records")
        records = [(line, {str(name): cell for name, cell in row.items()}) for line, row in enumerate(cells, start=2)]
        return cls(taxonomy=taxonomy, rows=check_rows(records, taxonomy, where))

    def to_csv(self, path: Path) -> None:
        """Write a file that `read` turns into an equal table, line numbers included."""
        write_rows(self.rows, self.taxonomy, path)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def winners(self, titles: Sequence[str] | StrArray, normalised: bool = False) -> dict[str, IntArray]:
        """Return the position of the row that decides each title, per target, shape (n_titles,); -1 for none."""
        lowest = lowest_ranks(self._corrected_passes if normalised else self._exact_passes, titles)
        row_of_rank = np.append(self.order, -1)
        return {target: row_of_rank[ranks] for target, ranks in lowest.items()}

    def raw_labels(self, titles: Sequence[str] | StrArray, normalised: bool = False) -> dict[str, StrArray]:
        """Return the raw label of each title, per target, (n_titles,); the fallback's name where no row decides."""
        winners = self.winners(titles, normalised)
        return {target: self.raw_values[target][rows] for target, rows in winners.items()}

    def hits(self, titles: Sequence[str] | StrArray) -> sparse.csr_matrix:
        """Return the rows that match each title, outranked or not: booleans, shape (n_titles, n_rows)."""
        found = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        for (patterns, _), (titles_at, patterns_at) in zip(
            self._spelled_with_patterns, find_matches(self._exact_passes, titles), strict=True
        ):
            # Several rows may have one pattern: they differ in priority or in the targets that they set.
            rows = np.flatnonzero(patterns != "")  # (n_spelled,)
            distinct = {pattern: at for at, pattern in enumerate(dict.fromkeys(patterns[rows]))}
            rows_of = sparse.csr_matrix(
                (np.ones(len(rows), dtype=bool), ([distinct[pattern] for pattern in patterns[rows]], rows)),
                shape=(len(distinct), len(self)),
            )
            spread = rows_of[patterns_at].tocoo()
            found = np.concatenate([found[0], titles_at[spread.row]]), np.concatenate([found[1], spread.col])
        return sparse.csr_matrix((np.ones(len(found[0]), dtype=bool), found), shape=(len(titles), len(self)))

    def contenders(self, titles: Sequence[str] | StrArray) -> dict[str, npt.NDArray[np.bool_]]:
        """Return the classes that some matching row sets, outranked or not: per target (n_titles, n_classes)."""
        lowest = lowest_ranks(self._class_passes, titles)
        return {
            target.name: np.stack([lowest[f"{target.name}={name}"] < len(self) for name in target.classes], axis=1)
            for target in self.taxonomy.targets
        }

    @cached_property
    def raw_values(self) -> dict[str, StrArray]:
        """Target to the raw label that each row sets ("" for none); the last entry, index -1, is the fallback."""
        return {
            target.name: np.append(self.rows[target.name].to_numpy(dtype=object), target.fallback)
            for target in self.taxonomy.targets
        }

    @cached_property
    def class_positions(self) -> dict[str, npt.NDArray[np.int64]]:
        """Target to the class that each row sets (-1 for none); the last entry, index -1, is the fallback."""
        return {
            target.name: np.array(
                [target.class_index[target.raw_to_class[raw]] if raw else -1 for raw in self.raw_values[target.name]],
                dtype=np.int64,
            )
            for target in self.taxonomy.targets
        }

    @cached_property
    def order(self) -> npt.NDArray[np.int64]:
        """Rows from the one that outranks all others to the last, shape (n_rows,)."""
        lengths = self.rows["keyword"].map(len).to_numpy(dtype=np.int64)
        return np.lexsort((np.arange(len(self)), -lengths, self.rows["priority"].to_numpy()))

    @cached_property
    def sets(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Target to the rows that set it, each (n_rows,)."""
        return {target: (self.rows[target] != "").to_numpy() for target in self.taxonomy.names}

    @cached_property
    def _exact_passes(self) -> tuple[MatchingPass, ...]:
        return self._passes(self.sets, *self._as_written())

    @cached_property
    def _class_passes(self) -> tuple[MatchingPass, ...]:
        """Passes that rank within each class of each target: `target=class` to its rows."""
        of_class = {
            f"{target.name}={name}": self.class_positions[target.name][:-1] == position
            for target in self.taxonomy.targets
            for position, name in enumerate(target.classes)
        }
        return self._passes(of_class, *self._as_written())

    @cached_property
    def _spelled_with_patterns(self) -> list[_Spelled]:
        """The spellings that have a pass of their own; see `_passes`."""
        first, *others = self._as_written()
        return [first, *(spelled for spelled in others if (spelled[0] != "").any())]

    def _as_written(self) -> tuple[_Spelled, _Spelled]:
        """Return the patterns of substring rows and of the others; most tables have none of the latter."""
        keywords, match = pl.Series(self.rows["keyword"].tolist(), dtype=pl.String), self.rows["match"].to_numpy()
        as_it_is = np.where(match == "substring", lower_case(keywords).to_numpy(), "")
        return (as_it_is, lower_case), (self._in_words(match != "substring"), normal_form)

    @cached_property
    def _corrected_passes(self) -> tuple[MatchingPass, ...]:
        """The pass that reads substring rows as word rows."""
        return self._passes(self.sets, (self._in_words(np.full(len(self), True)), normal_form))

    def _in_words(self, chosen: npt.NDArray[np.bool_]) -> StrArray:
        """Return the pattern of each chosen row over titles in normal form, "" for the others, shape (n_rows,)."""
        words = normal_form(pl.Series(self.rows["keyword"].tolist(), dtype=pl.String)).to_numpy()
        prefix = (self.rows["match"] == "prefix").to_numpy()
        patterns = np.where(prefix, [word[:-1] for word in words], words)
        return np.where(chosen & (words != " "), patterns, "")

    def _passes(self, rows_of: Mapping[str, npt.NDArray[np.bool_]], *spelled: _Spelled) -> tuple[MatchingPass, ...]:
        """Build a pass for each spelling with patterns; the first always, so that there is one.

        Args:
            rows_of: a target, or a target and class, to the rows that count for it, each (n_rows,).
            spelled: the pattern of each row ("" for none) and what brings titles into its spelling.
        """
        n_rows = len(self)
        rank = np.empty(n_rows, dtype=np.uint32)
        rank[self.order] = np.arange(n_rows)
        passes: list[MatchingPass] = []
        for patterns, spell in spelled:
            position = {pattern: at for at, pattern in enumerate(dict.fromkeys(patterns[patterns != ""]))}
            if passes and not position:
                continue
            ranks = {}
            for name, rows in rows_of.items():
                ranks[name] = np.full(len(position), n_rows, dtype=np.uint32)
                counted = (patterns != "") & rows
                # Of rows with one pattern, the one that outranks the others counts.
                np.minimum.at(ranks[name], [position[pattern] for pattern in patterns[counted]], rank[counted])
            passes.append(MatchingPass(spell=spell, patterns=tuple(position), ranks=ranks, no_match=n_rows))
        return tuple(passes)
