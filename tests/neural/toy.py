"""A taxonomy of two targets and rows for it."""

import pandas as pd

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles

# "type" is a method of every torch module, and "a.b" no name of one: targets are free text all the same.
TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "type": {"classes": {"security": [], "health": [], "other": []}},
            "a.b": {"classes": {"chief": [], "rest": []}},
        }
    }
)
FIELDS = {"security": "security", "nurse": "health", "sales": "other", "teacher": "other"}
RANKS = {"chief": "chief", "senior": "rest", "intern": "rest"}


def labelled(rows, **columns):
    """Build rows from (title, type, a.b) triples, and columns `count`, `weight` or `source`."""
    frame = pd.DataFrame(rows, columns=["title", *TAXONOMY.names]).assign(**columns)
    return LabelledTitles.from_frame(frame, TAXONOMY, None if "source" in columns else "legacy")
