"""How a network reads a title, and the other spellings of it that a fit learns from."""

import re

MAX_CHARACTERS = 1_000
"""Only this many characters of a title are read: a tokenizer reads a pasted document to its end."""

_SIGN = re.compile(r"[-,/|:;()]|\.(?=\s|$)")
_TURN = re.compile(r"\s*,\s*|\s+of\s+", re.IGNORECASE)
"""What separates two parts of a title whose order may change."""
_UNCOUNTED = ("ss", "us", "is")
"""Ends of words that are no plurals."""


def as_read(title: str, *, folded: bool) -> str:
    """Return the text of a title that the tokenizer gets; every character keeps its position.

    If `folded`, signs between words become spaces: they caused most of the answers that changed with the spelling. A
    lone surrogate, left by broken decoding, is replaced, because the tokenizer writes titles as UTF-8.
    """
    read = title[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    return _SIGN.sub(" ", read) if folded else read


def spellings(title: str) -> list[str]:
    """Return a title with its parts in reverse order, with its noun in the other number, and with both.

    "Director of Security" gives "Security, Director", "Directors of Security" and "Security, Directors"; "Cloud
    Engineers" gives "Engineers, Cloud", "Cloud Engineer" and "Engineer, Cloud".
    """
    counted = _other_number(title)
    return [_turned(title), counted, _turned(counted)]


def _turned(title: str) -> str:
    """Put the last part of a title first: what follows a comma or "of", else its last word."""
    parts = _TURN.split(title, maxsplit=1)
    if len(parts) == 1:
        parts = title.rsplit(maxsplit=1)
    return ", ".join(reversed(parts)) if len(parts) == 2 and all(parts) else title


def _other_number(title: str) -> str:
    """Change the noun that names the person, the last word before a comma or "of", between singular and plural."""
    person = _TURN.split(title, maxsplit=1)[0]
    start = max(person.rfind(" "), person.rfind("-"), person.rfind("/")) + 1
    word, rest = person[start:], title[len(person) :]
    if len(word) < 3 or not word.isalpha() or word.isupper():
        return title
    return person[:start] + _counted(word) + rest


def _counted(word: str) -> str:
    low = word.lower()
    if low.endswith("ies"):
        return f"{word[:-3]}y"
    if low.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if low.endswith("s") and not low.endswith(_UNCOUNTED):
        return word[:-1]
    if low.endswith("y") and low[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return word + ("es" if low.endswith(("s", "x", "ch", "sh")) else "s")
