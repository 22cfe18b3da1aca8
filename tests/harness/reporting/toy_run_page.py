"""A page of a run from a few toy figures, with a script wherever people's text may be."""

from pathlib import Path

import numpy as np
import pandas as pd

from data_cleaning.report_table import Table
from harness.reporting.run_page import write_run_page
from harness.scoring.scores_file import Cost, Evidence, Verdict
from harness.scoring.verdict import Candidate, Judged, decide

SCRIPT = "<script>alert(1)</script>"
N_TITLES = 30
FACTS = {
    "name": f"toy {SCRIPT}", "made_at": "2026-11-29T09:05:33+0000", "seed": 1, "device": "cpu", "fingerprint": "f",
    "commit": None, "data_hash": "d", "warnings": [f"Train lacks {SCRIPT}."], "split_hash": {"title": "h"},
}  # fmt: skip
FIT = {"split": "title", "learned_from": "legacy"}


def toy_verdict() -> Verdict:
    cost = Cost(seconds_per_million_titles=30, fit_seconds=1, model_mb=0.2, memory_mb=3, needs_torch=False)
    candidates = [
        Candidate(system=name, learned_from=None, simplicity=place, in_force=name == "keyword", is_own=False, cost=cost)
        for place, name in enumerate(("keyword", SCRIPT))
    ]
    right = np.column_stack([np.arange(N_TITLES) < 10, np.arange(N_TITLES) < 28]).astype(float)
    evidence = Evidence(kind="people", reference="truth", split="title", titles=N_TITLES, records=N_TITLES)
    return decide(candidates, [Judged(evidence=evidence, right=right, records=np.ones(N_TITLES))], "real", 17)


def toy_tables() -> list[Table]:
    systems = pd.DataFrame({"system": [SCRIPT, "keyword"], **FIT})
    scores = systems.assign(all=[0.93, 0.33], low=[0.85, 0.2], high=[1.0, 0.5])
    legacy = scores.assign(reference="legacy", weighting="per record")
    ceiling = pd.DataFrame(
        [{"reference": "legacy", "weighting": "per record", "system": "(noise ceiling)", "all": 0.97}]
    )
    steps = [0.5, 1.0]
    bins = pd.concat([systems.assign(target="all", confidence=step, right=step - 0.1) for step in steps])
    curve = pd.concat([scores.assign(counted="reviewed", titles=size) for size in (0, 100)])
    confusion = pd.DataFrame(
        [(SCRIPT, "role", label, answer, 5, 0.5) for label in ("cook", SCRIPT) for answer in ("cook", SCRIPT)],
        columns=["system", "target", "label", "predicted", "records", "share"],
    ).assign(**FIT)
    numbers = [9, 1000, 10, 20, 30, 40, 50, 60, 70, 80, 90, np.nan]
    found = pd.DataFrame({f"title {SCRIPT}": [f"{SCRIPT} {n}" for n in range(12)], "records": numbers})
    costs = systems.assign(accuracy=[0.93, 0.33], **{"titles per second": [500.0, 9e4], "Pareto front": ["yes", "yes"]})
    frames = {
        "verdict": scores.assign(verdict=["use", ""]),
        "scores_by_title": pd.concat([legacy, ceiling]),
        "reliability": bins,
        "risk_coverage": pd.DataFrame([FIT | {"coverage": step, SCRIPT: 0.9, "keyword": 0.5} for step in steps]),
        "learning_curve": curve,
        "confusion": confusion,
        "costs": costs,
        "errors": found,
        "mined_changes": pd.DataFrame({"keyword": [SCRIPT], "gain": [1.5]}),
    }
    return [Table(name, f"The table {name} {SCRIPT}", f"About {SCRIPT}.", frame) for name, frame in frames.items()]


def toy_lookup() -> dict[str, object]:
    titles = [f"{SCRIPT} nurse", "Night Nurse", "Cook"]
    return {
        "note": f"Three titles {SCRIPT}.", "reference": "truth", "targets": ["role", SCRIPT],
        "classes": [["nurse", SCRIPT], ["low", "high"]], "titles": titles, "records": [1200, 2, 1],
        "labels": [0, 1, 0, 1, -1, -1], "texts": ["nurse", f"{SCRIPT}*"],
        "systems": [
            {"name": "keyword", "answers": [0, 1, 1, 1, 0, 0], "confidence": [99, 50, 7],
             "reasons": [0, 1, 1, -1, -1, -1]},
            {"name": SCRIPT, "answers": [0, 0, 0, 1, 1, 1], "confidence": [80, 81, 82]},
        ],
    }  # fmt: skip


def write_toy_page(folder: Path) -> Path:
    write_run_page(folder / "report.html", toy_tables(), FACTS, toy_verdict(), toy_lookup())
    return folder / "report.html"
