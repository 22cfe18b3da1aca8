#!/usr/bin/env bash
# Measures the network on a GPU in under eight minutes and writes results/reference/gpu.md. Without a GPU it runs in CPU
# mode, in under two minutes, and says so.
#
#   tests/gpu/run.sh                                          # from a bare checkout
#   PYTHON=/opt/venv/bin/python tests/gpu/run.sh --out gpu.md
#
# Needs Python 3.11 or newer with torch and transformers. Of what else the network needs, it installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}

missing=$("$PYTHON" - <<'CHECK'
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version

listed = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]
needed = {re.match(r"[\w-]+", each)[0]: each for each in listed}
for name in ("torch", "transformers"):
    try:
        version(name)
    except PackageNotFoundError:
        sys.exit(f"{sys.executable} has no {name}. Name a Python that has torch and transformers: PYTHON=... tests/gpu/run.sh")
for name in ("ftfy", "pandas", "polars", "psutil", "pyyaml", "safetensors", "tokenizers"):
    try:
        enough = [int(part) for part in re.findall(r"\d+", needed[name])]
        if [int(part) for part in re.findall(r"\d+", version(name))] < enough:
            print(needed[name])
    except PackageNotFoundError:
        print(needed[name])
CHECK
)
if [ -n "$missing" ]; then
    echo "Installing $(echo $missing)" >&2
    # shellcheck disable=SC2086 # one word a package
    "$PYTHON" -m pip install --quiet --disable-pip-version-check $missing
fi
exec "$PYTHON" -m tests.gpu.measure "$@"
