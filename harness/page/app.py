"""The page that Streamlit runs for each visitor: who may see it, and its jobs."""

import hmac
import time

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from harness.page.parts import messages
from harness.page.serve import served, sign_in

JOBS = ("Understand", "Review", "Keywords", "Tag", "Leads")

_WRONG_PASSWORD_SECONDS = 1.0


def draw() -> None:
    """Draw the page."""
    st.set_page_config(page_title="Title harness", layout="wide")
    if not _may_see():
        return
    job = st.segmented_control(
        "Job", JOBS, default=JOBS[0], required=True, key="job", label_visibility="collapsed",
        bind="query-params",
    )  # fmt: skip
    with messages():
        _show(job or JOBS[0])


def _show(job: str) -> None:
    """Draw a job, whose module is imported now: the first page does not wait for the libraries of the others."""
    if job == "Understand":
        from harness.page.understand_tab import show
    elif job == "Review":
        from harness.page.review_tab import show
    elif job == "Keywords":
        from harness.page.keywords_tab import show
    elif job == "Tag":
        from harness.page.tag_tab import show
    else:
        from harness.page.leads_tab import show
    show()


def _may_see() -> bool:
    expected = served().password
    if expected is None or st.session_state.get("signed in"):
        return True
    with st.form("sign in"):
        given = st.text_input("Password", type="password", autocomplete="current-password")
        if st.form_submit_button("Open") and given:
            if hmac.compare_digest(given.encode(), expected.encode()):
                st.session_state["signed in"] = True
                context = get_script_run_ctx()
                if context is not None:
                    sign_in(context.session_id)
                st.rerun()
            time.sleep(_WRONG_PASSWORD_SECONDS)  # slows down whoever tries many
            st.error("That is not the password. The terminal in which the page was started shows it.")
    return False


if __name__ == "__main__":  # Streamlit runs the file as a script
    draw()
