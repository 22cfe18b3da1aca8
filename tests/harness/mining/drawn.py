"""Tables, titles and labels drawn at random, of words that occur inside each other."""

import numpy as np
import polars as pl

from tests.harness.mining.by_hand import TAXONOMY, table_of

WORDS = (
    *(
        "cto",
        "director",
        "coo",
        "coordinator",
        "intern",
        "internal",
        "chief",
        "tech",
        "technology",
        "security",
        "sales",
    ),
    *("it", "audit", "head", "of", "&", "ciso", "cybersecurity", "manager", "vp", "svp", "recruiter"),
)
KEYWORDS = (
    *("cto", "coo", "intern", "chief tech", "tech", "security", "sales", "it", "audit", "head of", "ciso", "manager"),
    *("vp", "recruit", "chief", "director", "of", "&", "internal audit", "never met", " it"),
)
LABELS = {"function": ("", "IT", "Engineering", "Cyber", "Other"), "level": ("", "C-Level", "Executive", "Contributor")}


def random_table(random: np.random.Generator, n_rows: int):
    drawn = {}
    while len(drawn) < n_rows:
        keyword, match = str(random.choice(KEYWORDS)), str(random.choice(["substring", "substring", "word", "prefix"]))
        sets = {target: str(random.choice(labels)) for target, labels in LABELS.items()}
        if any(sets.values()) and (match == "substring" or keyword != "&"):
            drawn[keyword, match] = (keyword, int(random.integers(1, 4)), sets, match)
    return table_of(*drawn.values())


def random_titles(random: np.random.Generator, n_titles: int) -> dict[str, int]:
    texts = (" ".join(random.choice(WORDS, random.integers(1, 6))) for _ in range(n_titles))
    return {text: int(random.integers(1, 20)) for text in texts}


def random_reference(random: np.random.Generator, titles) -> list[tuple[str, dict, int]]:
    rows = []
    for title in [*titles, "not in the leads"]:
        for _ in range(random.integers(0, 3)):
            labels = {target: str(random.choice(labels)) or None for target, labels in LABELS.items()}
            rows.append((title, labels, int(random.integers(1, 5))))
    return rows


def reference_frame(rows) -> pl.DataFrame:
    schema = {"title": pl.String, **dict.fromkeys(TAXONOMY.names, pl.String), "count": pl.Int64}
    return pl.DataFrame(
        [(title, *(labels.get(name) for name in TAXONOMY.names), count) for title, labels, count in rows],
        schema=schema,
        orient="row",
    )
