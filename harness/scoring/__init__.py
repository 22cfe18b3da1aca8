"""Scoring reads predictions and labels, never a model."""
