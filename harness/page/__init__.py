"""The page: the verbs' own code in a browser, for people who use no shell."""
