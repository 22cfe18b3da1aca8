"""The planted words: new words that no keyword table of the history knows, and the fields that they name.

A system that learns from titles rather than from the tables should find them; mining is scored on this list.
"""

from collections.abc import Mapping

from data_cleaning.simulate.fields import Field

_SECURITY = {"function": "IT", "role": "Information Security"}
_SYSTEMS = {"function": "IT", "role": "Systems"}
_IT = {"function": "IT", "role": "IT General"}
_ENGINEERING = {"function": "Engineering", "role": "Non-ICP"}

PLANTED: Mapping[str, Mapping[str, str]] = {
    "devsecops": _SECURITY,
    "zero trust": _SECURITY,
    "cspm": _SECURITY,
    "soar": _SECURITY,
    "sase": _SECURITY,
    "xdr": _SECURITY,
    "ztna": _SECURITY,
    "cnapp": _SECURITY,
    "purple team": _SECURITY,
    "red team": _SECURITY,
    "threat hunt": _SECURITY,
    "detection engineer": _SECURITY,
    "appsec": _SECURITY,
    "ot security": _SECURITY,
    "finops": _IT,
    "data mesh": _IT,
    "mlops": _ENGINEERING,
    "llm": _ENGINEERING,
    "genai": _ENGINEERING,
    "observability": _SYSTEMS,
    "kubernetes": _SYSTEMS,
    "platform engineer": _SYSTEMS,
    "sre": _SYSTEMS,
    "site reliability": _SYSTEMS,
    "chaos engineer": _SYSTEMS,
}
"""Planted word, in lower case, to the truth class of each target that it speaks for."""

_MAKERS = {"Engineer": 6, "Architect": 3, "Specialist": 2, "Consultant": 1}
_OPERATORS = {"Operator": 4, "Engineer": 3, "Consultant": 2, "Specialist": 2, "Analyst": 1}

_WORDS: tuple[tuple[str, str, Mapping[str, float], float], ...] = (
    # Planted word, discipline, jobs, weight
    ("devsecops", "DevSecOps", _MAKERS, 3.0),
    ("zero trust", "Zero Trust", _MAKERS, 2.0),
    ("cspm", "CSPM", {**_MAKERS, "Analyst": 2}, 0.9),
    ("soar", "SOAR", {**_MAKERS, "Analyst": 3}, 1.0),
    ("sase", "SASE", _MAKERS, 0.9),
    ("xdr", "XDR", {**_MAKERS, "Analyst": 3}, 1.0),
    ("ztna", "ZTNA", _MAKERS, 1.0),
    ("cnapp", "CNAPP", _MAKERS, 1.0),
    ("purple team", "Purple Team", _OPERATORS, 1.0),
    ("red team", "Red Team", _OPERATORS, 2.2),
    ("threat hunt", "Threat Hunting", {"Analyst": 3, "Engineer": 2, "Specialist": 2}, 0.8),
    ("threat hunt", "Threat|Threat Hunting", {"Hunter": 1}, 1.2),
    ("threat hunt", "Cyber Threat|Cyber Threat Hunting", {"Hunter": 1}, 0.6),
    ("detection engineer", "Detection|Detection Engineering", {"Engineer": 1}, 1.5),
    ("detection engineer", "Threat Detection|Threat Detection Engineering", {"Engineer": 1}, 0.6),
    ("appsec", "AppSec", {**_MAKERS, "Analyst": 2}, 2.5),
    ("ot security", "OT Security", {**_MAKERS, "Analyst": 2}, 2.0),
    ("finops", "FinOps", {"Analyst": 4, "Engineer": 2, "Specialist": 2, "Consultant": 1}, 1.4),
    ("data mesh", "Data Mesh", {"Architect": 4, "Specialist": 1, "Consultant": 1}, 0.9),
    ("mlops", "MLOps", {"Engineer": 6, "Architect": 2, "Specialist": 1}, 1.4),
    ("llm", "LLM", {"Engineer": 5, "Scientist": 2, "Researcher": 2, "Developer": 2}, 1.0),
    ("genai", "GenAI", {"Engineer": 5, "Architect": 2, "Developer": 2, "Scientist": 1}, 1.4),
    ("observability", "Observability", {"Engineer": 6, "Architect": 2, "Specialist": 1}, 1.2),
    ("kubernetes", "Kubernetes", {"Engineer": 6, "Administrator": 3, "Architect": 2, "Specialist": 1}, 1.4),
    ("platform engineer", "Platform|Platform Engineering", {"Engineer": 1}, 2.5),
    ("platform engineer", "Cloud Platform|Cloud Platform Engineering", {"Engineer": 1}, 0.6),
    ("sre", "SRE", {"Engineer": 1, "Architect": 0.3}, 1.6),
    ("site reliability", "Site Reliability|Site Reliability Engineering", {"Engineer": 1}, 2.6),
    ("chaos engineer", "Chaos|Chaos Engineering", {"Engineer": 1}, 0.9),
)

_FAMILY = {"Information Security": "planted security", "Systems": "planted systems", "IT General": "planted it",
           "Non-ICP": "planted engineering"}  # fmt: skip

PLANTED_FIELDS: tuple[tuple[str, Field], ...] = tuple(
    (word, Field(family=_FAMILY[PLANTED[word]["role"]], function=PLANTED[word]["function"], role=PLANTED[word]["role"],
                 disciplines={discipline: 1.0}, jobs=jobs, weight=weight))
    for word, discipline, jobs, weight in _WORDS
)  # fmt: skip
"""Each planted word with a field named by it; a word may name several."""
