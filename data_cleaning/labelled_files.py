"""Titles that people labelled: their files, which of several opinions counts, and on which side a title is."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl

from data_cleaning.column_names import one_column, same_columns
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.sources import FileColumns
from data_cleaning.files.table_layout import Layout
from data_cleaning.files.table_reader import as_text, read_table
from data_cleaning.lead_columns import LeadColumns, find_title
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.taxonomy import Target, Taxonomy
from data_cleaning.words import normalise_titles

LABELLING_SHEET = "Titles to label"
"""Of a workbook: the sheet in which somebody labels titles, as `check` writes it."""

REVIEWER, SIDE, DATE = "reviewer", "side", "date"
"""Columns of reviewed titles that `review add` writes: who labelled the title, what it is for, and the day."""

DONE, ANSWER, ID = "done", "answer", "id"
"""Columns that tell a sheet of picked titles, whose labels are filled in before anybody has looked at them."""

LEARN, SCORE = "learn", "score"
_SCORE_SHARE = 5
"""One title in so many is kept for scoring."""

_NOBODY = ""
"""The reviewer of a file without a column for that."""


@dataclass(frozen=True, kw_only=True)
class OpenedLabels:
    """The rows of a file in which people labelled titles, before opinions are combined."""

    path: Path
    rows: pl.DataFrame
    """`title` in normal spelling, a class name or null per target, `reviewer`, `side` and `date` (null where there
    is none), and `place` in the file; rows without any label are left out."""
    targets: tuple[str, ...]
    columns: Mapping[str, str]
    """Our name of each column that was read to the file's own."""

    @classmethod
    def read(
        cls,
        path: Path,
        columns: LeadColumns,
        taxonomy: Taxonomy,
        encoding: str | None = "utf-8",
        *,
        every_row: bool = False,
    ) -> Self:
        """Read a file.

        The title column is found as `find_title` does; a target's has its configured name or its own, whichever is
        there. Rows without any label are not judged yet, and are left out, unless `every_row` keeps them. Of a workbook
        that `check` has written, the sheet of titles to label is read.

        Raises:
            BadInput: as `read_table`; a column is missing; a label outside the taxonomy; a side that is none; the
                file was picked and is not added yet.
        """
        names = ("title", *taxonomy.names)
        extra: list[str] = []

        def choose(file: FileColumns) -> list[str]:
            if {DONE, ANSWER, ID} <= set(file.named):
                raise BadInput(
                    f"{path} was picked for review, and its answers may be nobody's yet. Add what was reviewed with "
                    "'review add', and give the file that it writes."
                )
            chosen = []
            for name in taxonomy.names:
                column = columns.targets.get(name, name)
                called = column if same_columns(file.named, column) else name
                chosen.append(one_column(file.named, called, path, f"It may be called {column!r} or {name!r}."))
            extra.extend(name for name in (REVIEWER, SIDE, DATE) if file.named.count(name) == 1 and name not in chosen)
            taken = [*chosen, *extra]
            title = find_title(file.named, columns.title, path, asked_for=False, taken=taken, values=file.values)
            return [title.name, *chosen, *extra]

        from data_cleaning.files.xlsx_source import has_sheet  # on use, as every reader of one kind of file

        layout = Layout(sheet=LABELLING_SHEET if has_sheet(path, LABELLING_SHEET) else None)
        table = read_table(path, encoding, choose=choose, layout=layout)
        frame = as_text(table.frame, path)
        found = dict(zip((*names, *extra), frame.columns, strict=True))
        frame = frame.rename({theirs: ours for ours, theirs in found.items()})
        frame = frame.with_columns(pl.all().str.strip_chars().replace("", None))
        places = pl.Series("place", [table.place(row) for row in range(len(frame))], dtype=pl.String)
        frame = frame.with_columns(normalise_titles(frame["title"]), places)
        for name in (REVIEWER, SIDE, DATE):
            if name not in frame.columns:
                frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name))
        _check_sides(path, frame)
        labelled = ~pl.all_horizontal(pl.col(taxonomy.names).is_null())
        frame = frame.filter(labelled | pl.lit(every_row))
        if frame.is_empty():
            raise BadInput(f"{path} has no label in any row. Label some of its titles first.")
        blank = frame.filter(pl.col("title").is_null())["place"]
        if len(blank):
            raise BadInput(f"{path} has no title in {first_few(blank)}. A labelled file needs one; fill or drop them.")
        grouped = [_grouped(path, frame[target.name], target) for target in taxonomy.targets]
        frame = frame.with_columns(grouped)
        return cls(path=path, rows=frame, targets=taxonomy.names, columns=found)

    def refuse_contradictions(self) -> None:
        """Refuse two labels that one person gave one title, in whatever case and with whatever blanks it is written.

        Raises:
            BadInput: naming the titles.
        """
        by_person = [one_title("title"), pl.col(REVIEWER).fill_null(_NOBODY)]
        several = pl.any_horizontal(pl.col(name).drop_nulls().n_unique().over(by_person) > 1 for name in self.targets)
        twice = self.rows.filter(several).sort(one_title("title"), maintain_order=True)
        if len(twice):
            titles = twice["title"].unique(maintain_order=True)
            raise BadInput(
                f"{self.path} labels the same title in two ways: {first_few(map(repr, titles))}. Upper and lower case "
                "and blanks make no difference. Keep one of each, or label them alike; opinions of several people "
                f"need a column {REVIEWER!r}."
            )


def _check_sides(path: Path, rows: pl.DataFrame) -> None:
    odd = rows.filter(pl.col(SIDE).is_not_null() & ~pl.col(SIDE).is_in([LEARN, SCORE]))
    if len(odd):
        shown = first_few(f"{side!r} in {place}" for side, place in odd.select(SIDE, "place").iter_rows())
        raise BadInput(f"{path} has a {SIDE} that is none: {shown}. Write {LEARN} or {SCORE}.")


def _grouped(path: Path, labels: pl.Series, target: Target) -> pl.Series:
    """Return the class of each label, null where there is none."""
    known = labels.drop_nulls()
    try:
        codes = target.encode(known.to_list())
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None
    classes = dict(zip(known, (target.classes[code] for code in codes), strict=True))
    return labels.replace_strict(classes, default=None, return_dtype=pl.String)


def one_title(column: str) -> pl.Expr:
    """Return what titles have in common that differ in case or blanks alone: they are one title to every system."""
    return pl.col(column).str.to_lowercase().str.replace_all(" ", "", literal=True)


def read_labelled(
    path: Path, columns: LeadColumns, taxonomy: Taxonomy, encoding: str | None = "utf-8", *, partly: bool = False
) -> pl.DataFrame:
    """Read a file in which people who know labelled titles, every label in the taxonomy; see `OpenedLabels.read`.

    Where several people labelled a title, each target gets the class that most of them gave. Where none leads, nothing
    is said about that target. Without a column `reviewer`, a title may have only one label per target.

    Args:
        path: of the file.
        columns: what its columns may be called.
        taxonomy: names the targets.
        encoding: of a CSV file.
        partly: whether a row may say nothing about some targets; otherwise a blank cell is a fault.

    Returns:
        Distinct rows of `title` and a class name per target, in file order; labels that are not known are null, and
        with `partly` there is the column `side`, null where the file does not say it.

    Raises:
        BadInput: as `OpenedLabels.read`; a blank cell; one person gave a title two different labels.
    """
    opened = OpenedLabels.read(path, columns, taxonomy, encoding)
    if not partly:
        for name in taxonomy.names:
            blank = opened.rows["place"].filter(opened.rows[name].is_null())
            if len(blank):
                raise BadInput(
                    f"{path} has no {name} in {first_few(blank)}. A labelled file needs every cell; fill or drop them."
                )
    opened.refuse_contradictions()
    combined = combine_opinions(opened.rows, taxonomy.names)
    return combined if partly else combined.drop(SIDE).drop_nulls()


def combine_opinions(rows: pl.DataFrame, targets: Sequence[str]) -> pl.DataFrame:
    """Give each title the class that most people gave it, per target; null where several lead, or nobody gave any.

    Args:
        rows: `title`, `reviewer`, `side` and a class name or null per target.
        targets: names of the label columns.

    Returns:
        `title` in each of its spellings, the targets and `side`; titles about which nothing is left are left out.
    """
    keyed = rows.with_columns(one_title("title").alias("_one"), pl.col(REVIEWER).fill_null(_NOBODY))
    found = keyed.select("title", "_one").unique(maintain_order=True)
    for name in targets:
        # A person has one vote, however often a title is listed.
        votes = keyed.select("_one", REVIEWER, name).drop_nulls(name).unique().group_by("_one", name).len()
        leads = votes.filter(pl.col("len") == pl.col("len").max().over("_one"))
        leads = leads.filter(pl.len().over("_one") == 1).select("_one", name)
        found = found.join(leads, on="_one", how="left", maintain_order="left")
    sides = keyed.group_by("_one").agg(pl.col(SIDE).drop_nulls().first())
    found = found.join(sides, on="_one", how="left", maintain_order="left")
    some = ~pl.all_horizontal(pl.col(name).is_null() for name in targets)
    return found.filter(some).select("title", *targets, SIDE)


def sides_of(titles: pl.Series) -> pl.Series:
    """Say what titles that nobody has reviewed yet are for, `learn` or `score`, (n_titles,).

    It depends on the near-duplicate key alone, so that a title never changes sides, and near duplicates share one.
    """
    keys = near_duplicate_keys(titles).to_list()
    score = (int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % _SCORE_SHARE == 0 for key in keys)
    return pl.Series(SIDE, [SCORE if one else LEARN for one in score], dtype=pl.String)
