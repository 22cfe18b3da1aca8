"""The job Review: picked titles one at a time by keyboard, or as a table."""

from pathlib import Path

import polars as pl
import streamlit as st

from data_cleaning.errors import BadInput, counted
from data_cleaning.files import Layout
from data_cleaning.labelled_files import DONE, LEARN, SCORE
from data_cleaning.taxonomy import Target
from harness.experiment.run_folder import TITLES
from harness.page.parts import Watched, plain, saved_table, show_table, taxonomy, title_column, uploaded, works
from harness.page.reviewing import Reviewing
from harness.page.serve import at_end, served
from harness.tagging.reviewing.pick_titles import Choice, PickJob, choose_titles, titles_of_run
from harness.tagging.reviewing.review_sheet import NOTE
from harness.tagging.reviewing.review_status import review_status

_WORK = "pick"
_ONE, _TABLE = "One at a time", "As a table"
_RUN, _FILE = "of the run", "of a file of leads"
_KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0", *"BDEFGHIJKLMOPQSTVWXYZ")
"""That choose a class; the letters that are missing have another meaning."""


def show() -> None:
    """Draw the job."""
    st.subheader("Review titles")
    going = _reviews().get("now")
    if going is not None:
        how = st.segmented_control("How?", (_ONE, _TABLE), default=_ONE, required=True, key="how")
        if how != _TABLE or _table_key(going) not in st.session_state:
            going.save_ticked()  # Streamlit forgets a table that was not shown for a while
        if how == _TABLE:
            _table(going)
        else:
            _one_title(going)
    else:
        _begin()
        work: Watched[Choice] | None = works().get(_WORK)
        if work is not None:
            work.wait()
            works().pop(_WORK)
            if work.result is not None:
                _reviews()["now"] = Reviewing(work.result, st.session_state["reviewed by"], served().reviewed)
                at_end(_reviews()["now"].save)
                st.rerun()
    with st.expander("Who reviewed how much, how far people agree, what more would bring"):
        if st.button("Look"):
            run, labels = _run(), taxonomy()
            titles = None if run is None else titles_of_run(run, labels)[0]
            found = review_status(served().reviewed, labels, titles, lambda *_, **__: None)
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in found.sentences))
            for table in found.tables:
                show_table(table)


def _save_all(held: dict[str, Reviewing]) -> None:
    for one in held.values():
        one.save()


@st.cache_resource(scope="session", on_release=_save_all, show_spinner=False)
def _reviews() -> dict[str, Reviewing]:
    """Return what is being reviewed in this session; it is saved when the browser leaves."""
    return {}


def _run() -> Path | None:
    """Return the run whose titles can be picked; an exported folder holds none."""
    about = served().model
    return about.folder if about is not None and (about.folder / TITLES).is_file() else None


def _keywords() -> Path | None:
    """Return the keyword table that answers for a file of leads; None for the shipped one."""
    return served().table or saved_table()


def _begin() -> None:
    run = _run()
    asked_for = _FILE if run is None else st.radio("Titles", (_RUN, _FILE), horizontal=True, key="titles of")
    source = uploaded("File of leads with a column of titles", "review-file") if asked_for == _FILE else run
    if source is None:
        st.caption("The titles that are most worth a person's minute are picked; the keyword table answers first.")
        return
    title = None if source == run else title_column(source)
    with st.form("review"):
        reviewer = st.text_input("Your name", key="reviewer")
        n_titles = st.number_input("Titles", 1, 1000, 50)
        side = st.radio("What are they for?", (LEARN, SCORE), format_func={
            LEARN: "to learn from: the titles most worth it", SCORE: "to score with: drawn by their records"
        }.__getitem__)  # fmt: skip
        if st.form_submit_button("Begin", type="primary"):
            if not reviewer.strip():
                raise BadInput("Your name is empty. It is kept with each review, so that opinions can be compared.")
            st.session_state["reviewed by"] = reviewer.strip()
            job = PickJob(
                source=source, table=None if source == run else _keywords(), n_titles=int(n_titles), out=source,
                side=side, taxonomy=taxonomy(), reviewed=served().reviewed, title_column=title, encoding=None,
                layout=Layout(), force=False,
            )  # fmt: skip
            works()[_WORK] = Watched(lambda on_progress, announce: choose_titles(job, on_progress, announce))


def _progress(review: Reviewing) -> None:
    n_titles = len(review.choice.picked)
    st.progress(
        review.n_decided / n_titles,
        f"{review.n_decided:,} of {counted(n_titles, 'title')} reviewed by {plain(review.reviewer)}, "
        f"{review.n_saved:,} saved",
    )
    for said in review.refused:
        st.warning(plain(said))


def _one_title(review: Reviewing) -> None:
    _progress(review)
    if review.is_done:
        st.success("That was the last one.")
    else:
        _question(review)
    with st.container(horizontal=True):
        if not review.is_done:
            at = review.at
            st.button("Take it", key="take", type="primary", shortcut="Enter", on_click=review.accept, args=(at,))
            st.button("Next label", key="next", shortcut="Right", on_click=review.move, args=(1,))
            st.button("Previous label", key="previous", shortcut="Left", on_click=review.move, args=(-1,))
            asked = {"answers": (at, review.choice.picked["title"][at])}
            st.button("Show answers", key="ask", shortcut="A", on_click=st.session_state.update, args=(asked,))
            st.button("Nobody can tell", key="unclear", shortcut="N", on_click=review.cannot_tell, args=(at,))
        st.button("Undo", key="undo", shortcut="U", on_click=review.undo, disabled=not review.held)
        st.button("Save and finish", key="finish", on_click=_finish)
    st.caption(
        "Number keys choose a class of the label in bold, Backspace empties it, Enter takes all labels as they are. "
        f"{counted(len(review.held), 'review')} can be undone, and will be saved as you go on, finish or leave."
    )


def _table(review: Reviewing) -> None:
    """Let a person judge the titles that are left in a table, as in the workbook of `review pick`."""
    _progress(review)
    names = review.taxonomy.names
    left = review.left()
    given = left.select(pl.lit(False).alias(DONE), "title", *names, pl.lit("").alias(NOTE), "records").to_pandas()
    classes = {
        target.name: st.column_config.SelectboxColumn(options=list(target.classes))
        for target in review.taxonomy.targets
    }
    shown = st.data_editor(
        given, hide_index=True, disabled=["title", "records"], column_config=classes,
        key=_table_key(review),
    )  # fmt: skip
    edited = pl.from_pandas(shown).select(
        pl.col(DONE), *(pl.col(name).cast(pl.String) for name in names), pl.col(NOTE).cast(pl.String).replace("", None)
    )
    changed = pl.any_horizontal(edited[name].ne_missing(left[name]) for name in names)
    review.ticked = edited.with_columns(left["position"]).filter(pl.col(DONE) | changed)
    with st.container(horizontal=True):
        label = f"Save {counted(len(review.ticked), 'row')}"
        if st.button(label, key="save-table", type="primary", disabled=review.ticked.is_empty()):
            review.save_ticked()
            st.rerun()
        st.button("Save and finish", key="finish", on_click=_finish)
    st.caption("Rows count that are done or whose labels were changed. Done with all labels empty: nobody can tell.")


def _table_key(review: Reviewing) -> str:
    """Return a key that changes with the rows of the table."""
    return f"table-{len(review.decided)}-{len(review.in_table)}"


def _question(review: Reviewing) -> None:
    at = review.at
    row = review.choice.picked.row(at, named=True)
    st.markdown(f"## {plain(row['title'])}")
    for position, target in enumerate(review.taxonomy.targets):
        _classes(review, target, is_active=position == review.target)
    if st.session_state.get("answers") == (at, row["title"]):
        said = {
            name: {target: labels[at] for target, labels in of.items()} for name, of in review.choice.answers.items()
        }
        st.dataframe([{"system": name, **labels} for name, labels in said.items()], hide_index=True)
        st.caption(plain(f"{counted(row['records'], 'record')}. Picked because: {row['why']}"))


def _classes(review: Reviewing, target: Target, *, is_active: bool) -> None:
    """Draw the classes of a target; those of the active one have keys."""
    at, chosen = review.at, review.labels[target.name]
    name = plain(target.name)
    st.markdown(f"**{name}**" if is_active else name)
    with st.container(horizontal=True, gap="xsmall"):
        for number, label in enumerate((*target.classes, None)):
            key = (
                ("Backspace" if label is None else _KEYS[number] if number < len(_KEYS) else None)
                if is_active
                else None
            )
            st.button(
                plain(label) if label is not None else "says nothing",
                key=f"{at}-{target.name}-{number}",
                type="primary" if label == chosen else "secondary",
                shortcut=key,
                on_click=review.answer,
                args=(at, target.name, label),
            )


def _finish() -> None:
    review = _reviews().pop("now")
    review.save()
    for said in review.refused:
        st.toast(plain(said), icon=":material/warning:", duration="infinite")
    st.toast(f"{counted(review.n_saved, 'review')} saved in {plain(review.into.name)}.")
