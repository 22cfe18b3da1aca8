"""Names of columns, files and sheets, made from what people have called things."""

import re
from collections.abc import Iterable

_LONGEST_IN_FILE, _LONGEST_OF_SHEET = 40, 31  # characters
_NOT_IN_FILE, _NOT_IN_SHEET = re.compile(r"[^\w.-]+"), re.compile(r"[\[\]:*?/\\\x00-\x1f]+")


def free_name(name: str, taken: Iterable[str], prefix: str) -> str:
    """Return a name that is not taken, with the prefix before it if need be."""
    others = frozenset(taken)
    while name in others:
        name = f"{prefix}_{name}"
    return name


def file_parts(names: Iterable[str]) -> list[str]:
    """Turn names into parts of file names, each another one, also where files do not tell capitals apart."""
    plain = (_NOT_IN_FILE.sub("_", name).strip("._")[:_LONGEST_IN_FILE] or "column" for name in names)
    return _numbered(plain, _LONGEST_IN_FILE)


def sheet_names(names: Iterable[str]) -> list[str]:
    """Turn names into ones that a workbook's sheets can have, each another one."""
    plain = (_NOT_IN_SHEET.sub(" ", name).strip(" '")[:_LONGEST_OF_SHEET].rstrip(" '") or "Sheet" for name in names)
    return _numbered(plain, _LONGEST_OF_SHEET)


def _numbered(names: Iterable[str], longest: int) -> list[str]:
    """Put _2, _3 and so on behind names that have come before."""
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        free, number = name, 1
        while free.casefold() in taken:
            number += 1
            end = f"_{number}"
            free = f"{name[: longest - len(end)]}{end}"
        taken.add(free.casefold())
        found.append(free)
    return found
