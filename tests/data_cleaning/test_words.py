import re

import polars as pl
import pytest

from data_cleaning.words import (
    fold_spelling,
    normalise_titles,
    spell_acronyms,
    split_words,
    stop_words,
    title_records,
    unique_words,
)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Director of IT", ["director", "of", "it"]),
        ("C++ / C# Dev, R&D (24/7)", ["c++", "c#", "dev", "r&d", "24/7"]),
        ("Risk/Compliance;Audit|Legal:EMEA", ["risk", "compliance", "audit", "legal", "emea"]),
        ("Manager - Cyber-Security – Ops—EU", ["manager", "cyber-security", "ops", "eu"]),
        ("Sr. V.P., «Director's» [Office]", ["sr", "v.p", "director's", "office"]),
        ("IT\u00a0Manager\tII\n", ["it", "manager", "ii"]),
        ("Ingénieur RÉSEAU", ["ingénieur", "réseau"]),
        ("inge\u0301nieur", ["inge\u0301nieur"]),
        ("🚀 Engineer & 🚀", ["engineer"]),
        ("情報システム部長", ["情報システム部長"]),
        ("Manager Manager", ["manager", "manager"]),
        ("??? -- &", []),
        ("", []),
        (None, None),
    ],
)
def test_a_title_is_split_into_its_words(title, words):
    frame = pl.DataFrame({"title": [title]}, schema={"title": pl.String})
    assert frame.select(split_words(pl.col("title"))).to_series().to_list() == [words]


def test_words_are_counted_once_per_record_and_by_the_records_of_a_row():
    titles = pl.Series(["IT Manager", "it it", None, "Manager", "IT Manager"])
    counts = pl.Series([2, 5, 100, 1, 3])
    assert unique_words(titles, counts).rows() == [("it", 10), ("manager", 6)]
    assert unique_words(titles).rows() == [("it", 3), ("manager", 3)]


def test_titles_of_different_spelling_are_counted_separately():
    titles = pl.Series("anything", ["CISO", "ciso", "CISO", None, "CISO "])
    assert title_records(titles).rows() == [("CISO", 2), ("CISO ", 1), ("ciso", 1)]
    assert title_records(pl.Series([None], dtype=pl.String)).is_empty()


def test_titles_without_words_give_an_empty_table():
    assert unique_words(pl.Series(["?", "🚀"])).schema == {"word": pl.String, "records": pl.Int64}
    assert unique_words(pl.Series(["?", "🚀"])).is_empty()


def test_every_stop_word_can_be_found_in_a_title():
    assert set(unique_words(pl.Series(sorted(stop_words())))["word"]) == stop_words()


@pytest.mark.parametrize(
    ("typed", "normalised"),
    [
        ("  IT\u00a0 Manager\t", "IT Manager"),
        ("Directeur Ge\u0301ne\u0301ral", "Directeur Général"),
        ("IT\x00Manager", "IT Manager"),
        ("\u200b", ""),
        ("Soft\u200bware", "Software"),
        ("R&amp;D Director", "R&D Director"),
        ("Manager â€“ IT", "Manager - IT"),
        ("R\uff06amp;D", "R&D"),
        ("VP, IT", "VP, IT"),
        ("Director\u2019s Office \u2013 \u201cIT\u201d", 'Director\'s Office - "IT"'),
        ("Director\u00b4s \u00abIT\u00bb \u2014 Ops", 'Director\'s "IT" - Ops'),
        ("\uff29\uff34 Manager", "IT Manager"),
        ("Cyber\u00adsecurity\u200f", "Cybersecurity"),
        ("\U0001f469\u200d\U0001f4bb Developer", "\U0001f469\u200d\U0001f4bb Developer"),
        ("Straße 10²", "Straße 102"),
        ("r\u0329e\u00ad\u0301", "r̩é"),
    ],
)
def test_normalising_folds_characters_that_look_alike_and_keeps_the_wording(typed, normalised):
    once = normalise_titles(pl.Series([typed]))
    assert once.to_list() == [normalised]
    assert normalise_titles(once).equals(once)


def test_every_ascii_character_is_normalised_wherever_it_stands():
    """Titles of common characters are passed over, so that none of the others may be among them."""
    typed = [text.replace("x", chr(code)) for code in range(128) for text in ("x", "xa", "ax", "axb", "axxb", "a x")]
    expected = [re.sub(r"[\0-\x20\x7f]+", " ", text.replace("`", "'")).strip() for text in typed]
    assert normalise_titles(pl.Series(typed)).to_list() == expected


@pytest.mark.parametrize(
    "titles",
    [
        ("Cloud Security Engineers.", "cloud-security/engineer", "Cloud, Security; Engineer"),
        ("Director of Supplies", "director, supply"),
        ("Business Coaches for the classes", "BUSINESS COACH CLASS"),
    ],
)
def test_spellings_of_the_same_words_in_the_same_order_fold_to_the_same_words(titles):
    folded = fold_spelling(pl.Series(titles)).str.split(" ").list.eval(pl.element().filter(pl.element() != ""))
    assert len(folded.list.join(" ").unique()) == 1


def test_words_that_end_in_s_without_being_plurals_stay():
    words = "analysis status business aws c++ asp.net"
    assert fold_spelling(pl.Series([words])).item() == words


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("C.I.S.O.", "CISO"),
        ("C I S O", "CISO"),
        ("Sr. V. P. of IT", "Sr. VP of IT"),
        ("Director, I.T", "Director, IT"),
        ("Plan B I.T.", "Plan B IT"),
        ("vCISO", "v CISO"),
        ("R & D Director", "R & D Director"),
        ("Vitamin C Nurse", "Vitamin C Nurse"),
        ("Ph.D. Student", "Ph.D. Student"),
        ("DevOps, SaaS, IoT, iOS", "DevOps, SaaS, IoT, iOS"),
        ("C/C++ Developer", "C/C++ Developer"),
        ("Manager I", "Manager I"),
    ],
)
def test_acronyms_are_written_as_words(title, read):
    assert spell_acronyms(pl.Series([title])).to_list() == [read]
