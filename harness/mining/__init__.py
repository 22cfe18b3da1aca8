"""Changes of the keyword table that a fitted network suggests: phrases, candidates, placement and proof."""
