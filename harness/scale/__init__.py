"""The verbs `predict` and `clean` beyond one machine, as Ray Data jobs (docs/SCALING.md)."""
