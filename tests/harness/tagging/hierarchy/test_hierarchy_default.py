"""The project's own hierarchy: it loads, it is complete, and known titles land where a person would put them."""

import itertools
import time

import numpy as np
import pytest

from data_cleaning.taxonomy import Taxonomy
from harness.experiment.config import PROJECT_CONFIGS
from harness.tagging.hierarchy import Hierarchy, read_hierarchy


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    return read_hierarchy(PROJECT_CONFIGS / "hierarchy.yaml", Taxonomy.read(PROJECT_CONFIGS / "taxonomy.yaml"))


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
    ("General Counsel", ("Risk/Legal/Compliance", "Non-ICP", "Executive"), "Legal executives"),
    ("Software Engineer", ("Engineering", "Non-ICP", "Contributor"), "Developers and engineers"),
    ("Software Engineering Intern", ("Engineering", "Non-ICP", "Contributor"), "Students and interns"),
    ("Student", ("Non-ICP", "Non-ICP", "Unknown"), "Students and interns"),
    ("Student Affairs Director", ("Non-ICP", "Non-ICP", "Director"), "Business directors"),
    ("Buyer", ("Procurement", "Non-ICP", "Contributor"), "Buyers"),
    ("CEO", ("Non-ICP", "Non-ICP", "C-Level"), "Chief officers and owners"),
    ("Professor", ("Non-ICP", "Non-ICP", "Contributor"), "Business staff"),
    ("N/A", ("Non-ICP", "Non-ICP", "Unknown"), "Unclear titles"),
    # Who fills a job or works for its holder does not hold it, whatever the labels say.
    ("Executive Assistant to Deputy CISO", ("IT", SECURITY, "Director"), "Business staff"),
    ("Assistant to the BISO", ("Non-ICP", "Non-ICP", "Contributor"), "Business staff"),
    ("Recruiter - Deputy CISO search", ("IT", SECURITY, "Director"), "Business staff"),
    ("Secretary of the Deputy CISO", ("IT", SECURITY, "Director"), "Business staff"),
    ("EA to CISO", ("IT", SECURITY, "C-Level"), "Business staff"),
    ("Executive Assistant, CISO", ("IT", SECURITY, "Contributor"), "Business staff"),
    ("Executive Assistant Director, Cyber", ("IT", SECURITY, "Director"), "Security directors"),
    ("Chief Information Security Officer Assistant", ("IT", SECURITY, "C-Level"), "Business staff"),
    ("CISO Assistant", ("IT", SECURITY, "Contributor"), "Business staff"),
    ("CISO, Assistant Vice President", ("IT", SECURITY, "C-Level"), "CISO"),
    ("Administrative Assistant - Information Security", ("IT", SECURITY, "Contributor"), "Business staff"),
    ("Assistant Director of Information Security", ("IT", SECURITY, "Director"), "Security directors"),
    ("General Counsel and Secretary", ("Risk/Legal/Compliance", "Non-ICP", "Executive"), "Legal executives"),
    ("Professor of Cybersecurity", ("IT", SECURITY, "Contributor"), "Business staff"),
    ("CISO & Adjunct Professor", ("IT", SECURITY, "C-Level"), "CISO"),
    # Who had it or wants it does not hold it either.
    ("Former CISO", ("IT", SECURITY, "C-Level"), "Not in the job"),
    ("Ex-CISO", ("IT", SECURITY, "C-Level"), "Not in the job"),
    ("Aspiring CISO", ("IT", SECURITY, "C-Level"), "Not in the job"),
    ("Former Deputy CISO", ("IT", SECURITY, "Director"), "Not in the job"),
    ("Retired", ("Non-ICP", "Non-ICP", "Unknown"), "Not in the job"),
    ("CISO, former FBI agent", ("IT", SECURITY, "C-Level"), "CISO"),
    # Around the CISO.
    ("Office of the CISO", ("IT", SECURITY, "C-Level"), "Security engineers and analysts"),
    ("VP, Office of the CISO", ("IT", SECURITY, "Executive"), "Security executives"),
    ("Director, Office of the CISO", ("IT", SECURITY, "Director"), "Security directors"),
    ("Director, Office of the CISO", ("IT", SECURITY, "C-Level"), "Security directors"),
    ("Manager, CISO Office", ("IT", SECURITY, "Manager"), "Security managers"),
    ("Advisor to the CISO", ("IT", SECURITY, "C-Level"), "Security engineers and analysts"),
    ("CISO Program Manager", ("IT", SECURITY, "Manager"), "Security managers"),
    ("Chief of Staff to the CISO", ("IT", SECURITY, "C-Level"), "Security directors"),
    ("Chief of Staff to the CISO", ("Non-ICP", "Non-ICP", "Director"), "Business directors"),
    ("Chief of Staff", ("Non-ICP", "Non-ICP", "C-Level"), "Business directors"),
    ("Office of the CIO", ("IT", "IT General", "C-Level"), "IT specialists"),
    ("CISO, Office of the Chief Information Officer", ("IT", SECURITY, "C-Level"), "CISO"),
    ("Assistant CISO", ("IT", SECURITY, "Contributor"), "Deputy and business CISOs"),
    ("Assistant Chief Information Security Officer", ("IT", SECURITY, "C-Level"), "Deputy and business CISOs"),
    ("Senior Manager, BISO", ("Non-ICP", "Non-ICP", "Manager"), "Deputy and business CISOs"),
    ("BISO Analyst", ("IT", SECURITY, "Contributor"), "Security engineers and analysts"),
    ("Analyst, team of the Deputy CISO", ("IT", SECURITY, "Contributor"), "Security engineers and analysts"),
    ("vCISO", ("Engineering", "Non-ICP", "Contributor"), "CISO"),
    ("IT Director / CISO", ("IT", SECURITY, "Director"), "CISO"),
    ("VP & CISO", ("IT", SECURITY, "Executive"), "CISO"),
    ("CISO team analyst", ("IT", SECURITY, "Contributor"), "Security engineers and analysts"),
    ("CISO & DPO", ("IT", SECURITY, "C-Level"), "CISO"),
    ("Head of Privacy & DPO", ("Risk/Legal/Compliance", GRC, "Executive"), "GRC executives"),
    # Students, and those who work for them.
    ("Cybersecurity Student", ("IT", SECURITY, "Contributor"), "Students and interns"),
    ("Student - Cyber Security", ("IT", SECURITY, "Manager"), "Students and interns"),
    ("Student Cyber Defense Club", ("IT", SECURITY, "Contributor"), "Students and interns"),
    ("Student Services Coordinator", ("Non-ICP", "Non-ICP", "Contributor"), "Business staff"),
    ("Student Success Manager", ("Non-ICP", "Non-ICP", "Manager"), "Business managers"),
    # Guards, owners and boards.
    ("Physical Security Manager", ("IT", SECURITY, "Manager"), "Business managers"),
    ("Director of Physical Security", ("IT", SECURITY, "Director"), "Business directors"),
    ("VP Physical Security", ("IT", SECURITY, "Executive"), "Business executives"),
    ("Security Guard", ("IT", SECURITY, "Contributor"), "Business staff"),
    ("Data Loss Prevention Engineer", ("IT", SECURITY, "Contributor"), "Security engineers and analysts"),
    ("Cyber-Physical Security Engineer", ("IT", SECURITY, "Contributor"), "Security engineers and analysts"),
    ("Cyber and Physical Security Manager", ("IT", SECURITY, "Manager"), "Security managers"),
    ("Director, Cyber and Physical Security", ("IT", SECURITY, "Director"), "Security directors"),
    ("VP Cyber & Physical Security", ("IT", SECURITY, "Executive"), "Security executives"),
    ("Product Owner", ("Non-ICP", "Non-ICP", "C-Level"), "Business staff"),
    ("Board Member", ("Non-ICP", "Non-ICP", "Manager"), "Chief officers and owners"),
    ("Unknown", ("IT", SECURITY, "Contributor"), "Unclear titles"),
    # A leaf for each band.
    ("Chief Legal Officer", ("Risk/Legal/Compliance", "Non-ICP", "C-Level"), "Chief officers and owners"),
    ("Chief Procurement Officer", ("Procurement", "Non-ICP", "C-Level"), "Chief officers and owners"),
    ("Chief Scientist", ("Engineering", "Non-ICP", "C-Level"), "Chief officers and owners"),
    ("VP Procurement", ("Procurement", "Non-ICP", "Executive"), "Purchasing executives"),
    ("VP Sales", ("Non-ICP", "Non-ICP", "Executive"), "Business executives"),
    ("VP Engineering", ("Engineering", "Non-ICP", "Executive"), "Engineering executives"),
    ("Director of Cloud Engineering", ("IT", SYSTEMS, "Director"), "Cloud directors"),
    ("VP Cloud", ("IT", SYSTEMS, "Executive"), "Cloud executives"),
    ("Chief Cloud Officer", ("IT", SYSTEMS, "C-Level"), "CIO and CTO"),
    ("VP of Networking", ("IT", "Networking", "Executive"), "Network executives"),
    ("Chief Network Officer", ("IT", "Networking", "C-Level"), "Chief network officers"),
]


def test_a_title_whose_labels_are_certain_lands_where_a_person_would_put_it(hierarchy):
    placed = hierarchy.place([title for title, _, _ in PLACES], certain(hierarchy, *(row for _, row, _ in PLACES)))
    assert [(title, hierarchy.nodes[node].name) for (title, _, _), node in zip(PLACES, placed.node, strict=True)] == [
        (title, leaf) for title, _, leaf in PLACES
    ]
    np.testing.assert_array_equal(placed.node, placed.leaf)


def test_contradictory_labels_with_low_confidence_are_placed_as_unclear(hierarchy):
    labels = ("Procurement", "Networking", "Manager")
    sure, unsure = (hierarchy.place(["x"], certain(hierarchy, labels, belief=belief)) for belief in (0.9, 0.5))
    assert [hierarchy.nodes[one.leaf[0]].name for one in (sure, unsure)] == ["Purchasing managers", "Unclear titles"]
    assert sure.contradiction[0] == unsure.contradiction[0] == 0


BAND_OF_LEVEL = {
    "C-Level": {"C-suite"},
    "Executive": {"Executives"},
    "Director": {"Directors"},
    "Manager": {"Managers"},
    "Contributor": {"Practitioners"},
    "Unknown": {"Practitioners", "Not known"},
}


@pytest.mark.parametrize("title", ["x", "cloud", "architect", "soc", "iam", "devsecops"])
def test_without_a_keyword_the_band_agrees_with_the_level(hierarchy, title):
    combinations = list(itertools.product(*(target.classes for target in hierarchy.taxonomy.targets)))
    placed = hierarchy.place([title] * len(combinations), certain(hierarchy, *combinations))
    bands = [hierarchy.bands[hierarchy.nodes[leaf].band] for leaf in placed.leaf]
    level = hierarchy.taxonomy.names.index("level")
    assert [
        (labels, band)
        for labels, band in zip(combinations, bands, strict=True)
        if band not in BAND_OF_LEVEL[labels[level]]
    ] == []


def test_every_leaf_names_all_new_labels(hierarchy):
    leaves = [node for node in hierarchy.nodes if node.leaf]
    assert 45 <= len(leaves) <= 55
    assert all(set(node.new_labels) == set(hierarchy.taxonomy.names) for node in leaves)
    assert {node.band for node in leaves} == set(range(len(hierarchy.bands)))


def test_new_functions_differ_from_the_old_ones(hierarchy):
    new = {node.new_labels["function"] for node in hierarchy.nodes if node.leaf}
    assert new.isdisjoint(hierarchy.taxonomy["function"].classes)
    assert {"Security", "Information Technology", "Cloud & Platform", "GRC"} <= new


def test_groups_and_follow_up_that_other_steps_use_are_present(hierarchy):
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


@pytest.mark.parametrize(
    ("title", "labels", "said"),
    [
        (
            "Security Guard",
            ("IT", SECURITY, "Contributor"),
            "function IT in Business, role Information Security in Business",
        ),
        (
            "Assistant to the Chief Information Officer",
            ("IT", "IT General", "C-Level"),
            "function IT in Business, role IT General in Business, level C-Level in Practitioners",
        ),
        (
            "DevSecOps Engineer",
            ("Engineering", "Non-ICP", "Contributor"),
            "function Engineering in Security, role Non-ICP in Security",
        ),
        ("Deputy CISO", ("IT", SECURITY, "C-Level"), "level C-Level in Directors"),
        ("Former CISO", ("IT", SECURITY, "C-Level"), "level C-Level in Not in the job"),
        ("Security Guard", ("Non-ICP", "Non-ICP", "Contributor"), None),
        ("Former CISO", ("IT", SECURITY, "Unknown"), None),
        ("Deputy CISO", ("IT", SECURITY, "Director"), None),
        ("Data Protection Officer", ("Risk/Legal/Compliance", GRC, "Contributor"), None),
        ("Solutions Architect", ("IT", "IT General", "Contributor"), None),
        ("Cloud Engineer", ("IT", SYSTEMS, "Contributor"), None),
        ("IT Intern", ("IT", "IT General", "Contributor"), None),
        ("CIO", ("IT", "IT General", "C-Level"), None),
    ],
)  # fmt: skip
def test_labels_that_a_false_friend_misled_disagree_with_the_place(hierarchy, title, labels, said):
    placed = hierarchy.place([title], certain(hierarchy, labels))
    codes = [[target.class_index[label] for target, label in zip(hierarchy.taxonomy.targets, labels, strict=True)]]
    found, words = hierarchy.disagreements(np.array(codes), placed.node, placed.band)
    assert (None if found[0] < 0 else words[found[0]]) == said


def test_places_that_labels_alone_lead_to_agree_with_them_unless_they_contradict(hierarchy):
    names = [target.classes for target in hierarchy.taxonomy.targets]
    labels = [*itertools.product(*names)]
    placed = hierarchy.place([f"x {number}" for number in range(len(labels))], certain(hierarchy, *labels))
    codes = np.array([[target.class_index[label] for target, label in zip(hierarchy.taxonomy.targets, row, strict=True)]
                      for row in labels])  # fmt: skip
    found, words = hierarchy.disagreements(codes, placed.node, placed.band)
    assert [(labels[row], words[found[row]]) for row in np.flatnonzero((found >= 0) & (placed.contradiction < 0))] == []
