"""The job Keywords: what is wrong with the table, and suggestions that are accepted, changed or rejected."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import polars as pl
import streamlit as st

from baselines.keyword_table import KeywordTable
from baselines.table_file import MATCHES
from data_cleaning.errors import BadInput, counted, read_text
from data_cleaning.files.frames import read_frame
from data_cleaning.files.spreadsheet_text import safe_text
from harness.experiment.run_folder import REFERENCES, TAXONOMY, TITLES, run_config
from harness.keywords.apply_suggestions import amended_table, apply_suggestions, next_revision
from harness.keywords.audit import Audit, audit_rows, audit_table
from harness.keywords.audit_report import findings_table
from harness.keywords.marked_suggestions import read_marked
from harness.keywords.suggestion_sheets import ACCEPT, CSV_NAME, JSON_NAME, REJECT, cells_of, columns_for
from harness.keywords.suggestions import Origin, column_name, from_json, without_row
from harness.keywords.table_difference import ANY, BETTER, WORSE, diff_tables
from harness.page.parts import folder, model, plain, saved_table
from harness.page.serve import served

_JUDGES = ("reviewed", "truth", "consensus", "legacy")
"""References, the most trustworthy first."""
_MAX_TITLES = 200


@dataclass(frozen=True, eq=False)
class _Audited:
    """The keyword table, what is wrong with it, and the titles by which a change of it is judged."""

    path: Path
    table: KeywordTable
    audit: Audit
    judge: str
    labels: pl.DataFrame
    """Rows of held-out `title`, a class per target and `count`; none where the folder holds none."""


def show() -> None:
    """Draw the job."""
    about = model()
    found = _audited(about.identity)
    path = about.folder / JSON_NAME
    st.subheader("Suggestions for the keyword table")
    if path.is_file():
        _suggestions(path, found)
    else:
        st.info("There are no suggestions here: they are made by a run with the system keyword+mined.")
    st.subheader(f"What is wrong with {plain(found.path.name)}")
    _findings(found)


@st.cache_resource(show_spinner="Reading …", max_entries=2)
def _audited(about: str) -> _Audited:
    chosen = model()
    is_run = (chosen.folder / TITLES).is_file()
    written = run_config(chosen.folder).get("keyword") or {} if is_run else {}
    named = chosen.folder / str(written["table"]) if written.get("table") else saved_table()
    base = served().table or named
    if base is None or not base.is_file():
        raise BadInput(f"No keyword table at {base or chosen.folder}. Start the page with --table.")
    table = KeywordTable.read(base, chosen.taxonomy, lenient=True)
    if not is_run:
        return _Audited(base.resolve(), table, audit_rows(table), "", pl.DataFrame())
    *_, scored = sorted((chosen.folder / REFERENCES).glob("*.parquet"))  # that of unseen titles, where there are two
    rows = read_frame(scored).rename({"records": "count"})
    references = {str(name): of for (name,), of in rows.group_by("reference")}
    judge = next(one for one in _JUDGES if one in references)
    audit = audit_table(table, read_frame(chosen.folder / TITLES).select("title", "count"), references)
    return _Audited(base.resolve(), table, audit, judge, references[judge])


def _findings(found: _Audited) -> None:
    """Show what the audit found, and what would happen without a row."""
    table = findings_table(found.audit)
    if table.frame.empty:
        st.success("The audit found nothing.")
        return
    st.caption(plain(table.note))
    st.markdown("\n".join(f"1. {plain(sentence)}" for sentence in table.frame["why"]))
    if found.labels.is_empty():
        st.caption("There are no labelled titles here to judge rows by; a run has some.")
        return
    keywords = dict(zip(found.table.rows["line"].tolist(), found.table.rows["keyword"].tolist(), strict=True))
    lines: list[int] = found.audit.findings["line"].drop_nulls().to_list()
    lines = list(dict.fromkeys((*lines, *keywords)))  # those that the audit names come first
    line = st.selectbox(
        "What would be without this row?", lines, index=None, placeholder="choose one, or type its keyword",
        format_func=lambda one: f"line {one}: {keywords[one]}", key="without",
    )  # fmt: skip
    if line is not None:
        _effect(found, without_row(found.table, line))


def _suggestions(path: Path, found: _Audited) -> None:
    origin, frame = _suggested(path)
    st.caption(
        plain(
            f"For {origin.table_name}. Tick accept or reject, and say why you reject; keyword, priority, match and "
            "labels can be changed."
        )
    )
    marked, n_accepted, n_rejected = _marked(origin, frame)
    if not n_accepted and not n_rejected:
        return
    if n_accepted:
        _effect(found, amended_table(read_marked(marked), found.path, found.table)[0])
    given = st.text_input("Name of the next revision", next_revision(found.path).name, help="Beside the present table.")
    if st.button(f"Write it: {n_accepted} accepted, {n_rejected} rejected", type="primary"):
        notes: list[str] = []
        done = apply_suggestions(
            marked, table=found.path, configured=None, out=found.path.with_name(Path(given).name),
            taxonomy=model().folder / TAXONOMY, force=False, announce=notes.append,
        )  # fmt: skip
        written = "No table was written" if done.table is None else f"{done.table} has {done.n_rows} rows"
        st.success(plain(f"{written}. Rejected suggestions are remembered in {done.memory}."))
        st.markdown("\n".join(f"- {plain(note)}" for note in notes))


@st.cache_resource(show_spinner="Reading …", max_entries=2)
def _suggested(path: Path) -> tuple[Origin, pd.DataFrame]:
    """Return where suggestions are from, and their cells as `suggestions.csv` has them.

    Cells are objects: as a column of numbers, lines would be 161.0 where one suggestion has none.
    """
    exact = from_json(read_text(path, "file of suggestions", "Make the run again."), str(path))
    columns = columns_for(exact.origin)
    rows = [cells_of(one, columns) for one in exact.suggestions.values()]
    return exact.origin, pd.DataFrame(rows, columns=[column.name for column in columns], dtype=object)


def _marked(origin: Origin, frame: pd.DataFrame) -> tuple[Path, int, int]:
    """Let a person decide; return the file of suggestions with the marks, and how many are accepted and rejected."""
    own = (ACCEPT, "reason", "match", "rationale", "action", "example_1", "counter_example_1")
    names = {one: column_name(one, origin.targets) for one in own}
    changeable = ("keyword", "priority", names["match"], *origin.targets)
    given = frame.drop(columns=names[ACCEPT]).infer_objects()
    given.insert(0, REJECT, False)
    given.insert(0, ACCEPT, False)
    evidence = (names[one] for one in ("rationale", "example_1", "counter_example_1"))
    first = [ACCEPT, REJECT, names["reason"], names["action"], *changeable, *evidence]
    shown = st.data_editor(
        given[[*first, *(name for name in given.columns if name not in first)]],
        hide_index=True,
        disabled=[name for name in given.columns if name not in (ACCEPT, REJECT, names["reason"], *changeable)],
        column_config={
            names["match"]: st.column_config.SelectboxColumn(options=list(MATCHES), required=True),
            names["reason"]: st.column_config.TextColumn("reason"),
            names["rationale"]: st.column_config.TextColumn(width="medium"),
            names["example_1"]: "would fix", names["counter_example_1"]: "would break",
        },
        key="suggestions",
    )  # fmt: skip
    both = shown[shown[ACCEPT] & shown[REJECT]]
    if len(both):
        raise BadInput(f"{both['keyword'].iloc[0]!r} is both accepted and rejected. Untick one of the two.")
    marks = [
        ACCEPT if accept else REJECT if reject else ""
        for accept, reject in zip(shown[ACCEPT], shown[REJECT], strict=True)
    ]
    file = folder() / "suggestions" / CSV_NAME
    file.parent.mkdir(exist_ok=True)
    shutil.copyfile(model().folder / JSON_NAME, file.with_name(JSON_NAME))
    edited = {name: shown[name] for name in (names["reason"], *changeable)}
    rows = frame.assign(**edited, **{names[ACCEPT]: marks})
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(map(safe_text, rows.columns))
        for cells in rows.astype(object).where(rows.notna(), "").itertuples(index=False):
            writer.writerow([safe_text(cell) if isinstance(cell, str) else cell for cell in cells])
    return file, marks.count(ACCEPT), marks.count(REJECT)


def _effect(found: _Audited, after: KeywordTable) -> None:
    """Show which held-out titles get other labels by another table, and whether that is right."""
    titles = found.labels.group_by("title").agg(pl.col("count").sum())
    changed = diff_tables(found.table, after, titles, found.labels)
    summary, moved = changed.summary, changed.titles
    assert summary is not None, "there are titles"
    assert moved is not None, "there are titles"
    if moved.is_empty():
        st.caption(f"None of the {len(titles):,} held-out titles gets another label by it.")
        return
    fixed, broken = (counted(moved.filter(verdict=kind)["title"].n_unique(), "title") for kind in (BETTER, WORSE))
    st.markdown(f"**Of {len(titles):,} held-out titles, by {found.judge} labels: {fixed} fixed, {broken} broken**")
    shown = moved.sort(pl.col("verdict").replace({BETTER: "0", WORSE: "1"}), maintain_order=True).head(_MAX_TITLES)
    first = ("verdict", "title", "records", "target", "old_class", "new_class", "old_keyword", "new_keyword")
    st.dataframe(shown.select(first).with_columns(
        pl.col("verdict").replace({BETTER: "fixed", WORSE: "broken"})).to_pandas(), hide_index=True)  # fmt: skip
    st.dataframe(summary.filter(pl.col("target") != ANY).to_pandas(), hide_index=True)
    st.caption("What is chosen by these figures looks better in them than it will be on new titles.")
