"""Every verb that reads a file answers hostile ones with exit code 2, or with 0 or 3 where it can read them.

Never a traceback, never more than one message, and no output where a file is refused.
"""

import hashlib
import io
import itertools
import shutil

import pyarrow.parquet as pq
import pytest

from data_cleaning.files import open_source
from harness.keywords.suggestion_sheets import JSON_NAME, Origin, write_suggestions
from tests.fuzz.fuzz_size import FULL, TALLY, within_limit
from tests.fuzz.hostile_files import STATISTICS, TITLE, TITLES, false_statistics, json_files, tables, yaml_files
from tests.harness.keywords.given_suggestions import ALL
from tests.harness.tagging.given_run import HIERARCHY

TABLES = tables()
OF_TABLES = {
    "predict": ("predict", "odd", "--out", "out.csv", "--run", "run", "--system", "keyword", "--hierarchy", "none"),
    "clean": ("clean", "odd", "--out", "out.csv", "--config", "company"),
    "profile": ("profile", "odd", "--out", "out", "--no-tokens", "--config", "company"),
    "audit": ("audit", "odd", "--out", "out", "--config", "company"),
    "audit of labelled leads": ("audit", "keywords.csv", "--leads", "odd", "--out", "out", "--config", "company"),
    "check": ("check", "odd", "--out", "out.xlsx"),
}
LAYOUT = 'fields: ["*", department]'
YAML = {
    "config": ("taxonomy: taxonomy.yaml", ("clean", "leads.csv", "--out", "out.csv", "--config", "odd")),
    "taxonomy": (
        "version: 1",
        ("clean", "leads.csv", "--out", "out.csv", "--set", "taxonomy=odd", "--config", "company"),
    ),
    "hierarchy": (HIERARCHY, ("hierarchy", "check", "odd", "--taxonomy", "taxonomy.yaml")),
    "layout": (LAYOUT, (*OF_TABLES["predict"][:1], "leads.csv", *OF_TABLES["predict"][2:], "--layout", "odd")),
    "config of a run": ("taxonomy: t.yaml", (*OF_TABLES["predict"][:1], "leads.csv", *OF_TABLES["predict"][2:])),
}
JSON = {
    "suggestions.json": (
        "suggest",
        "apply",
        JSON_NAME,
        "--table",
        "keywords.csv",
        "--out",
        "out.csv",
        "--config",
        "company",
    ),
    "run/run.json": YAML["config of a run"][1],
    "run/models/record/legacy/keyword/keyword.json": YAML["config of a run"][1],
}


def few(cases, n_cases):
    """Return all cases where they are asked for, otherwise some that are the same in every run."""
    ordered = sorted(cases, key=lambda case: hashlib.sha256(str(case).encode()).hexdigest())
    return ordered if FULL else ordered[:n_cases]


@pytest.fixture(scope="module")
def whole(toy, company, tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile")
    kept = shutil.ignore_patterns("tfidf", "neural", "keyword+mined", "keyword-corrected", "majority", "SHA256SUMS")
    shutil.copytree(toy.run, place / "run", ignore=kept)
    for name in ("keywords.csv", "leads.csv", "taxonomy.yaml"):
        shutil.copyfile(company.folder / name, place / name)
    origin = Origin.of(place / "keywords.csv", company.taxonomy.names, run="r", split="title", learned_from="legacy")
    write_suggestions(place, ALL, origin)
    return place


@pytest.fixture
def answered(call, whole, company, tmp_path, monkeypatch):
    """Call a verb on a hostile file; return its exit code and messages, and require that they fit."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)

    def check(arguments, name, content):
        (tmp_path / name).write_bytes(content)
        given = {"company": company.config, "odd": name, "taxonomy=odd": f"taxonomy={name}"}
        with within_limit(f"{arguments[0]} of {name}"):
            code, out, err = call(*(given.get(one, one) for one in arguments), config=None)
        n_errors = sum(line.startswith("Error: ") for line in err.splitlines())
        assert (code, n_errors) in ((0, 0), (2, 1), (3, 0)), (code, out, err)
        if code == 2:
            assert not [place.name for place in tmp_path.iterdir() if "out" in place.name], err
            TALLY.add(hostile_refused=1)
        TALLY.add(hostile=1)
        return code, err

    return check


@pytest.mark.parametrize(("table", "verb"), few(itertools.product(TABLES, OF_TABLES), 60), ids=str)
def test_a_hostile_table_is_read_or_refused(answered, table, verb):
    ending, content = TABLES[table]
    answered(OF_TABLES[verb], f"odd{ending}", content)


YAML_CASES = [(kind, said) for kind, (keys, _) in YAML.items() for said, _ in yaml_files(keys)]


@pytest.mark.parametrize(("kind", "said"), few(YAML_CASES, 40), ids=str)
def test_a_hostile_yaml_file_is_read_or_refused(answered, kind, said):
    keys, arguments = YAML[kind]
    answered(arguments, "run/config.yaml" if kind == "config of a run" else "odd.yaml", dict(yaml_files(keys))[said])


JSON_CASES = [(name, said) for name in JSON for said, _ in json_files(b"{}")]


@pytest.mark.parametrize(("name", "said"), few(JSON_CASES, 15), ids=str)
def test_a_hostile_json_file_is_read_or_refused(answered, whole, name, said):
    answered(JSON[name], name, dict(json_files((whole / name).read_bytes()))[said])


@pytest.mark.parametrize("lie", STATISTICS)
def test_rows_do_not_depend_on_what_statistics_say(tmp_path, lie):
    content = false_statistics(STATISTICS[lie])
    assert pq.read_metadata(io.BytesIO(content)).num_rows == len(TITLES)
    (tmp_path / "a.parquet").write_bytes(content)
    rows = [row for batch in open_source(tmp_path / "a.parquet").batches() for row in batch.rows.to_pylist()]
    assert [row[TITLE] for row in rows] == TITLES
    assert [row["Times"] for row in rows] == [*range(1, 21)]


def test_hundreds_of_hostile_files_are_tried_in_full():
    assert len(TABLES) * len(OF_TABLES) + len(YAML_CASES) + len(JSON_CASES) > 1_000
