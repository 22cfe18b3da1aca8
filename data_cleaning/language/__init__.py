"""Which titles are foreign or unreadable; lingua judges, and the vocabulary of the leads themselves overrules it."""

from data_cleaning.language.judging import judge_languages
from data_cleaning.language.language_settings import LanguageSettings

__all__ = ["LanguageSettings", "judge_languages"]
