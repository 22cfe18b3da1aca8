"""Make the pictures of PAGE.md from a run, with Chromium (`make page-pictures RUN=results/<run>`)."""

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent / "pictures"
PORT = 8599
LEADS = "Job Title;Event\nCISO;Bonn\nIT Manager;Bonn\nSr. Network Engineer;Ulm\nHead of Procurement;Ulm\nAnalyst;Ulm\n"
WIDE, PHONE = (1000, 640), (390, 760)


def main(run: str) -> None:
    """Write one picture a job, some of them dark or as on a phone."""
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        leads = Path(folder) / "leads.csv"
        leads.write_text(LEADS)
        call = [sys.executable, "-m", "harness", "serve", run, "--port", str(PORT), "--no-browser"]
        server = subprocess.Popen([*call, "--reviewed", f"{folder}/reviewed.csv"])
        try:
            _wait()
            _draw("understand", "Understand", WIDE, "light", _explain)
            _draw("review", "Review", WIDE, "dark", _review)
            _draw(
                "keywords", "Keywords", WIDE, "light", lambda page: page.get_by_test_id("stDataFrame").first.wait_for()
            )
            _draw("tag", "Tag", PHONE, "light", lambda page: _upload(page, leads, "Tag the file"))
            _draw("leads", "Leads", WIDE, "light", lambda page: _upload(page, leads, "Workbook with all of it"))
        finally:
            server.terminate()
            server.wait()


def _wait() -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health").close()
            return
        except OSError:
            time.sleep(0.1)


def _draw(name: str, job: str, size: tuple[int, int], scheme: str, act: Callable[[Page], None]) -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
        page.set_default_timeout(120_000)
        page.goto(f"http://127.0.0.1:{PORT}/?job={job}")
        act(page)
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        page.wait_for_timeout(1500)  # until tables and charts are drawn
        page.screenshot(path=HERE / f"page-{name}.png")
        browser.close()


def _explain(page: Page) -> None:
    page.get_by_label("Job title").fill("Deputy CISO")
    page.get_by_label("Job title").press("Enter")
    page.get_by_text("answers unless another").wait_for()


def _review(page: Page) -> None:
    page.get_by_label("Your name").fill("Ann")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save and finish").wait_for()


def _suggestions(page: Page) -> None:
    page.get_by_test_id("stDataFrame").first.wait_for()


def _upload(page: Page, leads: Path, awaited: str) -> None:
    page.locator("input[type=file]").set_input_files(leads)
    page.get_by_role("button", name=awaited).wait_for()


if __name__ == "__main__":
    main(sys.argv[1])
