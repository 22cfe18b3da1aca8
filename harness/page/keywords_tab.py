"""The job Keywords: suggestions of a run, accepted, changed or rejected, and what that does to held-out titles."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import polars as pl
import streamlit as st

from baselines.table_file import MATCHES
from data_cleaning.errors import BadInput, read_text
from data_cleaning.files.frames import read_frame
from data_cleaning.files.spreadsheet_text import safe_text
from harness.experiment.run_folder import REFERENCES, TAXONOMY, run_config
from harness.keywords.apply_suggestions import amended_table, apply_suggestions, next_revision
from harness.keywords.marked_suggestions import read_marked
from harness.keywords.suggestion_sheets import ACCEPT, CSV_NAME, JSON_NAME, REJECT, cells_of, columns_for
from harness.keywords.suggestions import Origin, column_name, from_json
from harness.keywords.table_difference import ANY, diff_tables
from harness.page.parts import folder, model, plain
from harness.page.serve import served

_JUDGES = ("reviewed", "truth", "consensus", "legacy")
"""References, the most trustworthy first."""
_MAX_TITLES = 200


@dataclass(frozen=True)
class _Suggested:
    """The suggestions of a run, and the titles by which a choice among them is judged."""

    origin: Origin
    frame: pd.DataFrame
    """As `suggestions.csv` has them."""
    base: Path
    judge: str
    labels: pl.DataFrame


def show() -> None:
    """Draw the job."""
    path = model().folder / JSON_NAME
    st.subheader("Suggestions for the keyword table")
    if not path.is_file():
        st.info("There are no suggestions here: they are made by a run with the system keyword+mined.")
        return
    found = _suggested(path)
    st.caption(
        plain(f"For {found.base.name}. Tick accept or reject; keyword, priority, match and labels can be changed.")
    )
    marked, n_accepted, n_rejected = _marked(found)
    if not n_accepted and not n_rejected:
        return
    if n_accepted:
        _effect(found, marked)
    given = st.text_input("Name of the next revision", next_revision(found.base).name, help="Beside the present table.")
    if st.button(f"Write it: {n_accepted} accepted, {n_rejected} rejected", type="primary"):
        notes: list[str] = []
        done = apply_suggestions(
            marked, table=found.base, configured=None, out=found.base.with_name(Path(given).name),
            taxonomy=model().folder / TAXONOMY, force=False, announce=notes.append,
        )  # fmt: skip
        written = "No table was written" if done.table is None else f"{done.table} has {done.n_rows} rows"
        st.success(plain(f"{written}. Rejected suggestions are remembered in {done.memory}."))
        st.markdown("\n".join(f"- {plain(note)}" for note in notes))


@st.cache_resource(show_spinner="Reading …")
def _suggested(path: Path) -> _Suggested:
    exact = from_json(read_text(path, "file of suggestions", "Make the run again."), str(path))
    columns = columns_for(exact.origin)
    rows = [cells_of(one, columns) for one in exact.suggestions.values()]
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    written = run_config(path.parent).get("keyword") or {}
    base = served().table or (path.parent / str(written.get("table", exact.origin.table_path)))
    if not base.is_file():
        raise BadInput(f"No keyword table at {base}. Start the page with --table and {exact.origin.table_path}.")
    *_, scored = sorted((path.parent / REFERENCES).glob("*.parquet"))  # that of unseen titles, where there are two
    references = read_frame(scored).rename({"records": "count"})
    judge = next(one for one in _JUDGES if one in references["reference"].unique().to_list())
    labels = references.filter(pl.col("reference") == judge)
    return _Suggested(exact.origin, frame, base.resolve(), judge, labels)


def _marked(found: _Suggested) -> tuple[Path, int, int]:
    """Let a person decide; return the file of suggestions with the marks, and how many are accepted and rejected."""
    names = {
        one: column_name(one, found.origin.targets) for one in (ACCEPT, "match", "rationale", "action", "line", "id")
    }
    changeable = ("keyword", "priority", names["match"], *found.origin.targets)
    given = found.frame.drop(columns=names[ACCEPT])
    given.insert(0, REJECT, False)
    given.insert(0, ACCEPT, False)
    first = [ACCEPT, REJECT, names["action"], *changeable, names["rationale"]]
    shown = st.data_editor(
        given[[*first, *(name for name in given.columns if name not in first)]],
        hide_index=True,
        disabled=[name for name in given.columns if name not in (ACCEPT, REJECT, *changeable)],
        column_config={names["match"]: st.column_config.SelectboxColumn(options=list(MATCHES), required=True)},
        key="suggestions",
    )
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
    rows = shown.drop(columns=[ACCEPT, REJECT]).assign(**{names[ACCEPT]: marks})[list(found.frame.columns)]
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(map(safe_text, rows.columns))
        for cells in rows.astype(object).where(rows.notna(), "").itertuples(index=False):
            writer.writerow([safe_text(cell) if isinstance(cell, str) else cell for cell in cells])
    return file, marks.count(ACCEPT), marks.count(REJECT)


def _effect(found: _Suggested, file: Path) -> None:
    """Show which held-out titles get other labels, and whether that is right."""
    taxonomy = model().taxonomy
    before, after, _ = amended_table(read_marked(file), found.base, taxonomy)
    titles = found.labels.group_by("title").agg(pl.col("count").sum())
    changed = diff_tables(before, after, titles, found.labels)
    summary, moved = changed.summary, changed.titles
    assert summary is not None, "there are titles"
    assert moved is not None, "there are titles"
    if moved.is_empty():
        st.caption(f"None of the {len(titles):,} held-out titles gets another label by the accepted changes.")
        return
    st.markdown(f"**What the accepted changes do to {len(titles):,} held-out titles, judged by {found.judge} labels**")
    st.dataframe(summary.filter(pl.col("target") != ANY).to_pandas(), hide_index=True)
    st.dataframe(moved.head(_MAX_TITLES).to_pandas(), hide_index=True)
    st.caption("What is chosen by these figures looks better in them than it will be on new titles.")
