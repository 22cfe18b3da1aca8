"""The arms of a run: which system is fitted on which split, from which labels and how many of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelSet
from harness.experiment.config import MAX_SEED, RunConfig
from harness.experiment.recipes import Recipe
from harness.experiment.stages.fit_system import RowSettings
from harness.experiment.stages.obtain_leads import known_keywords
from harness.experiment.systems import System


@dataclass(frozen=True)
class Arm:
    """One system fitted on one split from one label set."""

    by: str
    label_set: LabelSet
    system: str
    max_titles: int | None = None
    """Titles of train to learn from, for a learning curve; None takes all."""
    max_reviewed: int | None = None
    """Reviewed titles to learn from, for a learning curve; None takes all."""

    seed: int | None = None
    """Of the fit, where it repeats another with its own; None takes the run's."""

    def stage(self, step: str) -> str:
        """Return the name of one of its stages: fit, predict, score or golden."""
        sizes = {"titles": self.max_titles, "reviewed": self.max_reviewed}
        limits = [f"{size} {of}" for of, size in sizes.items() if size is not None]
        seed = [] if self.seed is None else [f"seed {self.seed}"]
        return "/".join((step, self.by, str(self.label_set), *limits, *seed, self.system))

    @property
    def is_additional(self) -> bool:
        """Whether it only shows what more titles or another seed change."""
        return any(value is not None for value in (self.max_titles, self.max_reviewed, self.seed))

    @property
    def about(self) -> str:
        """What sets it apart from other fits of its system, for whoever watches the run."""
        return ", ".join(self.stage("").split("/")[1:-1])

    @property
    def without_reviewed(self) -> "Arm":
        """The same, learned without any reviewed title."""
        return replace(self, label_set=self.label_set.without_reviewed, max_reviewed=None)

    @property
    def columns(self) -> dict[str, str]:
        """What tells it from the others in a table."""
        return {"split": self.by, "learned_from": str(self.label_set), "system": self.system}

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a table that are about it, by the columns of `columns`."""
        return frame[(frame[list(self.columns)] == pd.Series(self.columns)).all(axis=1)]


def arms(config: RunConfig) -> list[Arm]:
    """List every fit of a run, in table order."""
    names = list(config.all_systems)
    return [Arm(by, labels, name) for by in config.split.by for labels in config.label_sets for name in names]


def is_mined(config: RunConfig, arm: Arm) -> bool:
    """Say whether the table of an arm is changed by what is mined; without reviewed titles nothing is proposed."""
    return bool(config.all_systems[arm.system].mined_from) and arm.label_set.reviewed


def mined_arms(config: RunConfig) -> list[Arm]:
    """List the arms of a run for which something is mined.

    Without reviewed titles that is a single one, to show what recorded labels would support.
    """
    mined = [arm for arm in arms(config) if config.all_systems[arm.system].mined_from]
    with_reviewed = [arm for arm in mined if is_mined(config, arm)]
    return with_reviewed or [arm for arm in mined if arm.by == unseen_split(config)][-1:]


def exported_arm(config: RunConfig) -> Arm:
    """Return the arm whose suggestions are the run's: proven on unseen titles, with reviewed ones if there are any."""
    mined = mined_arms(config)
    return [arm for arm in mined if arm.by == unseen_split(config)][-1]


def unseen_split(config: RunConfig) -> str:
    """Return the split whose test titles are new to what is learned, where a run has it; else its first."""
    return "title" if "title" in config.split.by else config.split.by[0]


def curve_arms(config: RunConfig) -> Iterator[Arm]:
    """Yield the arms of the learning curves, for the systems that learn from titles."""
    by, learned = unseen_split(config), LabelSet(config.learn_from[0])
    for name, system in config.all_systems.items():
        if system.is_floor:
            continue
        arm = Arm(by, learned, name)
        if system.explains != "keywords":
            yield from (replace(arm, max_titles=size) for size in sorted(set(config.learning_curve.titles)))
        if system.explains != "keywords" or system.mined_from:
            arm = replace(arm, label_set=replace(learned, reviewed=True))
            yield from (replace(arm, max_reviewed=size) for size in sorted(set(config.learning_curve.reviewed)))


def seed_arms(config: RunConfig) -> list[Arm]:
    """List the arms that repeat a fit with another seed, for the systems that depend on it, in the order they need."""
    by, last = unseen_split(config), config.label_sets[-1]
    seeds = [(config.seed + number) % (MAX_SEED + 1) for number in range(1, config.seeds)]
    # Fits with reviewed titles start from those without.
    label_sets = dict.fromkeys((last.without_reviewed, last))
    possible = [
        Arm(by, labels, name, seed=seed) for seed in seeds for labels in label_sets for name in config.all_systems
    ]
    return [arm for arm in possible if _depends_on_seed(config, arm)]


def _depends_on_seed(config: RunConfig, arm: Arm) -> bool:
    system = config.all_systems[arm.system]
    return system.depends_on_seed or (system.asks is not None and arm.label_set.reviewed) or is_mined(config, arm)


def baseline(config: RunConfig) -> str:
    """Return the system that the others should beat: the table the business runs on, or else the first."""
    systems = config.all_systems
    return next((name for name, system in systems.items() if system.in_force), next(iter(systems)))


def baseline_label_sets(config: RunConfig) -> dict[str, str]:
    """Return each other label set to the one it should beat: recorded labels, or else the first that are listed.

    Where reviewed titles are learned from too, they are on both sides.
    """
    plain = "legacy" if "legacy" in config.learn_from else config.learn_from[0]
    beaten = {label_set: replace(label_set, labels=plain) for label_set in config.label_sets}
    return {str(label_set): str(other) for label_set, other in beaten.items() if label_set != other}


def recipe_of(config: RunConfig, taxonomy: Taxonomy, system: System, seed: int | None = None) -> Recipe:
    """Return a system with the settings that a config gives it, and the config's seed where no other is given."""
    return Recipe(
        listed=system.own or system.name,
        settings=config.settings_of(system),
        seed=config.seed if seed is None else seed,
        taxonomy=taxonomy,
    )


def rows_of(config: RunConfig, taxonomy: Taxonomy, arm: Arm) -> RowSettings:
    """Return which rows an arm learns from, and what they weigh."""
    label_set = arm.label_set
    english_only = label_set.labels == "consensus-english"
    return RowSettings(
        label_set=label_set,
        reviewed_share=config.reviewed.share if config.reviewed and label_set.reviewed else None,
        language=config.clean.language if english_only else None,
        known=known_keywords(config, taxonomy) if english_only else (),
        max_titles=arm.max_titles,
        max_reviewed=arm.max_reviewed,
        seed=config.seed,
    )
