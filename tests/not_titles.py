"""Texts that people type where a job title is asked for and that are none, made by rule; nothing in the code reads it.

Four kinds: noise, titles in other languages, names of companies and products, and sentences. `known` holds the texts
that were reported. The words and rules of this file are its own, so that a detector cannot have learned them.
"""

import random

KNOWN = (
    "ddsfsdf", "¯\\_(ツ)_/¯", "Not a manager", "Directeur Général", "info@example.org", "Acme Inc.", "TBD",
    "not applicable",
)  # fmt: skip

_STEMS = (
    "Acme", "Zyntra", "Bluepeak", "Contoso", "Fabrikam", "Northwind", "Globex", "Initech", "Umbrella", "Hooli",
    "Veridian", "Quantix", "Nimbus", "Orchid", "Redwood", "Starling", "Tundra", "Vortex", "Wavecrest", "Xenith",
    "Zephyr", "Alderbrook", "Brightwater", "Cobalt", "Delphi", "Emberline", "Foxglove", "Granite", "Harborview",
    "Ironclad", "Juniper", "Kestrel", "Lumen", "Meridian", "Novagen", "Oakhurst", "Pinnacle", "Quarry", "Riverstone",
    "Silverlake", "Trident", "Ultramar", "Valiant", "Westfield", "Saffron", "Cascadia", "Everglen", "Helix", "Monarch",
)  # fmt: skip
_TRADES = (
    "", "", "", "Foods", "Motors", "Airlines", "Pharmaceuticals", "Bank", "Insurance", "Software", "Logistics",
    "Semiconductors", "Hotels", "Energy", "Steel", "Textiles", "Robotics", "Mobile", "Media", "Capital", "Health",
)  # fmt: skip
_FORMS = (
    "Inc.", "Inc", "LLC", "Ltd", "Ltd.", "GmbH", "Corp.", "Corporation", "Co.", "& Co", "Group", "PLC", "S.A.", "AG",
    "BV", "Pty Ltd", "& Sons", "Brothers", "",
)  # fmt: skip
_PRODUCTS = (
    "Cloud", "Shield", "Photo", "Fusion", "Drive", "Studio", "Stream", "Phone", "Watch", "Sense", "Flow", "Backup",
    "Suite", "Tablet", "Mouse", "Printer", "Keyboard", "Coffee Maker", "Drill", "Headset", "Router", "Antivirus",
)  # fmt: skip
_EDITIONS = ("", "", "Pro", "Max", "2.0", "365", "Plus", "Enterprise", "XL", "Mini", "Home Edition", "v3.1", "Lite")

_SUBJECTS = ("I", "We", "My colleague", "Our team", "They", "The company", "My wife", "Nobody here", "You", "He")
_VERBS = (
    "would like to see", "do not need", "am interested in", "already have", "forgot to send", "will talk about",
    "want to know more about", "cannot attend", "saw", "never received", "am looking for", "just came for", "love",
    "was told about", "have a question about", "registered for",
)  # fmt: skip
_OBJECTS = (
    "the new product", "your booth", "a demo", "this event", "the free lunch", "pricing", "the invoice", "my badge",
    "the webinar", "the slides", "another account", "your newsletter", "the raffle", "a t-shirt", "the password",
    "the security training", "our IT budget", "the manager", "the network upgrade", "the project plan",
)  # fmt: skip
_ENDS = ("", "", ".", "!", " please", " tomorrow.", ", thanks", " next week", " if possible", " again")
_PHRASES = (
    "please call me {when}", "do not contact me {when}", "see my {where}", "same as {when}", "ask {who}",
    "none of your {what}", "what is this {what} for?", "not relevant for this {what}", "why do you need my {what}",
    "to be announced {when}", "I work from home {when}", "does not apply to {who}", "currently between jobs, {when}",
    "not a {who}", "you can find it on my {where}", "same {what} as last year",
)  # fmt: skip
_FILLERS = {
    "when": ("later", "again", "after lunch", "on Monday", "before the holidays", "soon", "above", "in June"),
    "where": ("website", "business card", "profile", "previous answer", "signature", "email"),
    "who": ("my boss", "HR", "someone else", "the reception", "robot", "anybody", "doctor", "us", "director"),
    "what": ("business", "field", "question", "information", "answer", "form", "address", "number"),
}

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SIGNS = "!?#$%&*()_-+=/\\|~^<>.,:;'\"@[]{}¯°§"


def not_titles(n: int, seed: int = 0) -> dict[str, list[str]]:
    """Return n distinct texts of each kind that is made by rule: noise, names, sentences."""
    rng = random.Random(seed)
    return {
        kind: _distinct(make, n, rng) for kind, make in (("noise", _noise), ("names", _name), ("sentences", _sentence))
    }


def _distinct(make, n, rng):
    found: dict[str, None] = {}
    while len(found) < n:
        found[make(rng)] = None
    return list(found)


def _noise(rng: random.Random) -> str:
    kind = rng.randrange(8)
    if kind == 0:  # fingers that run along the keyboard
        row = rng.choice(_KEYBOARD)
        text = "".join(rng.choice(row) for _ in range(rng.randint(3, 10)))
    elif kind == 1:
        text = "".join(rng.choice(_LETTERS) for _ in range(rng.randint(3, 12)))
    elif kind == 2:
        text = "".join(rng.choice(_SIGNS) for _ in range(rng.randint(2, 8)))
    elif kind == 3:
        text = "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 11)))
    elif kind == 4:
        text = rng.choice(_LETTERS) * rng.randint(2, 9)
    elif kind == 5:
        text = "".join(rng.choice(_LETTERS + "0123456789" + _SIGNS) for _ in range(rng.randint(5, 14)))
    elif kind == 6:
        text = " ".join(
            "".join(rng.choice(_LETTERS) for _ in range(rng.randint(2, 7))) for _ in range(rng.randint(2, 4))
        )
    else:
        name = "".join(rng.choice(_LETTERS) for _ in range(rng.randint(3, 8)))
        ending = rng.choice(("@example.org", "@mail.example.com", ".example.com", "@example.net"))
        text = rng.choice(("", "", "www.", "http://")) + name + ending
    return rng.choice((text, text, text.upper(), text.capitalize()))


def _name(rng: random.Random) -> str:
    if rng.random() < 0.6:
        parts = [rng.choice(_STEMS), rng.choice(_TRADES), rng.choice(_FORMS)]
    else:
        parts = [rng.choice(_STEMS), rng.choice(_PRODUCTS), rng.choice(_EDITIONS)]
    return " ".join(part for part in parts if part)


def _sentence(rng: random.Random) -> str:
    if rng.random() < 0.6:
        return f"{rng.choice(_SUBJECTS)} {rng.choice(_VERBS)} {rng.choice(_OBJECTS)}{rng.choice(_ENDS)}"
    text = rng.choice(_PHRASES).format(**{name: rng.choice(words) for name, words in _FILLERS.items()})
    return rng.choice((text, text.capitalize()))
