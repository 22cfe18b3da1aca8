"""The one exception for input that a person can fix, and its shared wording."""

import json
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

LITTLE_MEMORY = "The memory that this process may use is not enough. Give it more, or a smaller file."
_WANT_OF_MEMORY = (
    *("failed to map segment", "could not spawn threads", "can't start new thread", "Cannot allocate memory"),
)
"""What errors say where a library cannot be loaded or starts no thread for want of memory."""

_LONGEST_NAME, _LONGEST_ITEM, _LONGEST_MESSAGE, _LONGEST_END = 60, 300, 6000, 1000
"""Characters of a name and of an item of a list in a message, of a message, and of its end if it is cut."""


class BadInput(ValueError):
    """A file, setting or argument that a person must change.

    The message says what came, what was expected and what to do; the command line prints it and exits with 2.
    Any other exception is a fault of the program.
    """


class Notice(RuntimeWarning):
    """What a person should know while the work goes on. The command line shows these and no warning of a library."""


def unknown(kind: str, name: str, known: Iterable[str]) -> BadInput:
    """Build the error for a name that is not in `known`, with the nearest known name."""
    names = [shortened(str(one), _LONGEST_NAME) for one in sorted(map(str, known))]
    named = shortened(name, _LONGEST_NAME)
    return BadInput(f"Unknown {kind} {named!r}.{did_you_mean(named, names)} Known: {first_few(names, max_items=20)}.")


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Suggest the nearest of `names`, with a space before it; nothing where none is near."""
    close = get_close_matches(name, names, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def first_few(items: Iterable[str], max_items: int = 10) -> str:
    """Join the first `max_items` items for a message, and count the rest."""
    everything = list(items)
    shown = "; ".join(shortened(item, _LONGEST_ITEM) for item in everything[:max_items])
    left = len(everything) - max_items
    return f"{shown}; and {left:,} more" if left > 0 else shown


def counted(number: int, noun: str) -> str:
    """Word a number of things: "1 row", "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, max_characters: int) -> str:
    """Cut a text for a message; the last character then says that there was more."""
    return text if len(text) <= max_characters else text[: max_characters - 1] + "…"


def visible(text: str, keep: str = "") -> str:
    """Return a text that is safe to print on a terminal, whatever file it came from.

    Characters that are not printable, such as those of escape sequences and marks that turn the direction of writing,
    are written as their codes; `keep` names those that stay. The middle of a very long text is left out.
    """
    if len(text) > _LONGEST_MESSAGE:
        n_left_out = len(text) - _LONGEST_MESSAGE
        head, end = text[: _LONGEST_MESSAGE - _LONGEST_END], text[-_LONGEST_END:]
        text = f"{head} … ({n_left_out:,} characters are left out here) … {end}"
    if text.isprintable():
        return text
    return "".join(one if _is_shown(one) or one in keep else one.encode("unicode_escape").decode() for one in text)


def _is_shown(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"  # blanks, such as the no-break space


def read_text(path: Path, what: str, remedy: str, max_bytes: int | None = None) -> str:
    """Read a UTF-8 text file that a person named; messages say `what` it is, and the `remedy` where it is missing.

    Raises:
        BadInput: there is no such file, it is a pipe or a device, it has more than `max_bytes`, it cannot be read, or
            it is not UTF-8.
    """
    try:
        # A pipe that nobody writes to would be waited for without end.
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise BadInput(f"{path} is a pipe or a device; expected a plain file as the {what}. {remedy}")
        if max_bytes is not None and path.stat().st_size > max_bytes:
            raise BadInput(f"{path} is larger than {max_bytes / 2**20:g} MiB, too large for a {what}. {remedy}")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"No {what} at {path}. {remedy}") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read as a {what}: {error.strerror}. {remedy}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadInput(
            f"{path}, line {line}: byte {error.object[error.start]:#04x} is not UTF-8; save the {what} as UTF-8."
        ) from None


def read_json(path: Path, what: str, remedy: str) -> dict[str, Any]:
    """Read a JSON object from a file that the project has written; raise as `read_text` does.

    Raises:
        BadInput: the file holds anything else.
    """
    text = read_text(path, what, remedy)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not readable as the {what} ({error}). {remedy}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path} is not as it was written: expected an object with the {what}. {remedy}")
    return content


def is_for_want_of_memory(error: BaseException) -> bool:
    """Say whether an error means that this process may not use enough memory, whichever library raised it."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _WANT_OF_MEMORY)


def require_fitted(system: object, learned: str) -> None:
    """Check that a system has the attribute that its `fit` sets last.

    Raises:
        BadInput: it has not been fitted or loaded.
    """
    if learned not in vars(system):
        name = type(system).__name__
        raise BadInput(f"This {name} has learned nothing yet; call fit, or {name}.load on a saved folder.")
