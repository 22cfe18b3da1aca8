"""Which titles are foreign or undecodable, by lingua and by the English vocabulary of the leads."""

from data_cleaning.language.judging import judge_languages
from data_cleaning.language.language_settings import LanguageSettings

__all__ = ["LanguageSettings", "judge_languages"]
