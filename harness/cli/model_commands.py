"""The verbs of the command line for what tags: export it as one folder, and explain what it says of a title."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harness.reporting.table import Table
    from harness.tagging.explain import Explanation, KeywordHit, Place

HierarchyFile = Annotated[
    Path | None,
    typer.Option(
        help="YAML file of the hierarchy, or 'none'; by default the model's own, or for a run configs/hierarchy.yaml "
        "of this folder or the project, where it fits."
    ),
]
RunFolder = Annotated[Path | None, typer.Option("--run", help="Run folder; by default the newest under results/.")]
ExportedFolder = Annotated[Path | None, typer.Option("--model", help="Folder that 'export' wrote, in place of a run.")]


def export_verb(
    run: Annotated[Path, typer.Argument(help="Run folder, whose systems that learned from most are taken.")],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    hierarchy: HierarchyFile = None,
    layout: Annotated[Path | None, typer.Option(help="YAML file of the columns that a tagged file has.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that was exported before.")] = False,
) -> None:
    """Write one folder that tags without the run: systems, tables, hierarchy, a model card and checksums.

    Example: python -m harness export results/default-1a2b3c4d model/
    """
    from harness.cli.console import announce
    from harness.cli.console import out as stdout
    from harness.tagging.export import export_model

    done = export_model(run, out, hierarchy=hierarchy, layout=layout, force=force)
    placed = "no hierarchy" if done.hierarchy is None else f"the hierarchy {done.hierarchy}"
    announce(f"Exported {', '.join(done.systems)}, with {placed}; {done.default_system} answers by default.")
    stdout.print(
        f"{done.folder} ({done.n_bytes / 1e6:,.1f} MB) tags with: "
        f"python -m harness predict leads.csv --out tagged.csv --model {done.folder}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def explain_verb(
    titles: Annotated[list[str], typer.Argument(help="One title or more, each in quotes.")],
    run: RunFolder = None,
    model: ExportedFolder = None,
    results: Annotated[Path, typer.Option(help="Folder of all runs.")] = Path("results"),
    hierarchy: HierarchyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Say why a title is tagged as it is: every system's answer, the keywords and words behind it, and its place.

    Example: python -m harness explain "Deputy CISO" --run results/default-1a2b3c4d
    """
    from harness.cli.console import announce
    from harness.tagging.explain import explain_titles
    from harness.tagging.models import choose_model, find_hierarchy, read_hierarchy

    chosen = choose_model(run, model, results)
    placed_in = read_hierarchy(find_hierarchy(hierarchy, chosen), chosen)
    announce(f"Asking {', '.join(chosen.systems)} of {chosen.described}.")
    explained = explain_titles(chosen, titles, placed_in)
    if as_json:
        _print_json(chosen.described, chosen.system(None), explained)
        return
    for explanation in explained:
        _show(explanation, chosen.system(None))


def _print_json(model: str, default: str, explained: Sequence["Explanation"]) -> None:
    import json
    import sys
    from dataclasses import asdict

    content = {"model": model, "default_system": default, "titles": [asdict(one) for one in explained]}
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _show(explanation: "Explanation", default: str) -> None:
    """Print everything that is said about one title."""
    from harness.cli.console import out, show_table

    if not explanation.answers:
        _line(f"{explanation.title!r} has no text; no system is asked, and it gets no label.")
        out.print()
        return
    for table in (_answers(explanation, default), _keywords(explanation), _words(explanation)):
        if table is not None:
            show_table(table)
    if explanation.place is not None:
        for line in _placed(explanation.place):
            _line(line)
        out.print()


def _line(text: str) -> None:
    from harness.cli.console import out

    out.print(text, soft_wrap=True, markup=False, highlight=False)


def _answers(explanation: "Explanation", default: str) -> "Table":
    """Return a row per system, its label and confidence per target."""
    import pandas as pd

    from harness.reporting.table import Table

    rows: dict[str, dict[str, str]] = {}
    for answer in explanation.answers:
        shown = f"{answer.label} {answer.confidence:.3f}"
        rows.setdefault(answer.system, {"system": answer.system})[answer.target] = shown
    read = "" if explanation.read_as == explanation.title else f"Read as {explanation.read_as!r}. "
    note = f"{read}The label of each system and its probability; {default} answers where nobody names another."
    return Table("answers", repr(explanation.title), note, pd.DataFrame(list(rows.values())))


def _keywords(explanation: "Explanation") -> "Table | None":
    """Return a row per keyword of each table, what it decides and where it is outranked; None without tables."""
    import pandas as pd

    from harness.reporting.table import Table

    rows: dict[tuple[str, int], dict[str, str]] = {}
    targets = list(dict.fromkeys(answer.target for answer in explanation.answers))

    def row_of(system: str, hit: "KeywordHit") -> dict[str, str]:
        shown = {"keyword": hit.keyword, "priority": str(hit.priority), "line": str(hit.line), "match": hit.match}
        return rows.setdefault((system, hit.line), {"system": system, **shown, **dict.fromkeys(targets, "")})

    for answer in explanation.answers:
        for position, hit in enumerate(((answer.decided,) if answer.decided else ()) + answer.outranked):
            raw = hit.label if hit.raw_label == hit.label else f"{hit.raw_label} = {hit.label}"
            row_of(answer.system, hit)[answer.target] = raw if position == 0 else f"({raw})"
    if not rows:
        return None
    order = list(dict.fromkeys(answer.system for answer in explanation.answers))

    def rank(row: dict[str, str]) -> tuple[int, ...]:
        return order.index(row["system"]), int(row["priority"]), -len(row["keyword"]), int(row["line"])

    ranked = sorted(rows.values(), key=rank)
    note = (
        "Rows of the tables that match the title. Of those that set a target the lowest priority decides, then the "
        "longer keyword; what it outranks is in brackets. Lines are of the table's file."
    )
    return Table("keywords", "Keywords", note, pd.DataFrame(ranked))


def _words(explanation: "Explanation") -> "Table | None":
    """Return a row per word, its share of what speaks for the label of each target; None without a network."""
    import pandas as pd

    from harness.reporting.table import Table
    from harness.tagging.explain import METHOD

    asked = [answer for answer in explanation.answers if answer.words]
    if not asked:
        return None
    columns = {f"{answer.target}: {answer.label}": [f"{word.share:+.2f}" for word in answer.words] for answer in asked}
    frame = pd.DataFrame({"word": [word.text for word in asked[0].words], **columns})
    note = (
        f"Share of each word in what speaks for the label ({METHOD.replace('-', ' ')}); below 0 it speaks against it."
    )
    return Table("words", f"Words, as {asked[0].system} hears them", note, frame)


def _placed(place: "Place") -> list[str]:
    """Word a place in the hierarchy."""
    path, leaf = " > ".join(place.path), " > ".join(place.leaf)
    lines = [f"Place, by {place.system}: {path or 'none that is sure'} (probability {place.confidence:.3f})"]
    if place.path != place.leaf:
        lines.append(f"  its labels lead to {leaf}, which is not sure enough")
    lines.append(f"  rule of line {place.line}: {place.rule}")
    if place.band is not None:
        lines.append(f"  band: {place.band}")
    if place.new_labels:
        lines.append("  new labels: " + ", ".join(f"{target} {label}" for target, label in place.new_labels.items()))
    if place.contradiction is not None:
        lines.append(f"  its labels contradict themselves: {place.contradiction}")
    return lines
