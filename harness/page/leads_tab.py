"""The job Look at leads: whom a list reaches, and what is wrong with it, before there is any run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import streamlit as st

from data_cleaning.column_names import same_columns
from data_cleaning.files import open_source
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.leads import open_leads
from data_cleaning.profile import Profile, profile_leads, write_plots
from data_cleaning.progress import Progress
from harness.page.parts import Watched, folder, plain, saved_table, show_table, taxonomy, title_column, uploaded, works
from harness.page.serve import served
from harness.tagging.business.business_tables import ALL
from harness.tagging.checking.check_file import CheckJob, look_at_leads
from harness.tagging.checking.check_sentences import Check, actions, sentences
from harness.tagging.checking.check_workbook import write_check
from harness.tagging.checking.penetration import BAND, department_table, placed_titles

_WORK, _PROFILE = "check", "profile"
_EVERY = "(all)"
_MAX_ROWS = 100


def show() -> None:
    """Draw the job."""
    st.subheader("Look at a list of leads")
    leads = uploaded("File of leads with a column of titles", "check-file")
    if leads is None:
        st.caption("No run is needed: the keyword table answers. You see whom the list reaches, and what to do next.")
        return
    by = st.selectbox("Break down by", list(open_source(leads).schema.names), index=None, placeholder="the event")
    title = title_column(leads)
    asked = (leads, by, title)
    if st.session_state.get("checked") != asked:
        _stop(_WORK, _PROFILE)
        job = CheckJob(
            leads=leads, table=served().table or saved_table(), by=() if by is None else (by,), title_column=title
        )
        works()[_WORK] = Watched(lambda on_progress, announce: look_at_leads(job, on_progress, announce))
        st.session_state["checked"] = asked
    work: Watched[Check] = works()[_WORK]
    work.wait()
    if work.result is not None:
        _found(work.result)
        _workbook(work.result, folder() / f"{leads.name.split('.')[0]}_check.xlsx")
        with st.expander("How the file was read"):
            st.markdown("\n".join(f"- {plain(note)}" for note in work.notes))
        _profile(leads, title)


def _stop(*names: str) -> None:
    for name in names:
        if name in works():
            works().pop(name).stop()


def _profile(leads: Path, title: str | None) -> None:
    """Draw the charts of `profile` when they are asked for, as they take a while for a large file."""
    st.subheader("What is in it?")
    place = folder() / "plots"
    labels = taxonomy()

    def drawn(on_progress: Progress, announce: Callable[[str], None]) -> tuple[Profile, dict[str, Path]]:
        usual = LeadColumns().targets
        held = list(open_source(leads).schema.names)
        named = {name: usual.get(name, name) for name in labels.names}
        there = {name: column for name, column in named.items() if same_columns(held, column)}
        columns = LeadColumns(targets=there, country="Country", date="Date")
        opened = open_leads(leads, columns, None, labels, title, announce)
        targets = [name for name in labels.names if name in opened.leads.columns]
        profile = profile_leads(opened.leads, targets, labels, None, on_progress)
        plots = write_plots(profile.tables, place, on_progress)
        return profile, {plot.table: place / f"{plot.name}.png" for plot in plots}

    if st.button("Draw its charts") and _PROFILE not in works():
        works()[_PROFILE] = Watched(drawn)
    if _PROFILE in works():
        work: Watched[tuple[Profile, dict[str, Path]]] = works()[_PROFILE]
        work.wait()
        profile, plots = work.result or (None, {})
        for table in () if profile is None else profile.tables:
            if table.name in plots:
                st.image(plots[table.name].read_bytes(), caption=plain(table.title))
                with st.expander(plain(table.title)):
                    show_table(replace(table, max_rows=_MAX_ROWS))
            elif table.name == "figures":
                show_table(table)


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
