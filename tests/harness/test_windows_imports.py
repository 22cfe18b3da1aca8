"""What predict, explain and audit import, at the start and on use, is on Windows too."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

POSIX_ONLY = frozenset(
    {"crypt", "curses", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
)
"""Modules of the standard library that Windows does not have."""

POSIX_ONLY_OF_OS = frozenset({
    *("chown", "chroot", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid"),
    *("getpriority", "getuid", "initgroups", "killpg", "lchown", "mkfifo", "mknod", "nice", "openpty", "pread"),
    *("pwrite", "sched_getaffinity", "sched_setaffinity", "setsid", "setuid", "statvfs", "sync", "sysconf", "uname"),
    *("wait3", "wait4"),
})  # fmt: skip
"""Functions of `os` that Windows does not have."""

PACKAGES = ("data_cleaning", "baselines", "neural", "harness")

STARTS = {
    "predict": ("harness.cli.tagging_commands", "predict_verb"),
    "explain": ("harness.cli.tagging_commands", "explain_verb"),
    "audit": ("harness.cli.table_commands", "audit_verb"),
}
"""Where each verb is declared."""


@cache
def source_of(module: str) -> Path | None:
    """Return the file of a module of the project without importing anything; None where there is none."""
    for folder in sys.path:
        place = Path(folder, *module.split("."))
        for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


def parsed(module: str) -> ast.Module:
    source = source_of(module)
    assert source is not None, f"no module {module}"
    return ast.parse(source.read_text(encoding="utf-8"))


def imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Yield the modules that code imports anywhere, its own and those of libraries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield node.module or ""
            # `from package import module` imports a module as well.
            yield from (
                f"{node.module}.{alias.name}" for alias in node.names if is_module(f"{node.module}.{alias.name}")
            )


def is_module(name: str) -> bool:
    return name.split(".", 1)[0] in PACKAGES and source_of(name) is not None


class _AsOnWindows(ast.NodeTransformer):
    """Drops what is imported for types alone, and what a function does after Windows has left it."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for position, statement in enumerate(node.body):
            leaves = isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Return)
            if leaves and ast.unparse(statement.test) == "sys.platform == 'win32'":
                node.body = node.body[: position + 1]
                break
        return self.generic_visit(node)


def without_other_verbs(tree: ast.Module, verb: str) -> ast.Module:
    """Keep of a module's functions only a verb and what it calls."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    called, waiting = set(), [verb] if verb in functions else []
    while waiting:
        called.add(name := waiting.pop())
        names = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
        waiting += (names & functions.keys()) - called
    body = [node for node in tree.body if not isinstance(node, ast.FunctionDef) or node.name in called]
    return ast.Module(body=body, type_ignores=[])


def reached(start: str, verb: str) -> dict[str, ast.Module]:
    """Return the project's modules that a verb may import, at the start and on use, with their code."""
    found: dict[str, ast.Module] = {}
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        tree = _AsOnWindows().visit(parsed(module))
        declares_verbs = module == start or module == "harness.cli" or module.endswith("_commands")
        found[module] = without_other_verbs(tree, verb) if declares_verbs else tree
        for name in imported(found[module], module):
            parts = name.split(".")
            packages = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
            waiting += [package for package in packages if is_module(package) and package not in found]
    return found


@pytest.mark.parametrize("verb", STARTS)
def test_a_verb_imports_nothing_that_windows_lacks(verb):
    lacking = []
    for module, tree in reached(*STARTS[verb]).items():
        names = imported(tree, module)
        lacking += [f"{module} imports {name}" for name in names if name.split(".", 1)[0] in POSIX_ONLY]
        lacking += [
            f"{module} uses os.{node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
            and node.attr in POSIX_ONLY_OF_OS
        ]
    assert lacking == []


def test_the_walk_follows_imports_on_use():
    modules = reached(*STARTS["predict"])
    assert {"harness.tagging.predict", "harness.tagging.hierarchy.hierarchy_reading", "neural.classifier"} <= set(
        modules
    )
    assert len(modules) > 40


def test_the_walk_finds_what_windows_lacks(tmp_path, monkeypatch):
    (tmp_path / "posix_user.py").write_text("def verb():\n    import fcntl\n    return fcntl\n")
    monkeypatch.syspath_prepend(tmp_path)
    names = {name for tree in reached("posix_user", "verb").values() for name in imported(tree, "posix_user")}
    assert names & POSIX_ONLY == {"fcntl"}
    monkeypatch.delitem(sys.modules, "posix_user", raising=False)


def test_code_after_windows_has_returned_is_not_walked(tmp_path, monkeypatch):
    guarded = "import sys\ndef verb():\n    if sys.platform == 'win32':\n        return None\n    import fcntl\n"
    (tmp_path / "guarded_user.py").write_text(guarded)
    monkeypatch.syspath_prepend(tmp_path)
    (tree,) = reached("guarded_user", "verb").values()
    assert set(imported(tree, "guarded_user")) == {"sys"}
