"""Every plain title of the grammar with what it means: fields times patterns, and the fixed titles."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from data_cleaning.simulate.business_fields import BUSINESS_FIELDS
from data_cleaning.simulate.fields import TECHNICAL_FIELDS, Field
from data_cleaning.simulate.fixed import HEADS, JUNK, TRAPS, WORKERS, Fixed
from data_cleaning.simulate.foreign import FOREIGN
from data_cleaning.simulate.mix import FAMILIES, FIXED_SHARE, STEEPNESS
from data_cleaning.simulate.planted import PLANTED, PLANTED_FIELDS
from data_cleaning.simulate.ranks import GRADES_OF_LEVEL, PATTERNS


@dataclass(frozen=True, kw_only=True)
class PlainTitle:
    """One title before anything is added to it, and the persona that it means."""

    text: str
    """The title; `^` marks where a number may follow."""
    function: str
    role: str
    level: str
    weight: float
    """Chance that a record is of this title."""
    family: str
    grades: str
    """Set of `ranks.GRADES`."""
    qualifiers: str
    """Set of `qualifiers.SETS`."""
    planted: str = ""
    """The planted word that it holds, or nothing."""
    country: str = ""
    """Where its language is spoken, or nothing for English."""

    @property
    def truth(self) -> tuple[str, str, str]:
        """Function, role and level."""
        return self.function, self.role, self.level

    @property
    def persona(self) -> str:
        """Name of the persona: its family, role and level."""
        return f"{self.family} / {self.role} / {self.level}"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All plain titles, no text twice."""

    titles: tuple[PlainTitle, ...]
    chances: npt.NDArray[np.float64]
    """Cumulative chance of each title, (n_titles,)."""


@cache
def catalogue() -> Catalogue:
    """Build the catalogue; the first persona to yield a text owns it, and fixed titles come before patterns."""
    owners: dict[str, PlainTitle] = {}
    blocks: dict[tuple[str, str, bool], dict[str, PlainTitle]] = defaultdict(dict)
    for is_fixed, listed in ((True, _fixed_titles()), (False, _field_titles())):
        for title in listed:
            # Letter case is no difference in meaning, and the surface changes it.
            owner = owners.setdefault(title.text.replace("^", "").casefold(), title)
            if (owner.truth, owner.planted) == (title.truth, title.planted):
                level = title.level if FAMILIES[title.family].levels else ""
                block = blocks[title.family, level, is_fixed]
                before = block.get(title.text)
                block[title.text] = replace(title, weight=title.weight + before.weight) if before else title
    titles = [title for block, listed in blocks.items() for title in _scaled(block, listed.values(), blocks)]
    weights = np.array([title.weight for title in titles])
    return Catalogue(titles=tuple(titles), chances=np.cumsum(weights) / weights.sum())


def _scaled(block: tuple[str, str, bool], titles: Collection[PlainTitle], blocks: Collection[tuple[str, str, bool]]
            ) -> Iterator[PlainTitle]:  # fmt: skip
    """Scale the weights of one block of titles to the share that the mix gives it."""
    family, level, is_fixed = block
    levels = FAMILIES[family].levels
    share = FAMILIES[family].share * (levels[level] / sum(levels.values()) if levels else 1.0)
    if (family, level, not is_fixed) in blocks:
        fixed_share = FIXED_SHARE[family, level]
        share *= fixed_share if is_fixed else 1 - fixed_share
    total = sum(title.weight**STEEPNESS for title in titles)
    for title in titles:
        if share > 0:
            yield replace(title, weight=share * title.weight**STEEPNESS / total)


def _fixed_titles() -> Iterator[PlainTitle]:
    """Yield the titles that are listed one by one."""
    group: Fixed
    for group in (*TRAPS, *HEADS, *WORKERS, *JUNK, *FOREIGN):
        # A number follows the job alone, so only a title that ends in one takes it.
        end = "^" if group.grades == "contributor" else ""
        for text, weight in group.titles.items():
            yield PlainTitle(text=text + end, function=group.function, role=group.role, level=group.level,
                             weight=weight, family=group.family, grades=group.grades, qualifiers=group.qualifiers,
                             planted=_planted_in(text), country=group.country)  # fmt: skip


def _field_titles() -> Iterator[PlainTitle]:
    """Yield every discipline of every field in every pattern of every level."""
    # Planted fields come first, so that "Platform Engineering Manager" is theirs and not a plain discipline's.
    for planted, field in (*PLANTED_FIELDS, *(("", field) for field in (*TECHNICAL_FIELDS, *BUSINESS_FIELDS))):
        total = sum(field.disciplines.values())
        for discipline, discipline_weight in field.disciplines.items():
            for level, text, pattern_weight in _in_patterns(field, *_three_forms(discipline)):
                # Nobody is a principal intern.
                grades = "none" if "Intern^" in text else GRADES_OF_LEVEL[level]
                yield PlainTitle(text=text, function=field.function, role=field.role, level=level,
                                 weight=field.weight * discipline_weight / total * pattern_weight, family=field.family,
                                 grades=grades, qualifiers=field.qualifiers,
                                 planted=planted if planted in text.casefold() else "")  # fmt: skip


def _three_forms(discipline: str) -> tuple[str, str, str]:
    """Return the forms of a discipline before a job, before a rank and after "of"."""
    forms = discipline.split("|")
    return forms[0], forms[min(1, len(forms) - 1)], forms[-1]


def _in_patterns(field: Field, work: str, lead: str, of: str) -> Iterator[tuple[str, str, float]]:
    """Yield level, text and weight of one discipline in every pattern."""
    for level, patterns in PATTERNS.items():
        jobs = field.jobs if level == "Contributor" else {"": 1.0} if field.led else {}
        total = sum(patterns.values()) * sum(jobs.values())
        for pattern, pattern_weight in patterns.items():
            for job, job_weight in jobs.items():
                # In "Engineer, Network" the work form stands where others have the "of" form.
                named = work if level == "Contributor" else of
                text = pattern.format(work=work, lead=lead, of=named, job=job)
                yield level, text, pattern_weight * job_weight / total


def _planted_in(text: str) -> str:
    """Return the planted word that a fixed title holds, or nothing."""
    words = f" {text.casefold()} "
    return next((planted for planted in PLANTED if f" {planted}" in words), "")
