"""The settings of the language step; a test repeats how the default thresholds were chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lingua import IsoCode639_1

from data_cleaning.errors import BadInput, unknown

ENGLISH = "en"
KNOWN_LANGUAGES = frozenset(name.lower() for name in dir(IsoCode639_1) if len(name) == 2)
"""ISO 639-1 codes of the languages that lingua has models of."""

_MARGINS = dict.fromkeys(("de", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"), 0.5)

REMOVED = {
    "learning_margin": 0.2, "min_word_titles": 2, "min_english_share": 0.5, "min_surrounded_titles": 3,
    "min_surrounded_records": 10, "min_surrounded_share": 0.7, "max_surrounded_margin": 0.4,
    "max_learning_titles": 50_000,
}  # fmt: skip
"""Settings that are gone, to the defaults that saved configs hold."""

_SHARES = ("sure_margin", "min_lost_share")
_NUMBERS = ("min_frequent_records", "max_short_letters", "max_acronym_letters")


@dataclass(frozen=True, kw_only=True)
class LanguageSettings:
    """When a title is foreign, and when it is too short or too damaged to check."""

    margins: Mapping[str, float | None] = field(default_factory=lambda: dict(_MARGINS))
    """The foreign languages to find, by ISO 639-1 code, and for each by how much lingua's confidence in it must exceed
    its confidence in English before a title is foreign, where the words of the title decide nothing; confidences are in
    [0, 1]. Languages that are not given keep their default; null leaves one out."""
    sure_margin: float = 0.7
    """The same margin for every language, where it is higher, for frequent titles and for those whose words are all in
    the keyword table or the taxonomy."""
    min_evidence: float = 1.5
    """How much more often than in English the words of a title must be used in another language before it is foreign:
    as a power of ten, so that 1.5 is 32 times."""
    sure_evidence: float = 2.0
    """The same for frequent titles and for those whose words are all in the keyword table or the taxonomy."""
    min_english_frequency: float = 2.0
    """Least frequency of an English word, on the Zipf scale: the power of ten of its uses in a billion words. A title
    of such words alone, in which no other language has that much evidence, is English."""
    min_frequent_records: int = 20
    """Records that make a title frequent."""
    max_short_letters: int = 3
    """A title of one or two words no longer than this is too short to check, and is kept."""
    max_acronym_letters: int = 4
    """A title of one word in capitals no longer than this is an acronym, and is kept. A word of the keyword table or of
    the taxonomy that is no longer is taken for an acronym too, and tells no language."""
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
        if not 0 < self.min_evidence <= self.sure_evidence:
            raise BadInput(
                f"min_evidence is {self.min_evidence} and sure_evidence {self.sure_evidence}; expected numbers above "
                "0, of which the second is not the smaller."
            )
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
