import polars as pl
import pytest

from data_cleaning.language import LanguageSettings, judge_languages, judging
from data_cleaning.language.detection import Detector
from tests.data_cleaning.language.toy_titles import ENGLISH, FEW, GERMAN, NONE, leads

EXPECTED = {
    # Too short, acronyms, without words
    "IT": None, "VP IT": None, "it": None, "Cto": None, "CISO": None, "GRC": None, "ISSO": None, "Isso": None,
    "-": None, "123": None, "CEO?": None,
    # English, where lingua alone is not sure
    "Manager": None, "Director": None, "Data Scientist": None, "Consultant": None, "SECURITY ENGINEER": None,
    "Sr. Engineer α": None, "Security Engineer \ufffd\ufffd\ufffd Network": None,
    # Foreign in any case
    "Leiter der Buchhaltung": "de", "LEITER DER BUCHHALTUNG": "de", "leiter der buchhaltung": "de", "Einkäuferin": "de",
    "Responsable de Seguridad Informática": "es", "Ingénieur Réseau": "fr", "Ing?nieur R?seau": "fr",
    "Impiegato commerciale": "it", "Systeembeheerder": "nl", "Kierownik działu": "pl", "Gerente de Informática": "pt",
    "情報セキュリティ担当": "ja", "ソフトウェアエンジニア": "ja", "软件工程师": "zh", "经理": "zh",
    # Scripts that lingua is not asked about
    "Менеджер по продажам": "ru", "관리자": "ko", "Διευθυντής πωλήσεων": "el",
    # Damaged
    "DX???????": "undecodable", "????": "undecodable", "\ufffd": "undecodable", "\ufffd\ufffdIT\ufffd": "undecodable",
    "??????(IT)": "undecodable",
}  # fmt: skip


@pytest.fixture(scope="module")
def judged():
    return judge_languages(leads(*EXPECTED, *ENGLISH))


@pytest.mark.parametrize("title", EXPECTED)
def test_a_title_has_the_expected_language(judged, title):
    _, language, reason = judged.row(by_predicate=pl.col("title") == title)
    expected = EXPECTED[title]
    if expected == "undecodable":
        assert (language, reason) == (None, "undecodable title")
    else:
        assert (language, reason) == (expected, f"foreign title ({expected})" if expected else None)


def test_rows_keep_their_order_and_names(judged):
    assert judged.columns == ["title", "language", "reason"]
    assert judged["title"].to_list() == [*EXPECTED, *ENGLISH]


def test_foreign_titles_are_found_without_english_ones():
    assert judge_languages(leads(*GERMAN))["language"].to_list() == ["de"] * len(GERMAN)


def test_foreign_titles_are_found_among_as_many_english_ones():
    judged_titles = judge_languages(leads(*GERMAN, *ENGLISH))
    assert judged_titles["language"].to_list() == ["de"] * len(GERMAN) + [None] * len(ENGLISH)


def test_the_vocabulary_of_the_leads_overrules_lingua():
    doubted = "Indirect Procurement"
    few = LanguageSettings(**FEW)
    assert judge_languages(leads(doubted), few)["reason"].to_list() == ["foreign title (fr)"]
    more = [f"Indirect {what}" for what in ("Purchasing Manager", "Spend Engineer", "Buying Officer")]
    judged_titles = judge_languages(leads(*ENGLISH, *more, doubted), few)
    assert judged_titles["reason"].to_list() == [None] * len(judged_titles)


def test_titles_beyond_those_learned_from_get_a_language_too():
    titles = pl.concat([leads(*ENGLISH).with_columns(count=pl.lit(9, pl.Int64)), leads("Director of Network", *GERMAN)])
    capped = LanguageSettings(**FEW, max_learning_titles=len(ENGLISH))
    assert judge_languages(titles, capped)["language"].to_list() == [None] * (len(ENGLISH) + 1) + ["de"] * len(GERMAN)


def test_lingua_is_not_asked_about_known_words(monkeypatch):
    asked = []

    class Listening(Detector):
        def detect(self, texts, *reported):
            asked.extend(texts)
            return super().detect(texts, *reported)

    monkeypatch.setattr(judging, "Detector", Listening)
    titles = pl.concat([leads(*ENGLISH).with_columns(count=pl.lit(9, pl.Int64)), leads("Director of Network", "Koch")])
    judge_languages(titles, LanguageSettings(**FEW, max_learning_titles=len(ENGLISH)))
    assert sorted(asked) == sorted([*(title.lower() for title in ENGLISH), "koch"])


@pytest.mark.parametrize("titles", [(), ("IT", "-", "????", "관리자")])
def test_lingua_is_not_loaded_where_it_is_not_needed(monkeypatch, titles):
    monkeypatch.setattr(judging, "Detector", None)
    judged_titles = judge_languages(leads(*titles))
    assert judged_titles.schema == {"title": pl.String, "language": pl.String, "reason": pl.String}
    assert len(judged_titles) == len(titles)


@pytest.mark.parametrize("max_learning_titles", [5, 1000])
def test_progress_counts_titles_up_to_all_of_them(max_learning_titles):
    reported = []
    titles = (*ENGLISH, *GERMAN, "IT", "NETWORK ENGINEER", "network engineer")
    settings = LanguageSettings(**FEW, max_learning_titles=max_learning_titles)
    judge_languages(leads(*titles), settings, lambda *progress: reported.append(progress))
    done = [count for _, count, _, _ in reported]
    assert done == sorted(done)
    assert done[-1] == len(titles)
    assert done.count(len(titles)) == 1, "the end is reported twice"
    assert {(step, total, unit) for step, _, total, unit in reported} == {("finding languages", len(titles), "titles")}


def test_each_language_has_its_own_margin():
    settings = LanguageSettings(margins={**NONE, "de": 0.1, "fr": 0.3})
    frame = judging.read_titles(leads("one thing", "two things", "three things", "four things"), settings)
    frame = frame.with_columns(nearest=pl.Series(["de", "fr", "fr", None]), margin=pl.Series([0.2, 0.2, 0.4, None]))
    assert judging.decide(frame, settings)["language"].to_list() == ["de", None, "fr", None]


def test_a_language_that_is_left_out_is_kept():
    title = "Leiter der Buchhaltung"
    for margins, language in (({}, "de"), ({**NONE, "fr": 0.2}, None)):
        assert judge_languages(leads(title), LanguageSettings(margins=margins))["language"].item() == language


def test_another_language_can_be_asked_for():
    only_swedish = LanguageSettings(margins={**NONE, "sv": 0.2})
    judged_titles = judge_languages(leads("Ansvarig för inköp", "Security Engineer"), only_swedish)
    assert judged_titles["language"].to_list() == ["sv", None]
