"""Simulated leads: titles from a grammar or a list, labelled by a tagging history whose taggers the caller gives."""
