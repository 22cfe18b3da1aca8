"""A small taxonomy, two keyword taggers and the leads that they label."""

import datetime

import numpy as np

from data_cleaning.simulate.history import HistorySettings, Revision
from data_cleaning.simulate.simulated_leads import simulate_leads
from data_cleaning.taxonomy import Taxonomy

CLASSES = {
    "function": ["IT", "Engineering", "Procurement", "Risk/Legal/Compliance", "Non-ICP"],
    "role": ["Information Security", "Networking", "Systems", "Governance Risk Compliance", "IT General", "Non-ICP"],
    "level": ["C-Level", "Executive", "Director", "Manager", "Contributor", "Unknown"],
}
"""The grouped classes of the project; the fallback of each target comes last."""


WORDS = {
    "function": {"it": "IT", "security": "IT Support", "network": "IT", "engineer": "Engineering", "risk": "Risk"},
    "role": {"security": "Information Security", "network": "Networking", "it": "IT General"},
    "level": {"manager": "Manager", "director": "Director", "vp": "Vice President", "engineer": "Contributor"},
}


RAW = {
    "function": {"IT": ["IT Support"], "Risk/Legal/Compliance": ["Risk"]},
    "role": {},
    "level": {"Executive": ["Vice President"]},
}


def toy_taxonomy(targets=tuple(CLASSES)):
    body = {
        target: {
            "importance": position + 1,
            "ordinal": target == "level",
            "fallback": CLASSES[target][-1],
            "classes": {name: RAW[target].get(name, []) for name in CLASSES[target]},
        }
        for position, target in enumerate(targets)
    }
    return Taxonomy.from_dict({"targets": body})


def toy_tagger(skip="", targets=tuple(CLASSES)):
    """Label a title by the first known word in it; a word to skip makes another revision."""

    def tag(titles):
        answers = {}
        for target in targets:
            words = {word: label for word, label in WORDS[target].items() if word != skip}
            answers[target] = np.array(
                [next((words[word] for word in title.lower().split() if word in words), CLASSES[target][-1])
                 for title in titles], dtype=object)  # fmt: skip
        return answers

    return tag


def toy_revisions(targets=tuple(CLASSES)):
    return [
        Revision(in_force_from=datetime.date(2020, 1, 1), name="old", tagger=toy_tagger("network", targets)),
        Revision(in_force_from=datetime.date(2022, 6, 1), name="new", tagger=toy_tagger("", targets)),
    ]


def simulate(n_records=20_000, seed=3, **arguments):
    settings = {"taxonomy": toy_taxonomy(), "revisions": toy_revisions(), **arguments}
    return simulate_leads(n_records=n_records, seed=seed, **settings)


QUIET = HistorySettings(
    override_share=0.0, title_blank_share=0.0, any_label_blank_share=0.0, habits=(), rollout_lag_days=0
)
"""A history in which nothing but the tables labels anything."""
