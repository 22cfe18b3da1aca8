"""What the documentation shows must exist: verbs with their options, and in ARCHITECTURE.md every file and folder."""

import json
import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml
from jsonschema import Draft202012Validator, ValidationError

import harness.cli

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("data_cleaning", "baselines", "neural", "harness")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
APP = typer.main.get_command(harness.cli.app)

_COMMAND = re.compile(r"(?:python -m harness|title-harness) +([^`\n]+)")
_PATH = re.compile(r"[\w./<>*-]*\w[\w<>*-]*(?:/|\.(?:py|md|yaml|csv|toml|lock|jinja|css|html))")
_MADE_BY_RUNS = re.compile(r"^(?:results/(?!reference)|report\.html|my_knn|my/|\.)|[<>*]")


def commands_on(page: Path) -> list[str]:
    """Return every call of the command line on a page, lines that end in a backslash joined."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [found.strip() for found in _COMMAND.findall(text)]


def what_is_wrong(command: str) -> str:
    """Say which verb or option of a command does not exist; an empty text if all do."""
    node = APP
    words = shlex.split(command, comments=True)
    while hasattr(node, "commands"):
        if not words or words[0].startswith("-"):
            break
        if words[0] not in node.commands:
            return f"there is no verb {words[0]!r} in {command!r}"
        node = node.commands[words.pop(0)]
    known = {name for parameter in node.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    return f"there are no options {unknown} in {command!r}" if unknown else ""


def paths_in(text: str) -> set[str]:
    """Return what looks like a file or folder in code blocks and between backticks."""
    code = re.findall(r"^(?: {4}|\t).*$", text, re.MULTILINE) + re.findall(r"`([^`\n]+)`", text)
    found = {path for piece in code for path in _PATH.findall(piece)}
    return {path for path in found if not _MADE_BY_RUNS.search(path)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_verb_and_option_that_a_page_shows_exists(page):
    assert [fault for command in commands_on(page) if (fault := what_is_wrong(command))] == []


def test_a_verb_or_option_that_does_not_exist_is_found():
    assert "there is no verb 'tag'" in what_is_wrong("tag leads.csv")
    assert "there is no verb 'rename'" in what_is_wrong("suggest rename file.xlsx")
    assert "['--output']" in what_is_wrong("predict leads.csv --output tagged.csv  # --comment")
    assert what_is_wrong('search --set "search.space={epochs: [2, 6]}" --trials 20') == ""


def test_every_file_and_folder_that_the_architecture_names_exists():
    named = paths_in((ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    by_name = {path.name for package in (*PACKAGES, "configs", "docs") for path in (ROOT / package).rglob("*.*")}
    assert len(named) > 100
    assert {path for path in named if not (ROOT / path).exists() and path not in by_name} == set()


def test_every_package_and_module_of_the_code_is_in_the_architecture():
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    names = {path.name for path in modules} - {"__init__.py"}
    folders = {f"{path.parent.relative_to(ROOT).as_posix()}/" for path in modules} - {"harness/"}
    named = set(re.findall(r"`([\w./]+)`", text))
    assert (names | folders) - named == set(), "add these to docs/ARCHITECTURE.md"


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "results/reference/README.md"], ids=lambda page: f"{page.parent.name}-{page.name}"
)
def test_every_link_to_another_file_leads_there(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_ray_cluster_is_as_the_schema_of_ray_has_it():
    ray = pytest.importorskip("ray", reason="Ray, the extra `scale`, is not installed")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    cluster = yaml.safe_load((ROOT / "docs" / "scaling" / "ray-cluster.yaml").read_text())
    validator = Draft202012Validator(schema)
    validator.validate(cluster)
    assert cluster["head_node_type"] in cluster["available_node_types"]
    for wrong in ({"worker_count": 4}, {"provider": {}}, {"max_workers": "four"}):
        with pytest.raises(ValidationError):
            validator.validate({**cluster, **wrong})


def test_the_job_on_kubernetes_is_as_our_schema_has_it_and_its_command_exists():
    schema = json.loads((ROOT / "docs" / "scaling" / "rayjob.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    text = (ROOT / "docs" / "scaling" / "rayjob.yaml").read_text()
    job = yaml.safe_load(text)
    validator.validate(job)
    assert what_is_wrong(job["spec"]["entrypoint"].removeprefix("title-harness ")) == ""
    groups = [job["spec"]["rayClusterSpec"]["headGroupSpec"], *job["spec"]["rayClusterSpec"]["workerGroupSpecs"]]
    for pod in (group["template"]["spec"] for group in groups):
        mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounted <= {volume["name"] for volume in pod["volumes"]}
    for before, after in (
        ("entrypoint", "entryPoint"),
        ('"16"', "16"),
        ("ray.io/v1", "ray.io/v2"),
        ("replicas: 4", "replicas: -1"),
    ):
        with pytest.raises(ValidationError):
            validator.validate(yaml.safe_load(text.replace(before, after)))


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120, "move what is new into docs/"
