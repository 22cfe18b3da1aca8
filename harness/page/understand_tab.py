"""The job Understand: the verdict, and why a title is tagged as it is."""

import pandas as pd
import streamlit as st

from harness.page.parts import hierarchy, loaded, model, plain, show_table
from harness.scoring.scores_file import WARNINGS, Verdict, read_scores
from harness.tagging.explain import explain_titles
from harness.tagging.explain_tables import place_lines, tables_of


def show() -> None:
    """Draw the job."""
    chosen = model()
    _verdict()
    st.subheader("Why is a title tagged as it is?")
    title = st.text_input("Job title", placeholder="Deputy CISO", key="title")
    if not title.strip():
        st.caption("Type a title and press Enter: every system's answer, the keyword that won, the words that count.")
        return
    (explained,) = explain_titles(chosen, [title], hierarchy()[1], load=loaded)
    tables = tables_of(explained, chosen.system(None))
    for answers in tables[:1]:
        show_table(answers)
    st.markdown("\n".join(f"- {plain(line.strip())}" for line in place_lines(explained)))
    for reasons in tables[1:]:
        show_table(reasons)


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
