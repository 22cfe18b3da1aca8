"""Which titles are foreign or undecodable, by how their words are used and by lingua."""

from data_cleaning.language.judging import judge_languages
from data_cleaning.language.language_settings import LanguageSettings

__all__ = ["LanguageSettings", "judge_languages"]
