"""A small company in the study's manner: three targets, raw labels beside classes."""

from collections.abc import Callable

import pandas as pd
import pytest

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles

CLASSES = {
    "function": {"IT": ["Engineering"], "Security": ["Cyber"], "Other": []},
    "role": {"IT General": [], "Information Security": ["Threat"], "None": []},
    "level": {"Executive": ["C-Level"], "Contributor": []},
}


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return Taxonomy.from_dict({"targets": {name: {"classes": classes} for name, classes in CLASSES.items()}})


@pytest.fixture
def table_of(taxonomy) -> Callable[..., KeywordTable]:
    """Build a table from rows of (keyword, priority, {target: label}) or (..., match)."""

    def build(*rows: tuple) -> KeywordTable:
        columns = [{"keyword": r[0], "priority": r[1], **r[2], "match": r[3] if len(r) > 3 else ""} for r in rows]
        return KeywordTable.from_frame(
            pd.DataFrame(columns, columns=["keyword", "priority", "match", *CLASSES]), taxonomy
        )

    return build


@pytest.fixture
def labelled(taxonomy) -> Callable[..., LabelledTitles]:
    """Build labelled titles from rows of (title, function, role, level[, count[, weight[, source]]])."""

    def build(*rows: tuple) -> LabelledTitles:
        full = [(*row, *(1, 1.0, "legacy")[len(row) - 4 :]) for row in rows]
        frame = pd.DataFrame(full, columns=["title", *CLASSES, "count", "weight", "source"], dtype=object)
        return LabelledTitles.from_frame(frame, taxonomy)

    return build
