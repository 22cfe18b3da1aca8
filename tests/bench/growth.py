"""How seconds and peak memory grow with the records: whole commands at 10^5, 10^6 and 10^7 leads, in one table.

    make growth                                             # everything, about an hour and 12 GB of disk
    make growth ARGS="--records 100000 1000000 --of clean audit"

Every command is a process of its own on simulated leads in CSV, as people have them. A figure is written down as soon
as it is measured, and not measured again when the command is repeated; `--fresh` measures it again. A growth exponent
is the slope of the figure against the records on logarithmic scales: 1 is linear.
"""

import argparse
import csv
import datetime
import math
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.commands import ROOT, Cost, cost_of
from tests.tiny_encoder import tiny_encoder_folder

SIZES = (100_000, 1_000_000, 10_000_000)
MAX_EXPONENT = 1.05
MAX_GB = {"predict": 1.0, "clean": 8.0, "audit": 8.0}
"""Asked of the largest size."""
TABLE = ROOT / "configs" / "keywords" / "2023.csv"
BASELINES = ("systems=[majority,keyword,keyword-corrected]", "label_issues=null")
WITH_TFIDF = ("systems=[majority,keyword,keyword-corrected,tfidf]",)
ABOUT = {
    "simulate": "`simulate`, to CSV",
    "predict": "`predict --system keyword`, CSV to CSV, with summary and follow-up list",
    "clean": "`clean`, CSV to Parquet, every step and report",
    "audit": "`audit` of the table of 2023 with the leads' own labels",
    "run": f"`run all` of the default config with `{'` and `'.join(BASELINES)}`, simulation included",
    "run_tfidf": f"the same with `{WITH_TFIDF[0]}`, search for label issues included",
    "mining": "`run mine` with a network of one layer that learned from 2,000 rows; its fit is not counted",
}


@dataclass(frozen=True)
class Work:
    """The folder that is filled and emptied, and one number of records."""

    folder: Path
    n_records: int

    @property
    def leads(self) -> Path:
        """Simulated leads, made where they are not there yet."""
        if not self.place_of_leads.exists():
            simulate(self)
        return self.place_of_leads

    @property
    def place_of_leads(self) -> Path:
        return self.folder / f"leads_{self.n_records}.csv"

    def removed(self, name: str) -> Path:
        """Return a path for an output of which nothing is left."""
        for found in self.folder.glob(f"{name}*"):
            shutil.rmtree(found) if found.is_dir() else found.unlink()
        return self.folder / name


def simulate(work: Work) -> Cost:
    return cost_of("simulate", "--records", work.n_records, "--out", work.place_of_leads, "--force")


def predict(work: Work) -> Cost:
    made = work.folder / "keyword_run"
    if not made.exists():
        smoke = ROOT / "configs" / "smoke.yaml"
        cost_of("run", "keyword", "--config", smoke, "--results", work.folder / "results", "--out", made)
    out = work.removed("tagged") / "tagged.csv"
    out.parent.mkdir()
    return cost_of("predict", work.leads, "--out", out, "--run", made, "--system", "keyword", "--quiet")


def clean(work: Work) -> Cost:
    out = work.removed("cleaned") / "clean.parquet"
    out.parent.mkdir()
    return cost_of("clean", work.leads, "--out", out, "--quiet")


def audit(work: Work) -> Cost:
    return cost_of("audit", TABLE, "--leads", work.leads, "--out", work.removed("audited"))


def run(work: Work, settings: Sequence[str] = BASELINES) -> Cost:
    given = [f"leads.simulate.records={work.n_records}", *settings]
    out = work.removed("runs")
    return cost_of("run", "all", "--results", out, *(part for each in given for part in ("--set", each)), "--quiet")


def run_tfidf(work: Work) -> Cost:
    return run(work, WITH_TFIDF)


def mining(work: Work) -> Cost:
    out, encoder = work.removed("mined"), work.folder / "tiny"
    if not encoder.exists():
        tiny_encoder_folder(encoder)
    settings = (
        f"leads.simulate.records={work.n_records}",
        "split.by=[title]",
        "label_issues=null",
        "systems=[keyword,neural,keyword+mined]",
        f"neural.encoder={encoder}",
        "neural.kept_layers=null",
        "neural.max_train_rows=2000",
        "neural.min_steps=0",
        "neural.reviewed_epochs=0",
    )
    given = [part for setting in settings for part in ("--set", setting)]
    cost_of("run", "neural", "--results", out, *given, "--allow", work.folder, "--quiet")
    return cost_of("run", "mine", "--results", out, *given, "--allow", work.folder, "--quiet")


VERBS = {each.__name__: each for each in (simulate, predict, clean, audit, run, run_tfidf, mining)}


class Figures:
    """What was measured, in a CSV file that is written after every figure."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="", encoding="utf-8") as opened:
                self.rows = list(csv.DictReader(opened))

    def find(self, verb: str, n_records: int) -> dict[str, str] | None:
        return next((row for row in self.rows if (row["verb"], row["records"]) == (verb, str(n_records))), None)

    def add(self, verb: str, n_records: int, cost: Cost) -> None:
        self.rows = [row for row in self.rows if row is not self.find(verb, n_records)]
        self.rows.append({
            "verb": verb,
            "records": str(n_records),
            "seconds": f"{cost.seconds:.2f}",
            "cpu_seconds": f"{cost.cpu_seconds:.2f}",
            "gigabytes": f"{cost.gigabytes:.3f}",
            "load": f"{os.getloadavg()[0]:.1f}",
            "date": datetime.date.today().isoformat(),
        })  # fmt: skip
        with self.path.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.DictWriter(opened, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)


def slope(points: list[tuple[int, float]]) -> float:
    """Return the least-squares slope of log(value) against log(records)."""
    xs, ys = ([math.log(point[axis]) for point in points] for axis in (0, 1))
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / sum((x - x_mean) ** 2 for x in xs)


def table(figures: Figures) -> Iterator[str]:
    """Yield the lines of the table; an exponent is that of all sizes, and in brackets that of the last step."""
    sizes = sorted({int(row["records"]) for row in figures.rows})
    heads = [f"{size:,} records" for size in sizes]
    yield f"| command | {' | '.join(heads)} | exponent of CPU seconds | exponent of memory | asked |"
    yield f"|---|{'---:|' * (len(sizes) + 2)}---|"
    for verb in VERBS:
        by_size = {size: row for size in sizes if (row := figures.find(verb, size))}
        if not by_size:
            continue
        cells = [cell(by_size[size]) if size in by_size else "–" for size in sizes]
        exponents = [points(by_size, unit) for unit in ("cpu_seconds", "gigabytes")]
        shown = [f"{slope(each):.2f} ({slope(each[-2:]):.2f})" if len(each) > 1 else "–" for each in exponents]
        yield f"| {verb} | {' | '.join(cells)} | {' | '.join(shown)} | {verdict(verb, by_size)} |"


def cell(row: dict[str, str]) -> str:
    seconds, cpu_seconds, gigabytes = (float(row[unit]) for unit in ("seconds", "cpu_seconds", "gigabytes"))
    return f"{seconds:,.1f} s ({cpu_seconds:,.1f} s of CPU), {gigabytes:.2f} GB"


def points(by_size: dict[int, dict[str, str]], unit: str) -> list[tuple[int, float]]:
    """Return each number of records with what was measured for it, in order."""
    return [(size, float(row[unit])) for size, row in sorted(by_size.items())]


def verdict(verb: str, by_size: dict[int, dict[str, str]]) -> str:
    """Say whether what is asked is met, by the last step, in which starting up counts least."""
    faults = []
    for name, unit in (("CPU seconds", "cpu_seconds"), ("memory", "gigabytes")):
        found = points(by_size, unit)[-2:]
        if len(found) > 1 and slope(found) > MAX_EXPONENT:
            faults.append(f"the exponent of {name} is {slope(found):.2f} > {MAX_EXPONENT}")
    limit, largest = MAX_GB.get(verb), by_size.get(SIZES[-1])
    if limit is not None and largest is not None and float(largest["gigabytes"]) > limit:
        faults.append(f"{largest['gigabytes']} GB > {limit:g} GB")
    if faults:
        return "missed: " + "; ".join(faults)
    if len(by_size) < 2:
        return "not measured"
    return "met" if largest is not None else f"met up to {max(by_size):,} records"


def processor() -> str:
    """Return the name of the processor."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text(encoding="utf-8").splitlines() if names.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def write_report(figures: Figures, path: Path) -> None:
    """Write the table and what has to be known to read it."""
    loads = [float(row["load"]) for row in figures.rows]
    dates = sorted({row["date"] for row in figures.rows})
    left = [f"{verb} of {size:,}" for verb in VERBS for size in SIZES if figures.find(verb, size) is None]
    lines = [
        "# How seconds and memory grow with the records",
        "",
        f"`make growth`, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, on {len(os.sched_getaffinity(0))} cores "
        f"({processor()}). Every command is a process of its own on simulated leads, and each figure is one "
        "measurement. An exponent is the slope on logarithmic scales over all sizes; 1 is linear. That of time is of "
        "the CPU seconds of all cores together, as other work on the machine changes the others. In brackets is that "
        "of the last step, in which starting up counts least; it decides whether the growth is linear (asked: at most "
        f"{MAX_EXPONENT}). Memory is the peak of the largest process. The load of the machine after each measurement "
        f"was {min(loads)} to {max(loads)}, that of the measured command included.",
        "",
        *table(figures),
        "",
        *(f"- {verb}: {about}." for verb, about in ABOUT.items() if any(row["verb"] == verb for row in figures.rows)),
        *(["", f"Not measured yet: {', '.join(left)}."] if left else []),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what is asked for and not known yet, and write the table of everything measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=SIZES)
    parser.add_argument("--of", nargs="+", choices=VERBS, default=list(VERBS))
    parser.add_argument("--work", type=Path, default=ROOT / ".growth", help="folder for leads, outputs and figures")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "reference" / "growth.md")
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured before")
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    figures = Figures(work / "figures.csv")
    for n_records in given.records:
        for verb in given.of:
            if given.fresh or figures.find(verb, n_records) is None:
                cost = VERBS[verb](Work(work, n_records))
                figures.add(verb, n_records, cost)
                sys.stdout.write(f"{verb}, {n_records:,} records: {cost.seconds:.1f} s, {cost.gigabytes:.2f} GB\n")
                sys.stdout.flush()
    write_report(figures, given.out)
    sys.stdout.write(given.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
