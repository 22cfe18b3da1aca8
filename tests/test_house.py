"""What docs/ARCHITECTURE.md promises about the shape of the code."""

from collections import Counter
from pathlib import Path

import grimp
import networkx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("data_cleaning", "baselines", "neural", "harness")
MODULES = [module for package in PACKAGES for module in sorted((ROOT / package).rglob("*.py"))]


def test_no_two_modules_share_a_name():
    names = Counter(module.name for module in MODULES if not module.name.startswith("__"))
    assert [name for name, n_modules in names.items() if n_modules > 1] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_longer_than_400_lines(package):
    lengths = {
        module.name: len(module.read_text(encoding="utf-8").splitlines())
        for module in MODULES
        if package == module.relative_to(ROOT).parts[0]
    }
    assert {name: n_lines for name, n_lines in lengths.items() if n_lines > 400} == {}


def test_the_top_of_harness_has_three_files_at_most():
    assert len(list((ROOT / "harness").glob("*.py"))) <= 3


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph(*PACKAGES)
    imports = networkx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    circles = [sorted(circle) for circle in networkx.strongly_connected_components(imports) if len(circle) > 1]
    assert circles == []
