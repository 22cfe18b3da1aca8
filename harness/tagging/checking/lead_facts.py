"""The leads of a check: titles and columns to break down by, and what is wrong with the file they come in."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from data_cleaning.column_names import column_key, one_column, shown, usual_names
from data_cleaning.errors import BadInput, counted, first_few
from data_cleaning.files import Layout, Reject, Source, open_source
from data_cleaning.files.sources import FileColumns
from data_cleaning.lead_columns import find_title
from data_cleaning.near_duplicates import near_duplicate_report
from data_cleaning.text_repair import repaired
from data_cleaning.words import normalise_titles

_MAX_EVENTS = 1_000
"""Values of a column that is taken for the events without being asked for."""

_OF_DATES = re.compile(r"(?:^|[^a-z])(?:date|day|datum|fecha|created|registered|timestamp)(?:$|[^a-z])")
_DATE_FORMS = {
    "2026-11-28": r"^\d{4}-\d{1,2}-\d{1,2}(?:[T ].*)?$",
    "28/11/2026": r"^\d{1,2}/\d{1,2}/\d{4}(?: .*)?$",
    "28.11.2026": r"^\d{1,2}\.\d{1,2}\.\d{4}(?: .*)?$",
    "28/11/26": r"^\d{1,2}/\d{1,2}/\d{2}(?: .*)?$",
    "28-11-2026": r"^\d{1,2}-\d{1,2}-\d{4}(?: .*)?$",
    "28 Nov 2026": r"^\d{1,2}[ -][A-Za-z]{3,9}\.?[ -]\d{2,4}(?: .*)?$",
    "Nov 28, 2026": r"^[A-Za-z]{3,9}\.? \d{1,2},? \d{4}(?: .*)?$",
    "45989 (a spreadsheet's number of a day)": r"^[1-9]\d{4}(?:\.\d+)?$",
}
_MIN_DATES = 0.5
"""Share of a column's cells that are dates before its other cells are odd."""
_FIRST_YEAR = 1990
_LONG_TITLE = 100  # characters
_SHOWN = 5


@dataclass(frozen=True)
class Problem:
    """Something about a file that its owner should know."""

    what: str
    records: int | None
    """Records, rows or cells that it holds for; None where it holds for the file."""
    examples: str
    todo: str


@dataclass(frozen=True, kw_only=True)
class LeadFacts:
    """The leads of a file; a record is a row."""

    path: Path
    title_column: str
    titles: pl.Series
    """Of each record in normal spelling, null where it has none, (n_records,)."""
    by: Mapping[str, pl.Series]
    """Columns to break down by, trimmed, null where empty, each (n_records,)."""
    problems: Sequence[Problem]
    """Those that cost most first, and last how the file was read."""
    n_rejected: int

    @property
    def distinct(self) -> pl.DataFrame:
        """The titles, `title`, and their records, `count`, most records first."""
        counts = self.titles.drop_nulls().alias("title").value_counts(name="count")
        return counts.sort("count", "title", descending=[True, False]).with_columns(pl.col("count").cast(pl.Int64))


def read_facts(
    path: Path,
    *,
    title_column: str | None,
    by: Sequence[str],
    encoding: str | None,
    layout: Layout,
    announce: Callable[[str], None],
) -> LeadFacts:
    """Read leads of which nothing but the titles is needed; rows that cannot be read are told of, not refused.

    Args:
        path: CSV, gzipped CSV, Parquet or XLSX.
        title_column: name of the column of titles; None finds it.
        by: columns to break down by; none takes the column of events, if there is one by its name.
        encoding: of a CSV file; None finds it out.
        layout: where the table is within the file.
        announce: told which columns are read.

    Raises:
        BadInput: the file cannot be read, a column is missing, or no record has a title.
    """
    source = open_source(path, encoding=encoding, layout=layout)
    file = FileColumns(source)
    names = file.names
    asked_for = title_column is not None
    found_title = find_title(file.named, title_column or "Title", path, asked_for=asked_for, values=file.values)
    title = found_title.name
    remedy = "Name the column to break down by with --by."
    asked = {name: names.index(name) for name in (one_column(file.named, wanted, path, remedy) for wanted in by)}
    of_events = {} if asked else _events(names)
    dates = {name: at for at, name in enumerate(names) if _OF_DATES.search(name.lower())}
    kept = {names.index(title), *asked.values(), *of_events.values(), *dates.values()}
    columns: dict[int, list[pl.Series]] = {position: [] for position in kept}
    hashes: list[np.ndarray] = []
    rejects: list[Reject] = []
    for batch in source.batches():
        for position, pieces in columns.items():
            pieces.append(_texts(batch.rows.column(position)))
        hashes.append(_hashes(batch.rows))
        rejects += batch.rejects
    cells = {at: pl.concat([pl.Series(dtype=pl.String), *pieces]) for at, pieces in columns.items()}
    typed = cells[names.index(title)]
    titles = normalise_titles(typed).replace("", None)
    if titles.null_count() == len(titles):
        raise BadInput(f"{path} has no title in column {title!r}. Name another column with --title-column.")
    chosen = asked or _varied(of_events, cells)
    values = {name.strip(): cells[at].str.strip_chars().replace("", None) for name, at in chosen.items()}
    for note in source.notes:
        announce(note)
    said = f"{found_title.why} Titles are read from {shown(title)}".lstrip()
    for name in values if not asked else ():
        said += f", events from {name!r}; another column may be named with --by"
    announce(f"{said}.")
    found = [
        *_of_rows(source, rejects, np.concatenate([np.zeros(0, np.uint64), *hashes])),
        *_of_titles(typed, titles, title),
        *_of_values(values),
        *(one for name, at in dates.items() for one in _of_dates(name, cells[at])),
    ]
    return LeadFacts(
        path=path,
        title_column=title,
        titles=titles,
        by=values,
        problems=[*sorted(found, key=lambda one: -(one.records or 0)), *_of_reading([*source.notes, f"{said}."])],
        n_rejected=len(rejects),
    )


def _events(names: Sequence[str]) -> dict[str, int]:
    """Return the columns that events may be in, the likeliest first."""
    keys = [column_key(name) for name in names]
    likely = ("".join(usual) for usual in usual_names("event"))
    return {names[keys.index(key)]: keys.index(key) for key in likely if keys.count(key) == 1}


def _varied(columns: Mapping[str, int], cells: Mapping[int, pl.Series]) -> dict[str, int]:
    """Return the first column that tells some records from others, but not each from each."""
    for name, position in columns.items():
        if 2 <= cells[position].drop_nulls().n_unique() <= _MAX_EVENTS:
            return {name: position}
    return {}


def _texts(column: pa.ChunkedArray) -> pl.Series:
    series = pl.Series(pl.from_arrow(column))
    return series.cast(pl.String, strict=False) if not series.dtype.is_nested() else series.cast(pl.String)


def _hashes(rows: pa.Table) -> np.ndarray:
    """Return a number for each row that equal rows share."""
    numbered = rows.rename_columns([str(position) for position in range(rows.num_columns)])
    return pl.DataFrame(numbered).hash_rows().to_numpy()


def _of_rows(source: Source, rejects: Sequence[Reject], hashes: np.ndarray) -> Iterator[Problem]:
    if rejects:
        reasons = first_few((f"{source.unit} {one.place} {one.reason}" for one in rejects), _SHOWN)
        yield Problem("Rows that could not be read", len(rejects), reasons, "Correct them; they are counted nowhere.")
    n_of_each = np.unique(hashes, return_counts=True)[1]
    n_again = int((n_of_each - 1).sum())
    if n_again:
        times = counted(int((n_of_each > 1).sum()), "record")
        where = f"{times} occur more than once, one of them {int(n_of_each.max()):,} times"
        yield Problem(
            "Records that repeat another one in every column", n_again, where,
            "Remove them if each person should count once; here every record counts.",
        )  # fmt: skip
    names = source.schema.names
    twice = sorted({name for name in names if name.strip() and names.count(name) > 1})
    if twice:
        yield Problem("Columns of the same name", None, first_few(map(repr, twice)), "Rename all but one of each.")
    if source.n_skipped:
        yield Problem("Blank rows, passed over", source.n_skipped, "", "Nothing; they are no records.")


def _of_titles(typed: pl.Series, titles: pl.Series, column: str) -> Iterator[Problem]:
    n_empty = titles.null_count()
    if n_empty:
        yield Problem(
            f"Records without a title in {column!r}", n_empty, "",
            "Ask for the title in the form; without one a record is in no department.",
        )  # fmt: skip
    damaged = (repaired(typed) != typed).fill_null(False)
    if damaged.any():
        yield Problem(
            "Titles with damaged text, which was repaired", int(damaged.sum()), _quoted(typed.filter(damaged)),
            "Nothing here; where it comes from, export as UTF-8.",
        )  # fmt: skip
    odd = (typed.str.strip_chars() != titles).fill_null(False) & ~damaged
    if odd.any():
        yield Problem(
            "Titles with odd quotes or blanks, read in their normal spelling", int(odd.sum()),
            _quoted(typed.filter(odd)), "Nothing; the answers are for the normal spelling.",
        )  # fmt: skip
    long = (titles.str.len_chars() > _LONG_TITLE).fill_null(False)
    if long.any():
        yield Problem(
            f"Titles of more than {_LONG_TITLE} characters", int(long.sum()), _quoted(titles.filter(long)),
            "Look at them: they may be remarks, or cells that ran together.",
        )  # fmt: skip
    counts = titles.drop_nulls().alias("title").value_counts(name="count")
    several = near_duplicate_report(counts.with_columns(pl.col("count").cast(pl.Int64)))
    if len(several):
        groups = several.group_by("key", maintain_order=True).agg("title", "title_records", pl.col("records").first())
        n_rarer = int((groups["records"] - groups["title_records"].list.max()).sum())
        shown = (" = ".join(f"{title!r}" for title in of_group[:3]) for of_group in groups["title"].head(3))
        yield Problem(
            "Titles that are another spelling of a more frequent one", n_rarer, first_few(shown),
            "Nothing, or offer a list to choose from in the form.",
        )  # fmt: skip


def _of_values(by: Mapping[str, pl.Series]) -> Iterator[Problem]:
    for name, values in by.items():
        if values.null_count():
            yield Problem(
                f"Records without a value in {name!r}", values.null_count(), "",
                "Fill them in; they are counted as (empty).",
            )  # fmt: skip
        counts = values.drop_nulls().alias("value").value_counts(name="count", sort=True)
        plain = pl.col("value").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
        alike = counts.group_by(plain.alias("plain"), maintain_order=True).agg("value", "count")
        alike = alike.filter(pl.col("value").list.len() > 1)
        if len(alike):
            rarer = int((alike["count"].list.sum() - alike["count"].list.max()).sum())
            shown = (" = ".join(map(repr, values)) for values in alike["value"].head(_SHOWN))
            yield Problem(
                f"Records whose {name!r} is another spelling of a more frequent one", rarer, first_few(shown),
                "Write each in one way; here they are counted apart.",
            )  # fmt: skip


def _of_dates(name: str, cells: pl.Series) -> Iterator[Problem]:
    """Look at a column that is called after dates, if most of it are dates."""
    filled = cells.str.strip_chars().replace("", None).drop_nulls()
    form = pl.coalesce(
        *(pl.when(pl.col("cell").str.contains(pattern)).then(pl.lit(like)) for like, pattern in _DATE_FORMS.items()),
        pl.lit(None, dtype=pl.String),
    )
    read = filled.to_frame("cell").with_columns(form.alias("form"))
    dates = read.drop_nulls("form")
    if dates.is_empty() or len(dates) < _MIN_DATES * len(read):
        return
    strange = read.filter(pl.col("form").is_null())["cell"]
    if len(strange):
        yield Problem(f"Cells of {name!r} that are no date", len(strange), _quoted(strange), "Correct them.")
    forms = dates["form"].value_counts(sort=True, name="n")
    if len(forms) > 1:
        listed = first_few(f"{count:,} like {like}" for like, count in forms.iter_rows())
        yield Problem(
            f"Dates of {name!r} in another form than most", int(forms["n"][1:].sum()), listed,
            "Write all dates in one form, best as 2026-11-28.",
        )  # fmt: skip
    years = dates["cell"].str.extract(r"(?:^|\D)(\d{4})(?:\D|$)").cast(pl.Int64, strict=False)
    far = dates["cell"].filter(((years < _FIRST_YEAR) | (years > datetime.now(UTC).year + 1)).fill_null(False))
    if len(far):
        yield Problem(
            f"Dates of {name!r} before {_FIRST_YEAR} or after next year", len(far), _quoted(far), "Correct them."
        )


def _of_reading(notes: Sequence[str]) -> Iterator[Problem]:
    for note in notes:
        yield Problem("How the file was read", None, note, "")


def _quoted(cells: pl.Series) -> str:
    return first_few((repr(cell) for cell in cells.unique(maintain_order=True).head(_SHOWN)), _SHOWN)
