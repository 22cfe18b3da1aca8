"""The keyword table as a thing that people own: audit, diff and suggested changes. Needs no network."""
