"""SHA-256 sums of every file of a folder, in a file that `sha256sum -c` reads too.

They detect damage. They do not say who wrote a folder: whoever can write to it can also write new sums.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from data_cleaning.errors import BadInput, first_few

CHECKSUMS = "SHA256SUMS"

_REMEDY = "Export the folder again, or make another copy of it."

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_ODD_NAME = re.compile(r"[\\\x00-\x1f\x7f]")
"""`sha256sum` escapes such names, so that a line would no longer hold the name as it is."""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_checksums(folder: Path) -> None:
    """Write the sums of every file of a folder into its `SHA256SUMS`, in the order of their names.

    Raises:
        BadInput: the folder holds a link or anything else but plain files, or a name that no line can hold.
    """
    lines = [f"{file_digest(folder / name)}  {name}\n" for name in sorted(_files(folder)) if name != CHECKSUMS]
    (folder / CHECKSUMS).write_bytes("".join(lines).encode())


def verify(folder: Path) -> None:
    """Check that an exported folder holds the files that its `SHA256SUMS` lists, byte for byte, and nothing else.

    Raises:
        BadInput: there is no `SHA256SUMS`, a line of it is malformed or leads out of the folder, or a file is missing,
            changed, not listed, or a link; every such file is named.
    """
    listed = read_checksums(folder)
    held = set(_files(folder)) - {CHECKSUMS}
    faults = [f"{name} is not listed in {CHECKSUMS}" for name in sorted(held) if name not in listed]
    faults = _faults(folder, listed) + faults
    if faults:
        raise BadInput(f"{folder} is not as it was exported ({CHECKSUMS}): {first_few(faults)}. {_REMEDY}")


def damage(
    folder: Path, is_meant: Callable[[str], bool] = lambda name: True, *, may_hold_more: bool = False
) -> list[str]:
    """Say which files of a folder are not as they were written; empty for a whole one.

    Only files that `is_meant` count. A folder that `may_hold_more` may also hold files that are not listed.
    """
    try:
        listed = {name: digest for name, digest in read_checksums(folder).items() if is_meant(name)}
    except BadInput:
        return [f"{CHECKSUMS} {'is damaged' if (folder / CHECKSUMS).exists() else 'is missing'}"]
    if may_hold_more:
        return _faults(folder, listed)
    held = {place.relative_to(folder).as_posix() for place in folder.rglob("*") if place.is_file()}
    # Python keeps what it compiles of a system of one's own beside the source.
    unlisted = {name for name in held - {*listed, CHECKSUMS} if is_meant(name) and "__pycache__" not in name}
    return _faults(folder, listed) + [f"{name} is not listed in {CHECKSUMS}" for name in sorted(unlisted)]


def check_whole(folder: Path, remedy: str, is_meant: Callable[[str], bool] = lambda name: True) -> bool:
    """Refuse a folder that is damaged; return False if it has no sums, as one that an earlier release wrote.

    Raises:
        BadInput: files are missing, changed or not listed; they are named.
    """
    if not os.path.lexists(folder / CHECKSUMS):
        return False
    faults = damage(folder, is_meant)
    if faults:
        raise BadInput(f"{folder} is damaged ({CHECKSUMS}): {first_few(faults)}. {remedy}")
    return True


def read_checksums(folder: Path) -> dict[str, str]:
    """Return the files that a folder's `SHA256SUMS` lists, and the sum of each.

    Raises:
        BadInput: there is no such file, or a line is malformed, repeated, or leads out of the folder.
    """
    path = folder / CHECKSUMS
    try:
        # Bytes, since reading as text would take one end of a line for another.
        if path.exists() and not path.is_file():  # a pipe would be waited for without end
            raise BadInput(f"{path} is no plain file. {_REMEDY}")
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise BadInput(
            f"{folder} is no exported folder: it has no {CHECKSUMS}. Give one that 'export' wrote."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}). {_REMEDY}") from None
    listed: dict[str, str] = {}
    *lines, rest = text.split("\n")
    for number, line in enumerate([*lines, *([rest] if rest else [])], start=1):
        found = _LINE.fullmatch(line)
        if found is None or (rest and number > len(lines)):
            raise BadInput(
                f"{path}, line {number}: expected a sum of 64 digits, two spaces and a path, ended by a new line, as "
                f"'sha256sum' writes. {_REMEDY}"
            )
        digest, name = found.groups()
        if not _stays_inside(name) or name == CHECKSUMS or name in listed:
            reason = "is listed twice" if name in listed else "is no file of the folder"
            raise BadInput(f"{path}, line {number}: {name!r} {reason}. {_REMEDY}")
        listed[name] = digest
    if not listed:
        raise BadInput(f"{path} lists no file. {_REMEDY}")
    return listed


def _stays_inside(name: str) -> bool:
    """Say whether a listed path is written as `write_checksums` does, and so can lead nowhere else."""
    parts = PurePosixPath(name).parts
    return "/".join(parts) == name and ".." not in parts and not _ODD_NAME.search(name)


def _files(folder: Path) -> Iterator[str]:
    """Yield every file of a folder by its path in it; a link, which may lead anywhere, is refused."""
    for place in sorted(folder.rglob("*")):
        name = place.relative_to(folder).as_posix()
        if place.is_symlink() or not (place.is_file() or place.is_dir()):
            raise BadInput(
                f"{folder} holds {name}, a link or no plain file, which has no sum. Put a file in its place."
            )
        if _ODD_NAME.search(name):
            raise BadInput(f"{folder} holds {name!r}, a name that no line of {CHECKSUMS} can hold. Rename it.")
        if place.is_file():
            yield name


def _faults(folder: Path, listed: dict[str, str]) -> list[str]:
    """Word how listed files differ from their sums."""
    faults = []
    for name, digest in listed.items():
        path = folder / name
        try:
            if not path.exists():
                faults.append(f"{name} is missing")
            elif not path.is_file():
                faults.append(f"{name} is no plain file")
            elif file_digest(path) != digest:
                faults.append(f"{name} has changed")
        except OSError as error:
            faults.append(f"{name} cannot be read ({error.strerror})")
    return faults
