"""What `run` does: the config, the systems, the splits, and the stages with their cache."""
