"""The job Look at leads: whom a list reaches, and what is wrong with it, before there is any run."""

from pathlib import Path

import numpy as np
import polars as pl
import streamlit as st

from data_cleaning.files import open_source
from harness.page.parts import Watched, folder, plain, uploaded, works
from harness.page.serve import served
from harness.tagging.business.business_tables import ALL
from harness.tagging.checking.check_file import CheckJob, look_at_leads
from harness.tagging.checking.check_sentences import Check, actions, sentences
from harness.tagging.checking.check_workbook import write_check
from harness.tagging.checking.penetration import BAND, department_table, placed_titles

_WORK = "check"
_EVERY = "(all)"


def show() -> None:
    """Draw the job."""
    st.subheader("Look at a list of leads")
    leads = uploaded("File of leads with a column of titles", "check-file")
    if leads is None:
        st.caption("No run is needed: the keyword table answers. You see whom the list reaches, and what to do next.")
        return
    by = st.selectbox("Break down by", list(open_source(leads).schema.names), index=None, placeholder="the event")
    asked = (leads, by)
    if st.session_state.get("checked") != asked:
        if _WORK in works():
            works().pop(_WORK).stop()
        job = CheckJob(leads=leads, table=served().table, by=() if by is None else (by,))
        works()[_WORK] = Watched(lambda on_progress, announce: look_at_leads(job, on_progress, announce))
        st.session_state["checked"] = asked
    work: Watched[Check] = works()[_WORK]
    work.wait()
    if work.result is not None:
        _found(work.result)
        _workbook(work.result, folder() / f"{leads.name.split('.')[0]}_check.xlsx")
        with st.expander("How the file was read"):
            st.markdown("\n".join(f"- {plain(note)}" for note in work.notes))


def _found(check: Check) -> None:
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences(check)))
    to_do = actions(check)
    if to_do:
        st.markdown("**What to do next**\n\n" + "\n".join(f"1. {plain(action)}" for action in to_do))
    name, values = next(iter(check.facts.by.items()), ("", None))
    frame = department_table(check.answered, check.of_record, name, values)
    st.subheader("Whom does it reach?")
    level = frame.columns[0 if values is None else 1]
    bands = [one for one in frame.columns if frame.schema[one].is_integer() and one != "records"]
    whole = frame if values is None else frame.filter(pl.col(name) == ALL)
    reached = whole.group_by(level).agg(pl.col(bands).sum()).to_pandas()
    st.bar_chart(reached, x=level, y=bands, y_label="records", horizontal=True)
    st.dataframe(frame.to_pandas(), hide_index=True)
    _titles(check, level, name, values)


def _workbook(check: Check, place: Path) -> None:
    """Offer the workbook that `check` writes."""

    def written() -> bytes:
        write_check(place, place.with_suffix(".html"), check, name=place.name)
        return place.read_bytes()

    st.download_button("Workbook with all of it", written, place.name, on_click="ignore")


def _titles(check: Check, level: str, name: str, values: pl.Series | None) -> None:
    """Show the titles behind a cell."""
    st.subheader("Which titles are these?")
    kept = np.ones(len(check.of_record), dtype=bool)
    if values is not None:
        value = st.selectbox(plain(name), [_EVERY, *values.drop_nulls().unique().sort()])
        kept = kept if value == _EVERY else (values == value).fill_null(False).to_numpy()
    titles = placed_titles(check.answered, check.of_record, kept)
    for column in (level, BAND):
        chosen = st.selectbox(plain(column), [_EVERY, *titles[column].unique(maintain_order=True).drop_nulls()])
        titles = titles if chosen == _EVERY else titles.filter(pl.col(column) == chosen)
    st.dataframe(titles.to_pandas(), hide_index=True)
