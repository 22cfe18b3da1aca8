"""The job Tag: a file goes up, and comes back with labels, a summary and a follow-up list."""

import shutil
from pathlib import Path

import pandas as pd
import streamlit as st

from data_cleaning.errors import BadInput, counted
from data_cleaning.files import open_source
from harness.page.parts import Watched, folder, hierarchy, model, plain, uploaded, works
from harness.tagging.predict import Tagged, tag_file
from harness.tagging.work import Job, find_titles

_WORK = "tag"
_PREVIEW_ROWS = 5
_OUTPUTS = {"CSV": ".csv", "Excel": ".xlsx", "Parquet": ".parquet"}


def show() -> None:
    """Draw the job."""
    chosen = model()
    st.subheader("Tag a file")
    leads = uploaded("File of leads with a column of titles", "tag-file")
    if leads is None:
        return
    columns, notes, found, said, preview = _opened(leads)
    at = columns.index(found) if found in columns else None
    title = st.selectbox("Column of titles", columns, index=at, key=f"title-{leads.parent.name}")
    st.caption(plain(" ".join((said, *notes))))
    st.dataframe(preview, hide_index=True)
    systems = list(chosen.systems)
    with st.expander("More choices"):
        system = st.selectbox("System", systems, index=systems.index(chosen.system(None)))
        by = st.multiselect("Break the summary down by", [one for one in columns if one != title], max_selections=3)
    kind = st.segmented_control("Written as", list(_OUTPUTS), default="CSV", required=True)
    if st.button("Tag the file", type="primary", disabled=title is None) and title is not None:
        _start(leads, title, system, tuple(by), _OUTPUTS[kind or "CSV"])
    _result()


@st.cache_data(scope="session", show_spinner="Reading …", max_entries=3)
def _opened(leads: Path) -> tuple[list[str], list[str], str | None, str, pd.DataFrame]:
    """Return the columns, what is to be known of the file, the column of titles and how it was found, and a preview."""
    source = open_source(leads)
    names = list(source.schema.names)
    batch = next(iter(source.batches()), None)
    preview = pd.DataFrame() if batch is None else batch.rows.slice(0, _PREVIEW_ROWS).to_pandas()
    try:
        position, said = find_titles(source, leads, model(), None)
    except BadInput as error:
        return names, list(source.notes), None, str(error).replace(f"{leads.parent}/", ""), preview
    return names, list(source.notes), names[position], said, preview


def _start(leads: Path, title: str, system: str, by: tuple[str, ...], ending: str) -> None:
    if _WORK in works():
        works().pop(_WORK).stop()
    out = folder() / "tagged" / f"{leads.name.split('.')[0]}_tagged{ending}"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.parent.mkdir()
    job = Job(
        leads=leads, out=out, model=model(), system=system, hierarchy=hierarchy()[0], layout=model().layout,
        title_column=title, by=by,
    )  # fmt: skip
    works()[_WORK] = Watched(lambda on_progress, announce: tag_file(job, on_progress, announce))
    st.session_state["tagged"] = job


def _result() -> None:
    """Wait for what is being tagged, and offer what was."""
    work: Watched[Tagged] | None = works().get(_WORK)
    job: Job | None = st.session_state.get("tagged")
    if work is None or job is None:
        return
    work.wait()
    tagged = work.result
    if tagged is None:
        return
    st.success(
        plain(
            f"Tagged {counted(tagged.n_rows, 'row')} of {job.leads.name} with {job.system}: "
            f"{counted(tagged.n_untitled, 'row')} without a title, {counted(tagged.n_review, 'row')} for review, "
            f"{counted(tagged.n_rejected, 'row')} could not be read."
        )
    )
    with st.container(horizontal=True):
        for name in (job.out.name, *tagged.files):
            place = job.out.with_name(name)
            st.download_button(
                plain(name),
                place.read_bytes,
                name,
                key=f"get-{name}",
                on_click="ignore",
                type="primary" if place == job.out else "secondary",
            )
    said = (*(tagged.sentences or ()), *tagged.notes, *tagged.left_out)
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in said))
