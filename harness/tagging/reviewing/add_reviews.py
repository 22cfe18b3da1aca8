"""The verb `review add`: check what a person said of titles, and add it to the file of reviewed titles."""

import datetime
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.files.output_places import folder_beside
from data_cleaning.files.process_locks import locked
from data_cleaning.files.table_reader import as_text, read_table
from data_cleaning.files.whole_files import unwritable_as_bad_input, whole_file
from data_cleaning.files.written_tables import write_table
from data_cleaning.labelled_files import DATE, REVIEWER, SIDE, OpenedLabels, one_title, sides_of
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.taxonomy import Taxonomy
from harness.tagging.reviewing.review_sheet import NOTE, read_reviewed, refuse_faults

BACKUPS = "_backups"


@dataclass(frozen=True, kw_only=True)
class Added:
    """What was added, and what a person should know about it."""

    n_added: int
    n_same: int
    """Rows that say nothing new."""
    n_left: int
    """Rows that nobody has judged yet."""
    n_for_scoring: int
    conflicts: pl.DataFrame
    """`title`, `target`, what this `reviewer` says (`label`), and `others`: what others said, with their names."""
    backup: Path | None
    """The file as it was; None where there was none."""


def add_reviews(
    path: Path,
    *,
    reviewer: str,
    into: Path,
    taxonomy: Taxonomy,
    encoding: str | None,
    known: pl.Series | None,
    now: datetime.datetime,
) -> Added:
    """Add what a reviewer said; opinions that differ from those of others are kept beside them.

    Args:
        path: the sheet that a person has filled in.
        reviewer: whose opinions these are, where the file has no column that says so.
        into: CSV file of reviewed titles; it is made if there is none.
        taxonomy: of the labels.
        encoding: of a CSV file to add.
        known: titles of the leads, in normal spelling, which alone may be added; None knows none.
        now: names the day and the backup.

    Raises:
        BadInput: a row is faulty, or contradicts the same reviewer; nothing in it is new; a file cannot be read or
            written. Then nothing is changed.
    """
    if not reviewer.strip():
        raise BadInput("--reviewer is empty; expected the name of the person who labelled the titles.")
    if into.suffix.lower() != ".csv":
        raise BadInput(
            f"--into {into} is no CSV file; reviewed titles are kept in one. Give a name such as reviewed.csv."
        )
    if into.exists() and path.exists() and into.samefile(path):
        raise BadInput(f"{path} is the file of reviewed titles itself; give a sheet that a person has filled in.")
    if not into.parent.is_dir():
        raise BadInput(f"--into {into} cannot be written: expected a file in a folder that exists.")
    read = read_reviewed(path, taxonomy, encoding, known)
    refuse_faults(str(path), read.faults)
    if read.rows.is_empty():
        raise BadInput(
            f"{path} has no row that anybody has judged. Mark rows as done, or change their labels, and add it again."
        )
    added = add_opinions(read.rows, said_in=str(path), reviewer=reviewer, into=into, taxonomy=taxonomy, now=now)
    return replace(added, n_left=read.n_left)


def add_opinions(
    rows: pl.DataFrame, *, said_in: str, reviewer: str, into: Path, taxonomy: Taxonomy, now: datetime.datetime
) -> Added:
    """Add what a reviewer said, as `add_reviews` does, from `rows` as `read_reviewed` returns them.

    `said_in` names where they are from, for messages.

    Raises:
        BadInput: as `add_reviews`.
    """
    backups = folder_beside(into, BACKUPS)
    with unwritable_as_bad_input(backups):
        backups.mkdir(exist_ok=True)
    with locked(backups / ".lock", lambda: None):
        return _merge(said_in, rows, reviewer.strip(), into, backups, taxonomy, now)


def _merge(
    said_in: str, rows: pl.DataFrame, reviewer: str, into: Path, backups: Path, taxonomy: Taxonomy,
    now: datetime.datetime,
) -> Added:  # fmt: skip
    stored = read_opinions(into, taxonomy) if into.exists() else None
    earlier = stored.rows if stored is not None else pl.DataFrame(schema=dict.fromkeys(_columns(taxonomy), pl.String))
    rows = rows.with_columns(_one_spelling(rows[REVIEWER].fill_null(reviewer), earlier[REVIEWER]))
    new, n_same, faults = _compare(rows, earlier, taxonomy, into.name)
    refuse_faults(said_in, faults)
    if not new:
        raise BadInput(
            f"{said_in} was added already: {into} has all {n_same:,} rows that are judged in it. Nothing was changed."
        )
    added = pl.DataFrame(new, schema=rows.schema, orient="row").drop("place")
    added = added.with_columns(_sides(added["title"], earlier), pl.lit(now.date().isoformat()).alias(DATE))
    written, backup = added.select("title", *taxonomy.names, REVIEWER, DATE, SIDE, NOTE), None
    if stored is not None:
        table = as_text(read_table(into, None).frame, into)
        backup = backups / f"{into.stem}.{now:%Y-%m-%dT%H-%M-%S-%f}.csv"
        with whole_file(backup) as filling:
            shutil.copyfile(into, filling)
        written = pl.concat([table, written.rename(dict(stored.columns), strict=False)], how="diagonal")
        unsaid = stored.rows.select("title", SIDE).with_columns(_sides(stored.rows["title"], earlier).alias("_side"))
        sides = unsaid.select(pl.coalesce(SIDE, "_side")).to_series()
        written = written.with_columns(pl.concat([sides, added[SIDE]]).alias(stored.columns.get(SIDE, SIDE)))
    with whole_file(into) as filling:
        write_table(written, filling)
    return Added(
        n_added=len(added),
        n_same=n_same,
        n_left=0,
        n_for_scoring=int((added[SIDE] == "score").sum()),
        conflicts=_conflicts(added, earlier, taxonomy),
        backup=backup,
    )


def read_opinions(path: Path, taxonomy: Taxonomy) -> OpenedLabels:
    """Read every row of a file of reviewed titles, those included that say nothing about any target.

    Raises:
        BadInput: as `OpenedLabels.read`; somebody in it contradicts themselves.
    """
    stored = OpenedLabels.read(path, LeadColumns(), taxonomy, None, every_row=True)
    stored.refuse_contradictions()
    return stored


def _columns(taxonomy: Taxonomy) -> Sequence[str]:
    return ("title", *taxonomy.names, REVIEWER, SIDE, DATE, "place")


def _one_spelling(names: pl.Series, known: pl.Series) -> pl.Series:
    """Write each name as it was written first, so that "Ann" and "ann" are one reviewer."""
    first: dict[str, str] = {}
    for name in [*known.drop_nulls(), *names]:
        first.setdefault(name.strip().casefold(), name.strip())
    return pl.Series(REVIEWER, [first[name.strip().casefold()] for name in names], dtype=pl.String)


def _compare(
    rows: pl.DataFrame, earlier: pl.DataFrame, taxonomy: Taxonomy, into: str
) -> tuple[list[tuple[Any, ...]], int, list[str]]:
    """Return the rows that say something new, how many do not, and those that contradict the same reviewer."""
    said: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    known = earlier.select(one_title("title").alias("one"), pl.all())
    for row in known.iter_rows(named=True):
        labels = said.setdefault((row["one"], row[REVIEWER] or ""), {})
        labels |= {name: (row[name], f"{row['place']} of {into}") for name in taxonomy.names if row[name] is not None}
    new, n_same, faults = [], 0, []
    for row in rows.select(one_title("title").alias("one"), pl.all()).iter_rows(named=True):
        key = row["one"], row[REVIEWER]
        is_first = key not in said
        labels = said.setdefault(key, {})
        against = [name for name in taxonomy.names if row[name] and name in labels and labels[name][0] != row[name]]
        faults += [
            f"{row['place']}: {row[REVIEWER]} gives {row['title']!r} the {name} {row[name]!r}, and gave it "
            f"{labels[name][0]!r} in {labels[name][1]}"
            for name in against
        ]
        fresh = {name: (row[name], row["place"]) for name in taxonomy.names if row[name] and name not in labels}
        labels |= fresh
        if fresh or is_first:
            new.append(tuple(value for name, value in row.items() if name != "one"))
        else:
            n_same += 1
    return new, n_same, faults


def _sides(titles: pl.Series, earlier: pl.DataFrame) -> pl.Series:
    """Return the side of each title: that of a near duplicate which is in the file already, or else by its key."""
    known = earlier.select(near_duplicate_keys(earlier["title"]), SIDE).drop_nulls().unique("key", keep="first")
    asked = pl.DataFrame([near_duplicate_keys(titles), sides_of(titles).alias("own")])
    joined = asked.join(known, on="key", how="left", maintain_order="left")
    return joined.select(pl.coalesce(SIDE, "own").alias(SIDE)).to_series()


def _conflicts(added: pl.DataFrame, earlier: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Gather where a new label differs from that of somebody else."""
    mine = added.with_columns(one_title("title").alias("one"))
    theirs = earlier.select(
        one_title("title").alias("one"), pl.col(REVIEWER).fill_null("nobody named").alias("by"), *taxonomy.names
    )
    both = pl.concat([theirs, mine.select("one", pl.col(REVIEWER).alias("by"), *taxonomy.names)]).unique()
    found = []
    for name in taxonomy.names:
        pairs = mine.select("one", "title", REVIEWER, pl.col(name).alias("label")).join(
            both.select("one", "by", pl.col(name).alias("other")), on="one", maintain_order="left"
        )
        differ = pairs.filter((pl.col("label") != pl.col("other")) & (pl.col("by") != pl.col(REVIEWER)))
        of_title = differ.group_by("title", REVIEWER, "label", maintain_order=True).agg(
            pl.format("{} ({})", "other", "by").unique().sort().str.join("; ").alias("others")
        )
        found.append(of_title.select("title", pl.lit(name).alias("target"), REVIEWER, "label", "others"))
    return pl.concat(found)
