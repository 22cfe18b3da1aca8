"""Spellings of one title that a reader takes for the same title, to count how often a system's answer changes.

`spelling_variants` is the generator and `common_titles` its 40 real titles; `count_changes` compares the answers of any
system for them. The module is named `tests.spelling_variants`; tests of every system may use it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from data_cleaning.titles import StrArray

REAL_TITLES = Path(__file__).parents[2] / "shared" / "data" / "real_titles.csv"
N_TITLES = 40

_SOURCES = ("^infosec-jobs$", "^onet-")
_SMALL_WORDS = ("of", "and", "for", "the")


def common_titles() -> list[str]:
    """Return 40 real titles of three to five words of ASCII letters.

    They are the 20 with most records, then by name, among the titles of security and IT, and the 20 among those of all
    occupations.
    """
    titles = pl.read_csv(REAL_TITLES).filter(pl.col("title").str.contains("^[A-Za-z]+( [A-Za-z]+){2,4}$"))
    titles = titles.sort("count", "title", descending=[True, False])
    chosen = [titles.filter(pl.col("source").str.contains(source)).head(N_TITLES // 2) for source in _SOURCES]
    return pl.concat(chosen)["title"].to_list()


def spelling_variants(title: str) -> dict[str, str]:
    """Return variants of a title of plain words: the variant to its kind, without repetition.

    "Cloud Security Engineer" gives, among others, "Engineer, Cloud Security" (rotated), "Cloud, Security Engineer"
    (comma), "Cloud-Security Engineer" (hyphen), "Cloud Security/Engineer" (slash), "Cloud Security Engineers" (plural)
    and "Cloud Security Engineer." (final dot). In "Director of Security" the person comes before "of".
    """
    words = title.split()
    person, of, field = title.partition(" of ")
    variants = {f"{field}, {person}": "rotated", f"{person}, {field}": "comma"} if of else {}
    if not of:
        variants[f"{words[-1]}, {' '.join(words[:-1])}"] = "rotated"
    for kind, sign in (("comma", ", "), ("hyphen", "-"), ("slash", "/")):
        for at in range(1, len(words)):
            if not {words[at - 1].lower(), words[at].lower()} & set(_SMALL_WORDS):
                variants[f"{' '.join(words[:at])}{sign}{' '.join(words[at:])}"] = kind
    variants[f"{_plural(person)}{of}{field}"] = "plural"
    variants[f"{title}."] = "final dot"
    return variants


def count_changes(
    classes_of: Callable[[Sequence[str]], Mapping[str, StrArray]], titles: Sequence[str]
) -> tuple[list[tuple[str, str, str]], int]:
    """Compare the answers for the variants of some titles with those for the titles.

    Args:
        classes_of: returns the class of each title, per target, (n_titles,).
        titles: of plain words, distinct.

    Returns:
        The title, the variant and its kind wherever any target gets another class; and the number of variants.
    """
    cases = [(title, variant, kind) for title in titles for variant, kind in spelling_variants(title).items()]
    before, after = (classes_of([case[side] for case in cases]) for side in (0, 1))
    changed = np.logical_or.reduce([before[target] != after[target] for target in before])
    return [case for case, differs in zip(cases, changed, strict=True) if differs], len(cases)


def most_probable(system: Any) -> Callable[[Sequence[str]], dict[str, StrArray]]:
    """Return what `count_changes` asks of a fitted system: the most probable class per target, by position."""
    return lambda titles: {target: rows.argmax(axis=1) for target, rows in system.predict_proba(titles).items()}


def _plural(words: str) -> str:
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return f"{words[:-1]}ies"
    return f"{words}{'es' if words.endswith(('s', 'x', 'ch', 'sh')) else 's'}"
