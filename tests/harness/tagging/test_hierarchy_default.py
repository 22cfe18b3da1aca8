"""The project's own hierarchy: it loads, it is complete, and known titles land where a person would put them."""

import time

import numpy as np
import pytest

from data_cleaning.taxonomy import Taxonomy
from harness.config import PROJECT_CONFIGS
from harness.tagging.hierarchy import Hierarchy


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    return Hierarchy.read(PROJECT_CONFIGS / "hierarchy.yaml", Taxonomy.read(PROJECT_CONFIGS / "taxonomy.yaml"))


def certain(hierarchy, *labels, belief=1.0):
    """Return probabilities that give each target's label of each row the same belief, and share the rest evenly."""
    probabilities = {}
    for number, target in enumerate(hierarchy.taxonomy.targets):
        rows = np.full((len(labels), target.n_classes), (1 - belief) / (target.n_classes - 1))
        rows[np.arange(len(labels)), [target.class_index[row[number]] for row in labels]] = belief
        probabilities[target.name] = rows
    return probabilities


SECURITY, SYSTEMS, GRC = "Information Security", "Systems", "Governance Risk Compliance"

PLACES = [
    ("Chief Information Security Officer", ("IT", SECURITY, "C-Level"), "CISO"),
    ("Deputy CISO", ("IT", SECURITY, "Director"), "Deputy and business CISOs"),
    ("Business Information Security Officer", ("IT", SECURITY, "Contributor"), "Deputy and business CISOs"),
    ("VP, Cyber Security", ("IT", SECURITY, "Executive"), "Security executives"),
    ("Security Manager", ("IT", SECURITY, "Manager"), "Security managers"),
    ("Security Architect", ("IT", SECURITY, "Contributor"), "Security architects"),
    ("Cloud Security Architect", ("IT", SECURITY, "Contributor"), "Security architects"),
    ("Security Analyst", ("IT", SECURITY, "Contributor"), "Security engineers and analysts"),
    ("SOC Analyst", ("IT", SECURITY, "Contributor"), "SOC analysts"),
    ("SOC Manager", ("IT", SECURITY, "Manager"), "Security managers"),
    ("Society Liaison", ("IT", SECURITY, "Contributor"), "Security engineers and analysts"),
    ("IAM Engineer", ("IT", SECURITY, "Contributor"), "Identity engineers"),
    ("DevSecOps Engineer", ("IT", SECURITY, "Contributor"), "DevSecOps engineers"),
    ("Cloud Engineer", ("IT", SYSTEMS, "Contributor"), "Cloud engineers"),
    ("Cloud Operations Manager", ("IT", SYSTEMS, "Manager"), "Cloud managers"),
    ("Linux Administrator", ("IT", SYSTEMS, "Contributor"), "Systems administrators"),
    ("Enterprise Architect", ("IT", "IT General", "Contributor"), "Enterprise architects"),
    ("CIO", ("IT", "IT General", "C-Level"), "CIO and CTO"),
    ("Network Engineer", ("IT", "Networking", "Contributor"), "Network engineers"),
    ("Data Protection Officer", ("Risk/Legal/Compliance", GRC, "Contributor"), "Data protection officers"),
    ("Chief Privacy Officer", ("Risk/Legal/Compliance", GRC, "C-Level"), "Chief risk and compliance officers"),
    ("GRC Analyst", ("Risk/Legal/Compliance", GRC, "Contributor"), "Risk analysts and auditors"),
    ("IT Auditor", ("IT", GRC, "Contributor"), "Risk analysts and auditors"),
    ("General Counsel", ("Risk/Legal/Compliance", "Non-ICP", "Executive"), "Legal counsel and staff"),
    ("Software Engineer", ("Engineering", "Non-ICP", "Contributor"), "Developers and engineers"),
    ("Software Engineering Intern", ("Engineering", "Non-ICP", "Contributor"), "Students and interns"),
    ("Student", ("Non-ICP", "Non-ICP", "Unknown"), "Students and interns"),
    ("Student Affairs Director", ("Non-ICP", "Non-ICP", "Director"), "Business leaders"),
    ("Buyer", ("Procurement", "Non-ICP", "Contributor"), "Buyers"),
    ("CEO", ("Non-ICP", "Non-ICP", "C-Level"), "Chief officers and owners"),
    ("Professor", ("Non-ICP", "Non-ICP", "Contributor"), "Business staff"),
    ("N/A", ("Non-ICP", "Non-ICP", "Unknown"), "Unclear titles"),
]


def test_a_title_whose_labels_are_certain_lands_where_a_person_would_put_it(hierarchy):
    placed = hierarchy.place([title for title, _, _ in PLACES], certain(hierarchy, *(row for _, row, _ in PLACES)))
    assert [(title, hierarchy.nodes[node].name) for (title, _, _), node in zip(PLACES, placed.node, strict=True)] == [
        (title, leaf) for title, _, leaf in PLACES
    ]
    np.testing.assert_array_equal(placed.node, placed.leaf)


def test_a_guess_that_speaks_against_itself_is_unclear(hierarchy):
    labels = ("Procurement", "Networking", "Manager")
    sure, unsure = (hierarchy.place(["x"], certain(hierarchy, labels, belief=belief)) for belief in (0.9, 0.5))
    assert [hierarchy.nodes[one.leaf[0]].name for one in (sure, unsure)] == ["Purchasing leaders", "Unclear titles"]
    assert sure.contradiction[0] == unsure.contradiction[0] == 0


def test_every_leaf_names_all_new_labels(hierarchy):
    leaves = [node for node in hierarchy.nodes if node.leaf]
    assert 25 <= len(leaves) <= 40
    assert all(set(node.new_labels) == set(hierarchy.taxonomy.names) for node in leaves)
    assert {node.band for node in leaves} == set(range(len(hierarchy.bands)))


def test_new_functions_are_no_old_ones(hierarchy):
    new = {node.new_labels["function"] for node in hierarchy.nodes if node.leaf}
    assert new.isdisjoint(hierarchy.taxonomy["function"].classes)
    assert {"Security", "Information Technology", "Cloud & Platform", "GRC"} <= new


def test_those_that_other_steps_ask_for_are_there(hierarchy):
    assert {"ideal customers", "security people"} <= set(hierarchy.groups)
    assert hierarchy.groups["security people"] < hierarchy.groups["ideal customers"]
    assert hierarchy.follow_up is not None
    assert hierarchy.follow_up.ranks[0].name == "heads of security"


def test_placing_is_fast_enough_for_every_title_of_a_company(hierarchy):
    n_titles = 50_000
    random = np.random.default_rng(5)
    titles = [f"{random.choice(['cloud', 'SOC', 'head of', 'intern'])} {number}" for number in range(n_titles)]
    probabilities = {target.name: random.dirichlet(np.full(target.n_classes, 0.1), n_titles)
                     for target in hierarchy.taxonomy.targets}  # fmt: skip
    started = time.perf_counter()
    hierarchy.place(titles, probabilities)
    assert time.perf_counter() - started < 5  # a tenth of a second when nothing else runs
