"""The verb `serve`: what a page is about, who may see it, and the server that shows it."""

import importlib.util
import ipaddress
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from data_cleaning.errors import BadInput
from harness.tagging.models import FACTS, Model, choose_model, newest_run, open_run

LOCAL = "127.0.0.1"
PASSWORD = "TITLE_HARNESS_PASSWORD"
"""Environment variable with the password of a page that others may reach."""

_APP = Path(__file__).with_name("app.py")
_MIN_PASSWORD = 8
_PREFIX, _LOCK = "title-harness-", ".lock"
"""Of the private folder of a server, and of the file in it that is locked as long as the server runs."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """What the pages of one server are about."""

    model: Model | None
    """None where there is no run yet: leads and tables can be looked at all the same."""
    scratch: Path
    """Private folder, in which each session has its own; gone when the server stops."""
    reviewed: Path
    """CSV file that reviews are added to."""
    table: Path | None
    """Keyword table; None takes the run's own."""
    password: str | None
    """None asks for none."""


_served: list[Served] = []
_at_end: list[Callable[[], None]] = []
_signed_in: set[str] = set()
"""Sessions of visitors who gave the password."""


def served() -> Served:
    """Return what this process serves."""
    assert _served, "the page is started by `serve`"
    return _served[-1]


def hold(about: Served) -> None:
    """Let the pages of this process be about something."""
    _served[:] = [about]


def at_end(call: Callable[[], None]) -> None:
    """Call something when the server stops, as Streamlit does not tell its sessions then."""
    _at_end.append(call)


def serve(
    source: Path | None,
    *,
    results: Path,
    reviewed: Path,
    table: Path | None,
    host: str,
    port: int,
    max_upload_mb: int,
    browser: bool,
    announce: Callable[[str], None],
) -> None:
    """Serve the page until the process is stopped.

    Args:
        source: folder of a run or of an export; None takes the newest run in `results`, if there is one.
        results: folder of all runs.
        reviewed: file that reviews are added to; there may be none yet.
        table: keyword table; None takes the run's own.
        host: address to listen at; any but a loopback one asks visitors for a password.
        port: to listen at.
        max_upload_mb: largest file that may be uploaded.
        browser: whether to open a browser.
        announce: told the address, and the password where one is needed.

    Raises:
        BadInput: Streamlit is not installed, the folder is neither of the two, or the port is taken.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise BadInput("The page needs Streamlit, which is not installed. Call: pip install 'title-harness[serve]'")
    model = _model(source, results)
    local = _is_loopback(host)
    password = None if local else _password(announce)
    _check_port(host, port)
    if model is None:
        announce(f"There is no run under {results} yet. Leads can be looked at; the other jobs need a run.")
    else:
        announce(f"About {model.described}.")
    announce(f"Open http://{LOCAL if local else host}:{port} in a browser. Ctrl+C stops the page.")
    from streamlit.web import bootstrap  # on use: the other verbs do not wait for it

    if password is not None:
        _refuse_uploads_of_strangers()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as scratch, FileLock(Path(scratch) / _LOCK):
        _remove_abandoned(Path(scratch))
        hold(Served(model=model, scratch=Path(scratch), reviewed=reviewed, table=table, password=password))
        options = _options(host, port, max_upload_mb, local=local, browser=browser)
        bootstrap.load_config_options(options)
        try:
            bootstrap.run(str(_APP), False, [], options)
        finally:
            for call in _at_end:
                call()


def _remove_abandoned(own: Path) -> None:
    """Remove the folders beside our own of servers of the same user that were killed: nobody holds their locks."""
    for folder in own.parent.glob(f"{_PREFIX}*"):
        lock = folder / _LOCK
        try:
            if folder == own or folder.is_symlink() or not lock.is_file() or lock.stat().st_uid != own.stat().st_uid:
                continue
            with FileLock(lock, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, Timeout):  # of a server that runs, or not ours to remove
            continue


def sign_in(session: str) -> None:
    """Note that a visitor has given the password."""
    _signed_in.add(session)


def _refuse_uploads_of_strangers() -> None:
    """Refuse uploads before sign-in: Streamlit takes files from every visitor, whatever the page shows.

    It has no setting for that, so that what keeps its uploads is replaced before the server starts.
    """
    from starlette.exceptions import HTTPException
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec
    from streamlit.web.server import server

    class Uploads(server.MemoryUploadedFileManager):
        def add_file(self, session_id: str, file: UploadedFileRec) -> None:
            if session_id not in _signed_in:
                raise HTTPException(status_code=403, detail="Give the password first.")
            super().add_file(session_id, file)

    server.MemoryUploadedFileManager = Uploads  # type: ignore[misc]


def _model(source: Path | None, results: Path) -> Model | None:
    if source is None:
        try:
            newest_run(results)
        except BadInput:
            return None
        return choose_model(None, None, results)
    return choose_model(None, source, results) if (source / FACTS).is_file() else open_run(source)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _password(announce: Callable[[str], None]) -> str:
    """Return the password that was set, or a new one that is told to whoever started the page."""
    given = os.environ.get(PASSWORD)
    if given is not None:
        if len(given) < _MIN_PASSWORD:
            raise BadInput(f"{PASSWORD} has {len(given)} characters. Others can reach the page: use {_MIN_PASSWORD}.")
        return given
    made = secrets.token_urlsafe(12)
    announce(f"Others can reach the page, so that it asks for a password: {made} (or set your own in {PASSWORD}).")
    return made


def _check_port(host: str, port: int) -> None:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, UnicodeError) as error:
        raise BadInput(f"The page cannot listen at {host}, port {port} ({error}). Choose another --port.") from None


def _options(host: str, port: int, max_upload_mb: int, *, local: bool, browser: bool) -> dict[str, object]:
    return {
        "global_developmentMode": False,
        "server_address": host,
        "server_port": port,
        "server_headless": not browser,
        "server_showEmailPrompt": False,
        "server_fileWatcherType": "none",
        "server_maxUploadSize": max_upload_mb,
        # A page elsewhere could otherwise give its own name the address of this machine, and read along.
        "server_allowedHosts": ["localhost", LOCAL, host.strip("[]")] if local else [],
        "server_cookieSecret": secrets.token_hex(32),
        "browser_serverAddress": LOCAL if local else host,  # without it, Streamlit asks a website for its own address
        "browser_gatherUsageStats": False,
        "client_allowedOrigins": [],
        "client_toolbarMode": "minimal",
        "client_showErrorDetails": "none",
        "logger_hideWelcomeMessage": True,
        "logger_level": "error",
        "runner_magicEnabled": False,
    }
