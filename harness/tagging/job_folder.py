"""The hidden folder of a job beside its output: whose it is, what survives a kill, and how finished files move out."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from data_cleaning.errors import BadInput, read_json
from data_cleaning.files.process_locks import locked
from data_cleaning.files.whole_files import (
    check_writable,
    is_unfinished,
    remove_unfinished,
    sync,
    unwritable_as_bad_input,
    whole_file,
)
from harness.experiment.cache import digest
from harness.experiment.checksums import file_digest

_IDENTITY, _LOCK, _FINISHED = "job.json", "lock", "finished.json"
_ANSWERS, _READY, _SCRATCH = "answers", "ready", "scratch"
_SUM = "sum"
"""Key of the sum in the list of finished files, by which a damaged list is recognised."""


class JobFolder:
    """What a job keeps until its files are whole and in their places.

    While it works, its files are in `ready`. Then a list of them is written, and each is moved to its place. A process
    that finds such a list moves the rest: a file that is no longer in `ready` was moved before.
    """

    def __init__(self, out: Path, identity: Mapping[str, Any], *, force: bool) -> None:
        """Look at what an interrupted call has left, and write nothing yet.

        The identity is all that the files of the job depend on, by what a person calls it, as JSON can hold it. With
        `force` the work of another job may be removed.

        Raises:
            BadInput: the folder was not made by a job, or holds the work of another one.
        """
        self.path = job_folder(out)
        self.ready, self.scratch, self.answers = (self.path.absolute() / name for name in (_READY, _SCRATCH, _ANSWERS))
        self._out = out
        self._identity: dict[str, Any] = json.loads(json.dumps(identity))
        self._force = force
        self._check_ours()
        self._is_same = self._check_same()

    @property
    def finished(self) -> dict[str, Any] | None:
        """What was said of the files, if an earlier call of this job has made them all; None otherwise."""
        listed = self._listed()
        if listed is None:
            return None
        # Somebody may have removed one of the files that were moved, and one that was not may be damaged.
        for name, written in listed["files"].items():
            waiting = self.ready / name
            if not (file_digest(waiting) == written if waiting.is_file() else self._place(name).exists()):
                return None
        return dict(listed["facts"])

    @property
    def moved(self) -> frozenset[str]:
        """Names of the files that an earlier call of this job has moved to their places."""
        listed = self._listed()
        return frozenset(name for name in (listed or {"files": {}})["files"] if not (self.ready / name).exists())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out, and begin or resume; the answers of an earlier call of this job are kept.

        A call that fails keeps nothing else but finished files, so that a full disk has room again.

        Raises:
            BadInput: another process writes the output, or the folder cannot be written.
        """
        check_writable(self.path)
        with unwritable_as_bad_input(self.path):
            self.path.mkdir(exist_ok=True)
        check_writable(self.path / _IDENTITY)

        def refuse() -> None:
            raise BadInput(f"{self._out} is being written by another process. Wait for it, or choose another --out.")

        try:
            with locked(self.path / _LOCK, refuse):
                self._begin()
                try:
                    yield
                except BaseException:
                    self._keep_what_is_used_again()
                    raise
        finally:
            # `discard` could not remove a lock that is held.
            if os.name == "nt" and not (self.path / _IDENTITY).exists():
                with suppress(OSError):
                    (self.path / _LOCK).unlink(missing_ok=True)
                    self.path.rmdir()

    def move(self, names: Sequence[str], facts: Mapping[str, Any]) -> None:
        """Put whole files of `ready` into their places, in their order, once all are on the disk.

        The facts are what is to be said of them, as JSON can hold it, should a kill come between.
        """
        for name in names:
            sync(self.ready / name)
        sync(self.ready)
        with whole_file(self.path / _FINISHED) as filling:
            listed = {"files": {name: file_digest(self.ready / name) for name in names}, "facts": dict(facts)}
            filling.write_text(json.dumps({**listed, _SUM: digest(listed)}), encoding="utf-8")
            sync(filling)
        sync(self.path)
        self.move_rest()

    def move_rest(self) -> None:
        """Put those files into their places that no earlier call has put there."""
        listed = self._listed()
        assert listed is not None, "files are listed before they are moved"
        for name in listed["files"]:
            if (self.ready / name).exists():
                with unwritable_as_bad_input(self._place(name)):
                    (self.ready / name).replace(self._place(name))
        sync(self._out.parent)

    def discard(self) -> None:
        """Remove the folder, unless a person has put something else there."""
        # The identity goes last: a folder without one would be refused as a foreign one.
        self._clear()
        shutil.rmtree(self.answers, ignore_errors=True)
        for name in (_FINISHED, _IDENTITY, _LOCK):
            with suppress(PermissionError):  # Windows removes no lock that is held
                (self.path / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    def _place(self, name: str) -> Path:
        return self._out.with_name(name)

    def _begin(self) -> None:
        self._is_same = self._check_same()
        if not self._is_same:
            (self.path / _FINISHED).unlink(missing_ok=True)
            shutil.rmtree(self.answers, ignore_errors=True)
            with whole_file(self.path / _IDENTITY) as filling:
                filling.write_text(json.dumps(self._identity, indent=2), encoding="utf-8")
                sync(filling)
            self._is_same = True
        if self.finished is None:
            (self.path / _FINISHED).unlink(missing_ok=True)
            self._clear()
            self.ready.mkdir()
            self.scratch.mkdir()

    def _keep_what_is_used_again(self) -> None:
        if self.finished is not None:
            return
        self._clear()
        if not self._has_work():
            self.discard()

    def _has_work(self) -> bool:
        return (self.path / _FINISHED).exists() or (self.answers.is_dir() and any(self.answers.iterdir()))

    def _clear(self) -> None:
        shutil.rmtree(self.ready, ignore_errors=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        remove_unfinished(self.path, is_ours=True)

    def _listed(self) -> dict[str, Any] | None:
        """Return the list of finished files of this job; None where there is none, or it is damaged."""
        if not self._is_same:
            return None
        try:
            listed = read_json(self.path / _FINISHED, "list of finished files", "")
        except BadInput:
            return None
        if listed.pop(_SUM, None) != digest(listed):
            return None
        # Files move beside the output and nowhere else, even if the list was edited.
        return listed if all(Path(name).name == name for name in listed["files"]) else None

    def _check_ours(self) -> None:
        """Refuse, untouched, whatever was not made here."""
        if not os.path.lexists(self.path):
            return
        names = None
        if self.path.is_dir() and not self.path.is_symlink():
            with suppress(PermissionError):
                names = [place.name for place in self.path.iterdir()]
        # A process that was killed at once has left no identity.
        if names is None or not (
            _IDENTITY in names or all(name == _LOCK or is_unfinished(Path(name)) for name in names)
        ):
            raise BadInput(
                f"{self.path}, where unfinished work on {self._out.name} would be kept, holds something else and was "
                "left as it is. Move it elsewhere, or choose another --out."
            )

    def _check_same(self) -> bool:
        """Say whether this job was begun here; another one that has left answers or finished files is refused."""
        if not os.path.lexists(self.path):
            return False
        if not (self.path / _IDENTITY).exists():
            return False
        remedy = "Nothing was touched. Move its folder elsewhere, or choose another --out."
        former = read_json(self.path / _IDENTITY, "description of a job", remedy)
        is_same = former == self._identity
        if not is_same and self._has_work() and not self._force:
            raise BadInput(
                f"{self.path} holds what an interrupted job has done, and this one is another: it differs in "
                f"{differences(former, self._identity)}. Repeat the former command to finish that job, or start again "
                "with --force, which removes what it has done."
            )
        return is_same


def job_folder(out: Path) -> Path:
    """Return where an unfinished job keeps its work: tagged.csv to .tagged.csv.job."""
    return out.with_name(f".{out.name}.job")


def differences(former: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Word what differs between two jobs: input, options (title, by)."""
    worded = []
    for key in sorted(former.keys() | now.keys()):
        before, after = former.get(key), now.get(key)
        if before == after:
            continue
        inside = ""
        if isinstance(before, dict) and isinstance(after, dict):
            inner = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
            inside = f" ({', '.join(inner)})"
        worded.append(f"{key}{inside}".replace("_", " "))
    return ", ".join(worded)
