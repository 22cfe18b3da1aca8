"""The one decision of a run: which system to use, how sure that is, on what evidence, and what would change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from harness.scoring.scores_file import Cost, Difference, Evidence, Kind, Origin, Shown, Standing, Verdict
from harness.scoring.significance import MIN_TITLES, clustered_intervals, may_be_best

_MAX_NAMED = 3
_MAX_TITLES_TO_LABEL = 100_000
"""Where more titles than this would be needed to tell two systems apart, they are called equal for all purposes."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A fit that may be used; a floor is none."""

    system: str
    learned_from: str | None
    """Its label set; None where its answers do not depend on it."""
    simplicity: int
    """Of systems that are level, the one with the lowest number is taken."""
    in_force: bool
    is_own: bool
    cost: Cost


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What one reference says about every candidate."""

    evidence: Evidence
    right: npt.NDArray[np.float64]
    """Share of each title's records with all labels right, (n_titles, n_candidates)."""
    records: npt.NDArray[np.float64]
    """Of each title, (n_titles,)."""
    is_own_answer: bool = False
    """Whether the table in force made these labels, so that they cannot tell whether another system is better."""

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """Share of records with all labels right, (n_candidates,)."""
        return np.asarray(self.records @ self.right / self.records.sum())

    def interval(self, ahead: int, than: int | None, seed: int) -> tuple[float | None, float | None]:
        """Return the 95% interval of a score, or of its difference from another."""
        points = self.right[:, [ahead]] - (0 if than is None else self.right[:, [than]])
        low, high = clustered_intervals(points, self.records, seed)[0]
        return (None, None) if np.isnan(low) else (float(low), float(high))


@dataclass(frozen=True)
class _Pick:
    """What one reference decides."""

    judged: Judged
    chosen: int
    may_be_best: npt.NDArray[np.bool_]
    seed: int

    def difference(self, candidates: Sequence[Candidate], ahead: int, than: int) -> Difference:
        scores = self.judged.scores
        low, high = self.judged.interval(ahead, than, self.seed)
        gap = float(scores[ahead] - scores[than])
        return Difference(
            system=candidates[ahead].system, than=candidates[than].system, difference=gap, low=low, high=high
        )


def decide(
    candidates: Sequence[Candidate], offered: Sequence[Judged], origin: Origin, seed: int, *, runs_own_code: bool = True
) -> Verdict:
    """Choose the system to use.

    The most trustworthy reference with enough titles decides. Where that is the consensus, which leaves titles out, and
    the labels of all titles say the same, those decide. Systems that may be the best, as `may_be_best` tells, are
    level, and the simplest of them is taken; the table in force gives way only to one that is shown to be ahead of it.

    Args:
        candidates: at least one.
        offered: at least one reference, each about all candidates.
        origin: what the leads are; labels that people gave make of simulated ones real evidence.
        seed: of the bootstrap.
        runs_own_code: whether a system of one's own may be chosen.
    """
    if not runs_own_code:
        kept = [position for position, one in enumerate(candidates) if not one.is_own]
        candidates = [candidates[position] for position in kept]
        offered = [
            Judged(
                evidence=one.evidence, right=one.right[:, kept], records=one.records, is_own_answer=one.is_own_answer
            )
            for one in offered
        ]
    usable = [one for one in sorted(offered, key=_trust) if len(one.records) >= MIN_TITLES and not one.is_own_answer]
    if not usable:
        return _undecided(candidates, min(offered, key=_trust), origin, seed)
    pick = _pick(candidates, usable[0], seed)
    if usable[0].evidence.kind == "consensus":
        for larger in usable[1:]:
            of_all = _pick(candidates, larger, seed)
            if len(larger.records) > len(usable[0].records) and pick.may_be_best[of_all.chosen]:
                pick = of_all
    if origin == "simulated" and pick.judged.evidence.kind == "people":
        origin = "real"
    verdict = _worded(candidates, pick, origin)
    if candidates[pick.chosen].is_own and not all(one.is_own for one in candidates):
        other = decide(candidates, offered, origin, seed, runs_own_code=False)
        verdict = verdict.model_copy(update={"without_own_code": other.use})
    return verdict


def _trust(judged: Judged) -> tuple[int, int]:
    """Rank references by whose word they are, and then by how many titles they have."""
    return get_args(Kind).index(judged.evidence.kind), -len(judged.records)


def _pick(candidates: Sequence[Candidate], judged: Judged, seed: int) -> _Pick:
    best = may_be_best(judged.right, judged.records, seed)
    level = best
    in_force = _in_force(candidates)
    if in_force is not None and not best[in_force]:
        ahead = clustered_intervals(judged.right - judged.right[:, [in_force]], judged.records, seed)[:, 0] > 0
        level = best & ahead if (best & ahead).any() else best
    scores = judged.scores
    order = sorted(np.flatnonzero(level).tolist(), key=lambda at: (candidates[at].simplicity, -scores[at], at))
    return _Pick(judged, order[0], best, seed)


def _in_force(candidates: Sequence[Candidate]) -> int | None:
    return next((position for position, one in enumerate(candidates) if one.in_force), None)


def _simplest(candidates: Sequence[Candidate]) -> int:
    in_force = _in_force(candidates)
    return min(range(len(candidates)), key=lambda at: candidates[at].simplicity) if in_force is None else in_force


def _undecided(candidates: Sequence[Candidate], judged: Judged, origin: Origin, seed: int) -> Verdict:
    """Word that nothing is known that could tell systems apart."""
    chosen = _simplest(candidates)
    pick = _Pick(judged, chosen, np.ones(len(candidates), dtype=bool), seed)
    one = candidates[chosen]
    why = (
        "The keyword table labelled these leads itself, so a system that is right where the table is wrong counts as "
        "wrong."
        if judged.is_own_answer
        else f"There are {len(judged.records)} titles to judge by; {MIN_TITLES} are the fewest that can tell."
    )
    stays = f"Keep {one.system}, the table in force" if one.in_force else f"Use {one.system}, the simplest"
    return _verdict(
        candidates,
        pick,
        origin,
        shown="unknown",
        against=None,
        headline=f"{stays}: the labels of this run cannot tell which system is better.",
        reasons=[
            why,
            "Label 200 of your own titles (review pick) and give them as 'reviewed' or 'truth' in the config.",
        ],
    )


def _worded(candidates: Sequence[Candidate], pick: _Pick, origin: Origin) -> Verdict:
    judged, chosen, scores = pick.judged, pick.chosen, pick.judged.scores
    one, in_force = candidates[chosen], _in_force(candidates)
    ranked = np.argsort(-scores, kind="stable").tolist()
    others = [position for position in ranked if candidates[position].system != one.system]
    name = one.system if one.learned_from is None else f"{one.system} (learned from {one.learned_from})"
    result = f"{_share(scores[chosen])} of {_asked(judged.evidence, origin)}"
    reasons = []
    against: Difference | None = None
    if in_force is not None and in_force != chosen:
        shown: Shown = "ahead"
        against = pick.difference(candidates, chosen, in_force)
        headline = (
            f"Use {name}: {result}, against {_share(scores[in_force])} with {against.than}, the table in force "
            f"({_points(against)})."
        )
    else:
        shown = "level" if in_force is None or not others else "kept"
        stays = f"Keep {name}, the table in force" if one.in_force else f"Use {name}"
        headline = f"{stays}: {result}."
        if others:
            against = pick.difference(candidates, others[0], chosen)
            worse = "is behind" if against.high is not None and against.high < 0 else "is not shown to be better"
            headline = f"{stays}: {result}, and no other system is shown to be better."
            reasons.append(
                f"The best of the others, {against.system} ({_share(scores[others[0]])}), {worse}: {_points(against)}."
                if (judged.right[:, others[0]] != judged.right[:, chosen]).any()
                else f"The best of the others, {against.system}, is right about the same titles."
            )
        else:
            reasons.append("The run has no other system to compare it with.")
    tied = [position for position in others if pick.may_be_best[position]]
    higher = [position for position in tied if scores[position] > scores[chosen]]
    if tied and not (shown == "kept" and len(tied) == 1):
        named = _named(candidates, scores, tied)
        reasons.append(f"Level with it on these titles: {named}. Of systems that are level, the simplest is taken.")
    reasons += _what_would_change(candidates, pick, higher[:1], origin)
    return _verdict(candidates, pick, origin, shown=shown, against=against, headline=headline, reasons=reasons)


def _verdict(
    candidates: Sequence[Candidate],
    pick: _Pick,
    origin: Origin,
    *,
    shown: Shown,
    against: Difference | None,
    headline: str,
    reasons: Sequence[str],
) -> Verdict:
    judged, chosen = pick.judged, pick.chosen
    one = candidates[chosen]
    low, high = judged.interval(chosen, None, pick.seed)
    tied = dict.fromkeys(
        other.system for other, best in zip(candidates, pick.may_be_best, strict=True) if best and other is not one
    )
    return Verdict(
        use=one.system,
        learned_from=one.learned_from,
        shown=shown,
        score=float(judged.scores[chosen]),
        low=low,
        high=high,
        against=against,
        tied=tuple(name for name in tied if name != one.system),
        evidence=judged.evidence,
        origin=origin,
        cost=one.cost,
        standings=_standings(candidates, pick),
        headline=headline,
        reasons=(_evidence_in_words(judged.evidence), *reasons, _cost_in_words(one.cost)),
    )


def _standings(candidates: Sequence[Candidate], pick: _Pick) -> tuple[Standing, ...]:
    scores, in_force = pick.judged.scores, _in_force(candidates)
    found = []
    for position in np.argsort(-scores, kind="stable").tolist():
        one = candidates[position]
        low, high = pick.judged.interval(position, None, pick.seed)
        beaten = None if in_force in (None, position) else in_force
        found.append(
            Standing(
                system=one.system,
                learned_from=one.learned_from,
                score=float(scores[position]),
                low=low,
                high=high,
                against_table=None if beaten is None else pick.difference(candidates, position, beaten),
                may_be_best=bool(pick.may_be_best[position]),
                cost=one.cost,
            )
        )
    return tuple(found)


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _points(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return f"{100 * difference.difference:+.1f} points, too few titles for an interval"
    return (
        f"{100 * difference.difference:+.1f} points, 95% interval {100 * difference.low:+.1f} to "
        f"{100 * difference.high:+.1f}"
    )


def _asked(evidence: Evidence, origin: Origin) -> str:
    """Word what a score is a share of, and what counts as right."""
    if evidence.kind == "people":
        return f"the {evidence.titles:,} titles that people labelled get every label right"
    leads = "leads" if origin == "real" else "simulated leads"
    unseen = " with unseen titles" if evidence.split == "title" else ""
    right = {
        "consensus": "get the usual labels of their title",
        "legacy": "get the labels that were recorded",
    }
    return f"the {leads}{unseen} {right.get(evidence.kind, 'get every label right')}"


def _evidence_in_words(evidence: Evidence) -> str:
    whose = {
        "people": "labels that people gave",
        "simulated truth": "the truth that the simulation knows",
        "consensus": "the usual labels of titles with several records",
        "legacy": "the recorded labels, mistakes included",
    }
    counted = f"{evidence.titles:,} titles ({evidence.records:,} records)"
    return f"Judged on {counted} by {whose[evidence.kind]}, split by {evidence.split}."


def _named(candidates: Sequence[Candidate], scores: npt.NDArray[np.float64], positions: Sequence[int]) -> str:
    best = dict[str, str]()  # a system may be there with several label sets
    for position in positions:
        best.setdefault(candidates[position].system, _share(scores[position]))
    shown = [f"{name} ({score})" for name, score in list(best.items())[:_MAX_NAMED]]
    more = len(best) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _cost_in_words(cost: Cost) -> str:
    seconds = cost.seconds_per_million_titles
    time = f"{max(1, round(seconds)):,} s" if seconds < 120 else f"{round(seconds / 60):,} min"
    memory, disk = (f"{size:,.0f} MB" if size >= 1 else "under 1 MB" for size in (cost.memory_mb, cost.model_mb))
    torch = "needs torch" if cost.needs_torch else "needs no torch"
    return f"It costs about {time} for a million titles, {memory} of memory and {disk} on disk. It {torch}."


def _what_would_change(
    candidates: Sequence[Candidate], pick: _Pick, higher: Sequence[int], origin: Origin
) -> list[str]:
    """Say what other evidence would decide otherwise, or more surely."""
    told = []
    for position in higher:
        gap = pick.difference(candidates, position, pick.chosen)
        if gap.low is not None and gap.high is not None and gap.difference > 0:
            needed = pick.judged.evidence.titles * ((gap.high - gap.low) / 2 / gap.difference) ** 2
            told.append(
                f"A lead of {gap.system} of {100 * gap.difference:.1f} points would show on about "
                f"{max(100, round(needed, -2)):,.0f} titles."
                if needed <= _MAX_TITLES_TO_LABEL
                else f"No test of a practical size would tell {gap.system} from it."
            )
    kind = pick.judged.evidence.kind
    if origin == "smoke":
        told.append("A full run on your own leads decides; a smoke run only shows that everything works.")
    elif origin == "simulated":
        told.append("Simulated leads are not yours: label 200 of your own titles (review pick) before you trust it.")
    elif kind != "people":
        told.append("Recorded labels repeat old mistakes: 200 titles that you label (review pick) go before them.")
    elif pick.judged.evidence.titles < 200:
        told.append(
            "More labelled titles would make it surer: 'review pick' chooses those that are most worth a label."
        )
    return told
