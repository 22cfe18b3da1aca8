"""Fixtures that every test may use: fixed seeds and a toy company with two targets."""

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Toy systems lose more to waking a second thread than they gain; set before torch starts, for child processes too.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import numpy as np
import pytest

from tests.toy_company import ToyCompany, write_toy_company

# How long an example takes depends on what else the machine does; speed is the business of tests/bench.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _fixed_seeds():
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries that still draw from the global state


@pytest.fixture(scope="session")
def company(tmp_path_factory) -> ToyCompany:
    """Another company's files: leads, a test file apart, a taxonomy of two targets, a keyword table, a config."""
    return write_toy_company(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser that opens files offline; of a module, since the event loop that drives it is in the way of others."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium is installed to open the page with")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser):
    """Open a file as `with opened(path, width=390) as page`; afterwards it must have had no error and no request."""

    @contextmanager
    def page_of(path: Path, *, width: int = 1280, dark: bool = False) -> Iterator[Any]:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(5000)
        page = context.new_page()
        errors: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: (errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.resolve().as_uri())
        yield page
        context.close()
        assert errors == []
        assert [url for url in requests if url.partition("#")[0] != path.resolve().as_uri()] == []

    return page_of
