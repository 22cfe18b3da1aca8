"""The command line: every verb, declared in one file a group of verbs."""

import logging
import os
import sys
import warnings
from contextlib import suppress
from typing import Annotated

import typer

from data_cleaning.errors import LITTLE_MEMORY, BadInput, Notice, is_for_want_of_memory
from harness.cli.data_commands import clean_verb, init_verb, profile_verb, simulate_verb, study_verb
from harness.cli.finished_run_commands import compare_verb, gate_verb, runs_verb
from harness.cli.hierarchy_commands import hierarchy
from harness.cli.options import print_version
from harness.cli.review_commands import review
from harness.cli.run_commands import new_system_verb, run_verb, search_verb
from harness.cli.table_commands import audit_verb, diff_verb, suggest
from harness.cli.tagging_commands import check_verb, explain_verb, export_verb, predict_verb, serve_verb

app = typer.Typer(
    help="Sorts job titles into function, role and level, and measures which system should do it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.command("init")(init_verb)
app.command("run")(run_verb)
app.command("runs")(runs_verb)
app.command("compare")(compare_verb)
app.command("gate")(gate_verb)
app.command("search")(search_verb)
app.command("new-system")(new_system_verb)
app.command("simulate")(simulate_verb)
app.command("profile")(profile_verb)
app.command("clean")(clean_verb)
app.command("study")(study_verb)
app.command("check")(check_verb)
app.command("predict")(predict_verb)
app.command("explain")(explain_verb)
app.command("export")(export_verb)
app.command("serve")(serve_verb)
app.command("audit")(audit_verb)
app.command("diff")(diff_verb)
app.add_typer(review, name="review")
app.add_typer(suggest, name="suggest")
app.add_typer(hierarchy, name="hierarchy")


@app.callback()
def _options_of_all(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def _show_notice(message: Warning | str) -> None:
    from harness.cli.console import warn

    warn(str(message))


def hide_library_warnings() -> None:
    """Show no warning but `Notice`, and no progress but ours: those of libraries are about code that no user wrote.

    `python -W` shows all.
    """
    if sys.warnoptions:
        return
    warnings.simplefilter("ignore")
    warnings.simplefilter("default", Notice)
    warnings.showwarning = lambda message, *_: _show_notice(message)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # those of transformers too
    if logging.lastResort is not None:  # prints what loggers without a handler of their own say
        logging.lastResort.setLevel(logging.ERROR)


def _bad_input_of(error: BaseException) -> str | None:
    """Return the message for an error that a person can do something about; None where the program is at fault."""
    if isinstance(error, BadInput):
        return str(error)
    return LITTLE_MEMORY if is_for_want_of_memory(error) else None


def main() -> None:
    """Run the command; bad input and too little memory become one message and exit code 2."""
    hide_library_warnings()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # a stream that a caller has replaced
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app(windows_expand_args=False)  # leads*.csv is the name of one file
    except BaseException as error:  # a panic of polars is no `Exception`
        message = _bad_input_of(error)
        if message is None:
            raise
        from harness.cli.console import fail

        fail(message)
        sys.exit(2)
