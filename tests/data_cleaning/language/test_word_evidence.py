import polars as pl
import pytest

from data_cleaning.language.word_evidence import WORD_EVIDENCE, weigh_words
from tests.data_cleaning.language.toy_titles import SETTINGS


def weigh(*texts, known=()):
    return weigh_words(pl.Series(texts, dtype=pl.String), SETTINGS, known)


@pytest.mark.parametrize(
    "text",
    [
        *("analyst", "devops", "software", "manager", "banker", "professor", "controller", "consultant"),
        *("software tester"),
        *("helpdesk", "cybersecurity", "key account manager", "scrum master", "head of sales", "it manager", "chef"),
    ],
)  # fmt: skip
def test_english_words_are_english_though_other_languages_borrow_them(text):
    weighed = weigh(text).row(0, named=True)
    assert weighed["is_english"]
    assert weighed["evidence"] < SETTINGS.min_evidence


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("geschäftsführer", "de"), ("leiter it", "de"), ("sachbearbeiter", "de"), ("directeur", "fr"),
        ("gerente de ventas", "es"), ("responsabile vendite", "it"), ("systeembeheerder", "nl"), ("kierownik", "pl"),
        ("coordenador de redes", "pt"),
    ],
)  # fmt: skip
def test_words_that_another_language_uses_far_more_are_evidence_for_it(text, language):
    weighed = weigh(text).row(0, named=True)
    assert weighed["language"] == language
    assert weighed["evidence"] >= SETTINGS.min_evidence


def test_evidence_is_the_power_of_ten_between_the_frequencies():
    import wordfreq

    expected = wordfreq.zipf_frequency("leiter", "de") - wordfreq.zipf_frequency("leiter", "en")
    assert weigh("leiter")["evidence"].item() == pytest.approx(expected)


def test_words_of_two_letters_do_not_speak_for_english():
    assert weigh("leiter it")["evidence"].item() == weigh("leiter")["evidence"].item()


def test_a_known_word_is_english_however_rare():
    assert not weigh("director presales")["is_english"].item()
    known = weigh("director presales", known=["presales", "director"]).row(0, named=True)
    assert known["is_english"]
    assert known["all_known"]


def test_a_known_short_word_is_an_acronym():
    # "Isso" is a common word of Portuguese, and an information system security officer.
    assert weigh("isso")["language"].item() == "pt"
    assert weigh("isso", known=["isso"])["evidence"].item() == 0


def test_a_known_word_of_another_language_stays_foreign_to_english():
    assert weigh("geschäftsführer", known=["geschäftsführer"])["evidence"].item() >= SETTINGS.sure_evidence


def test_texts_keep_their_order_and_those_without_words_say_nothing():
    texts = ["einkauf", "", "经理", "manager", "a"]
    weighed = weigh(*texts)
    assert dict(weighed.schema) == {name: kind for name, kind in WORD_EVIDENCE.items()}
    assert weighed["text"].to_list() == texts
    assert weighed["evidence"].to_list()[1:] == [0, 0, 0, 0]
    assert weighed["is_english"].to_list() == [False, True, False, True, True]
    assert weigh().height == 0
