"""Simulated leads: titles from a grammar or a list, and a tagging history; the taggers come in as functions."""

from data_cleaning.simulate.history import HistorySettings, Revision, SourceHabit, Tagger, default_habits
from data_cleaning.simulate.planted import PLANTED
from data_cleaning.simulate.simulated_leads import COLUMNS, SimulatedLeads, simulate_leads

__all__ = [
    "COLUMNS",
    "PLANTED",
    "HistorySettings",
    "Revision",
    "SimulatedLeads",
    "SourceHabit",
    "Tagger",
    "default_habits",
    "simulate_leads",
]
