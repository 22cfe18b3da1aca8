import polars as pl
import pytest

from data_cleaning.clean import clean_leads
from data_cleaning.errors import BadInput
from data_cleaning.normalise import normalise_titles


def leads(rows):
    columns = ["record", "title", "department", "seniority"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(pl.lit(1).alias("count"))


def test_every_record_is_kept_or_quarantined_with_a_reason(company):
    given = leads(
        [
            (1, "Night  Nurse", "Dept. of Nursing", "Chief"),
            (2, None, "Nursing", "Chief"),
            (3, " ", "Nursing", "Chief"),
            (4, "Cook", None, "Head"),
            (5, "Driver", "Transport", " "),
        ]
    )
    cleaned = clean_leads(given, company.taxonomy)
    assert cleaned.kept["record"].to_list() == [1]
    reasons = dict(cleaned.quarantined.select("record", "reason").iter_rows())
    assert reasons == {2: "missing title", 3: "missing title", 4: "missing department", 5: "missing seniority"}


def test_raw_labels_are_grouped_and_kept_beside(company):
    kept = clean_leads(leads([(1, "Nurse", "Dept. of Nursing", "Chief")]), company.taxonomy).kept
    assert kept.select("department", "raw_department").row(0) == ("Nursing", "Dept. of Nursing")


def test_the_ledger_accounts_for_every_step(company):
    given = leads([(1, "Night  Nurse", "Dept. of Nursing", "Chief"), (2, "Cook", None, "Head")])
    ledger = clean_leads(given, company.taxonomy).ledger
    by_step = {row["step"]: row for row in ledger.iter_rows(named=True)}
    assert by_step["normalise titles"]["changed"] == 1
    assert by_step["drop missing department"]["dropped"] == 1
    assert by_step["group raw labels"]["changed"] == 1
    for before, after in zip(ledger["records_out"].to_list(), ledger["records_in"].to_list()[1:], strict=False):
        assert before == after
    assert (ledger["records_in"] - ledger["dropped"] == ledger["records_out"]).all()


def test_an_unmapped_label_stops_and_names_its_nearest_neighbour(company):
    with pytest.raises(BadInput, match=r"Unknown department label 'Nursng'. Did you mean 'Nursing'\?"):
        clean_leads(leads([(1, "Nurse", "Nursng", "Chief")]), company.taxonomy)


def test_leads_without_one_whole_record_are_refused(company):
    with pytest.raises(BadInput, match="No record has both a title and every label"):
        clean_leads(leads([(1, "Nurse", None, "Chief")]).cast({"department": pl.String}), company.taxonomy)


@pytest.mark.parametrize(
    ("typed", "normalised"),
    [
        ("  IT\u00a0 Manager\t", "IT Manager"),
        ("Directeur Ge\u0301ne\u0301ral", "Directeur Général"),
        ("IT\x00Manager", "IT Manager"),
        ("\u200b", ""),
        ("VP, IT", "VP, IT"),
    ],
)
def test_normalising_folds_space_and_unicode_only(typed, normalised):
    assert normalise_titles(pl.Series([typed])).to_list() == [normalised]
