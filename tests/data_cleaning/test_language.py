"""Foreign and undecodable titles; the figures of the real ones are skipped, and said so, where there are none."""

from pathlib import Path

import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from data_cleaning.errors import BadInput
from data_cleaning.language import LanguageSettings, judge_languages, judging
from data_cleaning.language.choosing import choose_margins, compare_with_plain, in_choosing_half, weigh
from data_cleaning.language.detection import Detector, fold_texts
from data_cleaning.language.vocabulary import all_known, learn_english_words
from harness.experiment.config_file import load_config

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real titles are not beside the checkout")

SETTINGS = LanguageSettings()
NONE = dict.fromkeys(SETTINGS.margins)
FEW = {"margins": {**NONE, "de": 0.2, "fr": 0.2}}  # loads three models instead of ten

GERMAN = [
    "Geschäftsführer", "Leiter der Informationstechnik", "Netzwerkadministrator", "Einkäufer", "Vertriebsmitarbeiter",
    "Buchhalter", "Sachbearbeiterin", "Datenschutzbeauftragter", "Teamleiter Netzwerke", "Softwareentwickler",
    "Leiter Einkauf", "Leiter Vertrieb", "Leiter EDV", "Leiter Buchhaltung", "Leiter der Entwicklung",
]  # fmt: skip
ENGLISH = [
    "Security Engineer", "Senior Security Engineer", "Network Engineer", "Senior Network Engineer", "Network Manager",
    "Purchasing Manager", "Senior Purchasing Manager", "Head of Purchasing", "Director of Engineering",
    "Director of Security", "Procurement Manager", "Procurement Director", "Head of Procurement",
    "Senior Procurement Manager", "Chief Security Officer",
]  # fmt: skip

VERDICTS = {
    # Too short to tell, acronyms, nothing to judge
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


def leads(*titles):
    return pl.DataFrame({"title": titles, "count": [1] * len(titles)}, schema={"title": pl.String, "count": pl.Int64})


def detected(*rows):
    """Rows of text, nearest, margin, and records where they are not 1."""
    return pl.DataFrame(
        [(*row, 1)[:4] for row in rows], schema=["text", "nearest", "margin", "count"], orient="row"
    ).with_columns(pl.col("margin").cast(pl.Float64))


@pytest.fixture(scope="module")
def judged():
    return judge_languages(leads(*VERDICTS, *ENGLISH))


@pytest.mark.parametrize("title", VERDICTS)
def test_verdict(judged, title):
    _, language, reason = judged.row(by_predicate=pl.col("title") == title)
    expected = VERDICTS[title]
    if expected == "undecodable":
        assert (language, reason) == (None, "undecodable title")
    else:
        assert (language, reason) == (expected, f"foreign title ({expected})" if expected else None)


def test_rows_keep_their_order_and_names(judged):
    assert judged.columns == ["title", "language", "reason"]
    assert judged["title"].to_list() == [*VERDICTS, *ENGLISH]


def test_a_lone_foreign_list_is_caught():
    assert judge_languages(leads(*GERMAN))["language"].to_list() == ["de"] * len(GERMAN)


def test_among_as_many_english_titles_the_foreign_ones_are_caught_all_the_same():
    verdicts = judge_languages(leads(*GERMAN, *ENGLISH))
    assert verdicts["language"].to_list() == ["de"] * len(GERMAN) + [None] * len(ENGLISH)


def test_the_vocabulary_of_the_leads_overrules_lingua():
    doubted = "Indirect Procurement"
    few = LanguageSettings(**FEW)
    assert judge_languages(leads(doubted), few)["reason"].to_list() == ["foreign title (fr)"]
    more = [f"Indirect {what}" for what in ("Purchasing Manager", "Spend Engineer", "Buying Officer")]
    verdicts = judge_languages(leads(*ENGLISH, *more, doubted), few)
    assert verdicts["reason"].to_list() == [None] * len(verdicts)


def test_titles_beyond_those_learned_from_are_judged_too():
    titles = pl.concat([leads(*ENGLISH).with_columns(count=pl.lit(9, pl.Int64)), leads("Director of Network", *GERMAN)])
    capped = LanguageSettings(**FEW, max_learning_titles=len(ENGLISH))
    assert judge_languages(titles, capped)["language"].to_list() == [None] * (len(ENGLISH) + 1) + ["de"] * len(GERMAN)


def test_lingua_is_not_asked_about_known_words(monkeypatch):
    asked = []

    class Listening(Detector):
        def detect(self, texts, *told):
            asked.extend(texts)
            return super().detect(texts, *told)

    monkeypatch.setattr(judging, "Detector", Listening)
    titles = pl.concat([leads(*ENGLISH).with_columns(count=pl.lit(9, pl.Int64)), leads("Director of Network", "Koch")])
    judge_languages(titles, LanguageSettings(**FEW, max_learning_titles=len(ENGLISH)))
    assert sorted(asked) == sorted([*(title.lower() for title in ENGLISH), "koch"])


@pytest.mark.parametrize("titles", [(), ("IT", "-", "????", "관리자")])
def test_lingua_is_not_loaded_for_nothing(monkeypatch, titles):
    monkeypatch.setattr(judging, "Detector", None)
    verdicts = judge_languages(leads(*titles))
    assert verdicts.schema == {"title": pl.String, "language": pl.String, "reason": pl.String}
    assert len(verdicts) == len(titles)


@pytest.mark.parametrize("max_learning_titles", [5, 1000])
def test_progress_counts_titles_up_to_all_of_them(max_learning_titles):
    told = []
    titles = (*ENGLISH, *GERMAN, "IT", "NETWORK ENGINEER", "network engineer")
    settings = LanguageSettings(**FEW, max_learning_titles=max_learning_titles)
    judge_languages(leads(*titles), settings, lambda *progress: told.append(progress))
    done = [count for _, count, _, _ in told]
    assert done == sorted(done)
    assert done[-1] == len(titles)
    assert done.count(len(titles)) == 1, "the end is told twice"
    assert {(step, total, unit) for step, _, total, unit in told} == {("finding languages", len(titles), "titles")}


def test_each_language_has_its_own_margin():
    settings = LanguageSettings(margins={**NONE, "de": 0.1, "fr": 0.3})
    frame = judging.read_titles(leads("one thing", "two things", "three things", "four things"), settings)
    frame = frame.with_columns(nearest=pl.Series(["de", "fr", "fr", None]), margin=pl.Series([0.2, 0.2, 0.4, None]))
    assert judging.decide(frame, settings)["language"].to_list() == ["de", None, "fr", None]


def test_folding_leaves_words_in_lower_case():
    titles = pl.Series(["Sr. IT-Manager  (EMEA) 2", "Leiter*in", "-", "Ｇeneral", "मैनेजर"])
    assert fold_texts(titles).to_list() == ["sr it manager emea", "leiter in", "", "ｇeneral", "मैनेजर"]


def test_a_word_needs_two_english_titles():
    opinions = detected(("network engineer", "en", 0), ("network koch", "de", 0.9), ("network head", "en", 0))
    assert learn_english_words(opinions, SETTINGS).to_list() == ["network"]


def test_a_word_repeated_within_a_title_or_its_records_is_one_title():
    opinions = detected(("koch koch", "en", 0, 1000), ("koch", "de", 0.9))
    assert learn_english_words(opinions, SETTINGS).to_list() == []


def test_a_frequent_foreign_word_that_lingua_slips_on_is_not_learned():
    slips = [(f"leiter {word}", "en", 0) for word in ("eins", "zwei", "drei")]
    right = [(f"leiter {word}", "de", 0.9) for word in ("vier", "acht", "neun", "elf")]
    assert learn_english_words(detected(*slips, *right), SETTINGS).to_list() == []


COMPANIONS = ("manager", "analyst", "director", "web")
SURROUNDING = [(f"{word} {what}", "en", 0) for word in COMPANIONS for what in ("one", "two")]


@pytest.mark.parametrize(
    ("word", "margin", "elsewhere", "learned"),
    [
        ("procurement", 0.3, 0, True),
        ("sviluppatore", 0.9, 0, False),  # lingua is sure of it, whatever stands beside
        ("responsable", 0.3, 3, False),  # stands beside foreign words as often
    ],
)
def test_a_doubted_word_is_learned_from_the_english_words_around_it(word, margin, elsewhere, learned):
    beside = [(f"{word} {companion}", "fr", margin) for companion in COMPANIONS]
    foreign = [(f"{word} informatique {number}", "fr", 0.9) for number in ("x", "y", "z")[:elsewhere]]
    words = learn_english_words(detected(*SURROUNDING, *beside, *foreign), SETTINGS)
    assert (word in words) == learned
    assert set(COMPANIONS) < set(words)


@pytest.mark.parametrize(
    ("n_titles", "records", "learned"), [(1, 50, False), (2, 9, False), (2, 10, True), (3, 3, True)]
)
def test_a_doubted_word_needs_three_titles_or_two_of_many_records(n_titles, records, learned):
    companions = COMPANIONS[:n_titles]
    spread = [records - n_titles + 1, *[1] * (n_titles - 1)]
    beside = [(f"malware {word}", "de", 0.3, count) for word, count in zip(companions, spread, strict=True)]
    words = learn_english_words(detected(*SURROUNDING, *beside), SETTINGS)
    assert ("malware" in words) == learned


def test_every_word_of_a_text_must_be_known():
    texts = pl.Series(["network manager", "network koch", "network", "", "koch"])
    words = pl.Series(["manager", "network"])
    assert all_known(texts, words).to_list() == [True, False, True, False, False]
    assert all_known(texts, words.head(0)).to_list() == [False] * 5
    assert all_known(texts.head(0), words).to_list() == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"margins": {"deu": 0.2}}, "Unknown language 'deu'"),
        ({"margins": {"de": 1.2}}, r"margins\.de is 1\.2"),
        ({"margins": {"de": 0.2, "en": 0.2}}, "no 'en'"),
        ({"margins": {"xx": None}}, "Unknown language 'xx'"),
        ({"margins": NONE}, "at least one language"),
        ({"min_english_share": -1}, "min_english_share is -1"),
        ({"min_lost_share": 0}, "every title undecodable"),
        ({"min_word_titles": 0, "max_learning_titles": 0}, "min_word_titles is 0; max_learning_titles is 0"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(BadInput, match=message):
        LanguageSettings(**settings)


def test_settings_can_be_read_from_a_config():
    adapter = TypeAdapter(LanguageSettings)
    assert adapter.validate_python({}) == SETTINGS
    assert adapter.validate_python({"margins": {"sv": 0.3}}).least_margins == {**SETTINGS.margins, "sv": 0.3}
    with pytest.raises(ValidationError, match="Unknown language"):
        adapter.validate_python({"margins": {"xx": 0.3}})


def test_one_margin_leaves_the_other_languages_as_they_were_and_null_leaves_one_out():
    settings = LanguageSettings(margins={"de": 0.3, "fr": None})
    others = {code: margin for code, margin in SETTINGS.margins.items() if code not in ("de", "fr")}
    assert settings.least_margins == {"de": 0.3, **others}
    adapter = TypeAdapter(LanguageSettings)
    assert adapter.validate_python(adapter.dump_python(settings)) == settings


def test_a_margin_set_for_a_run_leaves_the_other_languages_as_they_were(company):
    config = load_config(company.config, ["clean.language.margins.de=0.3", "clean.language.margins.nl=null"])
    expected = {code: margin for code, margin in SETTINGS.margins.items() if code != "nl"}
    assert config.clean.language.least_margins == {**expected, "de": 0.3}


def test_a_language_that_is_left_out_is_kept():
    title = "Leiter der Buchhaltung"
    for margins, language in (({}, "de"), ({**NONE, "fr": 0.2}, None)):
        assert judge_languages(leads(title), LanguageSettings(margins=margins))["language"].item() == language


def test_another_language_can_be_asked_for():
    only_swedish = LanguageSettings(margins={**NONE, "sv": 0.2})
    verdicts = judge_languages(leads("Ansvarig för inköp", "Security Engineer"), only_swedish)
    assert verdicts["language"].to_list() == ["sv", None]


def test_nothing_is_learned_from_the_titles_that_are_judged():
    labelled = pl.DataFrame({"title": ["Network Manager", "Indirect Procurement"], "lang": ["en", "en"]})
    beside = ["Network Engineer", "Security Manager", "Security Engineer"]
    few = LanguageSettings(**FEW)
    assert weigh(labelled, leads(*beside, "NETWORK-MANAGER"), few)["known"].to_list() == [False, False]
    assert weigh(labelled, leads(*beside, "Network Head", "Head Manager"), few)["known"].to_list() == [True, False]


@pytest.fixture(scope="module")
def weighed():
    """The titles of known language, with the vocabulary of the real titles."""
    labelled = pl.read_csv(DATA / "titles_by_language.csv").unique("title", keep="first", maintain_order=True)
    return weigh(labelled, pl.read_csv(DATA / "real_titles.csv"), SETTINGS)


@needs_data
def test_the_default_margins_are_those_chosen_on_one_half(weighed):
    chosen = choose_margins(weighed.filter(in_choosing_half(weighed["title"])), SETTINGS.margins)
    assert chosen == SETTINGS.margins


@needs_data
def test_the_other_half_keeps_more_english_and_catches_no_less_than_plain_lingua(weighed):
    shares = compare_with_plain(weighed.filter(~in_choosing_half(weighed["title"])), SETTINGS)
    assert len(shares) == 10
    english, foreign = shares.filter(pl.col("lang") == "en"), shares.filter(pl.col("lang") != "en")
    assert english["ours"].item() >= 0.985
    assert foreign["ours"].mean() >= foreign["plain"].mean()
    assert (foreign["ours"] - foreign["plain"]).min() >= -0.02


@needs_data
def test_of_the_real_security_titles_hardly_a_record_is_quarantined():
    titles = pl.read_csv(DATA / "real_titles.csv").filter(pl.col("source") == "infosec-jobs")
    quarantined = titles.filter(judge_languages(titles)["reason"].is_not_null())
    assert quarantined["count"].sum() <= 0.002 * titles["count"].sum()
