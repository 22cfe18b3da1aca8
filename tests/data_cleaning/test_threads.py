import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from data_cleaning import threads
from data_cleaning.threads import limit_threads, usable_cores

ROOT = Path(__file__).parents[2]
LOOK = (
    "import os, neural, torch, polars\n"
    "waiting = map(os.environ.get, ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT'))\n"
    "print(torch.get_num_threads(), polars.thread_pool_size(), *waiting)"
)
SETTINGS = (*threads.NUMBERS, *threads.WAITING, "LOCAL_WORLD_SIZE", "POLARS_MAX_THREADS")


@pytest.fixture
def environment(monkeypatch):
    """The environment of a user who has set nothing."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def cores(environment, usable, all_cores=16, physical=8):
    environment.setattr(threads, "usable_cores", lambda: usable)
    environment.setattr(os, "cpu_count", lambda: all_cores)
    environment.setattr(psutil, "cpu_count", lambda logical: physical)


def limited():
    limit_threads()
    return [os.environ.get(name) for name in threads.NUMBERS]


def seen_by(*command, **more):
    done = subprocess.run([*command], capture_output=True, text=True, cwd=ROOT, check=False, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_process_with_the_whole_machine_leaves_the_number_to_the_libraries(environment):
    cores(environment, usable=16)

    assert limited() == [None, None]
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_a_process_with_fewer_cores_gets_as_many_threads(environment):
    cores(environment, usable=3)

    assert limited() == ["3", "3"]


@pytest.mark.parametrize(("usable", "n_processes", "expected"), [(16, 2, "4"), (6, 2, "3"), (6, 4, "1"), (2, 4, "1")])
def test_processes_of_torchrun_share_the_cores(environment, usable, n_processes, expected):
    cores(environment, usable)
    environment.setenv("LOCAL_WORLD_SIZE", str(n_processes))

    assert limited() == [expected, expected]


@pytest.mark.parametrize("given_to_torchrun", [{}, {"OMP_NUM_THREADS": "1"}])
def test_one_thread_is_kept_where_the_user_asked_for_it_and_not_torchrun(environment, given_to_torchrun):
    cores(environment, usable=6)
    environment.setenv("LOCAL_WORLD_SIZE", "2")
    environment.setenv("OMP_NUM_THREADS", "1")
    environment.setattr(psutil.Process, "environ", lambda _: given_to_torchrun)

    assert limited()[0] == ("1" if given_to_torchrun else "3")


def test_a_number_for_polars_on_a_machine_without_limits_is_that_of_all_libraries(environment):
    environment.setattr(psutil.Process, "cpu_affinity", lambda _: [*range(16)], raising=False)
    environment.setattr(os, "cpu_count", lambda: 16)
    environment.setattr(threads, "Path", lambda *_: Path("/nowhere"))  # no cgroups
    assert limited() == [None, None]
    environment.setenv("POLARS_MAX_THREADS", "3")
    environment.setattr(threads, "usable_cores", lambda: 3)
    assert limited() == ["3", "3"]


def test_what_the_user_has_set_stays(environment):
    cores(environment, usable=3)
    for name, value in {"OMP_NUM_THREADS": "5", "GOMP_SPINCOUNT": "7", "OMP_WAIT_POLICY": "ACTIVE"}.items():
        environment.setenv(name, value)

    assert limited() == ["5", "3"]
    assert (os.environ["GOMP_SPINCOUNT"], os.environ["OMP_WAIT_POLICY"]) == ("7", "ACTIVE")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity of processes")
def test_threads_of_a_process_that_is_bound_to_one_core(environment):
    first = min(os.sched_getaffinity(0))

    found = seen_by(sys.executable, "-c", LOOK, preexec_fn=lambda: os.sched_setaffinity(0, {first}))

    assert found == ["1", "1", "PASSIVE", "0"]


def quota_of_one_core(folder):
    """Let the processes of a cgroup use one core; skip where none can be made."""
    for name, value in {"cpu.max": "100000 100000", "cpu.cfs_quota_us": "100000"}.items():
        if (folder.parent / name).exists() or (folder / name).exists():
            (folder / name).write_text(value)
            return
    raise OSError("no controller of cores")


@pytest.fixture
def one_core_group():
    """A cgroup within that of the tests, whose processes may use one core."""
    for parent in (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")):
        folder = parent / f"title-harness-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            quota_of_one_core(folder)
        except OSError:
            folder.rmdir()
            continue
        yield folder
        folder.rmdir()
        return
    pytest.skip("a quota of cores needs a cgroup that may be written")


@pytest.mark.parametrize(("written", "expected"), [("100000 100000", "1"), ("max 100000", None)])
@pytest.mark.parametrize("own", ["/a/b", "/"])
def test_a_quota_of_a_cgroup_or_of_one_around_it_limits(environment, tmp_path, own, written, expected):
    cores(environment, usable=1)
    environment.setattr(psutil.Process, "cpu_affinity", lambda _: [*range(16)], raising=False)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(f"0::{own}\n")
    around = tmp_path / "sys/fs/cgroup/a"
    around.mkdir(parents=True)
    (around.parent if own == "/" else around).joinpath("cpu.max").write_text(f"{written}\n")
    elsewhere = lambda *parts: Path(tmp_path, *(part.lstrip("/") for part in map(str, parts)))  # noqa: E731
    environment.setattr(
        threads, "Path", lambda place: elsewhere(place) if str(place).startswith(("/proc", "/sys")) else Path(place)
    )

    assert limited() == [expected, expected]


def test_threads_of_a_process_with_a_quota_of_one_core(environment, one_core_group):
    enter = f'echo $$ > {one_core_group}/cgroup.procs && exec "$@"'

    assert seen_by("sh", "-c", enter, "sh", sys.executable, "-c", LOOK) == ["1", "1", "PASSIVE", "0"]


def test_the_command_decides_before_libraries_are_loaded(environment):
    code = (
        "import sys, harness.command as command\n"
        "assert not {'torch', 'numpy', 'polars'} & set(sys.modules)\n"
        "command.limit_threads = lambda: sys.exit(0 if 'numpy' not in sys.modules else 'numpy is loaded')\n"
        "command.main()"
    )

    assert seen_by(sys.executable, "-c", code) == []


def test_processes_of_torchrun_wait_asleep(environment, tmp_path):
    script = tmp_path / "look.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{LOOK}", encoding="utf-8")
    run = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script))

    found = seen_by(*run)

    each = str(max(min(usable_cores(), psutil.cpu_count(logical=False) or 1) // 2, 1))
    assert found[0::4] == [each, each]
    assert found[2::4] == ["PASSIVE", "PASSIVE"]
    assert found[3::4] == ["0", "0"]
