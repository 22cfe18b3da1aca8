import polars as pl
import pytest

from data_cleaning.clean import CleanSettings, clean_leads, equal_rows
from data_cleaning.clean_reports import foreign_warning, make_reports
from data_cleaning.errors import BadInput
from data_cleaning.ledger import POSITION, Ledger, RecordsLost, require_account

COLUMNS = ["record", "title", "department", "seniority", "country", "count"]


def leads(*rows):
    """Rows of title, department, seniority and optionally country and count."""
    filled = [(str(n), *row, *("US", 1)[len(row) - 3 :]) for n, row in enumerate(rows, start=1)]
    text = dict.fromkeys(COLUMNS[:-1], pl.String)
    return pl.DataFrame(filled, schema={**text, "count": pl.Int64}, orient="row")


def clean(company, given, **settings):
    return clean_leads(given, company.taxonomy, CleanSettings(**{"english_only": False, **settings}))


MESSY = leads(
    ("Night  Nurse", "Dept. of Nursing", "Chief", "US", 3),
    (None, "Nursing", "Chief"),
    (" ", "Nursing", "Chief"),
    ("Cook", None, "", "US", 2),
    ("Driver", None, " "),
    ("Leiter der Buchhaltung", "Accounts", "Head", "Germany"),
    ("Night Nurse", "Nursing", "Head", "US", 2),
    ("Night Nurse", "Nursing", "Senior", None),
    ("D??????", "Nursing", "Head"),
)


def test_every_record_is_kept_or_quarantined_with_a_reason(company):
    cleaned = clean(company, MESSY)
    assert cleaned.kept["record"].to_list() == ["1", "6", "7", "8", "9"]
    reasons = dict(cleaned.quarantined.select("record", "reason").iter_rows())
    assert reasons == {"2": "missing title", "3": "missing title"} | dict.fromkeys(
        "45", "missing department and seniority"
    )
    assert cleaned.quarantined.drop("reason").equals(MESSY[1:5])
    assert cleaned.quarantined_rows.to_list() == [1, 2, 3, 4]


def test_raw_labels_and_the_original_title_are_kept_as_columns(company):
    kept = clean(company, MESSY).kept
    columns = ("title", "original_title", "department", "raw_department")
    assert kept.select(columns).row(0) == ("Night Nurse", "Night  Nurse", "Nursing", "Dept. of Nursing")


@pytest.mark.parametrize("settings", [{}, {"english_only": True, "countries": ("US",), "consensus": "whole-file"}])
def test_the_ledger_accounts_for_every_record_of_every_step(company, settings):
    cleaned = clean(company, MESSY, **settings)
    ledger = cleaned.ledger
    assert ledger["records_out"].to_list()[:-1] == ledger["records_in"].to_list()[1:]
    assert ledger["titles_out"].to_list()[:-1] == ledger["titles_in"].to_list()[1:]
    assert (ledger["records_in"] - ledger["dropped"] == ledger["records_out"]).all()
    assert ledger["records_in"][0] == 13
    assert ledger["records_out"][-1] == cleaned.kept["count"].sum()
    assert ledger["dropped"].sum() == cleaned.quarantined["count"].sum()
    assert sorted([*cleaned.kept["record"], *cleaned.quarantined["record"]]) == sorted(MESSY["record"])


def test_every_step_of_the_ledger_has_its_reason_and_counts(company):
    settings = {"english_only": True, "countries": ("US", "Germany"), "consensus": "whole-file"}
    ledger = {row["step"]: row for row in clean(company, MESSY, **settings).ledger.iter_rows(named=True)}
    assert list(ledger) == [
        *(
            "repair titles",
            "normalise titles",
            "drop missing title",
            "drop missing department and seniority",
        ),
        *("filter sources", "group raw labels", "filter languages", "consensus labels"),
    ]
    assert (ledger["normalise titles"]["changed"], ledger["normalise titles"]["titles_in"]) == (4, 7)
    assert ledger["filter sources"]["dropped"] == 1
    assert ledger["group raw labels"]["changed"] == 3
    assert "taxonomy version 1" in ledger["group raw labels"]["why"]
    assert ledger["filter languages"]["dropped"] == 2
    assert (ledger["filter languages"]["records_kept"], ledger["filter languages"]["titles_kept"]) == (0.7143, 0.3333)
    assert "learned from the whole file: later test records had a say" in ledger["consensus labels"]["why"]
    assert ledger["consensus labels"]["changed"] == 2


def test_records_from_other_countries_are_quarantined(company):
    cleaned = clean(company, MESSY, countries=("US",))
    reasons = dict(cleaned.quarantined.select("record", "reason").iter_rows())
    assert reasons["6"] == "source not listed (Germany)"
    assert reasons["8"] == "source not listed (no country)"


def test_a_country_that_no_record_has_is_named_with_the_nearest(company):
    with pytest.raises(BadInput, match=r"No record is from Germani.*Did you mean 'Germany'\?"):
        clean(company, MESSY, countries=("Germani",))
    with pytest.raises(BadInput, match="the leads have no such column"):
        clean(company, MESSY.drop("country"), countries=("US",))


def test_foreign_and_undecodable_titles_are_quarantined_with_their_reason(company):
    cleaned = clean(company, MESSY, english_only=True)
    reasons = dict(cleaned.quarantined.select("record", "reason").iter_rows())
    assert (reasons["6"], reasons["9"]) == ("foreign title (de)", "undecodable title")
    assert cleaned.foreign_titles.sort("title").rows() == [
        ("D??????", None, "undecodable title", 1),
        ("Leiter der Buchhaltung", "de", "foreign title (de)", 1),
    ]


def test_consensus_keeps_the_original_labels(company):
    cleaned = clean(company, MESSY, consensus="whole-file")
    nurses = cleaned.kept.filter(pl.col("title") == "Night Nurse")
    assert nurses["seniority"].to_list() == ["Chief"] * 3
    assert nurses["original_seniority"].to_list() == ["Chief", "Head", "Senior"]
    assert nurses["raw_department"].to_list() == ["Dept. of Nursing", "Nursing", "Nursing"]


def test_each_unmapped_label_is_an_error_that_names_its_nearest_labels(company):
    given = leads(("Nurse", "Nursng", "Chief"), ("Cook", "DEPT. OF KITCHN", "xyz"), ("Cook", "Nursng", "Head"))
    with pytest.raises(BadInput) as caught:
        clean(company, given)
    lines = str(caught.value).splitlines()
    assert lines[0] == (
        "Unknown department label 'Nursng'. Did you mean 'Nursing'? Records that have it: 2, the first is 1 ('Nurse')."
    )
    assert "Did you mean 'Dept. of Kitchen' or " in lines[1]
    assert "Unknown seniority label 'xyz'. No known label is near." in lines[2]
    assert "taxonomy (version 1)" in lines[3]
    assert '--set "leads.columns.targets={}"' in lines[3]
    with pytest.raises(BadInput, match=r"column of seniority holds .*targets=\{department: <its column>\}"):
        clean(company, leads(("Nurse", "Nursing", "high")))


def test_the_label_map_counts_the_records_of_every_raw_label(company):
    label_map = clean(company, MESSY).label_map
    records = {row[1:4]: row[4] for row in label_map.iter_rows()}
    assert records["department", "Dept. of Nursing", "Nursing"] == 3
    assert records["department", "Nursing", "Nursing"] == 4
    assert records["department", "Garden", "Garden"] == 0
    assert label_map["taxonomy_version"].unique().to_list() == ["1"]


def test_only_the_title_is_required(company):
    cleaned = clean(
        company, leads(("Night  Nurse", None, None), (None, "Nursing", None)).select("record", "title", "count")
    )
    assert cleaned.targets == ()
    assert cleaned.kept["title"].to_list() == ["Night Nurse"]
    assert cleaned.ledger["step"].to_list() == ["repair titles", "normalise titles", "drop missing title"]
    assert make_reports(cleaned).ceilings is None


def test_records_that_lack_some_labels_are_kept_and_in_no_report_on_labels(company):
    cleaned = clean(company, leads(("Cook", " ", "Head"), ("Cook", "Kitchen", "Head"), ("Driver", "Transport", None)))
    assert cleaned.kept["department"].to_list() == [None, "Kitchen", "Transport"]
    assert cleaned.kept["seniority"].to_list() == ["Head", "Head", None]
    assert make_reports(cleaned).combinations["title"].to_list() == ["Cook"]
    partly = clean(company, leads(("Cook", None, "Head")), consensus="whole-file")
    assert partly.kept["seniority"].to_list() == ["Head"]
    assert make_reports(partly).ceilings is None


def test_leads_without_any_label_are_refused(company):
    with pytest.raises(BadInput, match="No record has a title and a label \\(department, seniority\\)"):
        clean(company, leads(("Nurse", None, " ")))
    with pytest.raises(BadInput, match="No record has a title;"):
        clean(company, leads((" ", None, None)).select("record", "title", "count"))


def test_further_columns_are_passed_on(company):
    kept = clean(company, MESSY.with_columns(campaign=pl.lit("spring"))).kept
    assert kept["campaign"].to_list() == ["spring"] * 5


@pytest.mark.parametrize("settings", [{"consensus": "majority"}, {"min_support": 0}, {"report_min_records": 0}])
def test_clean_settings_out_of_range_are_refused(settings):
    with pytest.raises(BadInput, match="expected"):
        CleanSettings(**settings)


def test_a_lost_or_doubled_record_raises_records_lost():
    given = leads(("a", "x", "y"), ("b", "x", "y", "US", 2)).with_row_index(POSITION)
    ledger = Ledger()
    left = ledger.drop("drop b", given, pl.Series([None, "b"]), "a test")
    kept, quarantined, table = left[POSITION], ledger.dropped[0][POSITION], ledger.table()
    require_account(given, kept, quarantined, table)
    for lost in ((kept[:0], quarantined), (kept, kept), (kept, quarantined[:0])):
        with pytest.raises(RecordsLost, match="Of 2 rows"):
            require_account(given, *lost, table)
    with pytest.raises(RecordsLost, match="Of 3 records"):
        require_account(given, kept, quarantined, table.with_columns(dropped=pl.lit(0)))


def test_reports_show_disagreement_ceilings_and_near_duplicates(company):
    given = leads(
        *[("Senior Cook", "Kitchen", "Head")] * 3,
        ("Senior Cook", "Dept. of Kitchen", "Head"),
        ("Senior Cook", "Kitchen", "Chief"),
        ("sr. cook", "Kitchen", "Head"),
    )
    reports = make_reports(clean(company, given))
    assert reports.near_duplicates.rows() == [
        ("cook senior", 2, 6, "Senior Cook", 5),
        ("cook senior", 2, 6, "sr. cook", 1),
    ]
    assert reports.combinations.rows() == [
        ("Senior Cook", "Kitchen", "Head", 4, 2, 1, "majority"),
        ("Senior Cook", "Kitchen", "Chief", 1, 2, 2, "majority"),
        ("sr. cook", "Kitchen", "Head", 1, 1, 1, "too few"),
    ]
    assert reports.titles.select("title", "records", "majority_share").rows() == [("Senior Cook", 5, 0.8)]
    assert reports.majority.rows() == [("majority", 1, 5, 1), ("tie", 0, 0, None), ("too few", 1, 1, None)]
    ceilings = {row[:2]: row[2:] for row in reports.ceilings.iter_rows()}
    assert ceilings["raw", "per record"] == pytest.approx((5 / 6, 5 / 6, 4 / 6, 1 / 6))
    assert ceilings["grouped", "per record"] == pytest.approx((1, 5 / 6, 5 / 6, 1 / 6))
    assert ceilings["consensus", "per record"] == pytest.approx((1, 1, 1, 1 / 6))


def test_reports_list_titles_of_enough_records_and_count_all_of_them(company):
    given = leads(("Cook", "Kitchen", "Head"), ("Cook", "Kitchen", "Chief"), ("Nurse", "Nursing", "Head", "US", 3))
    cleaned = clean(company, given)
    assert make_reports(cleaned).titles["majority_status"].to_list() == ["tie"]
    of_three = make_reports(cleaned, min_records=3)
    assert of_three.combinations["title"].to_list() == ["Nurse"]
    assert of_three.titles.is_empty()
    assert of_three.majority.rows() == [("majority", 1, 3, 0), ("tie", 1, 2, None), ("too few", 0, 0, None)]


def test_raw_labels_keep_their_white_space_and_stripping_counts_as_a_change(company):
    cleaned = clean(company, leads((" Cook", " Kitchen ", "Head")))
    assert cleaned.kept.select("department", "raw_department").row(0) == ("Kitchen", " Kitchen ")
    assert cleaned.ledger.filter(step="group raw labels")["changed"].item() == 1


def test_white_space_around_a_raw_label_is_kept_and_is_not_a_disagreement(company):
    cleaned = clean(company, leads(("Cook", "Kitchen", "Head"), ("Cook", " Kitchen ", "Head")))
    assert cleaned.kept["raw_department"].to_list() == ["Kitchen", " Kitchen "]
    raw = make_reports(cleaned).ceilings.filter(pl.col("labels") == "raw")
    assert raw["department"].to_list() == [1, 1]


def test_reports_are_on_the_labels_before_consensus(company):
    before, after = (make_reports(clean(company, MESSY, consensus=kind)) for kind in ("none", "whole-file"))
    assert before.combinations.equals(after.combinations)
    assert before.ceilings.equals(after.ceilings)


def test_equal_rows_merge_in_a_fixed_order(company):
    rows = equal_rows(clean(company, MESSY).kept.reverse(), ("department",))
    assert rows.rows() == [
        ("D??????", "Nursing", 1),
        ("Leiter der Buchhaltung", "Accounts", 1),
        ("Night Nurse", "Nursing", 6),
    ]


def test_many_records_dropped_as_foreign_are_said_with_the_ten_commonest_titles(company):
    words = ("Buchhaltung", "Entwicklung", "Fertigung", "Forschung", "Verwaltung", "Werkstatt", "Küche", "Pflege",
             "Abteilung", "Reinigung", "Lagerhaltung", "Vermarktung")  # fmt: skip
    german = [(f"Leiter der {word}", "Accounts", "Head", "US", 12 - n) for n, word in enumerate(words)]
    english = [("Night Nurse", "Nursing", "Head", "US", 1000)]
    warning = foreign_warning(clean(company, leads(*english, *german), english_only=True))
    assert warning.startswith("78 of 1,078 records (7.2%) were dropped as foreign.")
    assert "'Leiter der Buchhaltung' (de, 12), 'Leiter der Entwicklung' (de, 11)" in warning
    assert "'Leiter der Reinigung' (de, 3), and 2 more titles." in warning
    assert "--keep-foreign" in warning
    assert foreign_warning(clean(company, leads(*english, german[0]), english_only=True)) is None
    assert foreign_warning(clean(company, leads(*english, *german))) is None


def test_words_of_the_labels_and_of_known_keywords_count_as_english(company):
    odd = leads(("Presales", "Accounts", "Head"), ("Cook", "Kitchen", "Head"))
    settings = CleanSettings()
    assert clean_leads(odd, company.taxonomy, settings).foreign_titles["title"].to_list() == ["Presales"]
    assert clean_leads(odd, company.taxonomy, settings, known=["presales"]).foreign_titles.is_empty()
