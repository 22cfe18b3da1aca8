"""Nothing that is loaded can run code: no pickle in the sources, none on disk, and no code that comes with weights.

Models are safetensors, JSON, CSV and ONNX. Only the system sklearn saves estimators of scikit-learn, by skops, which
builds nothing but types that are known to be harmless. A system of one's own is code; it runs where it is asked for by
name.
"""

import ast
from pathlib import Path

import pytest

from tests.harness.tagging.given_run import toy_run

ROOT = Path(__file__).parents[3]
PACKAGES = ("data_cleaning", "baselines", "neural", "harness")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

MODULES = {"pickle", "cPickle", "_pickle", "dill", "joblib", "cloudpickle", "shelve", "marshal", "jsonpickle"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
METHODS = {
    *("read_pickle", "to_pickle", "load_pickle"),
    *("unsafe_load", "unsafe_load_all", "full_load", "full_load_all"),
}
OF_MODULE = {("torch", "load"), ("torch", "save"), ("torch.hub", "load"), ("torch.jit", "load")}
LOADERS = {"SafeLoader", "CSafeLoader"}

SUFFIXES = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".dill", ".npy", ".npz", ".skops", ".ckpt", ".h5"}
STARTS = (
    b"\x80\x02",
    b"\x80\x03",
    b"\x80\x04",
    b"\x80\x05",
    b"PK\x03\x04",
    b"\x93NUMPY",
    b"(d",
    b"(l",
    b"c__builtin__",
)
"""How pickles of each protocol, torch's zip files, numpy's files and pickles in letters begin."""


BETWEEN_PROCESSES = {"harness/scale/blocks.py": ["imports pickle"]}
"""What workers of one Ray job tell each other is pickled, by Ray too; nothing of it comes from a file."""


def faults(source):
    """Yield what of a source could run code that comes from a file."""
    tree = ast.parse(source)
    named = _names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"imports {name}" for name in modules if name.split(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            yield from _faults_of_call(node, named)


def _names(tree):
    """Return what each imported name stands for."""
    named = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                named[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            named.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return named


def _faults_of_call(node, named):
    called = _dotted(node.func)
    first, _, rest = called.partition(".")
    full = ".".join(part for part in (named.get(first, first), rest) if part)
    module, _, name = full.rpartition(".")
    if full in BUILTINS or name in METHODS or (module, name) in OF_MODULE:
        yield f"calls {full}"
    if full == "importlib.import_module":
        yield f"calls {full}"
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    for option in ("trust_remote_code", "allow_pickle"):
        if option in given and not (isinstance(given[option], ast.Constant) and given[option].value is False):
            yield f"gives {option}"
    if full in ("yaml.load", "yaml.load_all"):
        loader = given.get("Loader", node.args[1] if len(node.args) > 1 else None)
        if loader is None or _dotted(loader).rpartition(".")[2] not in LOADERS:
            yield f"calls {full} without a safe loader"


def _dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return "?"  # whatever some expression returns


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_source_can_load_what_runs_code(path):
    expected = BETWEEN_PROCESSES.get(path.relative_to(ROOT).as_posix(), [])
    assert [*dict.fromkeys(faults(path.read_text(encoding="utf-8")))] == expected


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import joblib.numpy_pickle",
        "from cloudpickle import loads",
        "import torch\ntorch.load('x')",
        "import torch as t\nt.save(1, 'x')",
        "from torch import load\nload('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import numpy as np\nnp.load('x', allow_pickle=flag)",
        "import yaml\nyaml.load(text)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "import yaml\nyaml.load_all(text, yaml.FullLoader)",
        "import yaml\nyaml.unsafe_load(text)",
        "from yaml import load\nload(text)",
        "import pandas as pd\npd.read_pickle('x')",
        "AutoModel.from_pretrained('x', trust_remote_code=True)",
        "AutoModel.from_pretrained('x', trust_remote_code=flag)",
        "eval('1')",
        "exec(text)",
        "import importlib\nimportlib.import_module(name)",
    ],
)
def test_each_way_to_load_what_runs_code_is_seen(source):
    assert len(list(faults(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "MultiHead(encoder).to(device).eval()",
        "import numpy as np\nnp.load('x')",
        "import yaml\nyaml.load(text, Loader=yaml.SafeLoader)",
        "import yaml\nyaml.safe_load(text)",
        "AutoModel.from_pretrained('x', trust_remote_code=False)",
        "from safetensors.torch import load_model\nload_model(model, 'x')",
        "import re\nre.compile('x')",
    ],
)
def test_text_that_is_no_formula_stays_as_it_is(source):
    assert list(faults(source)) == []


def test_no_file_of_a_saved_system_is_a_pickle(company):
    files = [path for path in (toy_run(company.config) / "models").rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} >= {"majority", "keyword", "tfidf", "neural", "keyword+mined"}
    for path in files:
        assert path.suffix not in SUFFIXES, path
        assert not path.read_bytes()[:16].startswith(STARTS), path
