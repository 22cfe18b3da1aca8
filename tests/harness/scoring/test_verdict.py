"""Which system a run decides for, on drawn answers whose truth is known."""

import numpy as np
import pytest

from harness.scoring.scores_file import Cost, Evidence
from harness.scoring.significance import may_be_best
from harness.scoring.verdict import Candidate, Judged, decide

SIMPLICITY = {"keyword": 1, "keyword+mined": 2, "tfidf": 3, "hybrid": 4, "neural": 5, "mine": 6}
COST = Cost(seconds_per_million_titles=30, fit_seconds=1, model_mb=0.2, memory_mb=3, needs_torch=False)


def candidates(*names):
    return [
        Candidate(
            system=name,
            learned_from=None,
            simplicity=SIMPLICITY[name],
            in_force=name == "keyword",
            is_own=name == "mine",
            cost=COST,
        )
        for name in names
    ]


def judged(*columns, kind="simulated truth", reference="truth", own_answer=False, split="title"):
    """Return a reference by which each candidate is right about the titles that its column says."""
    right = np.column_stack(columns).astype(float)
    n_titles = len(right)
    evidence = Evidence(kind=kind, reference=reference, split=split, titles=n_titles, records=n_titles)
    return Judged(evidence=evidence, right=right, records=np.ones(n_titles), is_own_answer=own_answer)


def first(n_right, n_titles):
    return np.arange(n_titles) < n_right


def test_a_clear_winner_is_used_and_its_lead_is_told_with_its_interval():
    answers = judged(first(60, 200), first(120, 200), first(190, 200))
    verdict = decide(candidates("keyword", "tfidf", "neural"), [answers], "simulated", 17)
    assert (verdict.use, verdict.shown, verdict.tied) == ("neural", "ahead", ())
    assert verdict.score == pytest.approx(0.95)
    assert (verdict.against.system, verdict.against.than) == ("neural", "keyword")
    assert verdict.against.difference == pytest.approx(0.65)
    assert 0.5 < verdict.against.low < 0.65 < verdict.against.high < 0.8
    assert verdict.headline.startswith(
        "Use neural: .950 of the simulated leads with unseen titles get every label right,"
    )
    assert "against .300 with keyword, the table in force (+65.0 points, 95% interval +" in verdict.headline
    assert any("label 200 of your own titles (review pick)" in reason for reason in verdict.reasons)


def test_an_advantage_within_noise_is_a_tie_and_the_simplest_system_is_used():
    # Three titles right that the table has wrong, and one the other way round.
    table, network = first(100, 200), np.r_[first(103, 199), False]
    network[0] = False
    verdict = decide(candidates("keyword", "neural"), [judged(table, network)], "real", 17)
    assert (verdict.use, verdict.shown, verdict.tied) == ("keyword", "kept", ("neural",))
    assert verdict.against.difference == pytest.approx(0.01)
    assert verdict.against.low < 0 < verdict.against.high
    assert verdict.headline.startswith("Keep keyword, the table in force: .500 of")
    assert any(reason.startswith("A lead of neural of 1.0 points would show on about") for reason in verdict.reasons)


def test_of_systems_that_beat_the_table_and_are_level_the_simplest_is_used():
    verdict = decide(
        candidates("keyword", "neural", "hybrid", "keyword+mined"),
        [judged(first(100, 400), first(300, 400), first(302, 400), first(301, 400))],
        "real",
        17,
    )
    assert verdict.use == "keyword+mined"
    assert set(verdict.tied) == {"hybrid", "neural"}


def test_a_system_that_is_level_with_the_best_must_beat_the_table_itself():
    """Of two systems level with each other, the simpler one is no reason to leave the table that it does not beat."""
    rng = np.random.default_rng(0)
    table = first(300, 400)
    noisy = table ^ (rng.random(400) < 0.1)  # right and wrong about others, no better in sum
    noisy[310:318] = True
    sure = first(330, 400)
    verdict = decide(candidates("keyword", "keyword+mined", "neural"), [judged(table, noisy, sure)], "real", 17)
    assert verdict.use == "neural"


def test_equal_systems_are_a_tie_in_at_least_95_of_100_simulations_however_many_there_are():
    rng, taken = np.random.default_rng(5), []
    systems = candidates("keyword", "keyword+mined", "tfidf", "hybrid", "neural")
    for seed in range(100):
        difficulty = rng.random(250)
        answers = [rng.random(250) < difficulty for _ in systems]
        taken.append(decide(systems, [judged(*answers)], "real", seed).use)
    assert taken.count("keyword") >= 95


def test_a_real_difference_is_found():
    rng = np.random.default_rng(6)
    found = 0
    for seed in range(20):
        answers = [rng.random(500) < share for share in (0.7, 0.7, 0.85)]
        found += decide(candidates("keyword", "tfidf", "neural"), [judged(*answers)], "real", seed).use == "neural"
    assert found == 20


@pytest.mark.parametrize(("n_ahead", "may_be"), [(5, True), (6, False)])
def test_few_titles_that_differ_are_judged_as_the_exact_sign_test_does(n_ahead, may_be):
    # Of titles that all speak for one system, six are the fewest that an exact sign test finds at 5% (p = .031).
    one, other = np.zeros(100), (np.arange(100) < n_ahead).astype(float)
    assert may_be_best(np.column_stack([one, other]), np.ones(100), 3).tolist() == [may_be, True]


def test_what_people_labelled_goes_before_the_truth_of_simulated_leads():
    simulated = judged(first(100, 1000), first(900, 1000))
    people = judged(first(90, 106), first(40, 106), kind="people", split="record")
    verdict = decide(candidates("keyword", "neural"), [simulated, people], "simulated", 17)
    assert (verdict.use, verdict.evidence.titles, verdict.origin) == ("keyword", 106, "real")
    assert "of the 106 titles that people labelled get every label right" in verdict.headline
    alone = decide(candidates("keyword", "neural"), [simulated], "simulated", 17)
    assert (alone.use, alone.origin) == ("neural", "simulated")


def test_a_handful_of_labelled_titles_decides_nothing():
    people = judged(first(12, 12), first(2, 12), kind="people")
    verdict = decide(candidates("keyword", "neural"), [people, judged(first(10, 99), first(90, 99))], "simulated", 17)
    assert (verdict.use, verdict.evidence.kind, verdict.origin) == ("neural", "simulated truth", "simulated")
    alone = decide(candidates("keyword", "neural"), [people], "real", 17)
    assert (alone.use, alone.shown, alone.against) == ("keyword", "unknown", None)
    assert "There are 12 titles to judge by; 20 are the fewest" in alone.reasons[1]


def consensus_and_legacy(right_in_consensus):
    """Return both references of a test part of 514 titles, 39 of which have a consensus."""
    part = [judged(*right_in_consensus, kind="consensus", reference="consensus")]
    return [*part, judged(first(300, 514), first(450, 514), kind="legacy", reference="legacy")]


def test_the_headline_stands_on_all_titles_where_the_few_with_a_consensus_say_the_same():
    verdict = decide(candidates("keyword", "tfidf"), consensus_and_legacy((first(20, 39), first(36, 39))), "real", 17)
    assert (verdict.use, verdict.evidence.titles, verdict.evidence.reference) == ("tfidf", 514, "legacy")
    undecided = decide(candidates("keyword", "tfidf"), consensus_and_legacy((first(35, 39), first(36, 39))), "real", 17)
    assert (undecided.use, undecided.evidence.titles) == ("tfidf", 514)


def test_the_consensus_decides_where_it_contradicts_the_recorded_labels():
    verdict = decide(candidates("keyword", "tfidf"), consensus_and_legacy((first(38, 39), first(10, 39))), "real", 17)
    assert (verdict.use, verdict.evidence.titles) == ("keyword", 39)


def test_labels_that_the_table_made_decide_nothing():
    by_table = judged(first(200, 200), first(100, 200), kind="legacy", reference="legacy", own_answer=True)
    verdict = decide(candidates("keyword", "neural"), [by_table], "real", 17)
    assert (verdict.use, verdict.shown) == ("keyword", "unknown")
    assert "labelled these leads itself" in verdict.reasons[1]


def test_a_system_of_ones_own_is_used_and_the_projects_is_named_beside_it():
    verdict = decide(
        candidates("keyword", "tfidf", "mine"), [judged(first(50, 200), first(120, 200), first(190, 200))], "real", 17
    )
    assert (verdict.use, verdict.without_own_code) == ("mine", "tfidf")
    only = decide(candidates("mine"), [judged(first(50, 200))], "real", 17)
    assert (only.use, only.shown, only.without_own_code) == ("mine", "level", None)


def test_a_smoke_run_says_that_it_is_one():
    verdict = decide(candidates("keyword", "tfidf"), [judged(first(50, 200), first(190, 200))], "smoke", 17)
    assert verdict.origin == "smoke"
    assert "A full run on your own leads decides" in verdict.reasons[-2]
