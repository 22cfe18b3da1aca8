"""What people add to a title (regions, products, units, employers, places), and the made-up names among it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from data_cleaning.simulate.word_lists import read_list

FORMS = (", {}", " - {}", " ({})", " | {}", "{} ", " at {}", " for {}", " / {}")
"""How a qualifier is added to a title; the one without a leading space goes before it."""

_AFTER = (0, 0, 0, 1, 1, 1, 2, 3, 7)
_PREFIX = (0, 0, 1, 1, 2, 4, 4, 4)
_PRODUCTS = ("security", "networking", "systems", "it", "governance", "software")
"""The kinds that name products and specialities of a field."""

_COMPANY_KINDS = (
    " Inc", " LLC", "", "", "", " Group", " Corp", " Ltd", " GmbH", " Holdings", " Partners LLP", " & Co", " SA",
)  # fmt: skip

N_COMPANIES = 64_000
N_PLACES = 26_000


@cache
def _names(endings: str, n_names: int) -> list[str]:
    """Make distinct names of syllables, the most common first and the same ones every time."""
    starts, middles, ends = (_entries("syllables", "part", part, "syllable") for part in ("start", "middle", endings))
    generator = np.random.default_rng(len(ends) * n_names)
    made: dict[str, None] = {}
    while len(made) < n_names:
        draws = zip(generator.integers(len(starts), size=n_names), generator.integers(len(middles), size=n_names),
                    generator.integers(len(ends), size=n_names), strict=True)  # fmt: skip
        made.update((f"{starts[start]}{middles[middle]}{ends[end]}".capitalize(), None) for start, middle, end in draws)
    return list(made)[:n_names]


def _entries(name: str, group: str, wanted: str, entry: str) -> list[str]:
    return [row[entry] for row in read_list(name) if row[group] == wanted]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of qualifier: where its words are among all qualifiers and how they are added to a title."""

    first: int
    chances: npt.NDArray[np.float64]
    """Cumulative chance of each word, (n_words,)."""
    forms: Sequence[int]
    """Positions in `FORMS`, as often as they are common."""


@cache
def kinds_and_vocabulary() -> tuple[dict[str, Kind], list[str]]:
    """Return every kind of qualifier by name, and all qualifiers; position 0 is no qualifier."""
    names = _names("company end", N_COMPANIES)
    companies = [name + _COMPANY_KINDS[position % len(_COMPANY_KINDS)] for position, name in enumerate(names)]
    lists: list[tuple[str, list[str], float, Sequence[int]]] = [
        ("region", _qualifiers("region"), 0.9, _PREFIX),
        ("industry", _qualifiers("industry"), 0.7, (*_PREFIX, 6)),
        ("unit", _qualifiers("unit"), 0.7, (*_AFTER, 6)),
        ("note", _qualifiers("note"), 0.7, (1, 2, 2, 2)),
        ("credential", _qualifiers("credential"), 0.9, (0,)),
        ("company", companies, 0.35, (0, 1, 1, 2, 5, 5, 5, 3)),
        ("place", _names("place end", N_PLACES), 0.3, (0, 1, 1, 2)),
        *((name, _qualifiers(name), 0.8, _AFTER) for name in _PRODUCTS),
    ]
    found, words = {}, [""]
    for name, listed, steepness, forms in lists:
        weights = (np.arange(len(listed)) + 2.0) ** -steepness
        found[name] = Kind(first=len(words), chances=np.cumsum(weights) / weights.sum(), forms=forms)
        words += listed
    return found, words


def _qualifiers(kind: str) -> list[str]:
    return _entries("qualifiers", "kind", kind, "qualifier")


_PLAIN = {"region": 7.0, "company": 4.9, "place": 2.8, "note": 0.8, "credential": 1.2}

SETS: Mapping[str, tuple[float, Mapping[str, float]]] = {
    "none": (0.0, {"place": 1.0}),
    "place": (0.08, {"company": 5.0, "place": 3.0}),
    "plain": (0.27, _PLAIN),
    "security": (0.36, {**_PLAIN, "security": 6.0, "industry": 2.5, "unit": 2.0}),
    "networking": (0.34, {**_PLAIN, "networking": 6.0}),
    "systems": (0.36, {**_PLAIN, "systems": 7.0}),
    "it": (0.34, {**_PLAIN, "it": 5.0, "industry": 2.5, "unit": 2.5}),
    "governance": (0.32, {**_PLAIN, "governance": 4.0, "industry": 1.5}),
    "software": (0.34, {**_PLAIN, "software": 6.0}),
}
"""Name of a set to the share of records that carry a qualifier, and its kinds with their weights."""
