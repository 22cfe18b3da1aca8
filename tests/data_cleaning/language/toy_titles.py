"""Titles of known language."""

import polars as pl

from data_cleaning.language import LanguageSettings

SETTINGS = LanguageSettings()


NONE = dict.fromkeys(SETTINGS.margins)


FEW = {"margins": {**NONE, "de": 0.2, "fr": 0.2}}  # loads three models instead of ten


GERMAN = [
    "Geschäftsführer", "Leiter der Informationstechnik", "Netzwerkadministrator", "Einkäufer", "Vertriebsmitarbeiter",
    "Buchhalter", "Sachbearbeiterin", "Datenschutzbeauftragter", "Teamleiter Netzwerke", "Softwareentwickler",
    "Leiter Einkauf", "Leiter Vertrieb", "Leiter EDV", "Leiter Buchhaltung", "Leiter der Entwicklung",
]  # fmt: skip


ENGLISH = [
    "Security Engineer", "Senior Security Engineer", "Network Engineer", "Senior Network Engineer", "Network Manager",
    "Purchasing Manager", "Senior Purchasing Manager", "Head of Purchasing", "Director of Engineering",
    "Director of Security", "Procurement Manager", "Procurement Director", "Head of Procurement",
    "Senior Procurement Manager", "Chief Security Officer",
]  # fmt: skip


def leads(*titles):
    return pl.DataFrame({"title": titles, "count": [1] * len(titles)}, schema={"title": pl.String, "count": pl.Int64})
