"""The review loop: which titles a person should label next, what they said, and what it has brought."""
