"""Suggestions for the toy company's table, and what a person does to their files."""

import csv
import json
import re
from dataclasses import replace

from openpyxl import load_workbook

from harness.keywords.suggestions import Evidence, Origin, Suggestion

RUNS = re.compile(r"[=@\t]|[+-].*[^\s\d+\-.,()/%$€£eE]", re.DOTALL)
"""How a cell begins that a spreadsheet would run; signs and digits alone run nothing."""

TARGETS = ("department", "seniority")
ORIGIN = Origin(
    table_name="2023.csv",
    table_path="keywords/2023.csv",
    table_sha256="ab" * 32,
    targets=TARGETS,
    made_at="2026-11-26T09:00:00+00:00",
    run="company-1234",
    split="title",
    learned_from="legacy",
)

EVIDENCE = Evidence(
    support_titles=1234,
    support_records=5678,
    judge="network",
    lift=-0.00125,
    p_value=0.1 + 0.2,
    reviewed_fixed=4,
    reviewed_broken=1,
    believed_fixed=5,
    believed_broken=0,
    variants_fixed=0,
    variants_broken=2,
    examples=("night gardener", "=head gardener", "gardener"),
    counter_examples=("garden\nvisitor",),
    importance=0.61,
)


def suggestion(action="add", keyword="gardener", department="", seniority="", **facts):
    """Build a suggestion for two targets; what is not given is that of a new substring row."""
    return Suggestion(**{
        "action": action,
        "keyword": keyword,
        "priority": 5.0,
        "match": "substring",
        "labels": {"department": department, "seniority": seniority},
        "evidence": EVIDENCE,
        "rationale": f"{keyword} decides 40 titles, of which the network agrees with 37.",
        **facts,
    })  # fmt: skip


GARDENER = suggestion(department="Garden", priority=2.5)
NURSE = suggestion(
    *("re-prioritise", "nurse", "Nursing"), priority=2.0, line=2, old_priority=5.0, old_match="substring"
)
COOK = suggestion("narrow", "cook", "Kitchen", match="word", line=6, old_priority=5.0, old_match="substring")
VISITOR = suggestion("retire", "visitor", "Elsewhere", line=11, old_priority=5.0, old_match="substring")
ALL = (GARDENER, NURSE, COOK, VISITOR)
"""One of each action, in lines 2 to 5 of their file."""


def edit_xlsx(path, cells):
    """Write values into a spreadsheet: (line, column's name) to the value."""
    book = load_workbook(path)
    sheet = book["suggestions"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for (line, name), value in cells.items():
        sheet.cell(line, columns[name]).value = value
    book.save(path)


def edit_csv(path, cells, delimiter=",", encoding="utf-8"):
    """Write texts into a CSV file, and save it with another delimiter."""
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.reader(opened))
    for (line, name), value in cells.items():
        rows[line - 1][rows[0].index(name)] = value
    with path.open("w", encoding=encoding, newline="") as opened:
        csv.writer(opened, delimiter=delimiter).writerows(rows)


def mark_json(path, marks):
    """Write marks into a JSON file: number of the suggestion, from 1, to its mark."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for number, mark in marks.items():
        content["suggestions"][number - 1]["accept"] = mark
    path.write_text(json.dumps(content), encoding="utf-8")


def renamed(one, keyword):
    """Return a suggestion for another keyword."""
    return replace(one, keyword=keyword)
