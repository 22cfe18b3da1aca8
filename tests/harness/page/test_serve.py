"""The verb `serve`: what it refuses, and the page in a real browser."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from data_cleaning.errors import BadInput
from data_cleaning.progress import silent
from harness.keywords.suggestion_sheets import write_suggestions
from harness.keywords.suggestions import Origin
from harness.page import serve as server
from harness.tagging.reviewing.review_status import review_status
from tests.called_verb import exit_code_of
from tests.harness.keywords.given_suggestions import GARDENER
from tests.harness.tagging.given_run import toy_run

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
ROOT = Path(__file__).parents[3]
UPLOAD = """async session => {
  const form = new FormData(), cookie = document.cookie.match(/_streamlit_xsrf=([^;]+)/);
  form.append("file", new Blob(["Title"]), "a.csv");
  const headers = cookie ? {"X-Xsrftoken": cookie[1]} : {};
  return (await fetch(`/_stcore/upload_file/${session}/1`, {method: "PUT", body: form, headers})).status;
}"""
IMAGE = "<img src=x onerror=alert(1)> nurse"


def test_without_streamlit_the_verb_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(server.importlib.util, "find_spec", lambda name: None)
    assert exit_code_of("serve") == 2
    assert "pip install 'title-harness[serve]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_any_address_but_a_loopback_one_needs_a_password(host, local):
    assert server._is_loopback(host) is local


def test_a_short_password_is_refused_and_a_new_one_is_told(monkeypatch):
    told = []
    monkeypatch.delenv(server.PASSWORD, raising=False)
    assert server._password(told.append) in told[0]
    monkeypatch.setenv(server.PASSWORD, "short")
    with pytest.raises(BadInput, match="has 5 characters"):
        server._password(told.append)


def test_a_port_that_is_taken_is_told(tmp_path, capsys):
    pytest.importorskip("streamlit")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert exit_code_of("serve", "--port", taken.getsockname()[1], "--results", tmp_path) == 2
    assert "Choose another --port" in capsys.readouterr().err


def test_nothing_is_sent_anywhere_and_errors_show_no_code():
    options = server._options("127.0.0.1", 1, 5, local=True, browser=False)
    assert options["browser_gatherUsageStats"] is False
    assert options["client_showErrorDetails"] == "none"
    assert options["server_maxUploadSize"] == 5


def test_folders_of_servers_that_were_killed_are_removed_and_no_others(tmp_path):
    names = ("title-harness-own", "title-harness-killed", "title-harness-alive", "title-harness-unlocked", "other")
    own, killed, alive, _, other = (tmp_path / name for name in names)
    for name in names:
        (tmp_path / name / "session-1").mkdir(parents=True)
    for folder in (own, killed, alive, other):
        (folder / ".lock").touch()
    (tmp_path / "title-harness-link").symlink_to(other)
    with FileLock(alive / ".lock"):
        server._remove_abandoned(own)
    assert {place.name for place in tmp_path.iterdir()} == {*names, "title-harness-link"} - {killed.name}


@contextmanager
def serving(run, folder, *options, **environment):
    """Serve a run with temporary files in a folder; return the address and the process."""
    pytest.importorskip("streamlit", reason="Streamlit, the extra `serve`, is not installed")
    pytest.importorskip("playwright", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed; on Debian: apt install chromium")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    call = [sys.executable, "-m", "harness", "serve", run, "--port", port, "--no-browser", *options]
    said = folder / "said.txt"
    with said.open("w") as told:
        called = subprocess.Popen(
            [*map(str, call), "--reviewed", str(folder / "reviewed.csv")],
            cwd=ROOT, env={**os.environ, **environment, "TMPDIR": str(folder)}, stdout=told, stderr=told,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, called, said)
        yield address, called
    finally:
        called.send_signal(signal.SIGTERM)
        called.wait(30)
    assert not list(folder.glob("title-harness-*")), "the private folder is gone when the server stops"


@pytest.fixture(scope="module")
def page_of_toy(company, tmp_path_factory):
    """Serve the toy run with a suggestion; return the address and the folder in which its temporary files are."""
    folder = tmp_path_factory.mktemp("served")
    table = shutil.copy(company.folder / "keywords.csv", folder)
    run = shutil.copytree(toy_run(company.config), folder / "run")
    origin = Origin.of(Path(table), company.taxonomy.names, run="toy", split="title", learned_from="legacy")
    write_suggestions(run, (GARDENER,), origin)
    with serving(run, folder, "--table", table) as (address, _):
        yield address, folder


def _wait_for(address, called, said):
    for _ in range(300):
        assert called.poll() is None, said.read_text()
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the page did not start within 30 s")


@pytest.fixture(params=[1280, 390])
def visit(page_of_toy, request):
    """Open a page in Chromium; nothing may be asked of another host, and no error may be in its console."""
    from playwright.sync_api import sync_playwright

    faults = []
    scheme = "dark" if request.param == 390 else "light"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": request.param, "height": 900}, color_scheme=scheme)
        context.set_default_timeout(25_000)

        def opened(job):
            page = context.new_page()
            page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("dialog", lambda dialog: faults.append(dialog.message))
            page.on("request", lambda asked: _note_foreign(asked.url, page_of_toy[0], faults))
            page.goto(f"{page_of_toy[0]}/?job={job}")
            return page

        yield opened
        browser.close()
    assert not faults


def _note_foreign(url, address, faults):
    if not re.match(rf"({re.escape(address)}|{re.escape(address.replace('http', 'ws'))}|data:|blob:)", url):
        faults.append(url)


def idle(page):
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def test_a_typed_title_is_text_and_fits_the_screen(visit):
    page = visit("Understand")
    page.get_by_label("Job title").fill(IMAGE)
    page.get_by_label("Job title").press("Enter")
    page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_file_goes_up_and_comes_back_tagged_and_leaves_with_the_browser(visit, page_of_toy, tmp_path):
    (tmp_path / "leads.csv").write_text(f"What you do;City\nhead nurse;Bonn\n{IMAGE};Ulm\n")
    page = visit("Tag")
    page.locator("input[type=file]").set_input_files(tmp_path / "leads.csv")
    page.get_by_role("button", name="Tag the file").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="leads_tagged.csv").click()
    assert "department;seniority" in Path(download.value.path()).read_text()
    (session,) = page_of_toy[1].glob("title-harness-*/session-*")
    assert session.stat().st_mode & 0o777 == 0o700
    page.close()
    for _ in range(100):
        if not session.exists():
            return
        time.sleep(0.1)
    raise AssertionError("what was uploaded is still there after 10 s")


def test_titles_are_reviewed_with_the_keyboard_alone_and_counted(visit, page_of_toy, company, request):
    reviewer = f"Ann {request.node.callspec.params['visit']}"
    page = visit("Review")
    page.get_by_label("Your name").fill(reviewer)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save and finish").wait_for()
    idle(page)
    assert page.get_by_test_id("stDataFrame").count() == 0
    page.keyboard.press("a")
    page.get_by_test_id("stDataFrame").wait_for()
    for n_done, keys in enumerate(("Enter", "2 3 Enter", "ArrowRight 1 Enter", "N"), start=1):
        for key in keys.split():
            idle(page)
            page.keyboard.press(key)
            page.wait_for_timeout(150)  # until it is running
        page.get_by_text(f"{n_done} of 50 titles").wait_for()
    idle(page)
    page.keyboard.press("u")
    page.get_by_text("3 of 50 titles").wait_for()
    page.close()
    for _ in range(100):
        if (page_of_toy[1] / "reviewed.csv").exists():
            said = (page_of_toy[1] / "reviewed.csv").read_text()
            if said.count(reviewer) == 3:
                break
        time.sleep(0.1)
    else:
        raise AssertionError("what was reviewed is not saved 10 s after the page was closed")
    page = visit("Review")
    page.get_by_text("Who reviewed how much, how far people agree").click()
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_text("Who reviewed how much?", exact=True).wait_for()
    idle(page)
    found = review_status(page_of_toy[1] / "reviewed.csv", company.taxonomy, None, silent)
    assert page.get_by_text(found.sentences[0], exact=True).is_visible()
    page.get_by_test_id("stDataFrame").nth(len(found.tables) - 1).wait_for()


def test_a_suggestion_is_accepted_and_written_with_the_keyboard_alone(visit, page_of_toy, request):
    name = f"next-{request.node.callspec.params['visit']}.csv"
    page = visit("Keywords")
    page.get_by_test_id("stDataFrame").locator("canvas").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("held-out titles").first.wait_for()
    page.get_by_label("Name of the next revision", exact=True).fill(name)
    page.keyboard.press("Enter")
    idle(page)
    page.get_by_role("button", name="Write it: 1 accepted, 0 rejected").press("Enter")
    page.get_by_text("are remembered in").wait_for()
    assert "gardener" in (page_of_toy[1] / name).read_text()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_leads_are_looked_at_and_their_charts_drawn(visit, tmp_path):
    (tmp_path / "leads.csv").write_text(f"Title,Event\nhead nurse,Bonn\ncook,Ulm\n{IMAGE},Ulm\n")
    page = visit("Leads")
    page.locator("input[type=file]").set_input_files(tmp_path / "leads.csv")
    page.get_by_role("button", name="Draw its charts").wait_for()
    idle(page)
    page.get_by_role("button", name="Draw its charts").press("Enter")
    page.get_by_text("Figures at a glance").wait_for()
    page.get_by_test_id("stImage").first.wait_for()
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_stranger_uploads_nothing_and_ctrl_c_keeps_what_was_reviewed(company, tmp_path):
    from playwright.sync_api import sync_playwright

    shared = ("--host", "0.0.0.0")
    with (
        serving(toy_run(company.config), tmp_path, *shared, TITLE_HARNESS_PASSWORD="correct horse") as (
            address,
            called,
        ),
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(25_000)
        frames = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
        page.goto(f"{address}/?job=Review")
        page.get_by_label("Password", exact=True).wait_for()
        found = re.findall(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"".join(frames))
        answers = {page.evaluate(UPLOAD, one.decode()) for one in found}
        assert 403 in answers
        assert 204 not in answers
        page.get_by_label("Password", exact=True).fill("correct horse")
        page.keyboard.press("Enter")
        page.get_by_label("Your name").fill("Zoe")
        assert 204 in {page.evaluate(UPLOAD, one.decode()) for one in found}
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Save and finish").wait_for()
        idle(page)
        page.keyboard.press("Enter")
        page.get_by_text("1 of 50 titles").wait_for()
        assert not (tmp_path / "reviewed.csv").exists()
        called.send_signal(signal.SIGINT)
        assert called.wait(30) == 0
        browser.close()
    assert (tmp_path / "reviewed.csv").read_text().count("Zoe") == 1
