import subprocess
import sys

from importlinter.cli import lint_imports


def test_imports_run_one_way(monkeypatch, capsys):
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


def test_the_command_line_starts_without_torch_or_sklearn():
    probe = (
        "import sys, harness.cli, harness.experiment.config; "
        "assert not {'torch', 'sklearn', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", probe], check=True)
