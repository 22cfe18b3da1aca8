"""Titles that programs have damaged read as somebody typed them, and all others stay."""

from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_cleaning.text_repair import repaired

DATA = Path(__file__).parents[3] / "shared" / "data"

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real titles are not beside the checkout")


@pytest.mark.parametrize(
    ("damaged", "whole"),
    [
        ("GeschÃ¤ftsfÃ¼hrer", "Geschäftsführer"),
        ("GESCHÃ„FTSFÃœHRER", "GESCHÄFTSFÜHRER"),
        ("Directeur GÃ©nÃ©ral", "Directeur Général"),
        ("CafÃƒÂ©", "Café"),  # decoded wrongly twice
        ("Manager â€“ IT", "Manager – IT"),
        ("Directorâ€™s Assistant", "Director’s Assistant"),
        ("Ð”Ð¸Ñ€ÐµÐºÑ‚Ð¾Ñ€", "Директор"),
        ("å–¶æ¥\xad", "営業"),  # the soft hyphen is a part of a letter here
        ("√ºber", "über"),
        ("GeschĂ¤ftsfĂĽhrer", "Geschäftsführer"),  # UTF-8 in codepages: cp1250, cp1251, KOI8-R, cp1257, ISO 8859-2
        ("IngГ©nieur sГ©curitГ©", "Ingénieur sécurité"),
        ("Geschц╓ftsfц╪hrer", "Geschäftsführer"),
        ("IngĆ©nieur", "Ingénieur"),
        ("IngĂŠnieur", "Ingénieur"),
        ("Manager \x96 IT", "Manager – IT"),
        ("R&amp;D Director", "R&D Director"),
        ("R&AMP;D DIRECTOR", "R&D DIRECTOR"),
        ("R&Amp;D Director", "R&D Director"),
        ("R&amp;amp;D Director", "R&D Director"),
        ("R&am\xadp;D Director", "R&D Director"),
        ("Director&#39;s Office", "Director's Office"),
        ("Head&nbsp;of IT", "Head of IT"),
        ("<b>R&amp;D</b>", "<b>R&D</b>"),
        ("Cyber\xadsecurity", "Cybersecurity"),
        ("Vice\xadPresident", "Vice-President"),
        ("Soft\u200bware \u200bEngineer", "Software Engineer"),
        ("\ufeffCISO", "CISO"),
        ("\u200cC\u200dISO", "CISO"),
        ("IT\xa0Manager", "IT Manager"),
    ],
)
def test_a_damaged_title_is_repaired_and_repaired_again_stays(damaged, whole):
    once = repaired(pl.Series(["Nurse", damaged, None]))
    assert once.to_list() == ["Nurse", whole, None]
    assert repaired(once).equals(once)


@needs_data
@pytest.mark.parametrize(
    ("codepage", "min_repaired"),
    [
        *(("cp1252", 0.99), ("cp1254", 0.99), ("cp1250", 0.98), ("cp1251", 0.98), ("cp1257", 0.98)),
        *(("iso8859-2", 0.8), ("koi8-r", 0.95)),
    ],
)
def test_titles_out_of_the_wrong_codepage_are_repaired_or_left_but_hardly_ever_guessed_wrongly(codepage, min_repaired):
    listed = pl.read_csv(DATA / "titles_by_language.csv").filter(pl.col("lang").is_in(["de", "es", "fr", "it", "pl"]))
    damaged = {}
    for title in repaired(listed["title"]).filter(listed["title"].str.len_bytes() > listed["title"].str.len_chars()):
        with suppress(UnicodeDecodeError):
            damaged[title.encode().decode(codepage)] = title
    read = dict(zip(damaged, repaired(pl.Series(list(damaged))), strict=True))
    assert sum(read[one] == title for one, title in damaged.items()) >= min_repaired * len(damaged)
    wrong = [one for one, title in damaged.items() if read[one] not in (one, title)]
    assert len(wrong) <= 0.02 * len(damaged), wrong


@pytest.mark.parametrize(
    "title",
    [
        "R&D Director", "AT&T; Sales", "P&L;Owner", "A&B", "Chief “X” Officer’s", "ﬁnance", "Ｍanager", "Straße 10²",
        "Directeur Général", "GESTÃO DE TI", "COORDENAÇÃO – SP", "Ingénieur «réseau»", "¯\\_(ツ)_/¯", "Cafe\u0301",
        "نمی\u200cخواهم", "\U0001f469\u200d\U0001f4bb Developer", "情報セキュリティ担当", "Kierownik działu",
        "Инженер безопасности", "ДИРЕКТОР ПО ИТ", "IТ-специалист", "CIO Ё©", "Ředitel IT", "GĂŠ",
        "ResponsĂĄvel",  # "á" by one codepage, "å" by another
        "line\nbreak\ttab", "\ufffd\ufffdIT\ufffd", "", " VP ",
    ],
)  # fmt: skip
def test_a_title_that_is_not_damaged_stays_as_it_is(title):
    assert repaired(pl.Series([title])).to_list() == [title]


@needs_data
def test_foreign_titles_of_ten_languages_stay_and_come_back_when_they_were_decoded_wrongly():
    titles = pl.read_csv(DATA / "titles_by_language.csv", infer_schema=False)["title"]
    visible = titles.str.replace_all("\u200b", "")  # two hold it
    for spelled in (visible, visible.str.to_uppercase(), visible.str.to_titlecase()):
        assert repaired(spelled).equals(spelled)
    foreign = visible.filter(visible.str.len_bytes() > visible.str.len_chars())
    wrong = pl.Series([title.encode().decode("latin-1") for title in foreign])
    twice = pl.Series([title.encode().decode("latin-1") for title in wrong])
    assert (repaired(wrong) == foreign).mean() > 0.999
    assert (repaired(twice) == foreign).mean() > 0.999


@needs_data
def test_english_titles_of_public_lists_stay():
    titles = pl.read_csv(DATA / "real_titles.csv", infer_schema=False)["title"]
    assert repaired(titles).equals(titles)


@given(st.lists(st.text(max_size=30) | st.sampled_from(["&am\xadp;", "&#\u200b38;", "Ã\xad¤", "&amp;#39;"])))
def test_any_text_is_repaired_once_and_for_all(titles):
    once = repaired(pl.Series("title", titles, dtype=pl.String))
    assert len(once) == len(titles)
    assert once.name == "title"
    assert repaired(once).equals(once)
