import pytest

from data_cleaning.simulate.catalogue import catalogue
from data_cleaning.simulate.word_lists import PLANTED


@pytest.fixture(scope="module")
def truth_of_plain():
    return {title.text.replace("^", ""): title.truth for title in catalogue().titles}


def test_letter_case_changes_no_truth():
    meanings = {}
    for title in catalogue().titles:
        assert meanings.setdefault(title.text.replace("^", "").casefold(), title.truth) == title.truth


def test_the_mix_is_that_of_a_security_vendors_audience(simulated):
    truth = simulated.truth
    assert (truth["function"] == "IT").mean() == pytest.approx(0.69, abs=0.03)
    assert (truth["role"] == "Information Security").mean() == pytest.approx(0.32, abs=0.02)
    assert (truth["level"] == "Contributor").mean() == pytest.approx(0.38, abs=0.03)
    leasts = {"C-Level": 0.05, "Executive": 0.05, "Director": 0.1, "Manager": 0.15, "Unknown": 0.005}
    for level, least in leasts.items():
        assert (truth["level"] == level).mean() > least


def test_plain_titles_contain_their_planted_word():
    for title in catalogue().titles:
        words = title.text.replace("^", "").casefold()
        assert title.planted in words
        if not title.planted:
            assert not [word for word in PLANTED if f" {word}" in f" {words}"]


SPOT_CHECKS = [
    ("Chief Information Security Officer", "IT", "Information Security", "C-Level"),
    ("CTO & Co-Founder", "IT", "IT General", "C-Level"),
    ("CTO/Executive Director", "IT", "IT General", "C-Level"),
    ("CIO", "IT", "IT General", "C-Level"),
    ("Deputy CISO", "IT", "Information Security", "Director"),
    ("Deputy Head of IT", "IT", "IT General", "Director"),
    ("Executive Assistant to the CIO", "Non-ICP", "Non-ICP", "Contributor"),
    ("Director's Office Coordinator", "Non-ICP", "Non-ICP", "Contributor"),
    ("Sales Director, Cybersecurity", "Non-ICP", "Non-ICP", "Director"),
    ("Manager, IT Audit", "Risk/Legal/Compliance", "Governance Risk Compliance", "Manager"),
    ("Security Compliance Analyst", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("GRC Analyst", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("Internal Auditor", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("Data Protection Officer", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("Chief Risk Officer", "Risk/Legal/Compliance", "Governance Risk Compliance", "C-Level"),
    ("General Counsel", "Risk/Legal/Compliance", "Non-ICP", "Executive"),
    ("Attorney", "Risk/Legal/Compliance", "Non-ICP", "Contributor"),
    ("Privacy Counsel", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("ISSO", "IT", "Information Security", "Contributor"),
    ("ISSM", "IT", "Information Security", "Manager"),
    ("SOC Analyst", "IT", "Information Security", "Contributor"),
    ("SOC Lead", "IT", "Information Security", "Manager"),
    ("Lead Information Security", "IT", "Information Security", "Manager"),
    ("Network Security Engineer", "IT", "Information Security", "Contributor"),
    ("Security Manager", "IT", "Information Security", "Manager"),
    ("Security", "IT", "Information Security", "Contributor"),
    ("Security Guard", "Non-ICP", "Non-ICP", "Contributor"),
    ("Director of Loss Prevention", "Non-ICP", "Non-ICP", "Director"),
    ("NOC Engineer", "IT", "Networking", "Contributor"),
    ("Network Engineer", "IT", "Networking", "Contributor"),
    ("Network & Systems Administrator", "IT", "Networking", "Contributor"),
    ("Systems Engineer", "IT", "Systems", "Contributor"),
    ("IT Systems Engineer", "IT", "Systems", "Contributor"),
    ("Director of Information Systems", "IT", "IT General", "Director"),
    ("Systems Engineer, Manufacturing", "Engineering", "Non-ICP", "Contributor"),
    ("VP / Director of Systems Engineering", "IT", "Systems", "Executive"),
    ("Lead DevOps Engineer", "IT", "Systems", "Contributor"),
    ("Site Reliability Engineer", "IT", "Systems", "Contributor"),
    ("DevSecOps Engineer", "IT", "Information Security", "Contributor"),
    ("MLOps Engineer", "Engineering", "Non-ICP", "Contributor"),
    ("IT Director", "IT", "IT General", "Director"),
    ("Director of IT", "IT", "IT General", "Director"),
    ("IT Project Manager", "IT", "IT General", "Manager"),
    ("Enterprise Architect", "IT", "IT General", "Contributor"),
    ("Technical Support Engineer", "IT", "IT General", "Contributor"),
    ("Data Governance Manager", "IT", "Governance Risk Compliance", "Manager"),
    ("VP Engineering", "Engineering", "Non-ICP", "Executive"),
    ("Software Engineer", "Engineering", "Non-ICP", "Contributor"),
    ("Data Analyst", "Engineering", "Non-ICP", "Contributor"),
    ("Marketing Data Analyst", "Non-ICP", "Non-ICP", "Contributor"),
    ("ServiceNow Developer", "Engineering", "Non-ICP", "Contributor"),
    ("Buyer", "Procurement", "Non-ICP", "Contributor"),
    ("Strategic Sourcing Analyst", "Procurement", "Non-ICP", "Contributor"),
    ("IT Recruiter", "Non-ICP", "Non-ICP", "Contributor"),
    ("Cybersecurity Sales Manager", "Non-ICP", "Non-ICP", "Manager"),
    ("Sales Engineer", "Non-ICP", "Non-ICP", "Contributor"),
    ("Account Executive", "Non-ICP", "Non-ICP", "Contributor"),
    ("Lead Generation Specialist", "Non-ICP", "Non-ICP", "Contributor"),
    ("Chief of Staff", "Non-ICP", "Non-ICP", "Director"),
    ("President", "Non-ICP", "Non-ICP", "C-Level"),
    ("President, Desktops", "Non-ICP", "Non-ICP", "Executive"),
    ("Managing Director", "Non-ICP", "Non-ICP", "Executive"),
    ("Board Member", "Non-ICP", "Non-ICP", "C-Level"),
    ("Committee Member", "Non-ICP", "Non-ICP", "Contributor"),
    ("Construction Superintendent", "Non-ICP", "Non-ICP", "Manager"),
    ("Student", "Non-ICP", "Non-ICP", "Unknown"),
    ("N/A", "Non-ICP", "Non-ICP", "Unknown"),
    ("Leiter IT", "IT", "IT General", "Executive"),
    ("Administrador de Redes", "IT", "Networking", "Contributor"),
]


@pytest.mark.parametrize(("title", "function", "role", "level"), SPOT_CHECKS)
def test_a_title_means_what_the_taxonomy_says(truth_of_plain, title, function, role, level):
    assert truth_of_plain[title] == (function, role, level)


def test_no_plain_title_is_broken_over_lines():
    assert not [title.text for title in catalogue().titles if "\n" in title.text]
