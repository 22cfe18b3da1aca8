import polars as pl
import pytest

from data_cleaning.language import LanguageSettings
from data_cleaning.progress import silent
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.stages import CLEAN, LEARN, REFERENCE_ROWS, SLICES, TRUTH
from harness.experiment.stages.slicing import SliceSettings, find_slices

TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "job": {"fallback": "cook", "classes": {"cook": [], "nurse": []}},
            "level": {"ordinal": True, "fallback": "low", "classes": {"high": [], "low": []}},
        }
    }
)


def frame(columns, *rows):
    return pl.DataFrame(list(rows), schema=columns, orient="row")


@pytest.fixture
def inputs(tmp_path):
    """Three records of a chief cook and one of a nurse, from two countries and years."""
    labels = ["title", "job", "level"]
    frame([*labels, "part"], ("Cook", "cook", "low", "train"), ("Nurse", "nurse", "low", "valid")).write_parquet(
        tmp_path / LEARN
    )
    frame(
        [*labels, "reference"], ("Chief Cook", "cook", "high", "truth"), ("Nurse", "nurse", "low", "truth")
    ).write_parquet(tmp_path / REFERENCE_ROWS)
    frame(
        [*labels, "record", "country", "date"],
        ("Chief Cook", "cook", "high", 1, "Chad", "2021-05-01"),
        ("Chief Cook", "cook", "high", 2, "Mali", "2022-01-01"),
        ("Chief Cook", "nurse", "high", 3, "Chad", None),
        ("Nurse", "nurse", "low", 4, "Chad", "2022-07-01"),
        ("Cook", "cook", "low", 5, "Niger", "2020-07-01"),
    ).write_parquet(tmp_path / CLEAN)
    frame(
        ["Record", "cause_job", "cause_level"],
        *((str(number), "override" if number == 3 else "table right", "table right") for number in range(1, 6)),
    ).write_parquet(tmp_path / TRUTH)
    (tmp_path / "keywords.csv").write_text("keyword,priority,job,level\nchief,1,,high\ncook,2,cook,low\n")
    return tmp_path


def slices_of(inputs, *, language=None):
    settings = SliceSettings(taxonomy=TAXONOMY, table=inputs / "keywords.csv", language=language)
    folders = dict.fromkeys(("leads", "clean", "split", "references"), inputs)
    find_slices(settings, folders, inputs, silent)
    return pl.read_parquet(inputs / SLICES)


def of(slices, name):
    return sorted(slices.filter(pl.col("slice") == name).select("title", "job", "value", "records").iter_rows())


def test_titles_are_sorted_by_what_train_alone_has_and_by_ranks(inputs):
    slices = slices_of(inputs)
    assert of(slices, "words") == [("Chief Cook", None, "2", 1), ("Nurse", None, "1", 1)]
    assert of(slices, "rarest word") == [], "both have a word that train lacks"
    assert of(slices, "classes of level named") == [("Chief Cook", None, "several", 1), ("Nurse", None, "none", 1)]
    assert of(slices, "foreign") == []


def test_records_are_counted_by_country_year_and_cause(inputs):
    slices = slices_of(inputs)
    assert of(slices, "country") == [
        ("Chief Cook", "cook", "Chad", 1),
        ("Chief Cook", "cook", "Mali", 1),
        ("Chief Cook", "nurse", "Chad", 1),
        ("Nurse", "nurse", "Chad", 1),
    ]
    assert of(slices, "year") == [
        ("Chief Cook", "cook", "2021", 1),
        ("Chief Cook", "cook", "2022", 1),
        ("Chief Cook", "nurse", "unknown", 1),
        ("Nurse", "nurse", "2022", 1),
    ]
    causes = slices.filter(pl.col("slice") == "cause of job")
    assert set(causes["target"]) == {"job"}
    assert causes.filter(pl.col("value") == "override").select("title", "job").rows() == [("Chief Cook", "nurse")]
    assert of(slices, "cause of level") == [], "it has one value only"


def test_titles_in_other_languages_are_a_slice_where_cleaning_leaves_them(inputs):
    rows = pl.read_parquet(inputs / REFERENCE_ROWS)
    foreign = rows.head(1).with_columns(title=pl.lit("Leiter der Buchhaltung"))
    pl.concat([rows, foreign]).write_parquet(inputs / REFERENCE_ROWS)
    found = dict((title, value) for title, _, value, _ in of(slices_of(inputs, language=LanguageSettings()), "foreign"))
    assert found == {"Chief Cook": "no", "Nurse": "no", "Leiter der Buchhaltung": "yes"}
