"""A company that is not ours: other columns, two targets, its own keyword table and a test file apart."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from data_cleaning.taxonomy import Taxonomy
from tests.tiny_encoder import tiny_encoder_folder

DEPARTMENTS = {
    "Nursing": "nurse",
    "Surgery": "surgeon",
    "Pharmacy": "pharmacist",
    "Radiology": "radiographer",
    "Kitchen": "cook",
    "Cleaning": "cleaner",
    "Transport": "driver",
    "Reception": "receptionist",
    "Accounts": "bookkeeper",
    "Garden": "gardener",
    "Elsewhere": "visitor",
}
"""Class to the word that gives it away; eleven of them."""

SENIORITIES = {
    "Chief": "chief",
    "Head": "head",
    "Senior": "senior",
    "Qualified": "registered",
    "Trainee": "trainee",
    "None given": "",
}
"""From the highest to the lowest; six of them."""

SYSTEMS = ("majority", "keyword", "keyword-corrected", "tfidf", "neural", "keyword+mined")
"""Systems of the config, in the order of `harness.experiment.systems.SYSTEMS`."""

_SHIFTS = ("", "night", "day", "weekend", "ward", "north", "south")


@dataclass(frozen=True)
class ToyCompany:
    """Where the files lie, and the taxonomy they speak of."""

    folder: Path
    config: Path
    taxonomy: Taxonomy
    titles: pd.DataFrame
    """All titles with their labels."""


def write_toy_company(folder: Path) -> ToyCompany:
    """Write the company's files into a folder; every third title goes to the test file."""
    rows = []
    for shift, (grade, grade_word), (department, word) in itertools.product(
        _SHIFTS, SENIORITIES.items(), DEPARTMENTS.items()
    ):
        title = " ".join(part for part in (shift, grade_word, word) if part)
        rows.append({"What you do": title, "Dept": department, "Grade": grade, "Times": 1 + len(rows) % 3})
    titles = pd.DataFrame(rows)
    in_test = np.arange(len(titles)) % 3 == 0
    titles[~in_test].to_csv(folder / "leads.csv", index=False)
    titles[in_test].to_csv(folder / "test.csv", index=False)
    taxonomy = {
        "version": 1,
        "targets": {
            "department": {
                "importance": 2,
                "ordinal": False,
                "fallback": "Elsewhere",
                "classes": {name: [f"Dept. of {name}"] for name in DEPARTMENTS},
            },
            "seniority": {
                "importance": 1,
                "ordinal": True,
                "fallback": "None given",
                "classes": {name: [] for name in SENIORITIES},
            },
        },
    }
    (folder / "taxonomy.yaml").write_text(yaml.safe_dump(taxonomy, sort_keys=False))
    keywords: list[tuple[str, int, str, str]] = [
        (word, 5, name, "") for name, word in DEPARTMENTS.items() if name != "Garden"
    ]
    keywords += [(word, 3, "", name) for name, word in SENIORITIES.items() if word]
    table = pd.DataFrame(keywords, columns=["keyword", "priority", "department", "seniority"])
    table.to_csv(folder / "keywords.csv", index=False)
    encoder = tiny_encoder_folder(folder / "encoder")
    config = {
        "taxonomy": "taxonomy.yaml",
        "leads": {
            "path": "leads.csv",
            "test_path": "test.csv",
            "columns": {
                "title": "What you do",
                "targets": {"department": "Dept", "seniority": "Grade"},
                "count": "Times",
            },
        },
        # Toy titles are too few to learn English from, and the tests are not about the language step.
        "clean": {"english_only": False},
        "systems": list(SYSTEMS),
        "keyword": {"table": "keywords.csv"},
        "tfidf": {"min_titles": 1},
        "neural": {
            "encoder": str(encoder),
            "epochs": 2,
            "min_steps": 0,
            "max_tokens": 16,
            "max_tokens_per_batch": 256,
        },
    }
    (folder / "company.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return ToyCompany(folder, folder / "company.yaml", Taxonomy.read(folder / "taxonomy.yaml"), titles)
