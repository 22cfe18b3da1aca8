"""The command, its stages, and everything that compares systems; nothing imports it."""
