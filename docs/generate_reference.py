"""Write the generated pages of docs/ from the code, and the README's results from results/reference/ (`make docs`)."""

import ast
import dataclasses
import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.main import get_command

from harness.cli import app
from harness.experiment.config import RunConfig
from harness.scoring.scores_file import RunScores

DOCS = Path(__file__).parent

_NOT_IN_README = ("majority", "keyword-corrected", "(noise ceiling)")

CONFIG_HEAD = """\
# Every key of a config

A config is one YAML file; `configs/default.yaml` is an example. Paths in it are relative to the file. Any key can be
set for one call with `--set`, such as `--set neural.epochs=3`. An unknown key, a wrong value or a missing file is an
error that names the line. Old names of keys work for one release and print a warning with the new name.

This page is generated from the code by `make docs`.
"""

COMMANDS_HEAD = """\
# Every verb of the command line

`title-harness` and `python -m harness` are the same command. `--help` after a verb prints what follows here.
Results go to stdout and progress to stderr; `--quiet` leaves only results and errors. Exit codes: 0 success, 1 a run
that `gate` does not pass, 2 bad input (one message says what came, what was expected and what to do), 3 complete except
for rows that could not be read, 130 interrupted.

This page is generated from the code by `make docs`.
"""


def config_page() -> str:
    """Return the reference of every key of a config as Markdown."""
    parts = [CONFIG_HEAD]
    for title, owner in _sections(RunConfig, ""):
        about = inspect.getdoc(owner) or ""
        parts.append(f"## {title or 'The top level'}\n\n{_plain(about)}\n")
        rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
        told = _attribute_docs(owner)
        for name, hint, default in _fields(owner):
            key = f"{title}.{name}" if title else name
            rows.append(f"| `{key}` | {_cell(_type(hint))} | {_cell(default)} | {_cell(_plain(told.get(name, '')))} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def commands_page() -> str:
    """Return the reference of every verb as Markdown."""
    parts = [COMMANDS_HEAD]
    for name, verb in _verbs():
        about, _, example = inspect.cleandoc(verb.help or "").partition("Example: ")
        parts.append(f"## {name}\n\n{_plain(about)}\n\n    {' '.join(example.split())}\n")
        rows = ["| argument or option | default | meaning |", "|---|---|---|"]
        for given in verb.params:
            if given.name == "help":
                continue
            shown = given.opts[0] if given.param_type_name == "option" else f"{given.name}".upper()
            default = "required" if given.required else _shown_default(given.default)
            rows.append(f"| `{shown}` | {_cell(default)} | {_cell(_plain(getattr(given, 'help', '') or ''))} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def scores_schema() -> str:
    """Return the JSON Schema of `scores.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **RunScores.model_json_schema()}
    return json.dumps(schema, indent=2) + "\n"


def readme(text: str) -> str:
    """Return the README with its table of results made of the reference results of the default run."""
    lines = (DOCS.parent / "results" / "reference" / "default" / "summary.md").read_text(encoding="utf-8").splitlines()
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"]
    scores: dict[str, dict[str, str]] = {}
    for row in (dict(zip(header, cells, strict=True)) for cells in rows):
        if row["split"] == "title" and row["system"] not in _NOT_IN_README:
            share, low, high = (row[name].removeprefix("0") for name in ("all", "low", "high"))
            scores.setdefault(row["system"], {})[row["learned_from"]] = f"{share} ({low} to {high})"
    table = ["| system | learned from recorded labels | with 700 reviewed titles too |", "|---|---:|---:|"]
    for system, of_sets in scores.items():
        alone = of_sets.get("legacy") or of_sets.get("(any)", "")
        name = f"{system} (needs no learning)" if "(any)" in of_sets else system
        table.append(f"| {name} | {alone} | {of_sets.get('legacy+reviewed', '')} |")
    before, _, rest = text.partition(table[0])
    after = re.sub(r"\A(\n\|[^\n]*)+", "", rest)
    return f"{before}{chr(10).join(table)}{after}"


def _sections(owner: type, title: str) -> Iterator[tuple[str, type]]:
    """Yield each class of settings that a config is made of, with its dotted key, the outer one first."""
    yield title, owner
    for name, hint, _ in _fields(owner):
        for inner in _classes(hint):
            many = "[]" if get_origin(hint) is tuple else ""
            yield from _sections(inner, f"{title}.{name}{many}" if title else f"{name}{many}")


def _classes(hint: Any) -> Iterator[type]:
    """Yield the classes of settings in a type, such as the one in `Section | None`."""
    if isinstance(hint, type) and (issubclass(hint, BaseModel) or dataclasses.is_dataclass(hint)):
        yield hint
    for inner in get_args(hint):
        yield from _classes(inner)


def _fields(owner: type) -> Iterator[tuple[str, Any, str]]:
    """Yield name, type and default of each field of a pydantic model or a dataclass."""
    hints = get_type_hints(owner)
    if issubclass(owner, BaseModel):
        for name, field in owner.model_fields.items():
            given = field.default_factory() if field.default_factory else field.default  # type: ignore[call-arg]
            yield name, hints[name], "required" if given is PydanticUndefined else _shown_default(given)
        return
    for name, field in ((field.name, field) for field in dataclasses.fields(owner)):
        made = field.default_factory is not dataclasses.MISSING
        given = field.default_factory() if made else field.default  # type: ignore[misc]
        yield name, hints[name], "required" if given is dataclasses.MISSING else _shown_default(given)


def _attribute_docs(owner: type) -> dict[str, str]:
    """Return the string below each field in the source of a class."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(owner))).body[0]
    told: dict[str, str] = {}
    assert isinstance(tree, ast.ClassDef)
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        documented = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and documented:
            told[field.target.id] = str(text.value.value)  # type: ignore[attr-defined]
    return told


def _type(hint: Any) -> str:
    """Word a type for a reader: choices as they are written, `int`, `list of text`, `path`."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is type(None):
        return "nothing"
    if origin is typing.Annotated:
        return _type(inner[0])
    if origin is typing.Literal:
        return " or ".join(f"`{choice}`" for choice in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(one) for one in inner)
    if origin is tuple or origin is list:
        return f"list of {_type(inner[0])}"
    if isinstance(origin, type) and len(inner) == 2:
        return f"mapping of {_type(inner[0])} to {_type(inner[1])}"
    if any(_classes(hint)):
        return "section"
    names = {"str": "text", "bool": "true or false", "int": "whole number", "float": "number", "Path": "path"}
    return names.get(getattr(hint, "__name__", str(hint)), getattr(hint, "__name__", str(hint)))


def _shown_default(value: Any) -> str:
    if value is None or value == () or value == []:
        return "–"
    if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
        return "see its section"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return f"{value}"


def _verbs() -> Iterator[tuple[str, Any]]:
    for name, verb in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(verb, "commands", None)
        yield from ((f"{name} {one}", found) for one, found in inner.items()) if inner else [(name, verb)]


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    written = {"CONFIG.md": config_page(), "COMMANDS.md": commands_page(), "scores.schema.json": scores_schema()}
    page = DOCS.parent / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8")
    for name, content in written.items():
        (DOCS / name).write_text(content, encoding="utf-8")
        sys.stdout.write(f"{DOCS / name}\n")
