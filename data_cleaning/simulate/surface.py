"""How people type: abbreviations, separators, letter case and typing errors, all from small numbers drawn beforehand.

A title is written from a handful of codes, so equal codes give equal titles and the work is done once per title.
"""

import re
from collections.abc import Callable, Mapping

from data_cleaning.simulate.word_lists import read_list

ABBREVIATIONS: Mapping[str, tuple[str, ...]] = {
    row["words"]: (row["first"], row["second"], row["third"]) for row in read_list("abbreviations")
}
"""Word or words to three ways of shortening or varying them."""

_ABBREVIABLE = re.compile(r"\b(" + "|".join(sorted(map(re.escape, ABBREVIATIONS), key=len, reverse=True)) + r")\b")
_JOINERS = (" & ", " and ", "/", " / ", " + ", " And ", "&", " & ")
_SEPARATORS = (", ", ", ", " - ", " | ", "; ", ": ", ",", " – ")
_LETTER = re.compile(r"[A-Za-z]{5,}")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_NEIGHBOURS = dict(zip(_ALPHABET, "snvfrdgjokhljmkpwetsycixuz", strict=True))
"""A key next to each letter on a QWERTY keyboard."""

_CASES: tuple[Callable[[str], str], ...] = (
    str, str.lower, str.upper, str.title, str.capitalize, lambda title: f"{title} ",
    lambda title: title.replace(" ", "  ", 1), str.swapcase,
)  # fmt: skip

CHANCES: Mapping[str, tuple[float, ...]] = {
    "join": (0.70, 0.16, 0.06, 0.03, 0.01, 0.01, 0.02, 0.01),
    "separator": (0.55, 0.22, 0.10, 0.03, 0.01, 0.02, 0.04, 0.03),
    # Code 0 writes every word out; the codes after it shorten one word, the first two or the last, in three ways.
    "abbreviation": (0.90, *(0.1 / 15,) * 15),
    # As typed, lower, UPPER, Every Word, First word, trailing space, double space, caps lock.
    "case": (0.845, 0.068, 0.042, 0.02, 0.012, 0.006, 0.005, 0.002),
}
"""What is drawn per record, in this order, to the chance of each code."""
N_TYPOS = 256


def write(text: str, *, join: int, separator: int, abbreviation: int, typo: int, case: int) -> str:
    """Write a title the way one person would; the codes are positions in `CHANCES`, and `typo` is below `N_TYPOS`."""
    if join and " & " in text:
        text = text.replace(" & ", _JOINERS[join])
    if separator and ", " in text:
        text = text.replace(", ", _SEPARATORS[separator])
    if abbreviation:
        text = _abbreviate(text, abbreviation)
    if typo:
        text = _mistype(text, typo)
    return _CASES[case](text) if case else text


def _abbreviate(text: str, code: int) -> str:
    """Shorten some words: which of them and how is in the code."""
    which, variant = divmod(code, 3)
    found = list(_ABBREVIABLE.finditer(text))
    chosen = (found[:1], found[-1:], found[:2], found, found[1:2], found[-1:])[which]
    for match in reversed(chosen):
        text = text[: match.start()] + ABBREVIATIONS[match[1]][variant] + text[match.end() :]
    return text


def _mistype(text: str, typo: int) -> str:
    """Add one typing error to a long word; short words stay, because CEO is not a mistyped CIO."""
    words = list(_LETTER.finditer(text))
    if not words:
        return text
    kind, rest = typo % 4, typo // 4
    word = words[rest % len(words)]
    # The first letter is nearly always right, and a swap needs a letter after the one it moves.
    place = word.start() + 1 + (rest // len(words)) % (len(word[0]) - 2)
    here, after = text[place], text[place + 1]
    new = (after + here, after, here + here + after, _NEIGHBOURS.get(here.lower(), here) + after)[kind]
    return text[:place] + new + text[place + 2 :]
