"""Tables that a verb writes for somebody: CSV, gzipped CSV or Parquet, whole or not at all, and never over another."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from data_cleaning.errors import BadInput

ENDINGS = (".csv.gz", ".csv", ".parquet")
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


def folder_beside(path: Path, addition: str) -> Path:
    """Return the folder that goes with a table: out/clean.parquet to out/clean_report."""
    return path.with_name(path.name.removesuffix(ending(path)) + addition)


def check_file(out: Path, source: Path | None, *, force: bool) -> None:
    """Refuse an output that exists, that cannot be written, or of an unknown kind, before any work is done.

    Args:
        out: file to write.
        source: file that is read, which no output replaces.
        force: whether an existing file may be replaced.

    Raises:
        BadInput: saying which of these it is.
    """
    ending(out)
    if out.is_dir() or not out.parent.is_dir():
        raise BadInput(f"--out {out} cannot be written: expected a file in a folder that exists.")
    if source is not None and out.exists() and source.exists() and out.samefile(source):
        raise BadInput(f"--out {out} is the file that is read. Choose another --out.")
    if out.exists() and not force:
        raise BadInput(f"{out} exists already and was left as it is. Choose another --out, or replace it with --force.")


def check_folder(folder: Path, verb: str, *, force: bool) -> None:
    """Refuse a folder that may not be written, before any work is done; only a verb's own may be replaced.

    Raises:
        BadInput: it is a file, holds something else, or is the verb's own and `force` was not given.
    """
    if not folder.parent.is_dir() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{folder} cannot be written: expected a new folder in one that exists. Choose another --out.")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if _maker(folder) != verb:
        raise BadInput(f"{folder} was not made by {verb!r}; nothing in it was touched. Choose another --out.")
    if not force:
        raise BadInput(
            f"{folder} exists already and was left as it is. Choose another --out, or replace it with --force."
        )


def mark(folder: Path, verb: str, facts: dict[str, Any]) -> None:
    """Leave in a folder which verb made it, and from what."""
    text = json.dumps({"verb": verb, **facts}, indent=2, ensure_ascii=False)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a table in the form that the ending of its path names."""
    kind = ending(path).lower()
    if kind == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, compression="gzip" if kind == ".csv.gz" else "uncompressed", check_extension=False)


def _maker(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / MARK).read_text(encoding="utf-8"))["verb"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
