"""The stages of a run, what each one reads, and the order they are made in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from data_cleaning.clean import CleanSettings
from data_cleaning.language import LanguageSettings
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelSet
from harness.experiment.cache import Stage
from harness.experiment.config import RunConfig
from harness.experiment.stages.fit_system import FitSettings, RowSettings, fit
from harness.experiment.stages.label_fixes import LabelIssueSettings, find_label_issues
from harness.experiment.stages.mine_table import (
    FaithfulnessSettings,
    FoldSettings,
    MineSettings,
    ProveSettings,
    compare_explanations,
    mine_folds,
    mine_table,
    prove,
)
from harness.experiment.stages.obtain_leads import (
    CleaningSettings,
    LabelledFile,
    ObtainSettings,
    SplitSettings,
    clean,
    known_keywords,
    obtain_leads,
    split,
)
from harness.experiment.stages.predicting import AnswerSettings, GoldenSettings, judge_golden, most_wrong, predict
from harness.experiment.stages.score_predictions import (
    CompareSettings,
    ReferenceSettings,
    ScoreSettings,
    compare,
    gather_references,
    score,
)
from harness.experiment.systems import HYBRID, Recipe, System, find_system
from harness.keywords.suggestions import memory_beside
from harness.mining.miner import MiningSettings


@dataclass(frozen=True)
class Arm:
    """One system fitted on one split from one label set."""

    by: str
    label_set: LabelSet
    system: str

    def stage(self, step: str) -> str:
        """Return the name of one of its stages: fit, predict, score, golden or most_wrong."""
        return f"{step}/{self.by}/{self.label_set}/{self.system}"

    @property
    def columns(self) -> dict[str, str]:
        """What tells it from the others in a table."""
        return {"split": self.by, "learned_from": str(self.label_set), "system": self.system}


def arms(config: RunConfig) -> list[Arm]:
    """List every fit of a run, in table order."""
    names = list(config.all_systems)
    return [Arm(by, labels, name) for by in config.split.by for labels in config.label_sets for name in names]


def mined_arms(config: RunConfig) -> list[Arm]:
    """List the arms of a run for which something is mined."""
    systems = config.all_systems
    return [arm for arm in arms(config) if systems[arm.system].mined_from]


def exported_arm(config: RunConfig) -> Arm:
    """Return the arm whose suggestions are the run's: proven on unseen titles, with reviewed ones if there are any."""
    mined = mined_arms(config)
    by = "title" if "title" in config.split.by else config.split.by[0]
    return [arm for arm in mined if arm.by == by][-1]


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


def recipe_of(config: RunConfig, taxonomy: Taxonomy, system: System) -> Recipe:
    """Return a system with the settings that a config gives it."""
    return Recipe(
        listed=system.own or system.name, settings=config.settings_of(system), seed=config.seed, taxonomy=taxonomy
    )


def rows_of(config: RunConfig, taxonomy: Taxonomy, label_set: LabelSet) -> RowSettings:
    """Return which rows a label set has, and what they weigh."""
    english_only = label_set.labels == "consensus-english"
    return RowSettings(
        label_set=label_set,
        reviewed_share=config.reviewed.share if config.reviewed and label_set.reviewed else None,
        language=config.clean.language if english_only else None,
        known=known_keywords(config, taxonomy) if english_only else (),
    )


def plan(config: RunConfig, taxonomy: Taxonomy) -> list[Stage]:
    """List the stages of a run; each comes after those it needs."""
    systems = config.all_systems
    simulated = config.leads.simulate is not None
    stages = [
        Stage(
            name="leads",
            function=obtain_leads,
            settings=ObtainSettings(
                leads=config.leads,
                taxonomy=taxonomy,
                seed=config.seed if simulated else None,
                table=config.keyword.table if config.keyword and config.leads.labels == "table" else None,
            ),
        ),
        Stage(
            name="clean",
            function=clean,
            settings=CleaningSettings(
                clean=_settings_that_clean(config.clean),
                taxonomy=taxonomy,
                known=known_keywords(config, taxonomy) if config.clean.english_only else (),
                file=_named(config.leads.path, "the leads"),
                test_file=_named(config.leads.test_path, "the test file"),
            ),
            inputs={"leads": "leads"},
        ),
    ]
    if config.label_issues is not None:
        judge = systems.get(config.label_issues.system) or find_system(config.label_issues.system)
        stages.append(
            Stage(
                name="label_issues",
                function=find_label_issues,
                settings=LabelIssueSettings(
                    recipe=recipe_of(config, taxonomy, judge),
                    folds=config.label_issues.folds,
                    by=config.label_issues.by,
                ),
                inputs={"leads": "leads", "clean": "clean"},
                systems=(judge,),
            )
        )
    for by in config.split.by:
        stages += _shared_by_arms(config, taxonomy, by)

    # Those that need the fit of another system come after it, in whatever order a config lists them.
    def needs(arm: Arm) -> int:
        system = systems[arm.system]
        return 2 if system.mined_from else 1 if system.asks else 0

    for arm in sorted(arms(config), key=needs):
        if systems[arm.system].mined_from:
            stages += _mining(config, taxonomy, arm)
        stages += _arm_stages(config, taxonomy, arm)
    if len(systems) > 1:
        stages += [
            _system_comparison(config, taxonomy, by, labels) for by in config.split.by for labels in config.label_sets
        ]
    if len(config.learn_from) > 1:
        stages += [_label_comparison(config, taxonomy, by, name) for by in config.split.by for name in systems]
    return stages


def _settings_that_clean(settings: CleanSettings) -> CleanSettings:
    """Return the settings of cleaning; those of the language step count only where it is taken."""
    return settings if settings.english_only else replace(settings, language=LanguageSettings())


def _named(path: Path | None, otherwise: str) -> str:
    return otherwise if path is None else path.name


def _system_comparison(config: RunConfig, taxonomy: Taxonomy, by: str, label_set: LabelSet) -> Stage:
    predicted = {name: Arm(by, label_set, name).stage("predict") for name in config.all_systems}
    beaten = baseline(config)
    baselines = {name: beaten for name in predicted if name != beaten}
    return _comparison(config, taxonomy, f"compare/{by}/{label_set}", by, predicted, baselines)


def _label_comparison(config: RunConfig, taxonomy: Taxonomy, by: str, system: str) -> Stage:
    predicted = {str(label_set): Arm(by, label_set, system).stage("predict") for label_set in config.label_sets}
    baselines = baseline_label_sets(config)
    return _comparison(config, taxonomy, f"compare_labels/{by}/{system}", by, predicted, baselines)


def _comparison(
    config: RunConfig,
    taxonomy: Taxonomy,
    name: str,
    by: str,
    predicted: Mapping[str, str],
    baselines: Mapping[str, str],
) -> Stage:
    return Stage(
        name=name,
        function=compare,
        settings=CompareSettings(taxonomy=taxonomy, seed=config.seed, baselines=baselines),
        inputs={"references": f"references/{by}", **predicted},
    )


def _labelled(config: RunConfig, path: Path | None, *, partly: bool = False) -> LabelledFile | None:
    """Return a file that people labelled, read as the leads are; None without one."""
    if path is None:
        return None
    leads = config.leads
    return LabelledFile(path=path, columns=leads.columns, encoding=leads.encoding, partly=partly)


def _shared_by_arms(config: RunConfig, taxonomy: Taxonomy, by: str) -> list[Stage]:
    truth = _labelled(config, config.truth)
    return [
        Stage(
            name=f"split/{by}",
            function=split,
            settings=SplitSettings(
                by=by,
                shares=(config.split.valid_share, config.split.test_share),
                seed=config.seed,
                taxonomy=taxonomy,
                truth=truth,
                reviewed=_labelled(config, config.reviewed.path, partly=True) if config.reviewed else None,
                to_review=config.reviewed.simulate if config.reviewed else None,
            ),
            inputs={"leads": "leads", "clean": "clean"},
        ),
        Stage(
            name=f"references/{by}",
            function=gather_references,
            settings=ReferenceSettings(taxonomy=taxonomy, truth=truth),
            inputs={"leads": "leads", "clean": "clean", "split": f"split/{by}"},
        ),
    ]


def _mining(config: RunConfig, taxonomy: Taxonomy, arm: Arm) -> list[Stage]:
    """List what is made from the network of an arm before its mined table can be fitted, and the proof."""
    assert config.keyword is not None, "the config is checked to name a table for mining"
    section, table, seed = config.mining, config.keyword.table, config.seed
    network = find_system(config.all_systems[arm.system].mined_from or "")
    of_network, split_name, about = replace(arm, system=network.name), f"split/{arm.by}", _about(arm)
    mining = MineSettings(
        table=table,
        mining=MiningSettings(
            attribution=section.attribution,
            explained_titles=section.explained_titles,
            min_titles=section.min_titles,
            candidates=section.candidates,
            suggestions=section.suggestions,
        ),
        rejected=section.rejected or memory_beside(table),
        rows=rows_of(config, taxonomy, arm.label_set),
        seed=seed,
        taxonomy=taxonomy,
    )
    inputs = {"split": split_name, "network": of_network.stage("fit")}
    has_hybrid = HYBRID in config.all_systems and arm.label_set.reviewed
    judge = {"judge": replace(arm, system=HYBRID).stage("fit")} if has_hybrid else {}
    stages = [
        Stage(
            name=arm.stage("mine"),
            function=mine_table,
            settings=mining,
            inputs={**inputs, **judge},
            systems=(network, *([find_system(HYBRID)] if has_hybrid else [])),
            about=about,
        ),
        Stage(
            name=arm.stage("prove"),
            function=prove,
            settings=ProveSettings(table=table, seed=seed, taxonomy=taxonomy),
            inputs={"leads": "leads", "references": f"references/{arm.by}", "mine": arm.stage("mine")},
            about=about,
        ),
    ]
    if arm != exported_arm(config):
        return stages
    if section.faithful_titles:
        stages.append(
            Stage(
                name=arm.stage("faithfulness"),
                function=compare_explanations,
                settings=FaithfulnessSettings(n_titles=section.faithful_titles, seed=seed),
                inputs=inputs,
                systems=(network,),
                about=about,
            )
        )
    if section.folds and arm.label_set.reviewed:
        without = replace(of_network, label_set=arm.label_set.without_reviewed)
        stages.append(
            Stage(
                name=arm.stage("mine_folds"),
                function=mine_folds,
                settings=FoldSettings(
                    mine=mining,
                    network=recipe_of(config, taxonomy, network),
                    n_folds=section.folds,
                    has_hybrid=has_hybrid,
                ),
                inputs={"split": split_name, "warm_start": without.stage("fit")},
                systems=(network,),
                about=about,
            )
        )
    return stages


def _about(arm: Arm) -> str:
    return f"{arm.by}, {arm.label_set}"


def _arm_stages(config: RunConfig, taxonomy: Taxonomy, arm: Arm) -> list[Stage]:
    system = config.all_systems[arm.system]
    fitted, predicted, references = arm.stage("fit"), arm.stage("predict"), f"references/{arm.by}"
    inputs = {"split": f"split/{arm.by}"}
    if system.warm_start and arm.label_set.reviewed:
        inputs["warm_start"] = replace(arm, label_set=arm.label_set.without_reviewed).stage("fit")
    if system.asks in config.all_systems and arm.label_set.reviewed:
        inputs["asked"] = replace(arm, system=system.asks).stage("fit")
    if system.mined_from:
        inputs["mine"] = arm.stage("mine")
    answers = AnswerSettings(system=arm.system, taxonomy=taxonomy)
    stages = [
        Stage(
            name=fitted,
            function=fit,
            settings=FitSettings(
                recipe=recipe_of(config, taxonomy, system), rows=rows_of(config, taxonomy, arm.label_set)
            ),
            inputs=inputs,
            systems=(system,),
            about=_about(arm),
        ),
        Stage(
            name=predicted,
            function=predict,
            settings=answers,
            inputs={"fit": fitted, "references": references},
            systems=(system,),
            about=_about(arm),
        ),
        Stage(
            name=arm.stage("score"),
            function=score,
            settings=ScoreSettings(taxonomy=taxonomy, seed=config.seed),
            inputs={"references": references, "predictions": predicted},
        ),
    ]
    golden = _labelled(config, config.golden)
    if golden is not None:
        stages.append(
            Stage(
                name=arm.stage("golden"),
                function=judge_golden,
                settings=GoldenSettings(answer=answers, file=golden),
                inputs={"fit": fitted},
                systems=(system,),
                about=_about(arm),
            )
        )
    if arm.system in config.most_wrong:
        stages.append(
            Stage(
                name=arm.stage("most_wrong"),
                function=most_wrong,
                settings=answers,
                inputs={"split": f"split/{arm.by}", "fit": fitted},
                systems=(system,),
                about=_about(arm),
            )
        )
    return stages
