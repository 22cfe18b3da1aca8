"""Draw titles from the grammar: codes per record, text per distinct code, truth per text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_cleaning.progress import Progress, silent
from data_cleaning.simulate import qualifiers, surface
from data_cleaning.simulate.catalogue import catalogue, grades
from data_cleaning.titles import IntArray, StrArray

TRUTH_TARGETS = ("function", "role", "level")
"""Targets that the grammar knows the truth of."""

TYPO_SHARE = 0.023
"""Share of records with a typing error."""

PLAINLY_SHARE = 0.455
"""Share of records that write their title in full and add nothing to it but letter case and typos."""

_BITS = {"plain": 17, "grade": 5, "qualifier": 17, "form": 3, "join": 3, "separator": 3, "abbreviation": 4, "case": 3,
         "typo": 8}  # fmt: skip
assert sum(_BITS.values()) <= 63, "one signed 64-bit number has to hold every code of a title"


@dataclass(frozen=True, kw_only=True)
class DrawnTitles:
    """Distinct titles, what they mean, and which of them each record has."""

    titles: StrArray
    """Distinct titles, (n_titles,)."""
    title_of_record: IntArray
    """Position of each record's title, (n_records,)."""
    truth: Mapping[str, StrArray]
    """Target to the true class of each title, each (n_titles,)."""
    personas: StrArray
    """Persona that each title means, (n_titles,)."""
    planted: StrArray
    """Planted word in each title before typos and abbreviations, or None, (n_titles,)."""
    countries: StrArray
    """Country whose language each title is in, or "" for English, (n_titles,)."""


def draw_titles(n_records: int, generator: np.random.Generator, progress: Progress = silent) -> DrawnTitles:
    """Draw the titles of `n_records` records.

    Equal titles mean the same: where two personas would write one string, the earlier in the catalogue owns it.
    """
    codes = _draw_codes(n_records, generator)
    distinct, code_of_record = np.unique(_pack(codes), return_inverse=True)
    written = _write(_unpack(distinct), progress)
    title_of_code, titles = pd.factorize(written)
    # Packed codes sort by plain title, so the first code of a title is of the persona that owns it.
    _, first_code = np.unique(title_of_code, return_index=True)
    plain = _unpack(distinct)["plain"][first_code]
    listed = catalogue().titles
    return DrawnTitles(
        titles=np.asarray(titles, dtype=object),
        title_of_record=title_of_code[code_of_record],
        truth={target: _column([getattr(title, target) for title in listed], plain) for target in TRUTH_TARGETS},
        personas=_column([title.persona for title in listed], plain),
        planted=_column([title.planted or None for title in listed], plain),
        countries=_column([title.country for title in listed], plain),
    )


def _column(values: Sequence[str | None], rows: IntArray) -> StrArray:
    """Look up values of the catalogue, (n_rows,)."""
    return np.array(values, dtype=object)[rows]


def _pick(chances: Sequence[float], n_draws: int, generator: np.random.Generator) -> IntArray:
    """Draw positions of `chances`, (n_draws,)."""
    edges = np.cumsum(chances) / np.sum(chances)
    return np.searchsorted(edges, generator.random(n_draws), side="right").clip(max=len(edges) - 1)


def _draw_codes(n_records: int, generator: np.random.Generator) -> dict[str, IntArray]:
    """Draw every code of every record, each (n_records,)."""
    listed = catalogue()
    plain = np.searchsorted(listed.chances, generator.random(n_records), side="right").clip(max=len(listed.titles) - 1)
    codes: dict[str, IntArray] = {"plain": plain}
    codes["grade"] = _draw_grades(plain, generator)
    codes["qualifier"], codes["form"] = _draw_qualifiers(plain, generator)
    for name, chances in surface.CHANCES.items():
        codes[name] = _pick(chances, n_records, generator)
    plainly = generator.random(n_records) < PLAINLY_SHARE
    for name in ("grade", "form", "join", "separator", "abbreviation"):
        codes[name][plainly] = 0
    is_only_a_name = np.array([title.text.startswith("{") for title in listed.titles])  # a company or place, (n_plain,)
    codes["qualifier"][plainly & ~is_only_a_name[plain]] = 0
    slips = generator.integers(1, surface.N_TYPOS, size=n_records)
    codes["typo"] = np.where(generator.random(n_records) < TYPO_SHARE, slips, 0)
    return codes


def _draw_grades(plain: IntArray, generator: np.random.Generator) -> IntArray:
    """Draw the grade of each record from the set that its plain title names, (n_records,)."""
    names = list(grades())
    set_of_record = np.array([names.index(title.grades) for title in catalogue().titles])[plain]
    drawn = np.zeros(len(plain), dtype=np.int64)
    for position, (_, chances) in enumerate(grades().items()):
        chosen = np.flatnonzero(set_of_record == position)
        drawn[chosen] = _pick(list(chances.values()), len(chosen), generator)
    return drawn


def _draw_qualifiers(plain: IntArray, generator: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Draw qualifier and form of each record, each (n_records,); titles that are only a name always get theirs."""
    names = list(qualifiers.SETS)
    set_of_record = np.array([names.index(title.qualifiers) for title in catalogue().titles])[plain]
    words = np.zeros(len(plain), dtype=np.int64)
    forms = np.zeros(len(plain), dtype=np.int64)
    for position, name in enumerate(names):
        share, kinds = qualifiers.SETS[name]
        chosen = np.flatnonzero((set_of_record == position) & (generator.random(len(plain)) < share))
        kind_of_chosen = _pick(list(kinds.values()), len(chosen), generator)
        for kind_position, kind_name in enumerate(kinds):
            rows = chosen[kind_of_chosen == kind_position]
            words[rows], forms[rows] = _draw_kind(kind_name, len(rows), generator)
    for kind_name in ("company", "place"):
        rows = np.flatnonzero(np.array([title.text == f"{{{kind_name}}}" for title in catalogue().titles])[plain])
        words[rows], _ = _draw_kind(kind_name, len(rows), generator)
    return words, forms


def _draw_kind(name: str, n_draws: int, generator: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Draw words and forms of one kind of qualifier, each (n_draws,)."""
    kind = qualifiers.kinds_and_vocabulary()[0][name]
    words = kind.first + np.searchsorted(kind.chances, generator.random(n_draws), side="right")
    return words, np.array(kind.forms)[generator.integers(len(kind.forms), size=n_draws)]


def _pack(codes: Mapping[str, IntArray]) -> npt.NDArray[np.int64]:
    """Pack the codes of each record into one number, (n_records,)."""
    packed = np.zeros(len(codes["plain"]), dtype=np.int64)
    for name, bits in _BITS.items():
        packed = (packed << bits) | codes[name]
    return packed


def _unpack(packed: npt.NDArray[np.int64]) -> dict[str, IntArray]:
    codes: dict[str, IntArray] = {}
    for name, bits in reversed(_BITS.items()):
        codes[name] = packed & ((1 << bits) - 1)
        packed = packed >> bits
    return codes


def _write(codes: Mapping[str, IntArray], progress: Progress) -> StrArray:
    listed, (_, vocabulary) = catalogue().titles, qualifiers.kinds_and_vocabulary()
    words_of = {name: list(words) for name, words in grades().items()}
    n_codes = len(codes["plain"])
    written = np.empty(n_codes, dtype=object)
    rows = zip(*(codes[name].tolist() for name in _BITS), strict=True)
    for position, (plain, grade, qualifier, form, join, separator, abbreviation, case, typo) in enumerate(rows):
        title = listed[plain]
        # A grade goes before the title, or is a number where the title has room for one.
        words = words_of[title.grades][grade]
        text = title.text.replace("^", words, 1) if words.startswith(" ") else words + title.text.replace("^", "", 1)
        if qualifier:
            name = vocabulary[qualifier]
            added = qualifiers.FORMS[form].format(name)
            text = name if text.startswith("{") else added + text if added.endswith(" ") else text + added
        written[position] = surface.write(
            text, join=join, separator=separator, abbreviation=abbreviation, typo=typo, case=case
        )
        if position % 50_000 == 0:
            progress("writing titles", position, n_codes)
    progress("writing titles", n_codes, n_codes)
    return written
