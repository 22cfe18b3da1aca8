"""The folder of parts beside an output: whose they are, which are whole, and that one process at a time writes them."""

import fcntl
import json
import os
import re
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_cleaning.errors import BadInput
from data_cleaning.files.whole_files import check_writable, is_unfinished, whole_file
from harness.tagging.outputs.contract import Finished, part_path

JOURNAL = "journal.json"
"""Suffix of the file that marks a part as whole; it is written last."""

SCRATCH = "scratch"
"""Name of a file that is of no use to a later process."""

_IDENTITY, _LOCK, _JOB, _JOINED = "identity.json", "lock", "job", "joined"
_PART = re.compile(r"part-(\d{6,})\..+")

Write = Callable[[pa.Table, Sequence[tuple[Any, ...]] | None], None]


class FillingPart:
    """A part that is being filled; see `Part`."""

    def __init__(self, folder: Path, number: int) -> None:
        self.journal: Mapping[str, Any] | None = None
        self.into: Write | None = None
        """Set by the output, which knows the form of the rows."""
        self._folder = folder
        self._number = number
        self._suffixes: set[str] = set()

    def write(self, table: pa.Table, cells: Sequence[tuple[Any, ...]] | None = None) -> None:
        """Write the next rows."""
        assert self.into is not None, "a part is written inside its block"
        self.into(table, cells)

    def path(self, suffix: str) -> Path:
        """Return where to write a further file of the part."""
        self._suffixes.add(suffix)
        return part_path(self._folder, self._number, suffix)

    def files(self) -> dict[str, Path]:
        """Return what was written so far, by suffix; to look for it would take longer with every part that is there."""
        places = {
            suffix: part_path(self._folder, self._number, suffix) for suffix in sorted(self._suffixes - {JOURNAL})
        }
        return {suffix: place for suffix, place in places.items() if place.is_file()}


class PartsFolder:
    """The parts of one output."""

    def __init__(
        self, out: Path, identity: Mapping[str, Any], facts: Mapping[str, Any], *, force: bool, resumable: bool
    ) -> None:
        """Find what is left of an interrupted job, or begin.

        Args:
            out: the output; the folder lies beside it.
            identity: what the job is, by what a person calls it; parts of another job are not taken for this one's.
            facts: what else the bytes of a part depend on, likewise.
            force: whether parts of another job may be removed. Those of the same job are gone on with in any case.
            resumable: whether whole parts are of use.

        Raises:
            BadInput: another process writes the output, parts of another job or something else lies there, or the
                folder cannot be written.
        """
        self.out = out
        self.folder = parts_folder(out)
        self.finished: list[Finished] = []
        self._identity = {**json.loads(json.dumps(facts)), _JOB: json.loads(json.dumps(identity))}
        self._check_ours()
        check_writable(self.folder)
        self.folder.mkdir(exist_ok=True)
        check_writable(self.folder / _IDENTITY)
        # However the output is let go, nobody is kept waiting for it.
        self._let_go = weakref.finalize(self, os.close, self._locked())
        try:
            self._go_on(force=force, resumable=resumable)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def adding(self) -> Iterator[FillingPart]:
        """Yield the next part to fill; it is whole when the block ends without an error, and otherwise gone."""
        assert self._let_go.alive, "the output is closed"
        number = len(self.finished) + 1
        part = FillingPart(self.folder, number)
        try:
            with whole_file(part.path(JOURNAL)) as filling:
                yield part
                assert part.journal is not None, "a part needs a journal"
                files = part.files()
                for place in files.values():
                    sync(place)
                n_bytes = {suffix: place.stat().st_size for suffix, place in files.items()}
                filling.write_text(json.dumps({"journal": part.journal, "n_bytes": n_bytes}), encoding="utf-8")
                sync(filling)
            sync(self.folder)
        except BaseException:
            self._remove_part(number)
            raise
        self.finished.append(self._whole(number))

    def join(self, fill: Callable[[Path], None], ready: Callable[[Path], None]) -> None:
        """Make the output of whatever `fill` writes into the path that it is given, and tell when that is whole.

        Raises:
            BadInput: the output cannot be written, or the disk is full.
        """
        assert self._let_go.alive, "the output is closed"
        joined = self.folder / _JOINED  # where a killed process leaves nothing in anybody's way
        try:
            with whole_file(self.out) as filling:
                fill(joined)
                sync(joined)
                ready(joined)
                joined.replace(filling)
            sync(self.out.parent)
        finally:
            joined.unlink(missing_ok=True)

    def discard(self, last: Callable[[], None] = lambda: None) -> None:
        """Remove the parts, the folder with them unless somebody has put something else there, and close."""
        self._clear()
        last()
        # The identity goes last: a folder without one would be taken for somebody else's.
        (self.folder / _IDENTITY).unlink(missing_ok=True)
        (self.folder / _LOCK).unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()
        self.close()

    def close(self) -> None:
        """Let another process write here."""
        self._let_go()

    def _check_ours(self) -> None:
        """Refuse, untouched, whatever was not made here."""
        if not os.path.lexists(self.folder):
            return
        names = None
        if self.folder.is_dir() and not self.folder.is_symlink():
            with suppress(PermissionError):
                names = [place.name for place in self.folder.iterdir()]
        if names is None or not (_IDENTITY in names or all(map(_may_be_begun, names))):
            raise BadInput(
                f"{self.folder}, where parts of {self.out.name} would be kept, holds something else and was left as "
                "it is. Move it elsewhere, or choose another --out."
            )
        self._former()

    def _locked(self) -> int:
        """Return the open lock file, locked."""
        busy = BadInput(f"{self.out} is being written by another process. Wait for it, or choose another --out.")
        try:
            lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # the other one is just done
            raise busy from None
        except OSError as error:
            raise BadInput(f"{self.folder} cannot be written: {error.strerror}. Choose another --out.") from None
        try:
            with suppress(OSError):  # a file system without locks is written without them
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise busy from None
            if os.fstat(lock).st_nlink == 0:
                raise busy
        except BaseException:
            os.close(lock)
            raise
        return lock

    def _go_on(self, *, force: bool, resumable: bool) -> None:
        place = self.folder / _IDENTITY
        former = self._former()
        if former is not None and former != self._identity:
            if resumable and not force and self._whole_or_none(1) is not None:
                raise BadInput(
                    f"{self.folder} holds what an interrupted job has done, and this one is another: it differs in "
                    f"{_differences(former, self._identity)}. Repeat the former command to finish that job, or begin "
                    "anew with --force, which removes what it has done."
                )
            resumable = False
        if former is not None and not resumable:
            self._clear()
        if former != self._identity:
            with whole_file(place) as filling:
                filling.write_text(json.dumps(self._identity, indent=2), encoding="utf-8")
                sync(filling)
        while (whole := self._whole_or_none(len(self.finished) + 1)) is not None:
            self.finished.append(whole)
        self._clear(keep=len(self.finished))

    def _former(self) -> dict[str, Any] | None:
        """Return the identity of the parts that lie here; None where none was written.

        Raises:
            BadInput: it is none of ours.
        """
        try:
            former = json.loads((self.folder / _IDENTITY).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            former = None
        if not isinstance(former, dict) or not isinstance(former.get(_JOB), dict):
            raise BadInput(
                f"{self.folder / _IDENTITY} is not readable as what names the job whose parts lie there; nothing was "
                "touched. Move the folder elsewhere, or choose another --out."
            )
        return former

    def _whole_or_none(self, number: int) -> Finished | None:
        """Return a part that was found, if its journal and every file that it names are whole."""
        try:
            noted = json.loads(part_path(self.folder, number, JOURNAL).read_text(encoding="utf-8"))
            sizes = {suffix: part_path(self.folder, number, suffix).stat().st_size for suffix in noted["n_bytes"]}
            return Finished(number, noted["journal"], self.folder) if sizes == noted["n_bytes"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _whole(self, number: int) -> Finished:
        whole = self._whole_or_none(number)
        assert whole is not None, f"part {number} was just written"
        return whole

    def _files(self, number: int) -> dict[str, Path]:
        """Return the files of a part by suffix."""
        start = part_path(self.folder, number, "").name
        return {place.name.removeprefix(start): place for place in sorted(self.folder.glob(f"{start}*"))}

    def _remove_part(self, number: int) -> None:
        # Without its journal a part is not whole, whatever else is left of it.
        part_path(self.folder, number, JOURNAL).unlink(missing_ok=True)
        for place in self._files(number).values():
            place.unlink(missing_ok=True)

    def _clear(self, keep: int = 0) -> None:
        """Remove the parts after the first `keep`, and what killed processes have left."""
        for place in sorted(self.folder.iterdir()):
            named = _PART.fullmatch(place.name)
            if named is not None and int(named[1]) > keep:
                self._remove_part(int(named[1]))
            elif place.name in (_JOINED, SCRATCH) or is_unfinished(place):
                place.unlink(missing_ok=True)


def parts_folder(out: Path) -> Path:
    """Return where the parts of an output lie, while there are any."""
    return out.with_name(f"{out.name}.parts")


def sync(place: Path) -> None:
    """Wait until a file or folder is on the disk, so that nothing that is written later is there before it."""
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _may_be_begun(name: str) -> bool:
    """Say whether a process that was killed before it wrote its identity may have left a file."""
    return name == _LOCK or is_unfinished(Path(name))


def _differences(former: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Word what differs between two jobs: input, options (title, by)."""
    worded = []
    was, is_now = ({**facts, **facts[_JOB]} for facts in (former, now))
    for key in sorted((was.keys() | is_now.keys()) - {_JOB}):
        before, after = was.get(key), is_now.get(key)
        if before == after:
            continue
        inside = ""
        if isinstance(before, dict) and isinstance(after, dict):
            inner = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
            inside = f" ({', '.join(inner)})"
        worded.append(f"{key}{inside}".replace("_", " "))
    return ", ".join(worded)
