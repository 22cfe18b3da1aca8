"""Names of columns: when two are the same but for their spelling, and what a column is usually called.

Case, accents, blanks, line breaks, signs and remarks in brackets make no difference, nor does the number of a question.
The usual names are in column_names.csv; each line has names that mean one thing, the most telling first.
"""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from data_cleaning.errors import BadInput, did_you_mean, first_few

_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_QUESTION_NUMBER = re.compile(r"^\s*(?:q\d+[a-z]?|\d+)\s*[.:)_-]?\s+", re.IGNORECASE)
_CAPITAL_WITHIN = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
_SPACED = re.compile(r"[\u0000-\u1fff]")
"""Scripts that put blanks between words, and signs; East Asian ones, which do not, are beyond."""
_MAX_SHOWN = 20


def name_words(name: str) -> list[str]:
    """Return the words of a column's name as they are compared: `JOB_TITLE *` has "job" and "title"."""
    bare = _REMARK.sub(" ", name)
    bare = _QUESTION_NUMBER.sub("", bare if _WORD.search(bare) else name)
    plain = unicodedata.normalize("NFKD", _CAPITAL_WITHIN.sub(" ", bare).replace("\u00ad", "").replace("\u200b", ""))
    return _WORD.findall("".join(sign for sign in plain if not unicodedata.combining(sign)).casefold())


def column_key(name: str) -> str:
    """Return what is equal for two names that differ in spelling only, "" for a name without letter or digit."""
    return "".join(name_words(name))


@cache
def usual_names(meaning: str) -> tuple[tuple[str, ...], ...]:
    """Return the usual names of a column, each as its words, the most telling first.

    The meanings are title, function, role, level, record, country, date, count, event and other.
    """
    text = files(__package__).joinpath("column_names.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    names = (name for row in rows if row["meaning"] == meaning for name in row["names"].split(";"))
    return tuple(dict.fromkeys(tuple(name_words(name)) for name in names))


def holds_name(words: Sequence[str], usual: Sequence[str]) -> bool:
    """Say whether a usual name is among the words of a longer one, such as a question."""
    if not _SPACED.search("".join(usual)):
        return "".join(usual) in "".join(words)
    return any(tuple(words[start : start + len(usual)]) == tuple(usual) for start in range(len(words)))


def unique_names(names: Sequence[str]) -> list[str]:
    """Add its place to each name that occurs more than once, as in "Job Title (column 2)", and leave the others."""
    times = Counter(names)
    taken = set(names)
    unique = []
    for place, name in enumerate(names, start=1):
        if name.strip() and times[name] > 1:
            name = f"{name} (column {place})"
            while name in taken:
                name = f"{name} (column {place})"
        unique.append(name)
        taken.add(name)
    return unique


def shown(name: str) -> str:
    """Quote a name for a message, on one line and without odd blanks; a person may give it just so."""
    return repr(" ".join(name.replace("\u00ad", "").replace("\u200b", "").split()))


def same_columns(names: Sequence[str], wanted: str) -> list[str]:
    """Return the column that is called just so, or else all that are but for their spelling."""
    key = column_key(wanted)
    return [wanted] if wanted in names else [name for name in names if key and column_key(name) == key]


def one_column(names: Sequence[str], wanted: str, path: Path, remedy: str = "") -> str:
    """Return the one column of a file that is called as wanted, whatever its spelling.

    Raises:
        BadInput: there is none, which a `remedy` may be known for, or there are several.
    """
    found = same_columns(names, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(
            f"{path} has {len(found)} columns called {shown(wanted)}: {first_few(map(shown, found))}. Name one of "
            "these, or rename all but one."
        )
    raise unknown_column(names, wanted, path, remedy)


def unknown_column(names: Sequence[str], wanted: str, path: Path, remedy: str = "") -> BadInput:
    """Build the error for a column that a file does not have, with the nearest of those that it has."""
    known = [shown(name)[1:-1] for name in names if name.strip()]
    listed = first_few((shown(name) for name in names if name.strip()), max_items=_MAX_SHOWN)
    said = f"{path}: Unknown column {shown(wanted)}.{did_you_mean(wanted, known)} The file has {listed}."
    return BadInput(f"{said} {remedy}".rstrip())
