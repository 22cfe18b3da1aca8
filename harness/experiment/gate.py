"""Whether a run still meets what is asked of it, for continuous integration."""

from pathlib import Path

import pandas as pd

from data_cleaning.errors import BadInput, first_few
from harness.experiment.finished_runs import FinishedRun, paired_difference
from harness.experiment.run_folder import TABLES
from harness.scoring.references import WEIGHTINGS
from harness.scoring.scores_file import FitScores, Score

GOLDEN, _ALL = "golden", "all"
_LOWER_IS_BETTER = "ordinal_error"
_WRONG = "golden_titles.csv"


def check_gate(
    run: FinishedRun, metric: str, *, at_least: float | None, other: FinishedRun | None, system: str | None = None
) -> tuple[list[str], list[str]]:
    """Compare a score with a minimum and with another run.

    Args:
        run: the one in question.
        metric: `<split>.<target>`, such as title.all, for accuracy; `<split>.<metric>.<target>` for another one, such
            as title.macro_f1.level; `golden.all`, or `golden.<kind>`, for the golden titles answered rightly.
        at_least: what the score must reach; None asks for nothing.
        other: the run that it must not be worse than. An accuracy is worse where the 95% interval of the difference, on
            titles that both scored, is below 0; golden titles are worse where fewer are right; other metrics where the
            score is lower.
        system: whose score; None takes what each run decided for.

    Returns:
        What was found, and why the run fails: nothing if it passes.

    Raises:
        BadInput: the run has no such score, or nothing is asked.
    """
    if at_least is None and other is None:
        raise BadInput("gate compares with nothing. Give --min, --not-worse-than, or both.")
    first, *rest = metric.split(".")
    if first == GOLDEN and len(rest) == 1:
        return _golden_gate(run, rest[0], at_least, other, system)
    if len(rest) not in (1, 2) or first not in run.scores.split_hash:
        raise _unknown_metric(run, metric)
    kind, target = ("accuracy", rest[0]) if len(rest) == 1 else (rest[0], rest[1])
    fit = run.fit(first, system)
    score = _score(run, fit, kind, target, metric)
    size = next(size for size in run.scores.references if (size.split, size.reference) == (first, score.reference))
    told = [f"{metric} of {fit.system} is {score.value:.3f} ({score.reference}, {size.titles:,} titles)."]
    failed = _too_low(metric, fit.system, score.value, at_least)
    if other is not None:
        beaten = other.fit(first, system)
        before = _score(other, beaten, kind, target, metric)
        if kind != "accuracy":
            if score.value < before.value:
                failed.append(f"{metric} fell from {before.value:.3f} ({beaten.system} of {other.folder}).")
        else:
            gap = paired_difference(other, run, (beaten, fit), score.reference, target)
            sure = not pd.isna(gap["low"])
            interval = f"95% interval {100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}" if sure else "too few titles"
            line = (
                f"{metric}: {100 * gap['difference']:+.1f} points against {beaten.system} of {other.folder} on the "
                f"titles that both scored, {interval}."
            )
            told.append(line)
            if gap["high"] < 0 if sure else gap["difference"] < 0:
                failed.append(f"worse: {line}")
    return told, failed


def _too_low(metric: str, system: str, value: float, at_least: float | None) -> list[str]:
    if at_least is None or value >= at_least:
        return []
    return [f"{metric} of {system} is {value:.3f}, and at least {at_least:.3f} is asked for."]


def _score(run: FinishedRun, fit: FitScores, kind: str, target: str, metric: str) -> Score:
    verdict = run.scores.verdict
    preferred = verdict.evidence.reference if verdict is not None else ""
    found = [
        score
        for score in fit.scores
        if (score.weighting, score.metric, score.target) == (WEIGHTINGS[0], kind, target) and kind != _LOWER_IS_BETTER
    ]
    if not found:
        raise _unknown_metric(run, metric)
    return next((score for score in found if score.reference == preferred), found[0])


def _golden_gate(
    run: FinishedRun, kind: str, at_least: float | None, other: FinishedRun | None, system: str | None
) -> tuple[list[str], list[str]]:
    right, titles, fit = _golden(run, kind, system)
    metric = f"{GOLDEN}.{kind}"
    told = [f"{metric} of {fit.system} is {right / titles:.3f} ({right} of {titles} golden titles)."]
    failed = _too_low(metric, fit.system, right / titles, at_least)
    if other is not None:
        right_before, titles_before, before = _golden(other, kind, system)
        if right / titles < right_before / titles_before:
            fresh = sorted(_wrong(run, fit, kind) - _wrong(other, before, kind))
            named = f": {first_few(fresh, max_items=10)}" if fresh else ""
            failed.append(
                f"{metric} fell from {right_before} of {titles_before} ({before.system} of {other.folder}) to {right} "
                f"of {titles}. Newly wrong{named}."
            )
    return told, failed


def _golden(run: FinishedRun, kind: str, system: str | None) -> tuple[int, int, FitScores]:
    verdict = run.scores.verdict
    split = verdict.evidence.split if verdict is not None else next(iter(run.scores.split_hash))
    fit = run.fit(split, system)
    counted = [one for one in fit.golden if kind in (_ALL, one.kind)]
    if not counted:
        raise _unknown_metric(run, f"{GOLDEN}.{kind}")
    return sum(one.right for one in counted), sum(one.titles for one in counted), fit


def _wrong(run: FinishedRun, fit: FitScores, kind: str) -> set[str]:
    """Return the golden titles that a fit answers wrongly, as the run's own table lists them."""
    path: Path = run.folder / TABLES / _WRONG
    if not path.is_file():
        return set()
    listed = pd.read_csv(path.absolute(), keep_default_na=False)
    named = {"split": fit.split, "learned_from": fit.learned_from, "system": fit.system}
    of_fit = listed[(listed[list(named)] == pd.Series(named)).all(axis=1)]
    return set(of_fit[of_fit["kind"].eq(kind) | (kind == _ALL)]["title"])


def _unknown_metric(run: FinishedRun, metric: str) -> BadInput:
    fits = run.scores.fits
    splits, golden = dict.fromkeys(fit.split for fit in fits), dict.fromkeys(one.kind for one in fits[0].golden)
    targets = dict.fromkeys(score.target for score in fits[0].scores if score.metric == "accuracy")
    others = dict.fromkeys(
        score.metric for score in fits[0].scores if score.metric not in ("accuracy", _LOWER_IS_BETTER)
    )
    known = [f"{split}.{{{'|'.join(targets)}}}" for split in splits]
    known += [f"{split}.{{{'|'.join(others)}}}.<target>" for split in splits if others]
    known += [f"{GOLDEN}.{{{'|'.join([_ALL, *golden])}}}"] if golden else []
    return BadInput(f"{run.folder} has no metric {metric!r}. It has {', '.join(known)}.")
