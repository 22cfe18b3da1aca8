"""The verb `check`: what a keyword table makes of leads without labels, and what is doubtful about it."""
