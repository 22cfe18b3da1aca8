"""How a rank is put to a discipline, and the words that may precede it.

In a pattern `{work}`, `{lead}` and `{of}` stand for the three forms of a discipline (see `fields`), `{job}` for a noun;
`^` marks where a number such as "II" may follow.
"""

from collections.abc import Mapping

PATTERNS: Mapping[str, Mapping[str, float]] = {
    "Executive": {
        "VP of {of}": 6, "VP, {of}": 4, "VP {of}": 5, "Vice President, {of}": 2, "Vice President of {of}": 2.5,
        "Vice President {of}": 1, "{lead} VP": 0.8, "SVP, {of}": 0.9, "SVP of {of}": 0.7, "SVP {of}": 0.8,
        "Senior Vice President, {of}": 0.6, "Senior Vice President of {of}": 0.3, "AVP, {of}": 1, "AVP {of}": 0.8,
        "AVP of {of}": 0.5, "Assistant Vice President, {of}": 0.5, "EVP, {of}": 0.3, "EVP {of}": 0.2,
        "Executive Vice President, {of}": 0.2, "Head of {of}": 7, "Global Head of {of}": 1, "Head, {of}": 0.4,
        "{lead} Head": 0.4, "Managing Director, {of}": 0.6, "General Manager, {of}": 0.4, "VP / Director of {of}": 0.3,
        "VP/Director, {of}": 0.15, "Director / Head of {of}": 0.15, "Head of {of} / Director": 0.1,
        "Senior Director / VP of {of}": 0.08,
    },
    "Director": {
        "Director of {of}": 9, "{lead} Director": 9, "Director, {of}": 6, "Director - {of}": 0.8, "Director {of}": 2,
        "Director for {of}": 0.15, "Deputy Head of {of}": 0.12, "Director & Manager, {of}": 0.08,
        "{lead} Director / Manager": 0.1, "Manager / Director of {of}": 0.08,
    },
    "Manager": {
        "{lead} Manager": 22, "Manager, {of}": 6, "Manager of {of}": 3, "Manager - {of}": 1, "Manager {of}": 0.8,
        "{lead} Supervisor": 1.4, "{lead} Team Lead": 1.4, "{lead} Lead": 2.2, "{lead} Team Leader": 0.5,
        "{lead} Leader": 0.3,
        "Supervisor, {of}": 0.4, "{lead} Program Manager": 1, "{lead} Project Manager": 1.2,
        "Project Manager, {of}": 0.3,
        "Program Manager, {of}": 0.3, "Team Lead, {of}": 0.4, "Team Lead - {of}": 0.2, "{lead} Operations Manager": 0.3,
        "{lead} Services Manager": 0.2, "Manager / Supervisor, {of}": 0.05,
    },
    "Contributor": {"{work} {job}^": 20, "{job}^, {of}": 0.8, "{job}^ - {of}": 0.4, "{job} {of}": 0.15},
}  # fmt: skip
"""Level to its patterns and their weights."""

GRADES: Mapping[str, Mapping[str, float]] = {
    "none": {"": 1},
    "contributor": {
        "": 62, "Senior ": 12, "Sr. ": 4, "Sr ": 5, "Lead ": 3, "Principal ": 2.5, "Staff ": 1, "Junior ": 1.2,
        "Jr. ": 0.4,
        "Associate ": 0.8, " I": 0.6, " II": 2.2, " III": 1.5, " IV": 0.3, " 1": 0.3, " 2": 0.5, " 3": 0.3,
        "Senior Staff ": 0.2, "Senior Principal ": 0.15, "Sr. Staff ": 0.1, "Senior Lead ": 0.1, "Global ": 0.3,
        "Jr ": 0.3,
    },
    "plainworker": {"": 80, "Senior ": 12, "Sr. ": 3, "Sr ": 4, "Lead ": 2, "Group ": 0.5, " II": 0.8, " I": 0.3},
    "manager": {
        "": 76, "Senior ": 9, "Sr. ": 3, "Sr ": 4, "Assistant ": 1.5, "Associate ": 0.6, "Global ": 1.6,
        "Regional ": 1.4,
        "Corporate ": 0.7, "Area ": 0.2, "Interim ": 0.2, "Group ": 0.4, "Acting ": 0.15, "Deputy ": 0.2,
        "Divisional ": 0.15,
    },
    "director": {
        "": 76, "Senior ": 6, "Sr. ": 3, "Sr ": 3, "Associate ": 2.5, "Assistant ": 2, "Deputy ": 0.8,
        "Executive ": 1.5,
        "Global ": 2, "Regional ": 1, "Corporate ": 0.8, "Interim ": 0.2, "Acting ": 0.1, "Group ": 0.4,
    },
    "executive": {"": 92, "Global ": 2, "Regional ": 1.2, "Corporate ": 1, "Interim ": 0.3, "Group ": 0.4,
    "Acting ": 0.1},
}  # fmt: skip
"""Name of a set to the words put before a title (or, with a leading space, its number) and their weights."""

GRADES_OF_LEVEL: Mapping[str, str] = {
    "Executive": "executive", "Director": "director", "Manager": "manager", "Contributor": "contributor",
}  # fmt: skip
