"""The stages of a run, what each one reads, and the order they are made in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from data_cleaning.clean import CleanSettings
from data_cleaning.files.whole_files import scratch
from data_cleaning.language import LanguageSettings
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.cache import StageStore, digest, folder_files, imports_of, library_versions, source_digest
from harness.experiment.config import REVIEWED, RunConfig, network_folders
from harness.experiment.stages.clean_leads import clean
from harness.experiment.stages.compare_explanations import compare_explanations
from harness.experiment.stages.compare_systems import compare
from harness.experiment.stages.find_label_issues import find_label_issues
from harness.experiment.stages.fit_system import fit, language_settings
from harness.experiment.stages.gather_references import gather_references
from harness.experiment.stages.mine_folds import mine_folds
from harness.experiment.stages.mine_table import mine_table, rejected_file
from harness.experiment.stages.most_wrong import most_wrong
from harness.experiment.stages.obtain_leads import obtain_leads
from harness.experiment.stages.predict_part import predict
from harness.experiment.stages.prove_changes import prove
from harness.experiment.stages.score_predictions import score
from harness.experiment.stages.split_leads import split
from harness.experiment.stages.stage_files import LEARN, MINED_TABLE, MODEL
from harness.experiment.systems import SYSTEMS, SYSTEMS_SOURCE, Request

# The config is fingerprinted by the values that a stage reads; the registry of systems as one file, since following
# its imports would make every system a part of each.
VALUES_COUNT = frozenset({"harness.experiment.config", "harness.experiment.systems"})

Folders = Mapping[str, Path]
"""Name of a finished stage to its folder."""


@dataclass(frozen=True)
class Stage:
    """One cached step of a run."""

    name: str
    make: Callable[[Folders, Path], None]
    """Called with the folders of finished stages and the folder to fill."""
    reads: tuple[Any, ...]
    """Settings it reads; a path stands for the content of its file."""
    needs: tuple[str, ...] = ()
    """Stages whose output it reads."""
    modules: tuple[str, ...] = field(default=())
    """Project sources it runs, besides those these import."""


@dataclass(frozen=True)
class Arm:
    """One system fitted on one split from one block of labels."""

    by: str
    block: str
    system: str

    def stage(self, step: str) -> str:
        """Return the name of one of its stages: fit, predict, score or most_wrong."""
        return f"{step}/{self.by}/{self.block}/{self.system}"


def arms(config: RunConfig) -> list[Arm]:
    """List every fit of a run, in table order."""
    return [Arm(by, block, system) for by in config.split.by for block in config.blocks for system in config.systems]


def mined_arms(config: RunConfig) -> list[Arm]:
    """List the arms of a run for which something is mined."""
    return [arm for arm in arms(config) if SYSTEMS[arm.system].mined]


def exported_arm(config: RunConfig) -> Arm:
    """Return the arm whose suggestions are the run's: proven on unseen titles, with reviewed ones if there are any."""
    mined = mined_arms(config)
    by = "title" if "title" in config.split.by else config.split.by[0]
    return [arm for arm in mined if arm.by == by][-1]


def plan(config: RunConfig, taxonomy: Taxonomy, on_progress: Progress) -> list[Stage]:
    """List the stages of a run; each comes after those it needs."""
    origin = (config.leads, config.taxonomy, config.seed if config.leads.simulate else None)
    stages = [
        Stage(
            "leads",
            lambda _, out: obtain_leads(config, taxonomy, out, on_progress),
            reads=origin,
            modules=("harness.experiment.stages.obtain_leads",),
        ),
        Stage(
            "clean",
            lambda done, out: clean(config.clean, taxonomy, done["leads"], out, on_progress),
            reads=(config.taxonomy, _settings_that_clean(config.clean)),
            needs=("leads",),
            modules=("harness.experiment.stages.clean_leads",),
        ),
    ]
    if config.label_issues is not None:
        stages.append(_label_issues(config, taxonomy, on_progress))
    for by in config.split.by:
        stages += _shared_by_arms(config, taxonomy, by)
    for arm in arms(config):
        if SYSTEMS[arm.system].mined:
            stages += _mining(config, taxonomy, arm, on_progress)
        stages += _arm_stages(config, taxonomy, arm, on_progress)
    if len(config.systems) > 1:
        stages += [_system_comparison(config, taxonomy, by, block) for by in config.split.by for block in config.blocks]
    if len(config.learn_from) > 1:
        stages += [
            _label_comparison(config, taxonomy, by, system) for by in config.split.by for system in config.systems
        ]
    return stages


def baseline(config: RunConfig) -> str:
    """Return the system that the others should beat: the table the business runs on, or else the first."""
    return "keyword" if "keyword" in config.systems else config.systems[0]


def baseline_blocks(config: RunConfig) -> dict[str, str]:
    """Return each other block to the one it should beat: recorded labels, or else the first that are listed.

    Where reviewed titles are learned from too, they are on both sides.
    """
    plain = "legacy" if "legacy" in config.learn_from else config.learn_from[0]
    beaten = {block: plain + (REVIEWED if block.endswith(REVIEWED) else "") for block in config.blocks}
    return {block: other for block, other in beaten.items() if block != other}


def _label_issues(config: RunConfig, taxonomy: Taxonomy, on_progress: Progress) -> Stage:
    section = config.label_issues
    assert section is not None, "planned only where the config has the section"
    request = Request(config, taxonomy, on_progress)
    return Stage(
        "label_issues",
        lambda done, out: find_label_issues(request, done["leads"], done["clean"], out),
        reads=(section, _settings_of(config, section.system), config.seed, SYSTEMS_SOURCE),
        needs=("leads", "clean"),
        modules=("harness.experiment.stages.find_label_issues", *imports_of(SYSTEMS[section.system].find_class)),
    )


def _settings_that_clean(settings: CleanSettings) -> CleanSettings:
    """Return the settings of cleaning; those of the language step count only where it is taken."""
    return settings if settings.english_only else replace(settings, language=LanguageSettings())


def _system_comparison(config: RunConfig, taxonomy: Taxonomy, by: str, block: str) -> Stage:
    predicted = {system: Arm(by, block, system).stage("predict") for system in config.systems}
    beaten = baseline(config)
    baselines = {system: beaten for system in config.systems if system != beaten}
    return _comparison(config, taxonomy, f"compare/{by}/{block}", by, predicted, baselines)


def _label_comparison(config: RunConfig, taxonomy: Taxonomy, by: str, system: str) -> Stage:
    predicted = {block: Arm(by, block, system).stage("predict") for block in config.blocks}
    return _comparison(config, taxonomy, f"compare_labels/{by}/{system}", by, predicted, baseline_blocks(config))


def _comparison(
    config: RunConfig,
    taxonomy: Taxonomy,
    name: str,
    by: str,
    predicted: Mapping[str, str],
    baselines: Mapping[str, str],
) -> Stage:
    def make(done: Folders, out: Path) -> None:
        places = {compared: done[stage] for compared, stage in predicted.items()}
        compare(taxonomy, config.seed, baselines, done[f"references/{by}"], places, out)

    return Stage(
        name,
        make,
        reads=(tuple(baselines.items()), config.seed),
        needs=(f"references/{by}", *predicted.values()),
        modules=("harness.experiment.stages.compare_systems",),
    )


def _shared_by_arms(config: RunConfig, taxonomy: Taxonomy, by: str) -> list[Stage]:
    shares = (config.split.valid_share, config.split.test_share)
    reviewed = (config.reviewed.path, config.reviewed.simulate) if config.reviewed else None
    return [
        Stage(
            f"split/{by}",
            lambda done, out: split(config, taxonomy, by, done["leads"], done["clean"], out),
            reads=(by, shares, config.seed, config.truth, reviewed, config.leads.columns, config.leads.encoding),
            needs=("leads", "clean"),
            modules=("harness.experiment.stages.split_leads",),
        ),
        Stage(
            f"references/{by}",
            lambda done, out: gather_references(
                config, taxonomy, done["leads"], done["clean"], done[f"split/{by}"], out
            ),
            reads=(config.truth, config.leads.columns, config.leads.encoding),
            needs=("leads", "clean", f"split/{by}"),
            modules=("harness.experiment.stages.gather_references",),
        ),
    ]


def _mining(config: RunConfig, taxonomy: Taxonomy, arm: Arm, on_progress: Progress) -> list[Stage]:
    """List what is made from the network of an arm before its mined table can be fitted, and the proof."""
    assert config.keyword is not None, "the config is checked to name a table for mining"
    request = Request(config, taxonomy, _named(arm, on_progress))
    section, table = config.mining, config.keyword.table
    split, fitted = f"split/{arm.by}", replace(arm, system="neural").stage("fit")
    of_block = _of_block(config, arm.block)
    of_network = imports_of(SYSTEMS["neural"].find_class)
    rejected = rejected_file(config)
    mined = arm.stage("mine")
    how = (section.attribution, section.explained_titles, section.least_titles, section.candidates, section.suggestions)
    stages = [
        Stage(
            mined,
            lambda done, out: mine_table(request, arm.block, done[split] / LEARN, done[fitted] / MODEL, out),
            reads=(how, table, rejected, *of_block, config.seed, SYSTEMS_SOURCE),
            needs=(split, fitted),
            modules=("harness.experiment.stages.mine_table", "neural.attribution", *of_network),
        ),
        Stage(
            arm.stage("prove"),
            lambda done, out: prove(request, done["leads"], done[f"references/{arm.by}"], done[mined], out),
            reads=(table, config.seed),
            needs=("leads", f"references/{arm.by}", mined),
            modules=("harness.experiment.stages.prove_changes",),
        ),
    ]
    if section.faithful_titles and arm == exported_arm(config):
        stages.append(
            Stage(
                arm.stage("faithfulness"),
                lambda done, out: compare_explanations(request, done[split] / LEARN, done[fitted] / MODEL, out),
                reads=(section.faithful_titles, config.seed),
                needs=(split, fitted),
                modules=("harness.experiment.stages.compare_explanations", "neural.faithfulness", *of_network),
            )
        )
    if section.folds and arm.block.endswith(REVIEWED) and arm == exported_arm(config):
        start = replace(arm, system="neural", block=arm.block.removesuffix(REVIEWED)).stage("fit")
        stages.append(
            Stage(
                arm.stage("mine_folds"),
                lambda done, out: mine_folds(request, arm.block, done[split], done[start] / MODEL, out),
                reads=(
                    *(section.folds, how, table, rejected, *of_block, _settings_of(config, "neural")),
                    *(config.seed, SYSTEMS_SOURCE),
                ),
                needs=(split, start),
                modules=("harness.experiment.stages.mine_folds", "neural.attribution", *of_network),
            )
        )
    return stages


def _of_block(config: RunConfig, block: str) -> tuple[Any, ...]:
    """Return the settings that say what a block of labels is."""
    share = config.reviewed.share if config.reviewed and block.endswith(REVIEWED) else None
    return block, share, language_settings(config, block)


def _named(arm: Arm, on_progress: Progress) -> Progress:
    """Return a callback that says which split and labels a step is of."""

    def named(step: str, done: int, total: int, unit: str = "titles") -> None:
        on_progress(f"{step} ({arm.by}, {arm.block})", done, total, unit)

    return named


def _arm_stages(config: RunConfig, taxonomy: Taxonomy, arm: Arm, on_progress: Progress) -> list[Stage]:
    of_block = _of_block(config, arm.block)
    system = SYSTEMS[arm.system]
    of_system = imports_of(system.find_class)
    fitted, predicted = arm.stage("fit"), arm.stage("predict")
    goes_on = system.goes_on and arm.block.endswith(REVIEWED)
    start = replace(arm, block=arm.block.removesuffix(REVIEWED)).stage("fit") if goes_on else None
    references = f"references/{arm.by}"

    named = _named(arm, on_progress)
    mined = arm.stage("mine") if system.mined else None
    stages = [
        Stage(
            fitted,
            lambda done, out: fit(
                Request(
                    config,
                    taxonomy,
                    named,
                    scratch(out),
                    start=done[start] / MODEL if start else None,
                    mined_table=done[mined] / MINED_TABLE if mined else None,
                ),
                arm.system,
                arm.block,
                done[f"split/{arm.by}"] / LEARN,
                out,
            ),
            reads=(arm.system, *of_block, _settings_of(config, arm.system), config.seed, SYSTEMS_SOURCE),
            needs=(f"split/{arm.by}", *(stage for stage in (start, mined) if stage)),
            modules=("harness.experiment.stages.fit_system", *of_system),
        ),
        Stage(
            predicted,
            lambda done, out: predict(arm.system, taxonomy, done[fitted], done[references], out, named),
            reads=(arm.system,),
            needs=(fitted, references),
            modules=("harness.experiment.stages.predict_part", *of_system),
        ),
        Stage(
            arm.stage("score"),
            lambda done, out: score(taxonomy, config.seed, done[references], done[predicted], out),
            reads=(config.seed,),
            needs=(references, predicted),
            modules=("harness.experiment.stages.score_predictions",),
        ),
    ]
    if arm.system in config.most_wrong:
        stages.append(
            Stage(
                arm.stage("most_wrong"),
                lambda done, out: most_wrong(arm.system, taxonomy, done[f"split/{arm.by}"], done[fitted], out, named),
                reads=(arm.system,),
                needs=(f"split/{arm.by}", fitted),
                modules=("harness.experiment.stages.most_wrong", *of_system),
            )
        )
    return stages


def _settings_of(config: RunConfig, name: str) -> Any:
    """Return the settings that a system is built from; a folder of the network counts by its files, not its place."""
    section = SYSTEMS[name].section
    settings = getattr(config, section) if section else None
    if section != "neural":
        return settings
    named = vars(settings)
    return {**named, **{setting: folder_files(folder) for setting, folder in network_folders(named).items()}}


def fingerprints(stages: list[Stage]) -> dict[str, str]:
    """Return the fingerprint of every stage: what it reads, the sources it runs, and the stages it needs."""
    # How stages are put together counts as source of each of them, and so do the libraries that they call.
    shared = digest(Path(__file__), library_versions())
    found: dict[str, str] = {}
    for stage in stages:
        upstream = [found[name] for name in stage.needs]
        sources = source_digest(stage.modules, VALUES_COUNT)
        found[stage.name] = digest(stage.name, stage.reads, sources, shared, upstream)
    return found


def make_stages(
    stages: list[Stage], prints: Mapping[str, str], store: StageStore, announce: Callable[[str], None]
) -> Folders:
    """Make every stage that is not finished yet; return where all of them lie."""
    done: dict[str, Path] = {}
    for stage in stages:
        if not store.is_finished(stage.name, prints[stage.name]):
            announce(stage.name)
        finished = dict(done)
        done[stage.name] = store.obtain(stage.name, prints[stage.name], lambda out: stage.make(finished, out))  # noqa: B023
    return done
