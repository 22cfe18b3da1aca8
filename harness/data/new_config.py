"""What the verb `init` does: a config and a taxonomy for somebody's own leads and keyword table, ready to run."""

import os
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput, first_few, visible
from data_cleaning.files import Layout, open_source
from data_cleaning.files.output_places import already_exists, check_writable
from data_cleaning.files.sources import STANDARD_INPUT
from data_cleaning.files.whole_files import whole_file
from data_cleaning.taxonomy import Taxonomy
from harness.data.new_taxonomy import GivenLeads, PlannedTarget, labels_of_table, plan_targets
from harness.experiment.config import PROJECT_CONFIGS

CONFIG, TAXONOMY, TABLE = "config.yaml", "taxonomy.yaml", "keywords.csv"

_SHIPPED_TABLE = PROJECT_CONFIGS / "keywords" / "2023.csv"
_UNICODE = ("utf-8", "utf-8-sig", "ascii")
"""Encodings of a file that a run reads without being told."""


@dataclass(frozen=True, kw_only=True)
class NewConfig:
    """What was written."""

    config: Path
    command: str
    """Runs it."""
    files: tuple[Path, ...]


def write_new_config(
    leads: Path,
    table: Path | None,
    out: Path | None,
    *,
    title_column: str | None,
    encoding: str | None,
    layout: Layout,
    force: bool,
    announce: Callable[[str], None],
) -> NewConfig:
    """Write a config and a taxonomy that fit two files, and a copy of the project's keyword table if none is given.

    Targets are those of the keyword table, or the columns of labels in the leads, or the project's own three. Where
    the leads lack labels for a target, the keyword table labels them.

    Args:
        leads: CSV, gzipped CSV, Parquet or XLSX.
        table: keyword table; None takes the project's, or none where the leads have labels that it does not know.
        out: folder to write to; None makes one in the current folder, called after the leads.
        title_column: name of the column of titles; None finds it.
        encoding: of a CSV file; None finds it out.
        layout: where the table is within the file of leads.
        force: whether existing files may be replaced.
        announce: told what was found and decided.

    Raises:
        BadInput: a file cannot be read, has no column of titles, or does not fit a taxonomy; or a file exists already.
    """
    if STANDARD_INPUT in (leads, table):
        raise BadInput("A config names its files, so init cannot read standard input (-). Give the path of a file.")
    folder = out or Path(f"{leads.name.split('.')[0]}_config")
    check_writable(folder)
    taken = [str(folder / name) for name in (CONFIG, TAXONOMY, TABLE) if (folder / name).exists()]
    taken = [name for name in taken if table is None or not Path(name).samefile(table)]
    if taken and not force:
        raise already_exists(f"{first_few(taken)}:")
    read = GivenLeads.read(leads, title_column, encoding, layout, announce)
    shipped = Taxonomy.read(PROJECT_CONFIGS / TAXONOMY)
    plans, own_labels = plan_targets(read, labels_of_table(table) if table else None, shipped)
    taxonomy = Taxonomy.from_dict(Taxonomy(targets=tuple(plan.target for plan in plans)).to_dict(), str(table or leads))
    with_table = table is not None or not own_labels
    source = table or _SHIPPED_TABLE
    if with_table:
        KeywordTable.read(source, taxonomy)
    folder.mkdir(parents=True, exist_ok=True)
    place = table or folder / TABLE
    if with_table and table is None:
        with whole_file(folder / TABLE) as filling:
            shutil.copyfile(source, filling)
    codec = open_source(leads, encoding=encoding, layout=layout).codec
    text = _config_text(read, plans, folder, place if with_table else None, codec, layout)
    for name, content in ((TAXONOMY, _taxonomy_text(plans, read, table)), (CONFIG, text)):
        with whole_file(folder / name) as filling:
            filling.write_text(content, encoding="utf-8")
    for plan in plans:
        announce(" ".join((f"{plan.target.name}:", *plan.why)))
    outside = sorted({str(path.resolve().parent) for path in (leads, place) if not _inside(path, folder)})
    allowed = "".join(f" --allow {shlex.quote(path)}" for path in outside)
    written = (folder / CONFIG, folder / TAXONOMY, *([place] if with_table and table is None else []))
    command = f"python -m harness run all --config {shlex.quote(str(folder / CONFIG))}{allowed}"
    return NewConfig(config=folder / CONFIG, command=command, files=written)


def _inside(path: Path, folder: Path) -> bool:
    return any(path.resolve().is_relative_to(root) for root in (folder.resolve(), Path.cwd()))


def _taxonomy_text(plans: Sequence[PlannedTarget], read: GivenLeads, table: Path | None) -> str:
    taxonomy = Taxonomy(targets=tuple(plan.target for plan in plans)).to_dict()
    origin = visible(f"{read.path.name} and {table.name}" if table else read.path.name)
    lines = [
        f"# The labels of {origin}: targets in order of importance, their classes, and the raw labels of each class.",
        "# To merge labels, move them under one class: 'IT: [Information Technology, MIS]'.",
        "version: 1",
        "targets:",
    ]
    for number, plan in enumerate(plans):
        body = taxonomy["targets"][plan.target.name]
        body["importance"] = len(plans) - number
        lines += [f"  # {visible(sentence)}" for sentence in plan.why]
        if plan.target.ordinal:
            lines.append(
                "  # ordinal: the order of the classes means something, the highest first. Correct it if it is not so."
            )
        dumped = _yaml({plan.target.name: body})
        lines += [f"  {line}" for line in dumped.splitlines()]
    return "\n".join(lines) + "\n"


def _config_text(
    read: GivenLeads,
    plans: Sequence[PlannedTarget],
    folder: Path,
    table: Path | None,
    codec: str | None,
    layout: Layout,
) -> str:
    labelled = all(plan.column is not None for plan in plans)
    columns: dict[str, object] = {"title": read.title, **read.columns}
    columns["targets"] = {plan.target.name: plan.column for plan in plans} if labelled else {}
    leads: dict[str, object] = {"path": _relative(read.path, folder)}
    if not labelled:
        leads["labels"] = "table"
    extra = {"encoding": None if codec in _UNICODE else codec, "sheet": layout.sheet, "header_row": layout.header_row}
    leads |= {name: value for name, value in extra.items() if value is not None} | {"columns": columns}
    said = [] if labelled else [
        "# The leads have no labels for every target, so the keyword table labels them ('labels: table'). Scores then",
        "# compare systems with the table, not with the truth: label some titles by hand for 'truth' or 'reviewed'.",
    ]  # fmt: skip
    systems = ["majority", "tfidf", "neural"]
    if table is not None:
        systems = ["majority", "keyword", "keyword-corrected", "tfidf", "neural", "keyword+mined", "hybrid"]
    lines = [
        f"# Written by 'title-harness init' for {visible(read.path.name)}. Paths are relative to this file.",
        "# docs/CONFIG.md explains every setting.",
        f"taxonomy: {TAXONOMY}",
        *said,
        _yaml({"leads": leads}).rstrip(),
        "# A title splits the titles, so that test has titles that nobody learned from; 'record' splits the records.",
        "split: {by: [title]}",
    ]
    if table is not None:
        lines.append(_yaml({"keyword": {"table": _relative(table, folder)}}).rstrip())
    lines += [
        "# Learned systems take minutes on large files; leave out neural, keyword+mined and hybrid for a first look.",
        f"systems: [{', '.join(systems)}]",
        "# Three of its six layers make the packaged encoder twice as fast, and hybrid as good within .3 points.",
        "neural: {kept_layers: 3}",
        "# Titles in other languages are set aside; false keeps them all.",
        "clean: {english_only: true}",
        "# reviewed: reviewed.csv   # titles that a person labelled, to learn from; columns as in the leads",
        "# truth: truth.csv         # labelled titles that judge and are never learned",
    ]
    return "\n".join(lines) + "\n"


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _yaml(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
