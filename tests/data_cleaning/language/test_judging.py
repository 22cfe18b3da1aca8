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
    "Impiegato commerciale": "it", "Systeembeheerder": "nl", "Kierownik działu": "pl",
    "Gerente de Segurança da Informação": "pt",
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


SURVEY = {
    "Analyst": 300, "Software Engineer": 100, "DevOps": 60, "Security Analyst": 40, "Software Tester": 1,
    "Professor": 1, "Banker": 1, "Director Presales": 1, "Geschäftsführer": 1, "Leiter IT": 1,
}  # fmt: skip
"""A small survey, of which 366 records were dropped once: most of its titles are words that German uses as well."""


def test_of_a_small_survey_the_foreign_titles_alone_are_dropped():
    judged_titles = judge_languages(pl.DataFrame({"title": list(SURVEY), "count": list(SURVEY.values())}))
    dropped = judged_titles.filter(pl.col("reason").is_not_null())
    assert dropped.select("title", "language").rows() == [("Geschäftsführer", "de"), ("Leiter IT", "de")]


def counted(title, n_records):
    return pl.DataFrame({"title": [title], "count": [n_records]}, schema={"title": pl.String, "count": pl.Int64})


@pytest.mark.parametrize(
    ("title", "known", "by_itself", "frequent_or_known"),
    [
        ("Presales", ["presales"], "es", None),  # by lingua
        ("Servicedesk", ["servicedesk"], "nl", None),  # by its words
        ("Geschäftsführer", ["geschäftsführer"], "de", "de"),  # surely German
        ("Leiter Einkauf", ["leiter", "einkauf"], "de", "de"),
        ("Isso", ["isso"], "pt", "pt"),
    ],
)
def test_a_frequent_or_known_title_is_english_unless_it_is_surely_not(title, known, by_itself, frequent_or_known):
    assert judge_languages(leads(title))["language"].item() == by_itself
    assert judge_languages(counted(title, 20))["language"].item() == frequent_or_known
    if len(title) > 4:
        assert judge_languages(leads(title), known=known)["language"].item() == frequent_or_known


def test_a_short_title_that_the_table_knows_is_an_acronym():
    assert judge_languages(leads("Isso"), known=["ISSO"])["language"].item() is None


def test_a_near_duplicate_of_a_title_that_is_kept_is_kept():
    assert judge_languages(leads("Retoucher"))["language"].item() == "fr"
    assert judge_languages(leads("Retoucher", "The Retoucher"))["language"].to_list() == [None, None]


def test_an_undecodable_title_is_no_near_duplicate_of_a_kept_one():
    reasons = judge_languages(
        leads("IT Manager", "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdIT Manager")
    )["reason"]
    assert reasons.to_list() == [None, "undecodable title"]


def test_lingua_is_asked_only_where_words_decide_nothing(monkeypatch):
    asked = []

    class Listening(Detector):
        def detect(self, texts, *reported):
            asked.extend(texts)
            return super().detect(texts, *reported)

    monkeypatch.setattr(judging, "Detector", Listening)
    judge_languages(leads("Director of Network", "Geschäftsführer", "Presales"), LanguageSettings(**FEW))
    assert asked == ["presales"]


@pytest.mark.parametrize("titles", [(), ("IT", "-", "????", "관리자"), ("Analyst", "Einkäufer")])
def test_lingua_is_not_loaded_where_it_is_not_needed(monkeypatch, titles):
    monkeypatch.setattr(judging, "Detector", None)
    judged_titles = judge_languages(leads(*titles))
    assert judged_titles.schema == {"title": pl.String, "language": pl.String, "reason": pl.String}
    assert len(judged_titles) == len(titles)


def test_progress_counts_titles_up_to_all_of_them():
    reported = []
    titles = (*ENGLISH, *GERMAN, "IT", "Presales", "PRESALES")
    judge_languages(leads(*titles), LanguageSettings(**FEW), lambda *progress: reported.append(progress))
    done = [count for _, count, _, _ in reported]
    assert done == sorted(done)
    assert done[-1] == len(titles)
    assert done.count(len(titles)) == 1, "the end is reported twice"
    assert {(step, total, unit) for step, _, total, unit in reported} == {("finding languages", len(titles), "titles")}


def test_each_language_has_its_own_margin():
    settings = LanguageSettings(margins={**NONE, "de": 0.1, "fr": 0.3})
    titles = leads("one thing", "two things", "three things", "four things")
    nearest = pl.Series(["de", "fr", "fr", None], dtype=pl.String)
    texts = pl.DataFrame({"text": titles["title"], "nearest": nearest, "margin": [0.2, 0.2, 0.4, None]}).with_columns(
        needs_sure=False, settled_by_words=False, word_language=pl.lit(None, pl.String)
    )
    judged_titles = judging.decide(judging.read_titles(titles, settings), texts, settings)
    assert judged_titles["language"].to_list() == ["de", None, "fr", None]


def test_a_language_that_is_left_out_is_kept():
    title = "Leiter der Buchhaltung"
    for margins, language in (({}, "de"), ({**NONE, "fr": 0.2}, None)):
        assert judge_languages(leads(title), LanguageSettings(margins=margins))["language"].item() == language


def test_another_language_can_be_asked_for():
    only_swedish = LanguageSettings(margins={**NONE, "sv": 0.2})
    judged_titles = judge_languages(leads("Ansvarig för inköp", "Security Engineer"), only_swedish)
    assert judged_titles["language"].to_list() == ["sv", None]
