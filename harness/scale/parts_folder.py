"""The folder that a job writes: parts that appear whole, what they add up to, and a manifest once all are there."""

import io
import json
import platform
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_cleaning.errors import BadInput, first_few, read_json
from data_cleaning.files import Reject
from data_cleaning.files.output_places import ENDINGS, already_exists, check_file
from data_cleaning.files.process_locks import locked
from data_cleaning.files.whole_files import full_disk_as_bad_input, is_unfinished, remove_unfinished, sync, whole_file
from harness.experiment.checksums import file_digest
from harness.scale.blocks import Block, Input, Place
from harness.tagging.job_folder import differences

MANIFEST, PARTS, QUARANTINE = "manifest.json", "parts", "quarantine"
_JOB, _IDENTITY, _LOCK, _READY = ".job", "job.json", "lock", "ready"
_FACTS = "facts.json"
_FORMAT = 1
MAX_TRIES = 4
"""Workers that may die of a block before the job is given up; Ray itself would try without end."""
_REJECTED = "rejects"
_REJECTS = {"place": pl.Int64, "reason": pl.String, "text": pl.String}
_PLACE = re.compile(r"(\d{5})-(\d{6})")
_NAME = "{:05d}-{:06d}"


@dataclass(frozen=True)
class Partial:
    """What a worker has found out about one block, in values and frames that can be merged."""

    place: Place
    facts: Mapping[str, Any]
    """Values as JSON can hold them. `parts` has the `rows` and `sha256` of each file that was written, by its path."""
    frames: Mapping[str, pl.DataFrame]
    """`rejects` among them: `place`, `reason`, `text`."""

    def rejects(self, given: Input) -> list[Reject]:
        """Return what could not be read in the block; of several files, the reasons tell which one it is in."""
        path = given.files[self.place.file].name
        where = f"in {path}: " if len(given.files) > 1 else ""
        return [Reject(place, f"{where}{reason}", text) for place, reason, text in self.frames[_REJECTED].iter_rows()]


class PartsFolder:
    """A folder with parts, and beside them, until the manifest is written, a hidden folder with what they add up to.

    Everything of a block is written whole, and its partial last: a block with a partial whose files have their
    checksums is done, and any other is done again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.job = self.path / _JOB
        self.ready = self.job / _READY
        """Where the files that need all parts are written before they are moved beside these."""

    @property
    def table(self) -> Path:
        """A file that is not there, after which those beside the parts are named as they are beside a tagged file."""
        return self.path / f"{self.path.name}.parquet"

    def begin(self, block: Block) -> None:
        """Count that a worker begins a block.

        Raises:
            BadInput: this machine does not see the folder, the disk is full, or the block has ended too many workers.
        """
        if not (self.job / _IDENTITY).is_file():
            raise BadInput(
                f"{platform.node()} does not see {self.path}. With several machines, leads, model and --out must be on "
                "a disk that all of them share under the same path."
            )
        begun = self._begun(block.place)
        with full_disk_as_bad_input(self.path), begun.open("ab") as opened:
            n_before = opened.tell()
            opened.write(b".")
        if n_before >= MAX_TRIES:
            last = block.first_row + block.batch.rows.num_rows - 1
            raise BadInput(
                f"{MAX_TRIES} workers have died of rows {block.first_row:,} to {last:,} of input file "
                f"{block.place.file + 1}, or of too little memory meanwhile. Take fewer --workers, or look at these "
                "rows. Parts that are finished are kept for --resume."
            )

    def _begun(self, place: Place) -> Path:
        return self.job / f"begun-{_NAME.format(*place)}"

    def part(self, place: Place, kind: str = PARTS) -> Path:
        """Return the path of a part; the names are in the order of the rows."""
        return self.path / kind / f"part-{_NAME.format(*place)}.parquet"

    def check(
        self, leads: Path, files: Sequence[Path], identity: Mapping[str, Any], *, resume: bool, force: bool
    ) -> None:
        """Refuse, before any work is done, to touch what is not this job's.

        Raises:
            BadInput: the folder cannot be made, is in the one that is read, holds what is read, something else, a
                finished job, or an unfinished one that is not resumed or is another.
        """
        if self.path.name.lower().endswith(ENDINGS):
            raise BadInput(
                f"--engine ray writes a folder of Parquet parts; --out {self.path.name} names a file. Choose another "
                "--out, such as tagged."
            )
        place = self.path.resolve()
        if leads.is_dir() and place.is_relative_to(leads.resolve()):
            raise BadInput(f"--out {self.path} is in {leads}, all of which is read. Choose another --out.")
        if not self.path.exists():
            check_file(self.path, None, force=force)
            return
        inside = [file for file in files if file.resolve().is_relative_to(place)]
        if inside:
            raise BadInput(f"{inside[0]}, which is read, is in {self.path}. Choose another --out.")
        former = self._former()
        if former is None:
            if not self.path.is_dir() or any(self.path.iterdir()):
                raise BadInput(f"{self.path} was not made by a job; nothing in it was touched. Choose another --out.")
        elif not force:
            self._check_same(former, identity, resume=resume)

    def _check_same(self, former: Mapping[str, Any], identity: Mapping[str, Any], *, resume: bool) -> None:
        if (self.path / MANIFEST).exists() and not resume:
            raise already_exists(self.path)
        if not resume:
            raise BadInput(
                f"{self.path} holds a job that was interrupted. Continue it with --resume, or start again with --force."
            )
        now = json.loads(json.dumps(identity))
        if former and former != now:
            raise BadInput(
                f"{self.path} holds the parts of another job: it differs in {differences(former, now)}. Nothing was "
                "touched. Repeat the former command with --resume, start again with --force, or choose another --out."
            )

    @contextmanager
    def locked(self, identity: Mapping[str, Any], *, force: bool) -> Iterator[None]:
        """Keep other processes out, and begin or resume the job; `check` has been called."""

        def refuse() -> None:
            raise BadInput(f"{self.path} is being written by another process. Wait for it, or choose another --out.")

        self.job.mkdir(parents=True, exist_ok=True)
        with locked(self.job / _LOCK, refuse):
            if force:
                self._remove_ours()
            for folder in (self.job, self.path / PARTS, self.path / QUARANTINE):
                if folder.is_dir():
                    remove_unfinished(folder, is_ours=True)
            for begun in self.job.glob("begun-*"):
                begun.unlink()
            (self.path / PARTS).mkdir(exist_ok=True)
            with whole_file(self.job / _IDENTITY) as filling:
                filling.write_text(json.dumps(identity, indent=2), encoding="utf-8")
            try:
                yield
            finally:
                self._tidy()

    def _tidy(self) -> None:
        """Remove what is of no more use: of a finished job all that is hidden, of one without parts everything."""
        is_finished = (self.path / MANIFEST).exists()
        if not is_finished:
            for place in (self.path / PARTS, self.path / QUARANTINE):
                with suppress(OSError):  # it holds something
                    place.rmdir()
        # A part whose worker was interrupted before it saved the partial belongs to a job that goes on.
        if is_finished or not (any(self.job.glob("*.zip")) or (self.path / PARTS).exists()):
            shutil.rmtree(self.job, ignore_errors=True)
            with suppress(OSError):
                self.path.rmdir()

    def save(
        self,
        stage: str,
        block: Block,
        facts: Mapping[str, Any],
        frames: Mapping[str, pl.DataFrame],
        written: Sequence[Path] = (),
    ) -> None:
        """Save what a worker has found out about a block, after it has written files of it.

        What could not be read in the block is saved with it, and at the end of a file what was left out of that.

        Raises:
            BadInput: the disk is full.
        """
        rejects = pl.DataFrame([asdict(one) for one in block.batch.rejects], _REJECTS)
        known = {
            **facts,
            "is_last": block.is_last,
            "left_out": block.left_out,
            "n_skipped": block.n_skipped,
            "n_given": block.batch.rows.num_rows,
            "parts": {
                self._name(path): {
                    "rows": int(pq.read_metadata(path).num_rows),
                    "sha256": file_digest(path),
                }
                for path in written
            },
        }
        with whole_file(self._partial(stage, block.place)) as filling, zipfile.ZipFile(filling, "w") as packed:
            for name, frame in {**frames, _REJECTED: rejects}.items():
                content = io.BytesIO()
                frame.write_ipc(content, compression="zstd")
                packed.writestr(f"{name}.arrow", content.getvalue())
            packed.writestr(_FACTS, json.dumps(known))
        self._begun(block.place).unlink(missing_ok=True)

    def kept(self, stage: str) -> dict[Place, bool]:
        """Return the blocks that are done, and whether each is the last of its file.

        What was found out about them can be read, and the files that were written have their checksums.
        """
        pattern = f"{stage}-*.zip"
        found = [*self.job.glob(pattern)]
        with ThreadPoolExecutor() as threads:  # checksums are work outside Python's lock
            facts = threads.map(self._facts_if_whole, found)
            return {_place(path): one["is_last"] for path, one in zip(found, facts, strict=True) if one is not None}

    def forget(self, stage: str) -> None:
        """Remove what was found out about all blocks."""
        pattern = f"{stage}-*.zip"
        for path in self.job.glob(pattern):
            path.unlink()

    def parts(self) -> dict[str, Any]:
        """Return the `rows` and `sha256` of each file that workers have written, by its path."""
        found: dict[str, Any] = {}
        for path in sorted(self.job.glob("*.zip")):
            with zipfile.ZipFile(path) as packed:
                found |= json.loads(packed.read(_FACTS))["parts"]
        return found

    def partials(self, stage: str) -> Iterator[Partial]:
        """Yield what was found out about each block, in the order of the rows."""
        pattern = f"{stage}-*.zip"
        for path in sorted(self.job.glob(pattern)):
            with zipfile.ZipFile(path) as packed:
                facts = json.loads(packed.read(_FACTS))
                names = [name.removesuffix(".arrow") for name in packed.namelist() if name.endswith(".arrow")]
                frames = {
                    name: pl.DataFrame(pa.ipc.open_file(packed.read(f"{name}.arrow")).read_all()) for name in names
                }
            yield Partial(_place(path), facts, frames)

    @contextmanager
    def making_ready(self) -> Iterator[None]:
        """Hold an empty folder `ready` for the files that need all parts."""
        shutil.rmtree(self.ready, ignore_errors=True)
        with full_disk_as_bad_input(self.path):
            self.ready.mkdir()
            yield

    def waiting(self) -> list[str]:
        """Return the names of what waits in `ready`."""
        return sorted(place.name for place in self.ready.iterdir())

    def finish(self, identity: Mapping[str, Any], facts: Mapping[str, Any], given: Input) -> None:
        """Move what waits in `ready` beside the parts, and write the manifest.

        A process that is killed before the manifest is written is resumed from its parts.
        """
        files, parts = {}, self.parts()
        for name in self.waiting():
            place = self.ready / name
            inside = [file for file in place.rglob("*") if file.is_file()] if place.is_dir() else [place]
            for file in inside:
                sync(file)
                files[file.relative_to(self.ready).as_posix()] = file_digest(file)
            if place.is_dir():
                shutil.rmtree(self.path / name, ignore_errors=True)
            place.replace(self.path / name)
        content = {
            "format": _FORMAT,
            "rows": sum(part["rows"] for name, part in parts.items() if name.startswith(PARTS)),
            "inputs": [
                {"file": str(path), "bytes": state.size} for path, state in zip(given.files, given.states, strict=True)
            ],
            "parts": [{"file": name, **part} for name, part in sorted(parts.items())],
            "files": files,
            "job": identity,
            "facts": facts,
        }
        with whole_file(self.path / MANIFEST) as filling:
            filling.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            sync(filling)

    def finished(self) -> dict[str, Any] | None:
        """Return what an earlier call said of a job that it finished; None where it is not finished.

        Raises:
            BadInput: a file is not as the manifest has it, or a part is not in the manifest.
        """
        if not (self.path / MANIFEST).exists():
            return None
        manifest = read_json(self.path / MANIFEST, "manifest", "Start again with --force.")
        try:
            sums = {part["file"]: part["sha256"] for part in manifest["parts"]} | manifest["files"]
            facts = dict(manifest["facts"])
        except (KeyError, TypeError, ValueError):
            raise BadInput(
                f"{self.path / MANIFEST} is not as it was written. Bring it back, or start again with --force."
            ) from None
        with ThreadPoolExecutor() as threads:
            same = dict(zip(sums, threads.map(lambda name: self._has_sum(name, sums[name]), sums), strict=True))
        wrong = [name for name, is_same in same.items() if not is_same]
        wrong += [name for name in map(self._name, self._part_files()) if name not in sums]
        if wrong:
            raise BadInput(
                f"{self.path} was finished, but {first_few(wrong)} differ from {MANIFEST}, or are missing there or "
                "here. Bring the former state back, or start again with --force."
            )
        return facts

    def _name(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()

    def _part_files(self) -> list[Path]:
        """Return what is named as a part, in the order of the names."""
        found = [path for kind in (PARTS, QUARANTINE) for path in sorted((self.path / kind).glob("part-*.parquet"))]
        return [path for path in found if _PLACE.fullmatch(path.stem.removeprefix("part-"))]

    def _has_sum(self, name: str, digest: str) -> bool:
        path = self.path / name
        return path.is_file() and file_digest(path) == digest

    def _facts_if_whole(self, path: Path) -> dict[str, Any] | None:
        try:
            with zipfile.ZipFile(path) as packed:
                facts: dict[str, Any] = json.loads(packed.read(_FACTS))
                is_whole = packed.testzip() is None
                is_whole &= all(self._has_sum(name, part["sha256"]) for name, part in facts["parts"].items())
        except (OSError, zipfile.BadZipFile, KeyError, ValueError):
            return None
        return facts if is_whole else None

    def _partial(self, stage: str, place: Place) -> Path:
        return self.job / f"{stage}-{_NAME.format(*place)}.zip"

    def _former(self) -> dict[str, Any] | None:
        """Return the identity of the job that has written the folder; None where there was none."""
        for path, what in ((self.path / MANIFEST, "manifest"), (self.job / _IDENTITY, "description of a job")):
            if path.is_file():
                former = read_json(path, what, "Nothing was touched. Choose another --out.")
                identity = former.get("job") if what == "manifest" else former
                return identity if isinstance(identity, dict) else None
        # A process that was killed at once has left no identity.
        names = [place.name for place in self.job.iterdir()] if self.job.is_dir() else None
        is_begun = names is not None and all(name == _LOCK or is_unfinished(Path(name)) for name in names)
        return {} if is_begun and {place.name for place in self.path.iterdir()} == {_JOB} else None

    def _remove_ours(self) -> None:
        """Remove what jobs have written; a file that somebody has put among it stays."""
        if (self.path / MANIFEST).is_file():
            manifest = read_json(self.path / MANIFEST, "manifest", "Choose another --out.")
            for name in (*manifest.get("files", {}), MANIFEST):
                if (self.path / name).resolve().is_relative_to(self.path.resolve()):  # even if it was edited
                    (self.path / name).unlink(missing_ok=True)
        for path in self._part_files():
            path.unlink()
        for path in self.job.iterdir():
            if path.name != _LOCK:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _place(path: Path) -> Place:
    found = _PLACE.search(path.name)
    assert found is not None, "partials are named after their places"
    return Place(int(found[1]), int(found[2]))
