import ast
import json
import re
import sys
import unicodedata
import warnings
from pathlib import Path

import pandas as pd
import pytest

from data_cleaning.errors import BadInput, Notice, unknown, visible
from data_cleaning.report_table import Table
from harness.cli import console, hide_library_warnings, main
from harness.cli.console import _plain_lines

ROOT = Path(__file__).parents[3]
NASTY = "a\x1b[31mred\x1b]0;title\x07\x9b2J\r\nError: b\u202eevil\u2066\u200bc\x00\x85\u2028\ud800[bold]:key:[/]\\"


def test_plain_progress_lines_are_written_every_ten_seconds_and_at_the_end(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    on_progress = _plain_lines()
    for done in range(0, 101):
        now[0] = done * 0.25
        on_progress("fit", done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "  fit: 40 of 100 titles, 4 titles/s, 15 s left",
        "  fit: 80 of 100 titles, 4 titles/s, 5 s left",
        "  fit: 100 of 100 titles, 4 titles/s",
    ]


def test_a_step_that_took_hardly_any_time_has_no_rate(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    on_progress = _plain_lines()
    on_progress("fit", 0, 100)
    now[0] = 0.00001
    on_progress("fit", 100, 100)
    assert capsys.readouterr().err == "  fit: 100 of 100 titles\n"


def raw(text):
    """Return the characters of a text that a terminal would obey."""
    return {one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def show(text):
    console.show_table(Table(text, text, text, pd.DataFrame({text: [text, text]})))


@pytest.mark.parametrize(
    "say",
    [
        console.announce,
        console.warn,
        console.fail,
        console.print_line,
        lambda text: show(text.replace("\ud800", "")),  # no frame holds that
        lambda text: _plain_lines()(text, 1, 1),
    ],
)
def test_text_of_a_file_is_printed_escaped(say, capsys):
    say(NASTY)
    told = capsys.readouterr()
    said = told.out + told.err
    assert raw(said) == set()
    assert r"\x1b[31mred\x1b]0;title" in said
    assert r"\u202eevil" in said
    assert "[bold]:key:[/]" in said
    assert not re.search("^Error: b", said, re.MULTILINE), "no line of a file looks like a message of ours"


def test_json_is_escaped_and_holds_the_same(capsys):
    console.print_json(json.dumps({NASTY: ["Geschäftsführer"]}, indent=2, ensure_ascii=False))
    said = capsys.readouterr().out
    assert raw(said) == set()
    assert json.loads(said) == {NASTY: ["Geschäftsführer"]}
    assert "Geschäftsführer" in said


def test_letters_of_every_language_stay_as_they_are():
    assert visible("Geschäftsführer 役職 مدیر 🙂 a\u00a0b") == "Geschäftsführer 役職 مدیر 🙂 a\u00a0b"


def test_the_middle_of_a_long_message_is_left_out():
    said = visible(f"first {'x' * 100_000} last")
    assert len(said) < 6100
    assert said.startswith("first x")
    assert said.endswith("x last")
    assert "(94,011 characters are left out here)" in said


def test_an_unknown_name_lists_short_names_and_few():
    message = str(unknown("column", "t" * 5000, [f"{n}" + "x" * 70_000 for n in range(5000)]))
    assert len(message) < 1600
    assert message.endswith("…; and 4,980 more.")


def test_a_bad_file_and_a_notice_are_printed_escaped(tmp_path, monkeypatch, capsys):
    (tmp_path / "leads.csv").write_text(f'"{NASTY[:20]}",b\u202eevil\nx,y\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["title-harness", "check", "leads.csv"])
    with pytest.raises(SystemExit) as stop, warnings.catch_warnings():
        main()
    assert stop.value.code == 2
    with warnings.catch_warnings():
        monkeypatch.setattr(sys, "warnoptions", [])
        hide_library_warnings()
        warnings.warn(Notice(NASTY), stacklevel=1)
    said = capsys.readouterr().err
    assert raw(said) == set()
    assert "Warning: a" in said


def test_what_a_stream_cannot_encode_is_written_as_its_code(tmp_path, monkeypatch):
    def refuse():
        raise BadInput("役職 is no column.")

    path = tmp_path / "said"
    with path.open("w", encoding="ascii") as narrow:
        monkeypatch.setattr(sys, "stderr", narrow)
        monkeypatch.setattr("harness.cli.app", lambda **_: refuse())
        with pytest.raises(SystemExit), warnings.catch_warnings():
            main()
    assert path.read_text() == "Error: \\u5f79\\u8077 is no column.\n"


def test_only_the_console_writes_to_the_terminal():
    # The version; training alone; what is said where the console cannot be loaded.
    ours = ("harness/cli/console.py", "harness/cli/options.py", "neural/__main__.py", "harness/command.py")
    writers = set()
    for module in (
        path
        for package in ("data_cleaning", "baselines", "neural", "harness")
        for path in (ROOT / package).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name in ("print", "typer.echo", "typer.secho", "click.echo", "Console") or name.endswith(
                ("stderr.write", "stdout.write")
            ):
                writers.add(module.relative_to(ROOT).as_posix())
    assert writers == set(ours)
