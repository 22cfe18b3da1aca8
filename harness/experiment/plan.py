"""The stages of a run, what each one reads, and the order they are made in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from data_cleaning.clean import CleanSettings
from data_cleaning.language import LanguageSettings
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelSet
from harness.experiment.arms import (
    Arm,
    arms,
    baseline,
    baseline_label_sets,
    curve_arms,
    exported_arm,
    is_mined,
    mined_arms,
    recipe_of,
    rows_of,
    seed_arms,
    unseen_split,
)
from harness.experiment.cache import Stage
from harness.experiment.config import RunConfig
from harness.experiment.stages.fit_system import FitSettings, fit
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
from harness.experiment.stages.predicting import (
    AnswerSettings,
    GoldenSettings,
    RobustnessSettings,
    judge_golden,
    judge_robustness,
    predict,
)
from harness.experiment.stages.score_predictions import (
    CompareSettings,
    ErrorSettings,
    ReferenceSettings,
    ScoreSettings,
    compare,
    find_errors,
    gather_references,
    score,
)
from harness.experiment.stages.slicing import SliceSettings, find_slices
from harness.experiment.systems import HYBRID, find_system
from harness.keywords.suggestions import memory_beside
from harness.mining.miner import MiningSettings
from harness.scoring.pairs import every_pair

_MAX_VARIED = 500
"""Test titles of which other spellings are answered too."""


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

    # Those that need the fit of another arm come after it, in whatever order a config lists them.
    def needs(arm: Arm) -> tuple[bool, int]:
        system = systems[arm.system]
        return arm.is_additional, 2 if system.mined_from else 1 if system.asks else 0

    additional = [*curve_arms(config), *seed_arms(config)]
    mined = [*mined_arms(config), *(arm for arm in additional if is_mined(config, arm))]
    for arm in sorted([*arms(config), *additional], key=needs):
        if arm in mined:
            stages += _mining(config, taxonomy, arm)
        stages += _arm_stages(config, taxonomy, arm)
    stages += [_errors(config, taxonomy, by, labels) for by in config.split.by for labels in config.label_sets]
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


def _errors(config: RunConfig, taxonomy: Taxonomy, by: str, label_set: LabelSet) -> Stage:
    systems = config.all_systems
    return Stage(
        name=f"errors/{by}/{label_set}",
        function=find_errors,
        settings=ErrorSettings(
            taxonomy=taxonomy,
            systems=tuple(systems),
            voters=tuple(name for name, system in systems.items() if not system.is_floor),
        ),
        inputs={
            "references": f"references/{by}",
            **{name: Arm(by, label_set, name).stage("predict") for name in systems},
        },
    )


def _system_comparison(config: RunConfig, taxonomy: Taxonomy, by: str, label_set: LabelSet) -> Stage:
    predicted = {name: Arm(by, label_set, name).stage("predict") for name in config.all_systems}
    pairs = every_pair(list(predicted), baseline(config))
    return _comparison(config, taxonomy, f"compare/{by}/{label_set}", by, predicted, pairs)


def _label_comparison(config: RunConfig, taxonomy: Taxonomy, by: str, system: str) -> Stage:
    predicted = {str(label_set): Arm(by, label_set, system).stage("predict") for label_set in config.label_sets}
    pairs = list(baseline_label_sets(config).items())
    return _comparison(config, taxonomy, f"compare_labels/{by}/{system}", by, predicted, pairs)


def _comparison(
    config: RunConfig,
    taxonomy: Taxonomy,
    name: str,
    by: str,
    predicted: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
) -> Stage:
    return Stage(
        name=name,
        function=compare,
        settings=CompareSettings(taxonomy=taxonomy, seed=config.seed, pairs=pairs),
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
                seed=config.seed if config.split.seed is None else config.split.seed,
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
        Stage(
            name=f"slices/{by}",
            function=find_slices,
            settings=SliceSettings(
                taxonomy=taxonomy,
                table=config.keyword.table if config.keyword else None,
                language=None if config.clean.english_only else config.clean.language,
                known=() if config.clean.english_only else known_keywords(config, taxonomy),
            ),
            inputs={"leads": "leads", "clean": "clean", "split": f"split/{by}", "references": f"references/{by}"},
        ),
    ]


def _mining(config: RunConfig, taxonomy: Taxonomy, arm: Arm) -> list[Stage]:
    """List what is made from the network of an arm before its mined table can be fitted, and the proof."""
    assert config.keyword is not None, "the config is checked to name a table for mining"
    section, table = config.mining, config.keyword.table
    seed = config.seed if arm.seed is None else arm.seed
    network = find_system(config.all_systems[arm.system].mined_from or "")
    of_network, split_name = replace(arm, system=network.name), f"split/{arm.by}"
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
        rows=rows_of(config, taxonomy, arm),
        seed=seed,
        taxonomy=taxonomy,
    )
    inputs = {"split": split_name, "network": of_network.stage("fit")}
    has_hybrid = HYBRID in config.all_systems and arm.label_set.reviewed
    judge = {"judge": replace(arm, system=HYBRID).stage("fit")} if has_hybrid else {}
    mine = Stage(
        name=arm.stage("mine"),
        function=mine_table,
        settings=mining,
        inputs={**inputs, **judge},
        systems=(network, *([find_system(HYBRID)] if has_hybrid else [])),
        about=arm.about,
    )
    if arm.is_additional:
        return [mine]
    stages = [
        mine,
        Stage(
            name=arm.stage("prove"),
            function=prove,
            settings=ProveSettings(table=table, seed=seed, taxonomy=taxonomy),
            inputs={"leads": "leads", "references": f"references/{arm.by}", "mine": arm.stage("mine")},
            about=arm.about,
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
                about=arm.about,
            )
        )
    if section.folds and arm.label_set.reviewed:
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
                inputs={"split": split_name, "warm_start": of_network.without_reviewed.stage("fit")},
                systems=(network,),
                about=arm.about,
            )
        )
    return stages


def _arm_stages(config: RunConfig, taxonomy: Taxonomy, arm: Arm) -> list[Stage]:
    system = config.all_systems[arm.system]
    fitted, predicted, references = arm.stage("fit"), arm.stage("predict"), f"references/{arm.by}"
    inputs = {"split": f"split/{arm.by}"}
    if system.warm_start and arm.label_set.reviewed:
        inputs["warm_start"] = arm.without_reviewed.stage("fit")
    if system.asks in config.all_systems and arm.label_set.reviewed:
        inputs["asked"] = replace(arm, system=system.asks).stage("fit")
    if is_mined(config, arm):
        inputs["mine"] = arm.stage("mine")
    answers = AnswerSettings(system=arm.system, taxonomy=taxonomy)
    stages = [
        Stage(
            name=fitted,
            function=fit,
            settings=FitSettings(
                recipe=recipe_of(config, taxonomy, system, arm.seed), rows=rows_of(config, taxonomy, arm)
            ),
            inputs=inputs,
            systems=(system,),
            about=arm.about,
        ),
        Stage(
            name=predicted,
            function=predict,
            settings=answers,
            inputs={"fit": fitted, "references": references},
            systems=(system,),
            about=arm.about,
        ),
        Stage(
            name=arm.stage("score"),
            function=score,
            settings=ScoreSettings(taxonomy=taxonomy, seed=config.seed),
            inputs={"references": references, "predictions": predicted, "slices": f"slices/{arm.by}"},
        ),
    ]
    if arm.is_additional:
        return stages
    if arm.by == unseen_split(config) and arm.label_set == config.label_sets[-1] and not system.is_floor:
        stages.append(
            Stage(
                name=arm.stage("robustness"),
                function=judge_robustness,
                settings=RobustnessSettings(answer=answers, n_titles=_MAX_VARIED, seed=config.seed),
                inputs={"fit": fitted, "references": references, "predictions": predicted},
                systems=(system,),
                about=arm.about,
            )
        )
    golden = _labelled(config, config.golden)
    if golden is not None:
        stages.append(
            Stage(
                name=arm.stage("golden"),
                function=judge_golden,
                settings=GoldenSettings(answer=answers, file=golden),
                inputs={"fit": fitted},
                systems=(system,),
                about=arm.about,
            )
        )
    return stages
