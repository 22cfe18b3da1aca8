"""Whatever titles hold, none is lost, their order is kept, and cleaning what is clean changes nothing."""

import csv
import gzip

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data_cleaning.clean import CleanSettings, clean_leads
from data_cleaning.files.written_tables import write_table
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.leads import LONGEST_TITLE, read_leads
from data_cleaning.words import normalise_titles

TARGETS = ("department", "seniority")
COLUMNS = LeadColumns(title="title", record="record", targets={name: name for name in TARGETS}, count="count")

AWKWARD = (
    'Head of "IT"', '"', '""', '",', "Manager, IT", "two\nlines", "two\r\nlines", "cr\ronly", "\n", " lead",
    "trail ", "\t", "👩‍💻 Developer", "مدير تقنية المعلومات", "\u202eRTL\u202c",
    "Dire\u0301cteur", "=1+1", "#", "NULL", "nan", "-",
    "\u2028", "\x85", "\x1c", "\ufeff", "ﬁ", "´´", "e\u00ad\u0301", "\u1100\u1161", "\u0958",
)  # fmt: skip
# Neither UTF-8 nor a CSV file can hold lone surrogates and NUL bytes.
titles = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
labels = {
    "department": st.sampled_from(["Nursing", "Dept. of Nursing", " Kitchen", "", " ", None]),
    "seniority": st.sampled_from(["Chief", "Head", None]),
}
rows = st.lists(st.tuples(st.one_of(titles, st.none()), *labels.values(), st.integers(1, 9)), min_size=1, max_size=12)
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STEPS = [CleanSettings(english_only=False, consensus=kind, min_support=1) for kind in ("none", "whole-file")]


def as_leads(filled):
    schema = {"record": pl.String, "title": pl.String, **dict.fromkeys(TARGETS, pl.String), "count": pl.Int64}
    numbered = [(str(number), *row) for number, row in enumerate(filled, start=1)]
    return pl.DataFrame(numbered, schema=schema, orient="row")


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
@few
@given(filled=rows)
def test_a_written_table_is_read_back_equal(tmp_path, ending, filled):
    leads = as_leads(filled)
    path = tmp_path / f"leads{ending}"
    write_table(leads, path, raw=True)  # otherwise text that looks like a formula is escaped
    # An empty cell of a CSV file is a missing one.
    expected = leads if ending == ".parquet" else leads.with_columns(pl.col(pl.String).replace("", None))
    assert read_leads(path, COLUMNS).select(leads.columns).equals(expected)


@few
@given(filled=rows)
def test_files_of_other_programs_give_the_same_leads(tmp_path, filled):
    leads = as_leads(filled).with_columns(pl.col(pl.String).fill_null(""))
    for quoting, ending in ((csv.QUOTE_ALL, "\n"), (csv.QUOTE_MINIMAL, "\r\n")):
        with gzip.open(tmp_path / "leads.csv.gz", "wt", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened, quoting=quoting, lineterminator=ending)
            writer.writerows([leads.columns, *leads.rows()])
        read = read_leads(tmp_path / "leads.csv.gz", COLUMNS).select(leads.columns)
        assert read.with_columns(pl.col(pl.String).fill_null("")).equals(leads)


@given(title=titles)
@example(title="x" * LONGEST_TITLE)
def test_normalising_again_changes_nothing(title):
    once = normalise_titles(pl.Series([title]))
    assert normalise_titles(once).equals(once)


@pytest.mark.parametrize("chosen", STEPS, ids=["plain", "consensus"])
@few
@given(filled=rows)
def test_no_record_is_lost_and_their_order_is_kept(company, chosen, filled):
    leads = as_leads([*filled, ("Night Nurse", "Nursing", "Chief", 1)])
    cleaned = clean_leads(leads, company.taxonomy, chosen)
    for part in (cleaned.kept, cleaned.quarantined):
        assert part["record"].cast(pl.Int64).is_sorted()
    assert sorted([*cleaned.kept["record"], *cleaned.quarantined["record"]]) == sorted(leads["record"])
    assert cleaned.kept["count"].sum() + cleaned.quarantined["count"].sum() == leads["count"].sum()
    assert cleaned.quarantined["reason"].null_count() == 0
    assert cleaned.quarantined.drop("reason").equals(leads[cleaned.quarantined_rows])
    assert cleaned.kept["original_title"].equals(leads["title"][cleaned.kept_rows], check_names=False)


@pytest.mark.parametrize("chosen", STEPS, ids=["plain", "consensus"])
@few
@given(filled=rows)
def test_cleaning_clean_leads_changes_nothing(company, chosen, filled):
    leads = as_leads([*filled, ("Night Nurse", "Nursing", "Chief", 1)])
    once = clean_leads(leads, company.taxonomy, chosen)
    again = clean_leads(once.kept.select(leads.columns), company.taxonomy, chosen)
    assert again.kept.select(leads.columns).equals(once.kept.select(leads.columns))
    assert again.quarantined.is_empty()
    assert again.ledger["changed"].sum() == 0


ENGLISH = [
    f"{level} {word} {rank}".strip()
    for word in ("Network", "Security", "Purchasing", "Nursing")
    for level, rank in (("", "Manager"), ("", "Engineer"), ("Senior", "Manager"), ("Chief", "Officer"), ("Head of", ""))
]
FOREIGN = [
    "Leiter der Buchhaltung", "Geschäftsführer", "Responsable de Seguridad Informática", "Ingénieur Réseau",
    "Impiegato commerciale", "Systeembeheerder", "Kierownik działu", "Gerente de Informática", "情報セキュリティ担当",
    "软件工程师", "Менеджер по продажам",
]  # fmt: skip
DAMAGED = ["DX???????", "\ufffd\ufffdIT\ufffd"]
NOTHING = [None, "", " \t"]


def mixed_leads():
    """Good titles between foreign, damaged and missing ones, in lower and upper case, over two countries."""
    spelled = [*ENGLISH, *(f"  {title.upper()}" for title in ENGLISH)]
    others = [*FOREIGN, *DAMAGED, *NOTHING, *(title.upper() for title in FOREIGN)]
    interleaved = [title for pair in zip(spelled, others, strict=False) for title in pair] + spelled[len(others) :]
    filled = [(title, "Nursing", "Chief", 1 + place % 3) for place, title in enumerate(interleaved)]
    places = ["US", " US ", None, "DE"]
    return as_leads(filled).with_columns(country=pl.Series([places[n // 2 % 4] for n in range(len(filled))]))


@pytest.mark.parametrize("countries", [(), ("US",)], ids=["everywhere", "one country"])
def test_default_steps_account_for_every_record_of_mixed_languages(company, countries):
    leads, chosen = mixed_leads(), CleanSettings(countries=countries)
    once = clean_leads(leads, company.taxonomy, chosen)
    kept, dropped = once.kept["record"].to_list(), once.quarantined["record"].to_list()
    assert sorted([*kept, *dropped]) == sorted(leads["record"])
    assert once.kept["count"].sum() + once.quarantined["count"].sum() == leads["count"].sum()
    for records in (kept, dropped):
        assert records == sorted(records, key=int)

    listed = pl.col("country").str.strip_chars().is_in(countries) if countries else pl.lit(True)
    english = pl.col("title").str.strip_chars().str.to_lowercase().is_in([title.lower() for title in ENGLISH])
    assert kept == leads.filter(english & listed)["record"].to_list()
    reasons = set(once.quarantined["reason"].str.extract(r"^(\w+ \w+)").drop_nulls())
    assert reasons == {"missing title", "foreign title", "undecodable title", *(["source not"] if countries else [])}

    again = clean_leads(once.kept.select(leads.columns), company.taxonomy, chosen)
    assert again.kept.select(leads.columns).equals(once.kept.select(leads.columns))
    assert again.quarantined.is_empty()
    assert again.ledger["changed"].sum() == 0
