"""Where a verb writes files and folders: never over what is read, and over what exists only with --force."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_cleaning.errors import BadInput, first_few, read_json
from data_cleaning.files.sources import STANDARD_INPUT
from data_cleaning.files.whole_files import check_name, check_writable, followed

REJECTS = "rejects.csv"
"""What could not be read of a file, in the folder that a verb writes about it."""

ENDINGS = (".csv.gz", ".csv", ".parquet", ".xlsx")
MARK = "made_by.json"
"""File by which a folder is known as one that a verb wrote, and may write again."""


def ending(path: Path) -> str:
    """Return the ending that says which kind of table a path is for.

    Raises:
        BadInput: it is none of `ENDINGS`.
    """
    for known in ENDINGS:
        if path.name.lower().endswith(known) and len(path.name) > len(known):
            return path.name[-len(known) :]
    raise BadInput(f"--out {path} ends in {path.suffix or 'nothing'!r}; expected {', '.join(ENDINGS)}.")


def beside(path: Path, addition: str) -> Path:
    """Put an addition between the stem of a table's path and its ending: leads.csv.gz to leads.truth.csv.gz."""
    return path.with_name(path.name.removesuffix(ending(path)) + addition + ending(path))


def rejects_file(out: Path) -> Path:
    """Return where what could not be read goes beside an output: tagged.csv to tagged.csv.rejects.csv."""
    return out.with_name(f"{out.name}.{REJECTS}")


def folder_beside(path: Path, addition: str) -> Path:
    """Return the folder that goes with a table: out/clean.parquet to out/clean_report."""
    return path.with_name(path.name.removesuffix(ending(path)) + addition)


def stem(path: Path) -> str:
    """Return the name of a file without its ending: a.2023.csv.gz to a.2023."""
    return next((path.name[: -len(known)] for known in ENDINGS if path.name.lower().endswith(known)), path.stem)


def default_folder(source: Path, addition: str) -> Path:
    """Return the folder in the current one that is named after what is read: leads.csv to leads_profile.

    Raises:
        BadInput: standard input is read, which has no name.
    """
    if source == STANDARD_INPUT:
        raise BadInput("What comes from standard input has no name to call the output by. Name the output with --out.")
    return Path(f"{stem(source)}{addition}")


def check_table(out: Path, source: Path | None, *, force: bool) -> None:
    """Refuse an output of an unknown kind, and what `check_file` refuses."""
    ending(out)
    check_file(out, source, force=force)


def check_file(out: Path, source: Path | None, *, force: bool) -> None:
    """Refuse an output that cannot be written, that is the file which is read, or that exists, unless with `force`.

    This is done before any work is.
    """
    check_name(out)
    if not out.parent.is_dir():
        raise BadInput(f"--out {out} cannot be written: expected a file in a folder that exists.")
    check_writable(out)
    if out.is_dir():
        raise BadInput(f"--out {out} is a folder; expected a file to write. Choose another --out.")
    if source is not None and out.exists() and source.exists() and out.samefile(source):
        raise BadInput(f"--out {out} is the file that is read. Choose another --out.")
    if out.exists() and not force:
        raise already_exists(out)


def check_folder(
    folder: Path,
    source: Path,
    verb: str,
    *,
    force: bool,
    written_by: Callable[[str, Path], set[str] | None] | None = None,
    another: str = "another --out",
) -> None:
    """Refuse a folder that cannot be written, before any work is done.

    One that exists is replaced only with `force`, if the verb itself wrote all that is in it, and `source`, which is
    read, is elsewhere. A link counts as what it leads to, and stays.

    Args:
        folder: to write.
        source: what is read.
        verb: that writes the folder.
        force: whether a folder that the verb has written may be replaced.
        written_by: returns the files that a verb has written into a folder, None if it did not make the folder; None
            believes what `mark` has left there.
        another: what a person should choose instead, as messages call it.
    """
    check_name(folder)
    place = followed(folder)
    if place.parent.is_dir():
        check_writable(folder)
    if not place.parent.is_dir() or place.is_symlink() or (place.exists() and not place.is_dir()):
        raise BadInput(f"{folder} cannot be written: expected a new folder in one that exists. Choose {another}.")
    if not folder.exists() or not any(folder.iterdir()):
        return
    written = (written_by or _written_by)(verb, folder)
    if written is None:
        raise BadInput(f"{folder} was not made by {verb!r}; nothing in it was touched. Choose {another}.")
    if folder.resolve() in source.resolve().parents:
        raise BadInput(f"{source}, which is read, is in {folder}, which would be replaced. Choose {another}.")
    others = sorted(set(_content(folder)) - written)
    if others:
        raise BadInput(
            f"{folder} holds what {verb!r} has not written: {first_few(others)}; nothing in it was touched. Move that "
            f"elsewhere, or choose {another}."
        )
    if not force:
        raise already_exists(folder, another)


def already_exists(what: Path | str, another: str = "another --out") -> BadInput:
    """Build the error for something that is not replaced without --force."""
    return BadInput(f"{what} exists already and was left as it is. Choose {another}, or replace it with --force.")


def mark(folder: Path, verb: str, facts: dict[str, Any]) -> None:
    """Leave in a finished folder which verb made it, from what, and which files it wrote."""
    content = {"verb": verb, **facts, "files": sorted({*_content(folder), MARK})}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")


def _content(folder: Path) -> list[str]:
    """Return everything in a folder but the folders of what it holds, by their paths in it."""
    inside = (
        place for place in folder.rglob("*") if place.is_symlink() or not place.is_dir() or not any(place.iterdir())
    )
    return [place.relative_to(folder).as_posix() for place in inside]


def _written_by(verb: str, folder: Path) -> set[str] | None:
    """Return the files that a verb wrote into a folder; None if it did not make the folder."""
    try:
        facts = read_json(folder / MARK, "mark", "")
        return {*facts["files"]} if facts["verb"] == verb else None
    except (BadInput, KeyError, TypeError):
        return None
