"""The English words of the leads themselves; a title made of them alone is English, whatever lingua says.

Lingua knows running text, and takes "Procurement Manager" for French; the leads have its words in many other titles.
"""

import polars as pl

from data_cleaning.language.language_settings import ENGLISH, LanguageSettings


def learn_english_words(detected: pl.DataFrame, settings: LanguageSettings) -> pl.Series:
    """Return the words of English titles, and then those that English words alone surround.

    Args:
        detected: distinct texts with their `count` of records, and `nearest` and `margin` of `Detector.detect`.
        settings: how many titles and which share of them are enough.

    Returns:
        Distinct words in lower case, sorted.
    """
    of_titles = detected.select("count", "nearest", "margin", word=pl.col("text").str.split(" ").list.unique())
    by_title = of_titles.with_row_index("row").explode("word").filter(pl.col("word") != "")
    in_english = _in_english_titles(by_title, settings)
    return pl.concat([in_english, _among_english_words(by_title, in_english, settings)]).sort()


def all_known(texts: pl.Series, words: pl.Series) -> pl.Series:
    """Tell for each text whether every word of it is among `words`; shape (n_texts,)."""
    of_texts = texts.str.split(" ")
    known = of_texts.explode().is_in(words.implode())
    # Each text has a word at least, the empty text an empty one, so that no row goes missing between the two.
    row = pl.select(pl.int_range(len(texts)).repeat_by(of_texts.list.len()).explode()).to_series()
    per_text = pl.DataFrame({"row": row, "known": known}).group_by("row").agg(pl.col("known").all()).sort("row")
    return per_text["known"]


def _in_english_titles(by_title: pl.DataFrame, settings: LanguageSettings) -> pl.Series:
    """Learn from the titles that lingua holds for English.

    The share counts titles alike and is not weighed against how many are foreign: among leads that are mostly foreign,
    few words are learned and lingua alone decides, but a foreign word that lingua slips on is never learned.
    """
    words = by_title.group_by("word").agg(
        (pl.col("nearest") == ENGLISH).sum().alias("english"),
        (pl.col("margin") > settings.learning_margin).sum().alias("foreign"),
    )
    enough = pl.col("english") >= settings.min_word_titles
    mostly = pl.col("english") >= settings.min_english_share * (pl.col("english") + pl.col("foreign"))
    return words.filter(enough & mostly)["word"]


def _among_english_words(by_title: pl.DataFrame, in_english: pl.Series, settings: LanguageSettings) -> pl.Series:
    """Learn the words that lingua always doubts a little, such as procurement, malware and helpdesk.

    Most records with such a word have nothing but English words beside it. So do those of "Sviluppatore Java" and
    "Leiter Marketing"; but of these lingua is sure, which is why the margin has a say. Records decide and not titles,
    as most titles of one record add a company, a place or a slip of the keyboard.
    """
    by_title = by_title.with_columns(by_title["word"].is_in(in_english.implode()).alias("known"))
    n_words, n_known = pl.len().over("row"), pl.col("known").sum().over("row")
    by_title = by_title.with_columns(n_words=n_words, surrounded=n_known == n_words - 1)
    words = (
        by_title.filter(~pl.col("known"), pl.col("n_words") > 1)
        .group_by("word")
        .agg(
            pl.col("surrounded").sum().alias("n_titles"),
            (pl.col("surrounded") * pl.col("count")).sum().alias("surrounded_records"),
            pl.col("count").sum().alias("records"),
            pl.col("margin").filter("surrounded").mean(),
        )
    )
    # The leads have few titles with malware or OSINT, but those of many people.
    of_many = (pl.col("n_titles") >= 2) & (pl.col("surrounded_records") >= settings.min_surrounded_records)
    return words.filter(
        (pl.col("n_titles") >= settings.min_surrounded_titles) | of_many,
        pl.col("surrounded_records") >= settings.min_surrounded_share * pl.col("records"),
        pl.col("margin") <= settings.max_surrounded_margin,
    )["word"]
