"""Systems without torch: the keyword table, TF-IDF with logistic regression, and the majority floor."""
