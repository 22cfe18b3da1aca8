"""What several jobs of the page share: text that stays text, tables, uploads, and work that is watched."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

import pandas as pd
import streamlit as st

from data_cleaning.errors import BadInput, visible
from data_cleaning.files import open_source
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from harness.page.serve import Served, served
from harness.tagging.models import KEYWORDS, Model, find_hierarchy, load_hierarchy

KINDS = ("csv", "gz", "parquet", "xlsx")
"""How the names of files that may be uploaded end."""

_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&=@^])")
_ODD = re.compile(r"[^\w. -]")
_LONGEST_NAME = 80
_LOOK_EVERY_SECONDS = 0.1

_Result = TypeVar("_Result")


def plain(text: str) -> str:
    """Return Markdown that shows a text as it is: Streamlit reads Markdown in labels and messages."""
    return _SIGNS.sub(r"\\\1", visible(text))


def show_table(table: Table) -> None:
    """Show a table with its title and note."""
    st.markdown(f"**{plain(table.title)}**")
    if table.note:
        st.caption(plain(table.note))
    worded = table.shown()
    frame = pd.DataFrame(worded.rows, columns=[name.replace("_", " ") for name in worded.columns])
    st.dataframe(frame, hide_index=True)


@contextmanager
def messages() -> Iterator[None]:
    """Show bad input as a message in place of what could not be done."""
    try:
        yield
    except BadInput as error:
        # Nobody who uploads a file knows the folder that it is in.
        st.error(plain(str(error).replace(f"{folder()}/", "")))


def model() -> Model:
    """Return the fitted systems that the page is about.

    Raises:
        BadInput: there is no run yet.
    """
    found = served().model
    if found is None:
        raise BadInput("There is no run yet. Make one with 'title-harness run all', and start the page again.")
    return found


def taxonomy() -> Taxonomy:
    """Return the taxonomy of the model, or else of the keyword table."""
    from harness.tagging.checking.check_file import choose_taxonomy  # on use: what it needs takes long to import

    about = served().model
    return choose_taxonomy(None, served().table)[0] if about is None else about.taxonomy


def saved_table() -> Path | None:
    """Return the keyword table that a run or an exported folder answers with, if it has one."""
    about = served().model
    saved = None if about is None else about.systems.get("keyword")
    return None if saved is None else saved / KEYWORDS


@st.cache_resource(show_spinner="Loading …")
def _loaded(about: str, name: str, path: Path) -> Any:
    from harness.tagging.explain import load_to_explain  # on use, as above

    return load_to_explain(name, path)


def loaded(name: str, path: Path) -> Any:
    """Return a system that was loaded once for all sessions."""
    return _loaded(model().identity, name, path)


@st.cache_resource(show_spinner="Loading …")
def _hierarchy(about: str) -> tuple[Path | None, Any]:
    found = find_hierarchy(None, model())
    return found, load_hierarchy(found, model())


def hierarchy() -> tuple[Path | None, Any]:
    """Return the hierarchy of the model and its file; None for none."""
    return _hierarchy(model().identity)


@st.cache_resource(scope="session", on_release=TemporaryDirectory.cleanup, show_spinner=False)
def _session_folder(_about: Served) -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="session-", dir=_about.scratch, ignore_cleanup_errors=True)


def folder() -> Path:
    """Return the private folder of this session, which is removed when the browser leaves."""
    return Path(_session_folder(served()).name)


def uploaded(label: str, key: str) -> Path | None:
    """Ask for a file of leads; return where it is, under its own name in a folder of its own, or None."""
    given = st.file_uploader(label, type=list(KINDS), key=key, help="CSV, gzipped CSV, Parquet or XLSX.")
    if given is None:
        return None
    # The name is the user's and may be anything; the program reads what a file is from its content.
    name = _ODD.sub("_", Path(given.name).name)[-_LONGEST_NAME:].lstrip(".-") or "leads.csv"
    place = folder() / f"upload-{given.file_id}" / name
    if not place.exists():
        mark = f".of-{key}"
        for earlier in folder().iterdir():
            if (earlier / mark).exists():
                shutil.rmtree(earlier)
        place.parent.mkdir()
        place.with_name(mark).touch()
        given.seek(0)
        with place.open("wb") as filling:
            shutil.copyfileobj(given, filling)
    return place


def title_column(leads: Path) -> str | None:
    """Ask which column of a file has the titles; None lets the program find it."""
    names = list(open_source(leads).schema.names)
    return st.selectbox(
        "Column of titles", names, index=None, placeholder="the one that is found", key=f"title-{leads.parent.name}"
    )


class Closed(Exception):
    """Raised in work that nobody waits for any more."""


class Watched(Generic[_Result]):
    """Work in a thread of its own, so that a click elsewhere on the page does not end it."""

    def __init__(self, work: Callable[[Callable[..., None], Callable[[str], None]], _Result]) -> None:
        """Start the work, which is given two functions to report progress and what a person should know."""
        self.notes: list[str] = []
        self.result: _Result | None = None
        self.error: BaseException | None = None
        self.done, self.step = 0.0, "starting"
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the work end at its next step, and wait until it has cleaned up."""
        self._stopped.set()
        self._thread.join()

    def wait(self) -> None:
        """Draw progress until the work is done, and show its error if it failed.

        Raises:
            BadInput: the work did.
        """
        bar = st.progress(0.0, "starting")
        while self._thread.is_alive():
            bar.progress(min(self.done, 1.0), plain(self.step))
            time.sleep(_LOOK_EVERY_SECONDS)
        bar.empty()
        if self.error is not None:
            raise self.error

    def _run(self, work: Callable[..., _Result]) -> None:
        try:
            self.result = work(self._progress, self.notes.append)
        except BaseException as error:  # shown where the work is waited for
            self.error = error

    def _progress(self, step: str, done: int, total: int, unit: str = "titles") -> None:
        if self._stopped.is_set():
            raise Closed
        self.done, self.step = done / max(total, 1), f"{step}: {done:,} of {total:,} {unit}"


def _stop_all(held: dict[str, Watched[Any]]) -> None:
    for work in held.values():
        work.stop()


@st.cache_resource(scope="session", on_release=_stop_all, show_spinner=False)
def works() -> dict[str, Watched[Any]]:
    """Return the work of this session by name; it is stopped when the browser leaves."""
    return {}
