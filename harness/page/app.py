"""The page that Streamlit runs for each visitor: who may see it, and its jobs."""

import hmac
import time

import streamlit as st

from harness.page import keywords_tab, leads_tab, review_tab, tag_tab, understand_tab
from harness.page.parts import messages
from harness.page.serve import served

JOBS = {
    "Understand": understand_tab.show,
    "Review": review_tab.show,
    "Keywords": keywords_tab.show,
    "Tag": tag_tab.show,
    "Leads": leads_tab.show,
}

_WRONG_PASSWORD_SECONDS = 1.0


def draw() -> None:
    """Draw the page."""
    st.set_page_config(page_title="Title harness", layout="wide")
    if not _may_see():
        return
    job = st.segmented_control(
        "Job", list(JOBS), default="Understand", required=True, key="job", label_visibility="collapsed",
        bind="query-params",
    )  # fmt: skip
    with messages():
        JOBS[job or "Understand"]()


def _may_see() -> bool:
    expected = served().password
    if expected is None or st.session_state.get("signed in"):
        return True
    with st.form("sign in"):
        given = st.text_input("Password", type="password")
        if st.form_submit_button("Open") and given:
            if hmac.compare_digest(given.encode(), expected.encode()):
                st.session_state["signed in"] = True
                st.rerun()
            time.sleep(_WRONG_PASSWORD_SECONDS)  # slows down whoever tries many
            st.error("That is not the password. The terminal in which the page was started shows it.")
    return False


if __name__ == "__main__":  # Streamlit runs the file as a script
    draw()
