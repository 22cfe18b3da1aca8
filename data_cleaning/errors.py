"""The one exception for input that a person can mend, and the wording it shares."""

from collections.abc import Iterable
from difflib import get_close_matches


class BadInput(ValueError):
    """A file, setting or argument that a person must change.

    The message says what came, what was expected and what to do; the command line prints it as it is and exits with 2.
    Any other exception is a fault of the program.
    """


def unknown(kind: str, name: str, known: Iterable[str]) -> BadInput:
    """Build the error for a name that is not in `known`, with the nearest known name."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return BadInput(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(names)}.")


def first_few(items: Iterable[str], most: int = 10) -> str:
    """Join the first `most` items for a message, and count the rest."""
    everything = list(items)
    shown = "; ".join(everything[:most])
    left = len(everything) - most
    return f"{shown}; and {left:,} more" if left > 0 else shown


def require_fitted(system: object, learned: str) -> None:
    """Check that a system has the attribute that its `fit` sets last.

    Raises:
        BadInput: it has not been fitted or loaded.
    """
    if learned not in vars(system):
        name = type(system).__name__
        raise BadInput(f"This {name} has learned nothing yet; call fit, or {name}.load on a saved folder.")
