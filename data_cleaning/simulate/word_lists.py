"""The lists that simulated titles are made of: CSV files beside this module, a header and one row per entry.

| file | holds |
|---|---|
| families | the share of records of each family of titles, and of each level within it |
| listed_titles | titles that no pattern makes, with their meaning |
| listed_shares | the share of a family's level that its listed titles have; patterns make the rest |
| fields, disciplines, jobs | what the patterns are filled with, and what it means |
| patterns, grades | how a rank is added to a discipline, and the words before or the number after a title |
| planted_words | new words that no keyword table knows |
| qualifiers, syllables | what people add to a title, and the pieces of made-up companies and places |
| abbreviations | three ways to shorten or vary a word |
"""

import csv
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def read_list(name: str) -> tuple[Mapping[str, str], ...]:
    """Return the rows of one list, each a mapping from column to text."""
    text = files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def weights_by(name: str, group: str, entry: str) -> dict[str, dict[str, float]]:
    """Return the weight of each entry of a list, by group."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in read_list(name):
        found[row[group]][row[entry]] = float(row["weight"])
    return dict(found)


PLANTED: Mapping[str, Mapping[str, str]] = {
    row["word"]: {target: row[target] for target in ("function", "role")} for row in read_list("planted_words")
}
"""Planted word, in lower case, to its true class of each target that it tells.

No keyword table of the history knows these words. A system that learns from titles should find them, and mining is
scored on them.
"""
