"""The settings of a tagging history: when and where records arrive, which table labels them, what changes labels."""

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from data_cleaning.errors import BadInput, unknown
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray, StrArray

Tagger = Callable[[Sequence[str]], Mapping[str, StrArray]]
"""Titles to the raw label of each title, per target."""

Contenders = Callable[[Sequence[str]], Mapping[str, npt.NDArray[np.bool_]]]
"""Titles to the classes that some keyword means, outranked ones included: per target (n_titles, n_classes)."""

_COUNTRIES = {
    "United Kingdom": 9, "Canada": 6, "Germany": 5, "India": 5, "Australia": 3, "France": 3, "Japan": 2, "Brazil": 2,
    "Netherlands": 2, "Spain": 1.5, "Italy": 1.5, "Mexico": 1.5, "Singapore": 1.5, "Sweden": 1, "Israel": 1,
    "United Arab Emirates": 1, "South Africa": 1,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One keyword table, in force from a day on until the next one."""

    in_force_from: datetime.date
    name: str
    tagger: Tagger
    contenders: Contenders | None = None
    """Tells priorities from missing keywords among the causes of a wrong label; None leaves them together."""


@dataclass(frozen=True, kw_only=True)
class SourceHabit:
    """A source of records that writes one target its own way, whatever the table in force says."""

    name: str
    """What the source is called in the truth."""
    target: str
    """The target that it writes its own way."""
    record_share: float
    """Share of the records of its country that come from this source, in [0, 1]."""
    labels: Mapping[str, str | tuple[str, ...]]
    """Class of the table's label to the raw label that the source writes, or to several, of which each record has one
    drawn; classes not named stay as they are."""
    country: str | None = None
    """The only country that it serves; None serves all."""


def default_habits(taxonomy: Taxonomy) -> tuple[SourceHabit, ...]:
    """Return three habits: a webinar platform that knows every other rank, a reseller without classes, a badge scanner.

    The platform writes the ordinal targets; a rank that it does not know becomes the next lower one. The reseller
    serves one country and writes the fallback of the least important target that is not ordinal. The scanner's form
    offers every raw label, so that a class appears under any of its raw labels.
    """
    habits = [
        SourceHabit(name="badge scanner", target=target.name, record_share=0.004, labels=target.raw_of_class)
        for target in taxonomy.targets
    ]
    for target in taxonomy.targets:
        if target.ordinal:
            pairs = zip(target.classes[1::2], target.classes[2::2], strict=False)
            coarser = {above: below for above, below in pairs if below != target.fallback}
            habits.append(SourceHabit(name="webinar platform", target=target.name, record_share=0.02, labels=coarser))
    plain = [target for target in taxonomy.targets if not target.ordinal]
    if plain:
        target = min(plain, key=lambda candidate: candidate.importance)
        lost = {name: target.fallback for name in target.classes if name != target.fallback}
        habits.append(SourceHabit(name="reseller", target=target.name, record_share=0.1, labels=lost, country="India"))
    return tuple(habits)


@dataclass(frozen=True, kw_only=True)
class HistorySettings:
    """How records are spread over time and countries, and how their labels are changed; shares are in [0, 1]."""

    first_date: datetime.date = datetime.date(2021, 1, 1)
    """Day of the first records."""
    last_date: datetime.date = datetime.date(2023, 12, 31)
    """Day of the last records."""
    growth: float = 2.5
    """Records per day at the end over records per day at the start, above 0."""
    us_share: float = 0.54
    """Share of records from the United States, foreign-language titles (which never are) counted."""
    other_countries: Mapping[str, float] = field(default_factory=lambda: dict(_COUNTRIES))
    """Every other country to its weight."""
    us_care: float = 0.3
    """Chance of an override or a source habit on a US record over that on another; below 1, US labels are steadier."""
    rollout_lag_days: int = 450
    """Days by which a revision, but for the first, comes into force later outside the United States."""
    override_share: float | Mapping[str, float] = 0.03
    """Share of records whose label a person overrode, for every target or per target; an override of one target also
    changes every target with a larger share."""
    override_right_share: float = 0.6
    """Share of the overridden records, among those with a truth, where the person wrote the true class."""
    title_blank_share: float = 0.03
    """Share of records without a title; none where the titles are given."""
    any_label_blank_share: float = 0.07
    """Share of records with at least one label missing, those without a title among them."""
    labels_without_title_share: float = 0.03
    """Share of the records without a title whose labels are kept all the same."""
    every_label_blank_share: float = 0.6
    """Share of the records with a title and a label missing that miss all labels; the others miss one of them."""
    habits: tuple[SourceHabit, ...] | None = None
    """Sources that write labels their own way; None takes `default_habits` of the taxonomy."""

    def __post_init__(self) -> None:
        named = {name: getattr(self, name) for name in (
            "us_share", "override_right_share", "title_blank_share", "any_label_blank_share",
            "labels_without_title_share", "every_label_blank_share")}  # fmt: skip
        overrides = self.override_share if isinstance(self.override_share, Mapping) else {"all": self.override_share}
        named |= {f"override_share[{target}]": share for target, share in overrides.items()}
        named |= {f"record_share of habit {habit.name!r}": habit.record_share for habit in self.habits or ()}
        faults = [
            f"{name} is {share!r}; expected a share in [0, 1]" for name, share in named.items() if not 0 <= share <= 1
        ]
        if self.last_date < self.first_date:
            faults.append(f"last_date {self.last_date} is before first_date {self.first_date}")
        if self.rollout_lag_days < 0:
            faults.append(f"rollout_lag_days is {self.rollout_lag_days!r}; expected 0 or more")
        if not (0 < self.growth < math.inf and 0 <= self.us_care < math.inf):
            said = f"growth is {self.growth!r} and us_care {self.us_care!r}"
            faults.append(f"{said}; expected growth > 0 and us_care >= 0")
        if not self.other_countries or not all(0 < weight < math.inf for weight in self.other_countries.values()):
            faults.append("other_countries needs at least one country, each with a weight above 0")
        lose_both = self.title_blank_share * (1 - self.labels_without_title_share)
        if self.any_label_blank_share < lose_both:
            faults.append(
                f"any_label_blank_share {self.any_label_blank_share!r} is below the share of records that lose both "
                f"title and labels ({lose_both:.4f})"
            )
        if faults:
            raise BadInput(f"History settings: {'; '.join(faults)}.")

    def override_shares(self, taxonomy: Taxonomy) -> dict[str, float]:
        """Return the override share of every target; targets that a mapping does not name have no overrides.

        Raises:
            BadInput: the mapping names a target that the taxonomy lacks.
        """
        if not isinstance(self.override_share, Mapping):
            return dict.fromkeys(taxonomy.names, self.override_share)
        for name in self.override_share:
            if name not in taxonomy.names:
                raise unknown("target of override_share", name, taxonomy.names)
        return {name: self.override_share.get(name, 0.0) for name in taxonomy.names}


def check_revisions(revisions: Sequence[Revision], settings: HistorySettings) -> None:
    """Check that the revisions cover every day of the history, in order.

    Raises:
        BadInput: there is none, they are not in date order, two share a name, or the first comes too late.
    """
    if not revisions:
        raise BadInput("A tagging history needs at least one revision of the keyword table; none was given.")
    dates = [revision.in_force_from for revision in revisions]
    if dates != sorted(set(dates)):
        raise BadInput(f"Revisions must be in date order, one per day; got {', '.join(map(str, dates))}.")
    if len({revision.name for revision in revisions}) < len(revisions):
        raise BadInput("Two revisions share a name; give each its own, as the causes of labels use the name.")
    if dates[0] > settings.first_date:
        raise BadInput(
            f"Revision {revisions[0].name!r} is in force from {dates[0]}, but records begin {settings.first_date}; "
            "date it no later, or set first_date."
        )


def revisions_in_force(
    revisions: Sequence[Revision], days: npt.NDArray[np.datetime64], countries: StrArray, settings: HistorySettings
) -> IntArray:
    """Return the position of the revision in force on the day and in the country of each record, (n_records,)."""
    first_days = np.array([revision.in_force_from for revision in revisions], dtype="datetime64[D]")
    lag = np.where(countries == "United States", 0, settings.rollout_lag_days).astype("timedelta64[D]")
    return np.maximum(np.searchsorted(first_days, days - lag, side="right") - 1, 0)


def draw_days(n_records: int, settings: HistorySettings, generator: np.random.Generator) -> npt.NDArray[np.datetime64]:
    """Draw the days of the records in order, as datetime64[D], (n_records,); records per day grow linearly."""
    n_days = (settings.last_date - settings.first_date).days + 1
    per_day = np.linspace(1.0, settings.growth, n_days)
    counts = generator.multinomial(n_records, per_day / per_day.sum())
    return np.datetime64(settings.first_date, "D") + np.repeat(np.arange(n_days), counts)


def draw_countries(spoken: StrArray, settings: HistorySettings, generator: np.random.Generator) -> StrArray:
    """Draw the country of each record, (n_records,); `spoken` is that of its title's language, or "" for English."""
    names = list(settings.other_countries)
    weights = np.array(list(settings.other_countries.values()), dtype=np.float64)
    countries = np.array(names, dtype=object)[generator.choice(len(names), size=len(spoken), p=weights / weights.sum())]
    english = spoken == ""
    # English titles make up for the foreign ones, which never come from the United States.
    us_chance = settings.us_share / max(english.mean(), settings.us_share) if len(spoken) else 0.0
    countries[generator.random(len(spoken)) < us_chance] = "United States"
    countries[~english] = spoken[~english]
    return countries
