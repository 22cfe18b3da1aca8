"""Labels of titles that can be worked out by hand, and figures recounted from amended tables."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Taxonomy
from harness.mining.title_labels import TitleLabels
from tests.harness.mining import by_hand

TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "function": {"importance": 3, "classes": {"IT": ["Engineering"], "Security": ["Cyber"], "Other": []}},
            "level": {"importance": 1, "classes": {"Executive": ["C-Level"], "Contributor": []}},
        }
    }
)
"""The classes of `by_hand.TAXONOMY`, one target of which counts more."""


def table_of(*rows: tuple) -> KeywordTable:
    """Build a table from rows of (keyword, priority, {target: label}) or (..., match)."""
    return weighed(by_hand.table_of(*rows))


def weighed(table: KeywordTable) -> KeywordTable:
    """Return a table of `by_hand.TAXONOMY` under that of this module."""
    return replace(table, taxonomy=TAXONOMY)


def certain(
    classes: Mapping[str, tuple[str, str]], records: Mapping[str, int] | None = None, reviewed: tuple[str, ...] = ()
) -> TitleLabels:
    """Label each title with one function and one level."""
    titles = np.array(list(classes), dtype=object)
    return TitleLabels(
        taxonomy=TAXONOMY,
        titles=titles,
        records=np.array([(records or {}).get(title, 1) for title in titles], dtype=np.int64),
        shares={
            target.name: np.eye(target.n_classes)[target.encode(told[at] for told in classes.values())]
            for at, target in enumerate(TAXONOMY.targets)
        },
        reviewed=np.array([title in reviewed for title in titles], dtype=bool),
        variant=np.zeros(len(titles), dtype=bool),
    )


def random_labels(random: np.random.Generator, table: KeywordTable, counts: Mapping[str, int]) -> TitleLabels:
    """Label most titles as a table does, and some at random; some are reviewed."""
    titles = np.array(list(counts), dtype=object)
    shares = {}
    for target in TAXONOMY.targets:
        said = np.eye(target.n_classes)[classes_of(table, titles)[target.name]]
        trust = random.choice([0.1, 0.7, 0.95], size=(len(titles), 1), p=[0.1, 0.3, 0.6])
        shares[target.name] = trust * said + (1 - trust) * random.dirichlet(np.ones(target.n_classes), len(titles))
    return TitleLabels(
        taxonomy=TAXONOMY,
        titles=titles,
        records=np.array(list(counts.values()), dtype=np.int64),
        shares=shares,
        reviewed=random.random(len(titles)) < 0.1,
        variant=np.zeros(len(titles), dtype=bool),
    )


def classes_of(table: KeywordTable, titles: np.ndarray) -> dict[str, list[int]]:
    """Match a table anew: target to the class of each title."""
    winners = table.winners(titles)
    found = {}
    for target in table.taxonomy.targets:
        labels = [table.rows[target.name].iloc[row] if row >= 0 else target.fallback for row in winners[target.name]]
        found[target.name] = [target.class_index[target.group(label)] for label in labels]
    return found


def worth(table: KeywordTable, labels: TitleLabels) -> list[float]:
    """Return the soft label of a table's class of each title, targets by importance."""
    classes = classes_of(table, labels.titles)
    found = []
    for at in range(len(labels)):
        shares = [t.importance / 4 * labels.shares[t.name][at][classes[t.name][at]] for t in TAXONOMY.targets]
        found.append(sum(shares))
    return found


def n_right(table: KeywordTable, labels: TitleLabels) -> list[int]:
    """Count the targets of each title for which the table sets the top class."""
    classes = classes_of(table, labels.titles)
    return [
        sum(shares[at].tolist().index(max(shares[at])) == classes[name][at] for name, shares in labels.shares.items())
        for at in range(len(labels))
    ]
