"""The verb `review pick`: choose the titles that are most worth a person's minute, and write a sheet to fill in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from baselines.keyword import KeywordClassifier
from baselines.keyword_table import KeywordTable
from baselines.tfidf import TfidfClassifier
from baselines.tfidf_features import TfidfSettings
from data_cleaning.column_names import same_columns
from data_cleaning.errors import BadInput, counted
from data_cleaning.files import Layout, open_source
from data_cleaning.files.frames import read_frame
from data_cleaning.files.output_places import check_table, ending
from data_cleaning.files.sources import STANDARD_INPUT, FileColumns
from data_cleaning.files.spreadsheet_text import safe_text
from data_cleaning.files.whole_files import full_disk_as_bad_input, whole_file
from data_cleaning.labelled_files import LEARN, SCORE, SIDE, combine_opinions, read_labelled, sides_of
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.leads import open_leads
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired
from data_cleaning.titles import FloatArray, IntArray, LabelledTitles, StrArray
from data_cleaning.words import normalise_titles
from harness.experiment.config import PROJECT_CONFIGS
from harness.experiment.hybrid import HybridClassifier
from harness.experiment.run_folder import TITLES, run_config
from harness.experiment.stages.fit_system import weigh_reviewed
from harness.experiment.systems import load_system
from harness.tagging.checking.check_file import TABLE
from harness.tagging.checking.no_titles import is_no_title
from harness.tagging.models import open_run
from harness.tagging.reviewing.add_reviews import read_opinions
from harness.tagging.reviewing.ranking import Answers, Worth, choose, worth_of
from harness.tagging.reviewing.review_sheet import write_picked

MAX_OFFERED = 10_000
"""Titles of most records that are compared; answers of a network for more would take minutes."""

_MAX_LEARNED = 4_000
"""Titles of most records that a committee of few minutes learns from."""

_UNSURE = 0.25
"""Doubt from which on a title is said to be unsure."""

_TFIDF = TfidfSettings(count_power=0.5)


@dataclass(frozen=True, kw_only=True)
class PickJob:
    """What to pick from, with what, and where to write."""

    source: Path
    """Folder of a run, or a file of leads."""
    table: Path | None
    """Keyword table, for a file of leads; None takes the shipped one."""
    n_titles: int
    out: Path
    taxonomy: Taxonomy
    """Of the table; a run has its own."""
    reviewed: Path
    """File of reviewed titles, whose titles are not picked again; there may be none yet."""
    side: str
    title_column: str | None
    encoding: str | None
    layout: Layout
    force: bool


@dataclass(frozen=True, kw_only=True)
class Picked:
    """What was picked."""

    n_titles: int
    n_records: int
    n_offered: int
    left_out: Sequence[str]
    """What was not offered, in phrases."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Titles that are most worth a person's minute."""

    picked: pl.DataFrame
    """`title`, `records`, the best answer per target, and `why`; those most worth first."""
    taxonomy: Taxonomy
    best: str
    """The system whose answers these are."""
    answers: Mapping[str, Mapping[str, Sequence[str]]]
    """System, the best first, to target to its answer for each picked title."""
    n_offered: int
    left_out: Sequence[str]


@dataclass(frozen=True)
class _Offer:
    """Titles to choose from, and what each system answers for them; the first system's answers are the best."""

    taxonomy: Taxonomy
    titles: StrArray
    records: IntArray
    systems: Mapping[str, Answers]


def pick_titles(job: PickJob, on_progress: Progress, announce: Callable[[str], None]) -> Picked:
    """Choose titles and write the workbook in which a person labels them.

    Titles to learn from are chosen by what they are worth. Titles to score with are drawn by their records, whatever
    systems answer for them, so that scores on them speak for all records.

    Raises:
        BadInput: a file or folder is missing or faulty, there is nothing to pick, or the output cannot be written.
    """
    check_table(job.out, job.source if job.source.is_file() else None, force=job.force)
    if ending(job.out).lower() != ".xlsx":
        raise BadInput(
            f"--out {job.out} is no XLSX file; titles are picked into a workbook. Give a name such as to_review.xlsx."
        )
    choice = choose_titles(job, on_progress, announce)
    picked = choice.picked
    heading = f"{counted(len(picked), 'title')} of {job.source.name} to review"
    with full_disk_as_bad_input(job.out), whole_file(job.out) as filling:
        write_picked(filling, picked, choice.taxonomy, heading, _how_to(job, choice.best))
    n_records = int(picked["records"].sum())
    return Picked(n_titles=len(picked), n_records=n_records, n_offered=choice.n_offered, left_out=choice.left_out)


def choose_titles(job: PickJob, on_progress: Progress, announce: Callable[[str], None]) -> Choice:
    """Choose titles and write nothing.

    Raises:
        BadInput: a file or folder is missing or faulty, or there is nothing to pick.
    """
    if job.source.is_dir():
        if job.table is not None:
            raise BadInput(
                f"--table {job.table} goes with a file of leads; the systems of {job.source} answer for a run."
            )
        taxonomy = open_run(job.source).taxonomy
        titles, barred = titles_of_run(job.source, taxonomy)
    else:
        taxonomy, barred = job.taxonomy, pl.Series([], dtype=pl.String)
        titles = titles_of_file(
            job.source, taxonomy, announce, title_column=job.title_column, encoding=job.encoding, layout=job.layout
        )
    stored = read_opinions(job.reviewed, taxonomy).rows if job.reviewed.exists() else None
    known = stored["title"].to_list() if stored is not None else []
    offered, left_out = _offered(titles, known, barred, job.side)
    if offered.is_empty():
        raise BadInput(f"{job.source} has no title to pick: of {counted(len(titles), 'title')}, {', '.join(left_out)}.")
    n_offered, is_scored = len(offered), job.side == SCORE
    offered = offered.sort("count", "title", descending=[True, False])
    offered = offered[_drawn(offered, job.n_titles)] if is_scored else offered.head(MAX_OFFERED)
    labelled = combine_opinions(stored, taxonomy.names) if stored is not None else None
    learned = None if labelled is None else labelled.filter(pl.col(SIDE).fill_null(LEARN) == LEARN)
    found = pl.Series(offered["title"]).to_numpy().astype(object)
    if job.source.is_dir():
        systems = _systems_of_run(job.source, found, on_progress)
    else:
        table = KeywordTable.read(job.table or PROJECT_CONFIGS / TABLE, taxonomy, lenient=True)
        systems = _committee(table, titles, learned, found, on_progress)
    offer = _Offer(taxonomy, found, offered["count"].to_numpy(), systems)
    worth = worth_of(offer.records, list(systems.values()), taxonomy)
    chosen = np.arange(len(found)) if is_scored else choose(found, worth.alone, known, job.n_titles)
    why = [_why(offer, worth, int(at), job.side) for at in chosen]
    answers = {name: _labels(found, chosen, taxonomy) for name, found in systems.items()}
    best = next(iter(systems))
    labels = {name: pl.Series(of_target, dtype=pl.String) for name, of_target in answers[best].items()}
    picked = (
        offered[chosen]
        .select("title", pl.col("count").alias("records"))
        .with_columns(**labels, why=pl.Series(why, dtype=pl.String))
    )
    return Choice(picked=picked, taxonomy=taxonomy, best=best, answers=answers, n_offered=n_offered, left_out=left_out)


def _labels(answers: Answers, chosen: IntArray, taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Return the most probable class of each chosen title by target."""
    return {
        target.name: [target.classes[code] for code in answers[target.name][chosen].argmax(axis=1)]
        for target in taxonomy.targets
    }


def titles_of_run(folder: Path, taxonomy: Taxonomy) -> tuple[pl.DataFrame, pl.Series]:
    """Return the titles of a run's leads with their `count`, and the keys of those that only scores may use.

    Raises:
        BadInput: the run is of an earlier release.
    """
    path = folder / TITLES
    if not path.is_file():
        raise BadInput(
            f"{folder} was made by an earlier release, which kept no list of titles. Make the run again, or give its "
            "leads with --table."
        )
    titles = read_frame(path)
    barred = near_duplicate_keys(titles.filter("held_out")["title"])
    config = run_config(folder)
    columns, encoding = LeadColumns(**config["leads"]["columns"]), config["leads"].get("encoding", "utf-8")
    for path in (folder / judge for judge in (config.get("truth"), config.get("golden")) if judge):
        if path.is_file():
            judged = read_labelled(path, columns, taxonomy, encoding)
            barred = pl.concat([barred, near_duplicate_keys(judged["title"])])
    return titles.select("title", "count"), barred.unique()


def titles_of_file(
    path: Path,
    taxonomy: Taxonomy,
    announce: Callable[[str], None],
    *,
    title_column: str | None = None,
    encoding: str | None = None,
    layout: Layout = Layout(),
) -> pl.DataFrame:
    """Return the distinct titles of leads in normal spelling, and their records as `count`.

    A column called `count`, where there is one, says how many records a row stands for.

    Raises:
        BadInput: the file cannot be read, or has no title.
    """
    counts: Sequence[str] = ()
    if path != STANDARD_INPUT:  # which can be read once
        counts = same_columns(FileColumns(open_source(path, encoding=encoding, layout=layout)).named, "count")
    columns = LeadColumns(count=counts[0] if len(counts) == 1 else None, targets={})
    opened = open_leads(path, columns, encoding, taxonomy, title_column, announce, layout=layout)
    spelled = opened.leads.select(normalise_titles(repaired(opened.leads["title"])).alias("title"), "count")
    titles = spelled.filter(pl.col("title").fill_null("") != "").group_by("title").agg(pl.col("count").sum())
    if titles.is_empty():
        raise BadInput(f"{path} has no title. Name another column with --title-column.")
    return titles


def _offered(
    titles: pl.DataFrame, known: Sequence[str], barred: pl.Series, side: str
) -> tuple[pl.DataFrame, list[str]]:
    """Return the titles that may be picked for a side, and what was left out for which reason."""
    keyed = titles.with_columns(near_duplicate_keys(titles["title"]), sides_of(titles["title"]))
    # A spreadsheet escapes some titles, which would not be read back as they are.
    unsafe = pl.Series([safe_text(title) != title for title in keyed["title"]], dtype=pl.Boolean)
    reasons = {
        "reviewed already": pl.col("key").is_in(near_duplicate_keys(list(known)).implode()),
        "no job title by its form, or a formula to a spreadsheet": pl.lit(is_no_title(keyed["title"]) | unsafe),
        "kept for scores": pl.col("key").is_in(barred.implode()) | (pl.col(SIDE) == SCORE),
    }
    if side == SCORE:
        reasons.pop("kept for scores")
        reasons["for learning"] = pl.col(SIDE) == LEARN
    said: list[str] = []
    left = keyed.with_columns(**reasons)
    for name in reasons:
        n_before, left = len(left), left.filter(~pl.col(name))
        if n_before > len(left):
            said.append(f"{n_before - len(left):,} {name}")
    return left.select("title", "count"), said


def _systems_of_run(folder: Path, titles: StrArray, on_progress: Progress) -> dict[str, Answers]:
    """Return what the fitted systems of a run answer, the default one first."""
    model = open_run(folder)
    best = model.system(None)
    names = [best, *(name for name in model.systems if name not in (best, "majority"))]
    answers: dict[str, Answers] = {}
    for done, name in enumerate(names, start=1):
        answers[name] = load_system(name, model.systems[name]).predict_proba(titles.tolist())
        on_progress("answering", done, len(names), "systems")
    return answers


def _committee(
    table: KeywordTable, titles: pl.DataFrame, reviewed: pl.DataFrame | None, asked: StrArray, on_progress: Progress
) -> dict[str, Answers]:
    """Let a keyword table and what can be learned in minutes answer: TF-IDF from the table's own labels, and hybrid.

    TF-IDF answers each half of the titles after learning from the other, so that it may contradict the table. Reviewed
    titles are learned by all.
    """
    frequent = titles.sort("count", "title", descending=[True, False]).head(2 * _MAX_LEARNED)
    leads = LabelledTitles.from_frame(
        frequent.with_columns(
            **{name: pl.Series(labels) for name, labels in table.raw_labels(frequent["title"].to_list()).items()},
        ).to_pandas(),
        table.taxonomy, source="legacy",
    )  # fmt: skip
    nothing = leads.select(np.zeros(0, dtype=np.int64))
    taught = (
        nothing if reviewed is None else LabelledTitles.from_frame(reviewed.to_pandas(), table.taxonomy, "reviewed")
    )
    halves = [_half(leads.titles), _half(asked)]
    shape = {target.name: (len(asked), target.n_classes) for target in table.taxonomy.targets}
    by_words: dict[str, FloatArray] = {name: np.zeros(size) for name, size in shape.items()}
    for half in (0, 1):
        rows = weigh_reviewed(leads.select(halves[0] != half).join(taught), 0.5)
        held = halves[1] == half
        if held.any() and len(rows):
            answers = TfidfClassifier(_TFIDF).fit(rows, nothing).predict_proba(asked[held].tolist())
            for name, found in answers.items():
                by_words[name][held] = found
        elif held.any():
            for name, size in shape.items():
                by_words[name][held] = 1 / size[1]
        on_progress("comparing", half + 1, 3, "fits")
    keyword = KeywordClassifier(table).fit(leads.join(taught), nothing).predict_proba(asked.tolist())
    systems: dict[str, Answers] = {"keyword": keyword, "tfidf": by_words}
    if len(taught):
        hybrid = HybridClassifier(table).fit(leads.join(taught), nothing)
        systems = {"hybrid": hybrid.predict_proba(asked.tolist()), **systems}
    on_progress("comparing", 3, 3, "fits")
    return systems


def _half(titles: StrArray) -> IntArray:
    """Deal titles to two halves, near duplicates to the same one, (n_titles,)."""
    return (near_duplicate_keys(titles.tolist()).hash(seed=0) % 2).to_numpy().astype(np.int64)


def _drawn(offered: pl.DataFrame, n_titles: int) -> IntArray:
    """Draw titles by their records, near duplicates once; equal titles give an equal draw."""
    counts = offered["count"].to_numpy().astype(np.float64)
    order = np.argsort(-(np.random.default_rng(0).random(len(offered)) ** (1 / counts)), kind="stable")
    keys = near_duplicate_keys(offered["title"][order])
    return order[keys.is_first_distinct().to_numpy()][:n_titles].astype(np.int64)


def _why(offer: _Offer, worth: Worth, at: int, side: str) -> str:
    """Say why a title was picked."""
    if side == SCORE:
        return "drawn by records, to score with"
    said = list(_disputes(offer, at))
    if not said:
        said = [f"{'unsure' if worth.doubt[at] >= _UNSURE else 'frequent and unlike what was reviewed'}"]
    return "; ".join(said)


def _disputes(offer: _Offer, at: int) -> Iterator[str]:
    for target in offer.taxonomy.targets:
        answers = {name: target.classes[int(found[target.name][at].argmax())] for name, found in offer.systems.items()}
        if len(set(answers.values())) > 1:
            yield f"{target.name}: " + ", ".join(f"{name} says {label}" for name, label in answers.items())


def _how_to(job: PickJob, best: str) -> list[str]:
    return [
        f"The labels are filled in with the answers of {best}. Correct them from the lists, and leave a label empty "
        "where the title says nothing about it.",
        "Judge the title alone. Write 'yes' in the column done for each row that you have looked at; rows that are "
        "neither marked nor changed are not counted, and may be reviewed later.",
        "Leave all labels of a row empty and mark it as done if nobody can tell; it is then not picked again.",
        "Do not change the columns title, answer and id. Rows may be sorted, coloured and deleted.",
        f"Then add the file: title-harness review add {job.out.name} --reviewer YOUR_NAME",
        "These titles are to score with: no system will learn from them." if job.side == SCORE else
        "These titles are to learn from: no score will count them.",
    ]  # fmt: skip
