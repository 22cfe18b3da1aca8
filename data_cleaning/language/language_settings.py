"""The settings of the language step; a test repeats how the default margins were chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lingua import IsoCode639_1

from data_cleaning.errors import BadInput, unknown

ENGLISH = "en"
KNOWN_LANGUAGES = frozenset(name.lower() for name in dir(IsoCode639_1) if len(name) == 2)
"""ISO 639-1 codes of the languages that lingua has models of."""

_MARGINS = {
    "de": 0.17, "es": 0.17, "fr": 0.19, "it": 0.18, "ja": 0.2, "nl": 0.15, "pl": 0.11, "pt": 0.17, "zh": 0.2,
}  # fmt: skip

_SHARES = ("learning_margin", "min_english_share", "min_surrounded_share", "max_surrounded_margin", "min_lost_share")
_NUMBERS = (
    "min_word_titles", "min_surrounded_titles", "min_surrounded_records", "max_learning_titles", "max_short_letters",
    "max_acronym_letters",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LanguageSettings:
    """When a title is foreign, when a word counts as English, and when a title is too short or too damaged to check."""

    margins: Mapping[str, float | None] = field(default_factory=lambda: dict(_MARGINS))
    """The foreign languages to find, by ISO 639-1 code, and for each by how much lingua's confidence in it must exceed
    its confidence in English before a title is foreign; confidences are in [0, 1]. Languages that are not given
    keep their default; null leaves one out."""
    learning_margin: float = 0.2
    """The same margin for every language while the vocabulary is learned."""
    min_word_titles: int = 2
    """Distinct titles that have a word and that lingua takes for English, before the word is known; with 1, one mistake
    of lingua would make a foreign word known."""
    min_english_share: float = 0.5
    """Least share of English titles among the English and foreign ones that have a known word, in [0, 1]."""
    min_surrounded_titles: int = 3
    """Distinct titles in which all other words are known, before a word is known as well."""
    min_surrounded_records: int = 10
    """Records of such titles that make two of them enough; typing errors occur once or twice."""
    min_surrounded_share: float = 0.7
    """Least share of such titles' records among those of all titles of several words that have the word."""
    max_surrounded_margin: float = 0.4
    """Highest mean margin of such titles, in [0, 1]; above it, lingua is too sure to be overruled."""
    max_learning_titles: int = 50_000
    """Distinct titles that the vocabulary is learned from, those of most records first; a cap on lingua's work."""
    max_short_letters: int = 3
    """A title of one or two words no longer than this is too short to check, and is kept."""
    max_acronym_letters: int = 4
    """A title of one word in capitals no longer than this is an acronym, and is kept."""
    min_lost_share: float = 0.5
    """Least share of replacement marks among a title's marks, letters and digits that makes it undecodable, in (0, 1];
    marks are U+FFFD, and question marks in a row."""

    def __post_init__(self) -> None:
        # Languages that are left out stay as null, so that settings that are written and read again are equal.
        object.__setattr__(self, "margins", {**_MARGINS, **self.margins})
        for code in self.margins:
            if code not in KNOWN_LANGUAGES:
                raise unknown("language", code, KNOWN_LANGUAGES)
        shares = {f"margins.{code}": margin for code, margin in self.used_margins.items()}
        shares |= {name: getattr(self, name) for name in _SHARES}
        wrong = [f"{name} is {share}" for name, share in shares.items() if not 0 <= share <= 1]
        if wrong:
            raise BadInput(f"Margins and shares must be from 0 to 1, but {'; '.join(wrong)}.")
        if not self.min_lost_share:
            raise BadInput("min_lost_share is 0, which makes every title undecodable; set it above 0.")
        if not self.used_margins or ENGLISH in self.margins:
            raise BadInput(
                f"margins has {sorted(self.used_margins)}; it needs at least one language other than English, and "
                f"no {ENGLISH!r}, which all margins are measured from. To keep titles of every language, switch the "
                "step off: clean.english_only=false."
            )
        small = [f"{name} is {getattr(self, name)}" for name in _NUMBERS if getattr(self, name) < 1]
        if small:
            raise BadInput(f"Counts must be at least 1, but {'; '.join(small)}.")

    @property
    def used_margins(self) -> dict[str, float]:
        """The languages that are distinguished from English, and the margin of each."""
        return {code: margin for code, margin in self.margins.items() if margin is not None}
