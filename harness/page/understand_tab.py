"""The job Understand: the verdict, and why a title is tagged as it is."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from harness.page.parts import hierarchy, loaded, model, plain, show_table
from harness.page.serve import served
from harness.scoring.scores_file import WARNINGS, Verdict, read_scores
from harness.tagging.models import Model

if TYPE_CHECKING:
    from harness.tagging.nearest_reviewed import NearestReviewed


def show() -> None:
    """Draw the job."""
    chosen = model()
    _verdict()
    st.subheader("Why is a title tagged as it is?")
    title = st.text_input("Job title", placeholder="Deputy CISO", key="title")
    if title.strip():
        _explain(chosen, title)
    else:
        st.caption("Type a title and press Enter: every system's answer, the keyword that won, the words that count.")


def _explain(chosen: Model, title: str) -> None:
    from harness.tagging.explain import explain_titles  # on use: the first page does not wait for what they import
    from harness.tagging.explain_tables import place_lines, tables_of

    reviewed = _reviewed(chosen.identity, _changed(served().reviewed))
    (explained,) = explain_titles(chosen, [title], hierarchy()[1], load=loaded, reviewed=reviewed)
    tables = tables_of(explained, chosen.system(None))
    for answers in tables[:1]:
        show_table(answers)
    st.markdown("\n".join(f"- {plain(line.strip())}" for line in place_lines(explained)))
    for reasons in tables[1:]:
        show_table(reasons)
    if not explained.nearest:
        st.caption(plain(_why_none(chosen, reviewed)))


@st.cache_resource(show_spinner=False, max_entries=2)
def _reviewed(about: str, changed: int) -> "NearestReviewed | None":
    from harness.tagging.nearest_reviewed import NearestReviewed

    return NearestReviewed.of(model(), served().reviewed)


def _changed(path: Path) -> int:
    """Return when a file was changed last, in nanoseconds; 0 where there is none."""
    return path.stat().st_mtime_ns if path.is_file() else 0


def _why_none(chosen: Model, reviewed: "NearestReviewed | None") -> str:
    if reviewed is not None:
        return f"None of the {len(reviewed.titles):,} reviewed titles is like it."
    return (
        f"There is no reviewed title to compare with: {chosen.folder} holds none, and neither does {served().reviewed}."
    )


def _verdict() -> None:
    chosen = model()
    if WARNINGS[chosen.origin]:
        st.warning(plain(WARNINGS[chosen.origin]))
    if chosen.verdict:
        st.success(plain(chosen.verdict))
    else:
        st.info(plain(chosen.introduced(chosen.system(None), asked_for=False)))
    scores = read_scores(chosen.folder)
    if scores is None or scores.verdict is None:
        return
    with st.expander("On what evidence?"):
        st.markdown("\n".join(f"- {plain(reason)}" for reason in (chosen.described, *scores.verdict.reasons)))
        st.dataframe(_standings(scores.verdict), hide_index=True)


def _standings(verdict: Verdict) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "system": one.system,
            "learned from": one.learned_from or "any",
            "all right": round(one.score, 3),
            "from": one.low and round(one.low, 3),
            "to": one.high and round(one.high, 3),
            "may be best": "yes" if one.may_be_best else "",
            "seconds per million titles": round(one.cost.seconds_per_million_titles),
        }
        for one in verdict.standings
    )
