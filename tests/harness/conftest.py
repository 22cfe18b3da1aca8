"""Fixtures of the verbs for one's own data."""

import sys

import pytest

from harness.cli import main
from tests.harness.given_leads import GIVEN


@pytest.fixture
def call(company, monkeypatch, capsys):
    """Run a verb with the toy company's config; return its exit code, stdout and stderr."""

    def run(verb, *arguments, config=company.config):
        named = [] if config is None else ["--config", str(config)]
        monkeypatch.setattr(sys, "argv", ["title-harness", verb, *map(str, arguments), *named])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return code or 0, shown.out, shown.err

    return run


@pytest.fixture
def leads(tmp_path):
    (tmp_path / "leads.csv").write_text(GIVEN)
    return tmp_path / "leads.csv"
