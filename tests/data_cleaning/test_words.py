import polars as pl
import pytest

from data_cleaning.words import split_words, stop_words, title_records, unique_words


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
def test_words_of_a_title(title, words):
    frame = pl.DataFrame({"title": [title]}, schema={"title": pl.String})
    assert frame.select(split_words(pl.col("title"))).to_series().to_list() == [words]


def test_words_are_counted_once_per_record_and_by_the_records_of_a_row():
    titles = pl.Series(["IT Manager", "it it", None, "Manager", "IT Manager"])
    counts = pl.Series([2, 5, 100, 1, 3])
    assert unique_words(titles, counts).rows() == [("it", 10), ("manager", 6)]
    assert unique_words(titles).rows() == [("it", 3), ("manager", 3)]


def test_titles_are_told_apart_as_they_are_written():
    titles = pl.Series("anything", ["CISO", "ciso", "CISO", None, "CISO "])
    assert title_records(titles).rows() == [("CISO", 2), ("CISO ", 1), ("ciso", 1)]
    assert title_records(pl.Series([None], dtype=pl.String)).is_empty()


def test_no_word_at_all_is_an_empty_table():
    assert unique_words(pl.Series(["?", "🚀"])).schema == {"word": pl.String, "records": pl.Int64}
    assert unique_words(pl.Series(["?", "🚀"])).is_empty()


def test_every_stop_word_can_be_found_in_a_title():
    assert set(unique_words(pl.Series(sorted(stop_words())))["word"]) == stop_words()
