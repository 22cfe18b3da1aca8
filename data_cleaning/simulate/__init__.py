"""Simulated leads: titles from a grammar or a list, labelled by a tagging history whose taggers the caller gives."""

from data_cleaning.simulate.history import HistorySettings, Revision, SourceHabit, Tagger, default_habits
from data_cleaning.simulate.simulated_leads import COLUMNS, SimulatedLeads, simulate_leads
from data_cleaning.simulate.word_lists import PLANTED

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
