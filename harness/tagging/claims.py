"""Which files a job has put in their places, so that it may do so again after a kill, and nobody else's are touched."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.experiment.cache import digest

_NAME = "claims.json"


class Claims:
    """What a job is about to put in place, noted before it does, by size and time of the last change.

    A file that stands there and is none of these is somebody else's.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        """Read what an interrupted call of the same job has noted.

        Args:
            folder: of the parts; it need not be there yet.
            identity: of the job; what another job has noted does not count.
        """
        self._path, self._new = folder / _NAME, folder / f"new-{_NAME}"
        self._job = digest(identity)
        self._stamps: dict[str, list[list[int]]] = {}
        try:
            noted = json.loads(self._path.read_text(encoding="utf-8"))
            if noted["job"] == self._job:
                self._stamps = dict(noted["stamps"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # nothing was noted, or not to its end

    def hold(self, file: Path) -> bool:
        """Say whether a file that exists is one that this job has put there."""
        return _stamp(file) in self._stamps.get(file.name, [])

    def note(self, ready: Mapping[Path, Path]) -> None:
        """Note files that are about to be put in place.

        Args:
            ready: place to the file that will be moved there as it is.
        """
        for place, file in ready.items():
            self._stamps.setdefault(place.name, []).append(_stamp(file))
        self._new.write_text(json.dumps({"job": self._job, "stamps": self._stamps}), encoding="utf-8")
        self._new.replace(self._path)

    def forget(self) -> None:
        """Remove the notes, once all is in place."""
        self._path.unlink(missing_ok=True)
        self._new.unlink(missing_ok=True)


def _stamp(file: Path) -> list[int]:
    facts = file.stat()
    return [facts.st_size, facts.st_mtime_ns]
