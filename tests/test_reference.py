import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_reference", DOCS / "generate_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_of_config_keys_is_up_to_date(generator):
    assert (DOCS / "CONFIG.md").read_text(encoding="utf-8") == generator.config_page(), "run 'make docs'"


def test_the_reference_of_verbs_is_up_to_date(generator):
    assert (DOCS / "COMMANDS.md").read_text(encoding="utf-8") == generator.commands_page(), "run 'make docs'"


def test_the_schema_of_scores_is_up_to_date(generator):
    assert (DOCS / "scores.schema.json").read_text(encoding="utf-8") == generator.scores_schema(), "run 'make docs'"


def test_the_results_in_the_readme_are_the_reference_results(generator):
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert readme == generator.readme(readme), "run 'make docs'"
    changed = re.sub(r"(\| tfidf \| )\S+", r"\1.999", readme)
    assert changed != readme == generator.readme(changed)


def test_every_config_key_has_a_meaning():
    rows = re.findall(r"^\| `(.+?)` .*\|([^|]*)\|$", (DOCS / "CONFIG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 100
    assert [key for key, meaning in rows if not meaning.strip()] == [], "add a docstring below these fields"
