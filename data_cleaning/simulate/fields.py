"""The technical fields of the title grammar: disciplines, the jobs done in them, and what they mean.

A discipline is written `work|lead|of`: the word before a job ("Network Engineer"),
before a rank ("Network Manager") and
after "of" ("Director of Networks"). Missing forms repeat the last one given.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Field:
    """Disciplines that share one meaning and one set of jobs."""

    family: str
    """Family of `mix.FAMILIES` whose share of the records this field takes part in."""
    function: str
    role: str
    disciplines: Mapping[str, float]
    """Discipline, as the module describes it, to its weight."""
    jobs: Mapping[str, float]
    """Noun of a contributor to its weight; empty where nobody but leaders is named so."""
    weight: float = 1.0
    """Weight within the family."""
    led: bool = True
    """Whether managers, directors and executives are named after it."""
    qualifiers: str = "plain"
    """Set of `qualifiers.SETS` that its titles may carry."""


_SECURITY_JOBS = {"Engineer": 9, "Analyst": 9, "Architect": 5, "Specialist": 4, "Consultant": 3, "Administrator": 2,
                  "Researcher": 0.5, "Advisor": 0.5, "Intern": 0.3}  # fmt: skip
_NETWORK_JOBS = {"Engineer": 10, "Administrator": 6, "Architect": 3, "Specialist": 2, "Technician": 2, "Analyst": 2,
                 "Consultant": 0.6, "Support Engineer": 0.6, "Intern": 0.2}  # fmt: skip
_SYSTEM_JOBS = {"Engineer": 10, "Administrator": 8, "Architect": 4, "Specialist": 2, "Consultant": 0.8}
_IT_JOBS = {"Specialist": 7, "Analyst": 5, "Administrator": 4, "Technician": 4, "Support Specialist": 3,
"Consultant": 3,
            "Coordinator": 2, "Architect": 2, "Engineer": 2, "Support Technician": 1, "Support Analyst": 1,
            "Professional": 0.6, "Assistant": 0.4, "Intern": 0.6}  # fmt: skip
_DESK_JOBS = {"Technician": 5, "Analyst": 5, "Specialist": 4, "Engineer": 1, "Agent": 0.5, "Administrator": 0.5}

SECURITY = Field(
    family="security", function="IT", role="Information Security", weight=10, jobs=_SECURITY_JOBS,
    qualifiers="security",
    disciplines={
        "Security": 20, "Information Security": 16, "Cyber Security": 9, "Cybersecurity": 10, "IT Security": 8,
        "InfoSec": 2, "Network Security": 4, "Cloud Security": 4, "Application Security": 3, "Security Operations": 3,
        "SOC": 4, "IAM": 2.5, "Identity & Access Management": 1.5, "Product Security": 1.2, "Data Security": 1.2,
        "Incident Response": 1.5, "Threat Intelligence": 1.5, "Vulnerability Management": 1.2, "Cyber Defense": 1.2,
        "Security Engineering": 0.8, "Security Architecture": 0.8, "Enterprise Security": 0.9,
        "Information Assurance": 1,
        "Penetration Testing": 0.7, "Endpoint Security": 0.6, "Infrastructure Security": 0.6, "Security Awareness": 0.4,
        "Digital Forensics": 0.5, "SIEM": 0.7, "Offensive Security": 0.4, "Cyber Security Operations": 0.7,
        "Information Systems Security": 0.8, "IoT Security": 0.2, "ICS Security": 0.2, "Email Security": 0.2,
        "Mobile Security": 0.15, "Web Security": 0.15, "Computer Security": 0.2, "PKI": 0.3, "DLP": 0.2,
        "Privileged Access Management": 0.3, "Identity": 0.4, "Cyber Threat": 0.3, "Cyber": 1.0,
        "Cyber Operations": 0.5,
        "Threat & Vulnerability Management": 0.4, "Cyber Resilience": 0.2, "Data Loss Prevention": 0.2,
        "Cryptography": 0.15, "Security Services": 0.3, "Security Technology": 0.2, "Cyber Incident Response": 0.3,
    },
)  # fmt: skip

SECURITY_OFFICERS = Field(
    # A bare "Security Officer" may be a guard, so only the disciplines that no guard has are named here.
    family="security", function="IT", role="Information Security", weight=0.5, led=False, qualifiers="security",
    disciplines={"Information Security": 6, "IT Security": 2, "Cyber Security": 2, "Cybersecurity": 1,
                 "Business Information Security": 0.5, "Information Systems Security": 1},
    jobs={"Officer": 1},
)  # fmt: skip

NETWORKING = Field(
    family="networking", function="IT", role="Networking", jobs=_NETWORK_JOBS, qualifiers="networking",
    disciplines={
        "Network|Network|Networks": 16, "Network|Network Engineering": 4, "Network Operations": 4, "NOC": 2.5,
        "Telecom|Telecom|Telecommunications": 2, "Telecommunications": 2, "Network Infrastructure": 2, "Wireless": 1.2,
        "Voice": 0.8, "Unified Communications": 0.8, "SD-WAN": 0.4, "WAN": 0.4, "LAN/WAN": 0.4, "VoIP": 0.4,
        "Network Services": 1.5, "Routing & Switching": 0.3, "Network & Telecom": 0.5, "Enterprise Network": 0.6,
        "Data Network": 0.2, "IP Network": 0.3, "Network Architecture": 0.5, "Global Network": 0.3,
    },
)  # fmt: skip

SYSTEMS = Field(
    family="systems", function="IT", role="Systems", weight=10, jobs=_SYSTEM_JOBS, qualifiers="systems",
    disciplines={
        "Systems|Systems Engineering": 10, "System|Systems Administration": 5, "Infrastructure": 9,
        "IT Infrastructure": 6, "IT Systems": 1,
        "Cloud": 6, "Cloud Infrastructure": 2.5, "DevOps": 5, "Cloud Operations": 1.2, "Cloud Platform": 0.9,
        "Server": 1.5, "Storage": 1.2, "Virtualization": 0.6, "Windows": 1.2, "Linux": 1.5, "Unix": 0.8, "VMware": 0.5,
        "Database": 4, "Data Center": 2, "Endpoint|Endpoint Management": 0.7, "Azure Cloud": 0.4, "AWS Cloud": 0.5,
        "Mainframe": 0.4, "Infrastructure Operations": 1, "Infrastructure Services": 0.8, "Windows Server": 0.4,
        "Storage & Backup": 0.3, "Data Warehouse": 0.5, "Active Directory": 0.3, "Data Center Operations": 0.5,
        "Server Infrastructure": 0.2, "Citrix": 0.3, "Hosting": 0.2, "Enterprise Infrastructure": 0.4,
        "Infrastructure & Cloud": 0.6, "Hybrid Cloud": 0.2, "Multi-Cloud": 0.1,
    },
)  # fmt: skip

IT_GENERAL = Field(
    family="it", function="IT", role="IT General", weight=10, jobs=_IT_JOBS, qualifiers="it",
    disciplines={
        "IT": 40, "Information Technology": 12, "IT Operations": 6, "IT Services": 3,
        "Technology": 4, "ICT": 1.5, "MIS": 1, "Enterprise IT": 0.6, "Corporate IT": 0.6,
        "Information Services": 0.8, "IT Applications": 0.7, "Business Applications": 1.2, "Enterprise Applications": 1,
        "ERP": 0.8, "IT Service Management": 0.6, "IT Service Delivery": 0.6, "Technology Services": 0.8,
        "IT Strategy": 0.4, "Technology Operations": 0.6, "Enterprise Technology": 0.4, "Technical Services": 0.4,
        "Computer Services": 0.2, "Campus Technology": 0.1, "IT Asset Management": 0.3, "IT Planning": 0.2,
    },
)  # fmt: skip

INFORMATION_SYSTEMS = Field(
    # An engineer or administrator of information systems would be of Systems, so neither is named here.
    family="it", function="IT", role="IT General", weight=0.6, qualifiers="it",
    disciplines={"Information Systems": 5, "Management Information Systems": 0.5},
    jobs={"Specialist": 4, "Coordinator": 2, "Technician": 2, "Consultant": 1},
)  # fmt: skip

SERVICE_DESK = Field(
    family="it", function="IT", role="IT General", weight=1.4, jobs=_DESK_JOBS, qualifiers="it",
    disciplines={"Help Desk": 6, "Service Desk": 4, "Technical Support": 4, "IT Support": 4, "IT Service Desk": 1,
                 "IT Help Desk": 1, "Helpdesk": 1, "Application Support": 1.5, "User Support": 0.3},
)  # fmt: skip

ARCHITECTURE = Field(
    family="it", function="IT", role="IT General", weight=1.0, qualifiers="plain",
    disciplines={"Enterprise|Enterprise Architecture": 5, "Solution|Solution Architecture": 3,
                 "Solutions|Solutions Architecture": 3, "Technology|Technology Architecture": 0.5,
                 "IT|IT Architecture": 1},
    jobs={"Architect": 1},
)  # fmt: skip

SYSTEM_ANALYSTS = Field(
    family="it", function="IT", role="IT General", weight=0.35, led=False,
    disciplines={"Systems": 5, "Business Systems": 3, "IT Systems": 1, "IT Business": 2, "Information Systems": 1},
    jobs={"Analyst": 1},
)  # fmt: skip

PAIRS = Field(
    # Two disciplines, security one of them: security first, whatever the order.
    family="security", function="IT", role="Information Security", weight=0.8, qualifiers="plain",
    jobs={"Engineer": 5, "Architect": 2, "Administrator": 3, "Specialist": 1},
    disciplines={f"{first} & {second}": 1 / (1 + rank)
                 for rank, (first, second) in enumerate(
                     (first, second) for other in ("Network", "Infrastructure", "IT", "Systems", "Cloud",
                     "IT Operations",
                                                   "Information Technology", "Networking", "IT Infrastructure",
                                                   "Telecom", "Data Center", "Enterprise Architecture", "DevOps")
                     for security in ("Security", "Cybersecurity", "Information Security", "Cyber Security", "InfoSec")
                     for first, second in ((other, security), (security, other)))},
)  # fmt: skip

NETWORK_FIRST = Field(
    family="networking", function="IT", role="Networking", weight=0.08, qualifiers="networking",
    jobs={"Engineer": 5, "Administrator": 5, "Architect": 1, "Specialist": 1},
    disciplines={"Network & Systems": 5, "Network & System": 1, "Network & Infrastructure": 2, "Networking & Cloud": 1,
                 "Network & Server": 1, "Telecom & Data Center": 0.5, "Network & Storage": 0.3},
)  # fmt: skip

SYSTEMS_FIRST = Field(
    family="systems", function="IT", role="Systems", weight=0.6, qualifiers="plain",
    jobs={"Engineer": 5, "Administrator": 5, "Architect": 1, "Specialist": 1},
    disciplines={"Systems & Network": 5, "Infrastructure & Network": 2, "Server & Network": 1, "Cloud & Network": 1,
                 "Cloud & DevOps": 1, "Systems & Storage": 0.4, "Infrastructure & Operations": 3},
)  # fmt: skip

GOVERNANCE = Field(
    family="governance", function="Risk/Legal/Compliance", role="Governance Risk Compliance", qualifiers="governance",
    jobs={"Analyst": 8, "Specialist": 4, "Consultant": 2, "Officer": 3, "Advisor": 1, "Coordinator": 1,
    "Associate": 0.6},
    disciplines={
        "Compliance": 9, "Risk|Risk|Risk Management": 4, "Risk Management": 4, "IT Compliance": 3, "GRC": 5,
        "IT Risk": 3, "Privacy": 3, "Data Privacy": 2, "Security Compliance": 3, "Information Security Compliance": 1,
        "IT Governance": 1.5, "Security Governance": 1, "Governance, Risk & Compliance": 1.2, "Technology Risk": 1.5,
        "Operational Risk": 1.5, "Enterprise Risk": 1, "Credit Risk": 1, "Risk & Compliance": 2,
        "Regulatory Compliance": 1,
        "Cybersecurity Compliance": 0.6, "EHS Compliance": 0.3, "Quality Compliance": 0.3, "Third Party Risk": 0.8,
        "Trade Compliance": 0.4, "AML Compliance": 0.4, "IT Governance & Compliance": 0.3, "Security & Compliance": 0.9,
    },
)  # fmt: skip

AUDIT = Field(
    family="governance", function="Risk/Legal/Compliance", role="Governance Risk Compliance", weight=0.45,
    qualifiers="governance",
    disciplines={"Internal|Internal Audit": 5, "IT|IT Audit": 4, "Security|Security Audit": 1,
                 "Information Systems|Information Systems Audit": 1, "Compliance|Compliance Audit": 0.6,
                 "Information Security|Information Security Audit": 0.4, "Technology|Technology Audit": 0.4},
    jobs={"Auditor": 8, "Audit Analyst": 1, "Audit Specialist": 1, "Audit Associate": 0.4},
)  # fmt: skip

SOFTWARE = Field(
    family="engineering", function="Engineering", role="Non-ICP", weight=5, qualifiers="software",
    disciplines={"Software|Software Engineering": 12, "Software|Software Development": 6, "Full Stack|Engineering": 1.5,
                 "Web|Web Development": 1.5, "Backend|Backend Engineering": 1, "Mobile|Mobile Development": 0.8,
                 "Frontend|Frontend Engineering": 0.8, "Application|Application Development": 2,
                 "Salesforce|Salesforce Development": 0.6, "ServiceNow|ServiceNow Development": 0.6,
                 "Java|Java Development": 0.8, ".NET|.NET Development": 0.4, "Python|Python Development": 0.4},
    jobs={"Developer": 6, "Engineer": 6},
)  # fmt: skip

ENGINEERING = Field(
    family="engineering", function="Engineering", role="Non-ICP", weight=4, qualifiers="plain",
    disciplines={"QA|Quality Assurance": 4, "Mechanical|Mechanical Engineering": 3,
    "Electrical|Electrical Engineering": 3,
                 "Hardware|Hardware Engineering": 2, "Firmware|Firmware Engineering": 1.2,
                 "Civil|Civil Engineering": 1.2, "Embedded Software|Embedded Engineering": 1, "R&D": 2,
                 "Test|Test Engineering": 1.5, "Manufacturing|Manufacturing Engineering": 1.5,
                 "Process|Process Engineering": 1, "Design|Design Engineering": 0.8,
                 "Chemical|Chemical Engineering": 0.5,
                 "Product|Product Engineering": 0.6, "Aerospace|Aerospace Engineering": 0.4, "RF|RF Engineering": 0.4,
                 "Quality|Quality Engineering": 1, "Controls|Controls Engineering": 0.6,
                 "Structural|Structural Engineering": 0.4, "Solutions|Solutions Engineering": 1.5,
                 "Professional Services|Professional Services Engineering": 0.4},
    jobs={"Engineer": 1},
)  # fmt: skip

DATA = Field(
    # No business unit may follow: with one named these would be Non-ICP.
    family="engineering", function="Engineering", role="Non-ICP", weight=3, qualifiers="plain",
    disciplines={"Data|Data Science": 8, "Data|Data Engineering": 4, "Machine Learning": 3, "Data|Data Analytics": 3,
                 "AI|Artificial Intelligence": 1, "Analytics": 1.5, "Applied|Applied Science": 0.5},
    jobs={"Scientist": 3, "Engineer": 3},
)  # fmt: skip

DATA_ANALYSTS = Field(
    family="engineering", function="Engineering", role="Non-ICP", weight=0.5, led=False, qualifiers="plain",
    disciplines={"Data": 6, "Data Analytics": 1, "Programmer": 2},
    jobs={"Analyst": 1},
)  # fmt: skip

TECHNICAL_FIELDS = (
    SECURITY, SECURITY_OFFICERS, PAIRS, NETWORKING, NETWORK_FIRST, SYSTEMS, SYSTEMS_FIRST, IT_GENERAL,
    INFORMATION_SYSTEMS, SERVICE_DESK,
    ARCHITECTURE, SYSTEM_ANALYSTS, GOVERNANCE, AUDIT, SOFTWARE, ENGINEERING, DATA, DATA_ANALYSTS,
)  # fmt: skip
