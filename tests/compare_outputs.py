"""Compare what two checkouts make of the same input, table by table and byte by byte.

    python tests/compare_outputs.py make FOLDER              # run every verb of this checkout, outputs into FOLDER
    python tests/compare_outputs.py compare BEFORE AFTER     # list what differs; exit code 1 if anything does

`make` runs the smoke config and every verb on a small messy file. Run it in the checkout before a change and in the
one after it (`make same BASE=<commit>` does both). Times, dates, versions, digests and the places of files are left
out of the comparison; Parquet files and workbooks are compared by their values, everything else by its bytes.
"""

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from openpyxl import load_workbook

MESSY = (
    "Title,Event,Country\n"
    "Sr. Mgr InfoSec & Compliance,RSA,US\n"
    'CTO,"Black Hat, Europe",GB\n'
    "cto,RSA,US\n"
    ",RSA,US\n"
    "Dirección General,RSA,ES\n"
    "VP / Director of Systems Engineering,,US\n"
    "one field too many,RSA,US,extra\n"
    "too few\n"
    '=HYPERLINK("http://example.org"),RSA,US\n'
    "Network Security Engineer,RSA,US\n"
    "network security engineer,Black Hat,DE\n"
    "C.I.S.O.,RSA,US\n"
    "Data Protection Officer,RSA,FR\n"
    '"Head of\nIT",RSA,FR\n'
    'a "stray quote,RSA,FR\n'
    "Account Executive,RSA,FR\n"
)
"""A file as people export them: bad rows, quotes, line breaks, an empty title, a formula, a foreign title."""

LEFT_OUT = ("costs.", "run.json", "config.yaml", "report.html", "stage.json", "SHA256SUMS", "model.json", "README.md")
"""Files, by the beginning of their name, that hold times, versions, digests or places beside what others hold too."""

_VARIABLE = re.compile(r"[0-9a-f]{8,64}|\d{4}-\d\d-\d\d(T[\d:+]+)?|\d+(\.\d+)? (s|MB)\b")
_COLUMNS_OF_TIME = re.compile("second|per_second|titles per second")


def make(folder: Path) -> None:
    """Run every verb with the checkout of the current directory; outputs, exit codes and words go into `folder`."""
    folder = folder.resolve()
    for made in ("said", "tagged/csv", "tagged/csv.gz", "tagged/parquet", "tagged/xlsx"):
        (folder / made).mkdir(parents=True)
    messy = folder / "messy.csv"
    messy.write_text(MESSY, encoding="utf-8")
    (folder / "messy.csv.gz").write_bytes(gzip.compress(MESSY.encode(), mtime=0))
    simulated = folder / "leads.csv"
    run, tables = folder / "smoke", Path("configs/keywords").resolve()
    smoke = ("--config", "configs/smoke.yaml")

    _call(folder, "run", "run", "all", *smoke, "--results", folder / "results", "--out", run)
    _call(folder, "simulate", "simulate", "--records", 3000, "--seed", 5, "--out", simulated, *smoke)
    _call(
        folder, "simulate_parquet", "simulate", "--records", 500, "--seed", 6, "--out", folder / "leads.parquet", *smoke
    )
    _call(folder, "profile", "profile", simulated, "--out", folder / "profile", *smoke)
    _call(folder, "clean", "clean", simulated, "--out", folder / "clean.csv", *smoke)
    _call(folder, "clean_parquet", "clean", folder / "leads.parquet", "--out", folder / "clean.parquet", *smoke)
    _call(folder, "audit", "audit", tables / "2023.csv", "--leads", simulated, "--out", folder / "audit")
    _call(folder, "audit_alone", "audit", tables / "2023.csv", "--out", folder / "audit_alone")
    _call(folder, "diff", "diff", tables / "2022.csv", tables / "2023.csv", "--leads", simulated,
          "--out", folder / "moved.csv")  # fmt: skip
    for system in ("keyword", "keyword-corrected", "tfidf", "neural", "keyword+mined"):
        for ending in (".csv", ".csv.gz", ".parquet", ".xlsx"):
            tagged = folder / "tagged" / ending.strip(".")  # files beside the output are named without its ending
            for source, by in ((simulated, ()), (messy, ("--by", "Event"))):
                name = f"{source.stem}_{system}{ending}"
                command = ("predict", source, "--run", run, "--system", system, "--out", tagged / name, *by)
                _call(folder, f"predict_{name}", *command)
    sources = (folder / "leads.parquet", folder / "messy.csv.gz", folder / "tagged" / "xlsx" / "messy_keyword.xlsx")
    for number, source in enumerate(sources):
        out = folder / "tagged" / f"from_{number}.csv"
        _call(folder, f"predict_from_{number}", "predict", source, "--run", run, "--system", "keyword",
              "--out", out, "--prefix", "again_")  # fmt: skip
    _call(folder, "export", "export", run, folder / "model")
    _call(
        folder, "predict_model", "predict", messy, "--model", folder / "model", "--out", folder / "tagged" / "model.csv"
    )
    _call(folder, "explain", "explain", "Deputy CISO", "--run", run)
    _call(folder, "hierarchy_check", "hierarchy", "check", "configs/hierarchy.yaml")


def _call(folder: Path, name: str, *arguments: object) -> None:
    """Call one verb and write down its exit code and what it said, with places and times left out."""
    environment = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)], capture_output=True, text=True, env=environment
    )
    said = f"exit code {done.returncode}\n{done.stdout}"
    said += done.stderr if done.returncode == 2 else ""
    said = said.replace(str(folder), "FOLDER").replace(str(Path.cwd()), "CHECKOUT")
    (folder / "said" / f"{name}.txt").write_text(_VARIABLE.sub("…", said), encoding="utf-8")
    print(f"{name}: exit code {done.returncode}", file=sys.stderr)


def compare(before: Path, after: Path) -> list[str]:
    """List the files that are in one folder only, or that differ."""
    left, right = ({str(file.relative_to(folder)): file for file in _files(folder)} for folder in (before, after))
    found = [f"only before: {name}" for name in sorted(left.keys() - right.keys())]
    found += [f"only after:  {name}" for name in sorted(right.keys() - left.keys())]
    for name in sorted(left.keys() & right.keys()):
        told = _difference(left[name], right[name])
        if told:
            found.append(f"differs:     {name}: {told}")
    return found


def _files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        inside = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts) or "results" in inside.parts
        if file.is_file() and not hidden and not file.name.startswith(LEFT_OUT) and file.suffix != ".png":
            yield file


def _difference(left: Path, right: Path) -> str:
    """Say how two files differ; nothing if they hold the same."""
    if left.suffix == ".parquet":
        return _difference_of_frames(*(pq.read_table(file).to_pandas() for file in (left, right)))
    if left.suffix == ".xlsx":
        return _first_line(*([str(cells) for cells in _cells(file)] for file in (left, right)))
    one, other = (gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
                  for file in (left, right))  # fmt: skip
    if one == other:
        return ""
    try:
        texts = [content.decode() for content in (one, other)]
    except UnicodeDecodeError:
        return "other bytes"
    if left.suffix == ".json":
        texts = [json.dumps(json.loads(text), indent=1) for text in texts]
    texts = [_VARIABLE.sub("…", text) for text in texts]
    return _first_line(*(text.split("\n") for text in texts))


def _difference_of_frames(left: pd.DataFrame, right: pd.DataFrame) -> str:
    if list(left.columns) != list(right.columns):
        return f"columns {list(left.columns)} became {list(right.columns)}"
    kept = [name for name in left if not _COLUMNS_OF_TIME.search(str(name))]
    try:
        pd.testing.assert_frame_equal(left[kept], right[kept], check_exact=True)
    except AssertionError as error:
        return " ".join(str(error).split())[:200]
    return ""


def _cells(file: Path) -> Iterator[tuple[object, ...]]:
    """Yield the cells of a workbook row by row, each sheet after its name."""
    workbook = load_workbook(file)
    for sheet in workbook.worksheets:
        yield sheet.title, sheet.sheet_state
        yield from sheet.iter_rows(values_only=True)


def _first_line(left: list[str], right: list[str]) -> str:
    """Return the first pair of lines that differ, and how many do."""
    pairs = [(one, other) for one, other in zip(left, right, strict=False) if one != other]
    more = f" ({len(left)} lines became {len(right)})" if len(left) != len(right) else ""
    if not pairs:
        return more.strip()
    return f"{len(pairs)} lines{more}, first {pairs[0][0][:160]!r} became {pairs[0][1][:160]!r}"


def main() -> int:
    """Make or compare, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("make").add_argument("folder", type=Path)
    comparing = verbs.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.verb == "make":
        make(given.folder)
        return 0
    found = compare(given.before, given.after)
    print("\n".join(found) or "Nothing differs.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
