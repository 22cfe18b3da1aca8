"""Every plain title of the grammar with its meaning: the listed titles, and each field in each pattern."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from data_cleaning.simulate.word_lists import PLANTED, read_list, weights_by

STEEPNESS = 1.3
"""Power that the weights within a level are raised to; more makes common titles more common and the tail thinner."""


@dataclass(frozen=True, kw_only=True)
class PlainTitle:
    """One title before anything is added to it, and the persona that it means."""

    text: str
    """The title; `^` marks where a number may follow."""
    function: str
    role: str
    level: str
    weight: float
    """Chance that a record has this title."""
    family: str
    grades: str
    """Set of `grades`."""
    qualifiers: str
    """Set of `qualifiers.SETS`."""
    planted: str = ""
    """The planted word in it, or nothing."""
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


_Families = Mapping[str, tuple[float, Mapping[str, float]]]
"""Family to its weight among all, and the weight of each level within it; no levels where listed titles bring them."""

_Block = tuple[str, str, bool]
"""Family, level ("" for a family without levels), and whether the titles are listed."""


@cache
def grades() -> dict[str, dict[str, float]]:
    """Return each set of words before a title (or, with a leading space, numbers after it) with their weights."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in read_list("grades"):
        text = f" {row['number']}" if row["number"] else f"{row['before']} " if row["before"] else ""
        found[row["grades"]][text] = float(row["weight"])
    return dict(found)


@cache
def catalogue() -> Catalogue:
    """Build the catalogue; the first persona to yield a text owns it, and listed titles come before patterns."""
    families = _families()
    owners: dict[str, PlainTitle] = {}
    blocks: dict[_Block, dict[str, PlainTitle]] = defaultdict(dict)
    for is_listed, titles in ((True, _listed_titles()), (False, _field_titles())):
        for title in titles:
            # Letter case is no difference in meaning, and the surface changes it.
            owner = owners.setdefault(title.text.replace("^", "").casefold(), title)
            if (owner.truth, owner.planted) == (title.truth, title.planted):
                level = title.level if families[title.family][1] else ""
                block = blocks[title.family, level, is_listed]
                before = block.get(title.text)
                block[title.text] = replace(title, weight=title.weight + before.weight) if before else title
    scaled = [title for block, found in blocks.items() for title in _scaled(block, found.values(), blocks, families)]
    weights = np.array([title.weight for title in scaled])
    return Catalogue(titles=tuple(scaled), chances=np.cumsum(weights) / weights.sum())


def _families() -> _Families:
    return {
        row["family"]: (float(row["share"]), {name: float(row[name]) for name in list(row)[2:] if row[name]})
        for row in read_list("families")
    }


def _scaled(
    block: _Block, titles: Collection[PlainTitle], blocks: Collection[_Block], families: _Families
) -> Iterator[PlainTitle]:
    family, level, is_listed = block
    share, levels = families[family]
    share *= levels[level] / sum(levels.values()) if levels else 1.0
    if (family, level, not is_listed) in blocks:
        listed = {(row["family"], row["level"]): float(row["share"]) for row in read_list("listed_shares")}
        share *= listed[family, level] if is_listed else 1 - listed[family, level]
    total = sum(title.weight**STEEPNESS for title in titles)
    for title in titles:
        if share > 0:
            yield replace(title, weight=share * title.weight**STEEPNESS / total)


def _listed_titles() -> Iterator[PlainTitle]:
    for row in read_list("listed_titles"):
        # A number follows the job alone, so only a title that ends in one takes it.
        end = "^" if row["grades"] == "contributor" else ""
        planted = next((word for word in PLANTED if f" {word}" in f" {row['title'].casefold()}"), "")
        yield PlainTitle(
            text=row["title"] + end, function=row["function"], role=row["role"], level=row["level"],
            weight=float(row["weight"]), family=row["family"], grades=row["grades"], qualifiers=row["qualifiers"],
            planted=planted, country=row["country"],
        )  # fmt: skip


def _field_titles() -> Iterator[PlainTitle]:
    """Yield every discipline of every field in every pattern of every level."""
    disciplines: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in read_list("disciplines"):
        disciplines[row["field"]].append(row)
    # Planted fields come first, so that "Platform Engineering Manager" is theirs and not a plain discipline's.
    for field in read_list("fields"):
        total = sum(float(row["weight"]) for row in disciplines[field["field"]])
        for discipline in disciplines[field["field"]]:
            weight = float(field["weight"]) * float(discipline["weight"]) / total
            for level, text, pattern_weight in _in_patterns(field, discipline):
                # A level's titles carry the set of grades of its name, but nobody is a principal intern.
                of_level = "none" if "Intern^" in text else level.lower()
                planted = field["planted_word"]
                yield PlainTitle(
                    text=text, function=field["function"], role=field["role"], level=level,
                    weight=weight * pattern_weight, family=field["family"], grades=of_level,
                    qualifiers=field["qualifiers"], planted=planted if planted in text.casefold() else "",
                )  # fmt: skip


def _in_patterns(field: Mapping[str, str], discipline: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    for level, patterns in weights_by("patterns", "level", "pattern").items():
        # Leaders have one nameless job, or none where no leader is named after the field.
        leaders = {"": 1.0} if field["led"] == "yes" else {}
        jobs = weights_by("jobs", "jobs", "job")[field["jobs"]] if level == "Contributor" else leaders
        total = sum(patterns.values()) * sum(jobs.values())
        for pattern, pattern_weight in patterns.items():
            for job, job_weight in jobs.items():
                # "Engineer, Network" takes the form before a job; other levels take the one after "of".
                after_of = discipline["before_job" if level == "Contributor" else "after_of"]
                text = pattern.format(
                    work=discipline["before_job"], lead=discipline["before_rank"], of=after_of, job=job
                )
                yield level, text, pattern_weight * job_weight / total
