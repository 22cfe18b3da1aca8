"""The keyword table that the business runs on: rows, matching, priorities, and the row that won."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from scipy import sparse

from baselines.gap_and_mask import GAP, MASK, GapsAndMasks
from baselines.matching import (
    MatchingPass,
    Ranks,
    Spelling,
    as_series,
    distinct_texts,
    find_matches,
    has_symbol,
    in_either_order,
    lower_case,
    lowest_ranks,
    normal_form,
    singular_form,
    symbol_form,
)
from baselines.table_cells import Question
from baselines.table_file import Duplicate, check_rows, read_rows, write_rows
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray, StrArray

_Spelled = tuple[StrArray, Spelling]
"""The pattern of each row ("" for none), (n_rows,), and what brings titles into the spelling of the patterns."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KeywordTable:
    """Keywords, each setting one or more targets of the titles that it matches.

    Each target takes the value of the matching row with the lowest priority number among those that set it; ties go to
    the longer keyword, then to the earlier row. A target that no matching row sets takes its fallback class.

    A `substring` row matches where the lower-cased title holds the lower-cased keyword, be it within a word: "cto"
    matches "Director". A `word` row matches whole words, a `prefix` row the beginning of words, both regardless of case
    and punctuation (see `matching.normal_form`), except that the symbols of a keyword such as "c++" or "r&d" must be in
    the title too (see `matching.has_symbol`).

    The corrected reading, `normalised`, takes substring rows for word rows, in which a keyword without a letter or
    digit matches nothing. In word rows without symbols it takes plurals for singulars, and it also reads the words of a
    title with a comma in the order that they have without it ("Engineer, Software").

    A `gap` row such as "director * security" matches its two phrases, in whole words, with other words between them. A
    `mask` row such as "former *" matches its phrase with words after it, and hides these words from all rows, for the
    targets that it sets; see `gap_and_mask`.

    Every method that takes titles raises `BadInput` where one is missing or is no text.
    """

    taxonomy: Taxonomy
    rows: pd.DataFrame
    """`line` in the file, `keyword`, `priority`, `match`, and a raw label or "" per target; see `check_rows`."""

    notes: tuple[str, ...] = ()
    """How the file was read, in sentences for a person."""
    questions: tuple[Question, ...] = ()
    """Rows of the file whose keyword is probably not what its owner wants to find."""
    duplicates: tuple[Duplicate, ...] = ()
    """What a lenient read left out."""

    @classmethod
    def read(cls, path: Path, taxonomy: Taxonomy, *, lenient: bool = False) -> "KeywordTable":
        """Read a table: `keyword`, `priority`, optionally `match`, and a column per target of the taxonomy.

        See `table_file.read_rows`, also for what is lenient.

        Raises:
            BadInput: the file is missing or faulty; every fault is named with its line.
        """
        read = read_rows(path, taxonomy, lenient=lenient)
        return cls(
            taxonomy=taxonomy,
            rows=read.frame,
            notes=read.notes,
            questions=read.questions,
            duplicates=read.duplicates,
        )

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

    def in_words(self) -> "KeywordTable":
        """Return the table with substring rows that do not match inside words.

        Keywords of three letters, mostly acronyms, become whole words, and longer ones the beginnings of words. Shorter
        ones stay as they are: "vp" is to be found in "SVP".
        """
        lengths = self.rows["keyword"].map(len)
        narrowed = lengths.map(lambda letters: "word" if letters == 3 else "prefix")
        match = self.rows["match"].mask((self.rows["match"] == "substring") & (lengths >= 3), narrowed)
        return replace(self, rows=self.rows.assign(match=match))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def winners(self, titles: Sequence[str] | StrArray, normalised: bool = False) -> dict[str, IntArray]:
        """Return the position of the row that decides each title, per target, shape (n_titles,); -1 for none."""
        lowest = self._lowest(self._corrected_passes if normalised else self._exact_passes, titles)
        row_of_rank = np.append(self.order, -1)
        return {target: row_of_rank[ranks] for target, ranks in lowest.items()}

    def classes(self, titles: Sequence[str] | StrArray) -> dict[str, IntArray]:
        """Return the class position of each title, per target, (n_titles,); the fallback's where no row decides."""
        return {target: self.class_positions[target][rows] for target, rows in self.winners(titles).items()}

    def raw_labels(self, titles: Sequence[str] | StrArray, normalised: bool = False) -> dict[str, StrArray]:
        """Return the raw label of each title, per target, (n_titles,); the fallback's name where no row decides."""
        winners = self.winners(titles, normalised)
        return {target: self.raw_values[target][rows] for target, rows in winners.items()}

    def hits(self, titles: Sequence[str] | StrArray, normalised: bool = False) -> sparse.csr_matrix:
        """Return the rows that match each title, outranked or not: booleans, shape (n_titles, n_rows).

        Where words are hidden for one target, a row that sets another as well still matches them.
        """
        return self.for_any_target(self.hits_by_target(titles, normalised))

    def for_any_target(self, hits: Mapping[str, sparse.csr_matrix]) -> sparse.csr_matrix:
        """Return what `hits` does, from what `hits_by_target` returned."""
        if not self.gaps_and_masks.masks:
            return next(iter(hits.values()))
        of_targets = [of.multiply(self.sets[target]).tocsr() for target, of in hits.items()]
        return sum(of_targets[1:], of_targets[0])

    def hits_by_target(
        self, titles: Sequence[str] | StrArray, normalised: bool = False
    ) -> dict[str, sparse.csr_matrix]:
        """Return per target what `hits` does, without the rows that match only words hidden for this target.

        Whether rows are there that do not set the target is not defined. Without masks, targets share one matrix.
        """
        if not self.gaps_and_masks.patterns:
            return dict.fromkeys(self.taxonomy.names, self._search(titles, normalised))
        distinct, back = distinct_texts(as_series(titles))
        readings = self.gaps_and_masks.readings(distinct, self.taxonomy.names)
        found = dict.fromkeys(self.taxonomy.names, self._search(readings.titles, normalised))
        for target, texts in readings.rewritten.items():
            # Rows of the rewritten titles come after those of all titles.
            both = sparse.vstack([found[target], self._search(texts, normalised)], format="csr")
            at = np.arange(len(distinct))
            at[readings.masked] = len(distinct) + np.arange(len(readings.masked))
            found[target] = both[at]
        return {target: hits[back] for target, hits in found.items()}

    def _search(self, titles: Sequence[str] | StrArray | pl.Series, normalised: bool) -> sparse.csr_matrix:
        """Return the rows that match each title as it is spelled, (n_titles, n_rows)."""
        passes = self._corrected_passes if normalised else self._exact_passes
        found = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        for (patterns, _), (titles_at, patterns_at) in zip(
            self._spelled(normalised), find_matches(passes, titles), strict=True
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

    def _lowest(self, passes: tuple[MatchingPass, ...], titles: Sequence[str] | StrArray) -> dict[str, Ranks]:
        """Return the lowest rank of any pass per target, or target and class, shape (n_titles,)."""
        if not self.gaps_and_masks.patterns:
            return lowest_ranks(passes, titles)
        distinct, back = distinct_texts(as_series(titles))
        readings = self.gaps_and_masks.readings(distinct, self.taxonomy.names)
        lowest = lowest_ranks(passes, readings.titles)
        for target, texts in readings.rewritten.items():
            for name, ranks in lowest_ranks(passes, texts).items():
                if name.partition("=")[0] == target:
                    lowest[name][readings.masked] = ranks
        return {name: ranks[back] for name, ranks in lowest.items()}

    def contenders(self, titles: Sequence[str] | StrArray) -> dict[str, npt.NDArray[np.bool_]]:
        """Return the classes that some matching row sets, outranked or not: per target (n_titles, n_classes)."""
        lowest = self._lowest(self._class_passes, titles)
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
    def gaps_and_masks(self) -> GapsAndMasks:
        """The rows that need rewritten titles."""
        return GapsAndMasks.of(self.rows, self.taxonomy.names)

    @cached_property
    def _exact_passes(self) -> tuple[MatchingPass, ...]:
        return self._passes(self.sets, self._spelled(normalised=False))

    @cached_property
    def _corrected_passes(self) -> tuple[MatchingPass, ...]:
        return self._passes(self.sets, self._spelled(normalised=True))

    @cached_property
    def _class_passes(self) -> tuple[MatchingPass, ...]:
        """Passes that rank within each class of each target: `target=class` to its rows."""
        of_class = {
            f"{target.name}={name}": self.class_positions[target.name][:-1] == position
            for target in self.taxonomy.targets
            for position, name in enumerate(target.classes)
        }
        return self._passes(of_class, self._spelled(normalised=False))

    def _spelled(self, normalised: bool) -> list[_Spelled]:
        """Return the spellings that some row needs, at least one; most tables need the first alone."""
        keywords = pl.Series(self.rows["keyword"].tolist(), dtype=pl.String)
        match = self.rows["match"].to_numpy()
        words = normal_form(keywords)
        as_it_is = (match == "substring") & (not normalised)
        rewritten = np.isin(match, (GAP, MASK))
        in_words = ~as_it_is & ~rewritten & (words != " ").to_numpy()
        symbols = in_words & has_symbol(keywords).to_numpy()
        with_symbols = symbol_form(keywords).str.strip_chars_start(" ").str.strip_chars_end(" .")
        choices = [
            (as_it_is, lower_case(keywords), lower_case),
            (rewritten | in_words & ~symbols, self._in_rewritten(words), normal_form),
            (symbols, with_symbols, symbol_form),
        ]
        if normalised:
            # The last word of a keyword stays as it is: "windows" is not found in "window cleaner".
            inner = singular_form(keywords).str.extract("^(.* )[^ ]+ $")
            singular = inner.fill_null(" ") + words.str.extract("([^ ]+ )$")
            choices.append((in_words & ~symbols & (match != "prefix"), singular, singular_form))
        spelled: list[_Spelled] = []
        for chosen, texts, spell in choices:
            begun = texts.str.strip_chars_end(" |")  # the beginning of a word, without what tells its end
            patterns = np.where(chosen, np.where(match == "prefix", begun.to_numpy(), texts.to_numpy()), "")
            spelled.append((patterns, in_either_order(spell) if normalised else spell))
        return [one for one in spelled if (one[0] != "").any()] or spelled[:1]

    def _in_rewritten(self, words: pl.Series) -> pl.Series:
        """Return what is searched for each row in whole words, given its keyword in normal form, (n_rows,)."""
        patterns = self.gaps_and_masks.patterns
        return words.scatter(list(patterns), list(patterns.values())) if patterns else words

    def _passes(
        self, rows_of: Mapping[str, npt.NDArray[np.bool_]], spelled: Sequence[_Spelled]
    ) -> tuple[MatchingPass, ...]:
        """Build a pass for each spelling.

        Args:
            rows_of: a target, or a target and class, to the rows that count for it, each (n_rows,).
            spelled: what `_spelled` returns.
        """
        n_rows = len(self)
        rank = np.empty(n_rows, dtype=np.uint32)
        rank[self.order] = np.arange(n_rows)
        passes: list[MatchingPass] = []
        for patterns, spell in spelled:
            position = {pattern: at for at, pattern in enumerate(dict.fromkeys(patterns[patterns != ""]))}
            ranks = {}
            for name, rows in rows_of.items():
                ranks[name] = np.full(len(position), n_rows, dtype=np.uint32)
                counted = (patterns != "") & rows
                # Of rows with one pattern, the one that outranks the others counts.
                np.minimum.at(ranks[name], [position[pattern] for pattern in patterns[counted]], rank[counted])
            passes.append(MatchingPass(spell=spell, patterns=tuple(position), ranks=ranks, no_match=n_rows))
        return tuple(passes)
