"""Every setting of the TF-IDF system, checked when it is made; reading them needs no scikit-learn."""

import math
from dataclasses import dataclass, fields

from data_cleaning.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class TfidfSettings:
    """Which pieces of a title count, and how hard the regression is held back.

    Raises:
        BadInput: at least one setting is out of range; all such settings are named.
    """

    max_word_ngram: int = 2
    """Longest run of words that is a feature."""
    min_character_ngram: int = 2
    """Shortest run of characters within a word that is a feature; a space marks each end of the word."""
    max_character_ngram: int = 5
    """Longest run of characters within a word that is a feature."""
    min_titles: int = 2
    """Drop runs that stand in fewer distinct training titles than this."""
    max_features: int = 100_000
    """Keep at most this many of the most frequent word runs, and as many character runs."""
    max_characters: int = 1_000
    """What a title holds beyond this many characters is not read, so that a pasted page cannot fill the memory."""
    sublinear_frequency: bool = True
    """Count a run that a title holds n times as 1 + log(n), rather than n."""
    inverse_regularisation: float = 3.0
    """scikit-learn's C over weights of mean 1; more of it follows the training labels more closely."""
    count_power: float = 1.0
    """A row of c records, each of weight w, weighs w * c ** count_power: 1 counts records, 0 distinct rows."""
    max_iterations: int = 500
    """Steps of lbfgs per target; 25,000 real titles labelled by rule, with noise, took 112."""

    def __post_init__(self) -> None:
        faults = []
        for field in fields(self):
            value = getattr(self, field.name)
            whole = type(value) is int
            if field.type is bool:
                good, expected = type(value) is bool, "true or false"
            elif field.type is int:
                good, expected = whole and value >= 1, "a whole number of at least 1"
            else:
                good = (whole or type(value) is float) and math.isfinite(value)
                may_be_zero = field.name == "count_power"
                good = good and (value > 0 or (may_be_zero and value == 0))
                expected = "a number of at least 0" if may_be_zero else "a number above 0"
            if not good:
                faults.append(f"{field.name} is {value!r}; expected {expected}")
        # Two good settings can still contradict each other; a bad one is complained about once.
        if not faults and self.max_character_ngram < self.min_character_ngram:
            faults.append(
                f"max_character_ngram is {self.max_character_ngram}; expected at least min_character_ngram, "
                f"{self.min_character_ngram}"
            )
        if faults:
            raise BadInput(f"Bad tfidf settings: {'; '.join(faults)}.")
