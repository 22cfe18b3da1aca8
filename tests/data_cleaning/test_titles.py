import numpy as np
import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.titles import UNKNOWN, LabelledTitles, Predictions


@pytest.fixture
def rows(company):
    frame = pd.DataFrame(
        {
            "title": ["head nurse", "head nurse", "cook"],
            "department": ["Nursing", "Dept. of Surgery", "Kitchen"],
            "seniority": ["Head", "Head", "None given"],
            "count": [5, 1, 2],
            "weight": [1.0, 1.0, 10.0],
            "source": ["legacy", "legacy", "reviewed"],
        }
    )
    return LabelledTitles.from_frame(frame, company.taxonomy)


def test_the_fit_weight_of_a_row_is_its_records_times_its_weight(rows):
    assert rows.n_records == 8
    assert rows.fit_weights.tolist() == [5.0, 1.0, 20.0]
    assert rows.summary() == {
        "rows": 3,
        "records": 8,
        "sources": {"legacy": {"rows": 2, "records": 6}, "reviewed": {"rows": 1, "records": 2}},
    }


def test_raw_labels_become_classes_and_rows_can_be_chosen(rows, company):
    departments = company.taxonomy["department"].classes
    assert [departments[code] for code in rows.labels["department"]] == ["Nursing", "Surgery", "Kitchen"]
    chosen = rows.select(np.array([True, False, True]))
    assert chosen.titles.tolist() == ["head nurse", "cook"]
    assert chosen.labels["seniority"].tolist() == rows.labels["seniority"][[0, 2]].tolist()


def test_columns_of_unequal_length_are_refused(rows, company):
    with pytest.raises(ValueError, match=r"need the 3 rows of the titles; these differ: \{'counts': 2\}"):
        LabelledTitles(
            taxonomy=company.taxonomy, titles=rows.titles, labels=rows.labels, counts=rows.counts[:2],
            weights=rows.weights, sources=rows.sources,
        )  # fmt: skip


def test_predictions_are_read_as_written_and_refuse_another_taxonomy(company, tmp_path):
    from data_cleaning.taxonomy import Taxonomy

    made = Predictions(
        taxonomy=company.taxonomy,
        titles=np.array(["cook", ""], dtype=object),
        probabilities={
            target.name: np.full((2, target.n_classes), 1 / target.n_classes) for target in company.taxonomy.targets
        },
    )
    made.write(tmp_path / "p.parquet")
    read = Predictions.read(tmp_path / "p.parquet", company.taxonomy)
    assert read.titles.tolist() == ["cook", ""]
    np.testing.assert_allclose(read.probabilities["department"], 1 / 11, atol=1e-6)
    other = Taxonomy.from_dict({"targets": {"department": {"classes": {"A": [], "B": []}}}})
    with pytest.raises(BadInput, match="predict again"):
        Predictions.read(tmp_path / "p.parquet", other)


def test_a_label_that_is_missing_is_unknown(company):
    frame = pd.DataFrame({"title": ["cook", "nurse"], "department": ["Kitchen", None], "seniority": [np.nan, "Head"]})
    rows = LabelledTitles.from_frame(frame, company.taxonomy, source="reviewed")
    assert [rows.labels[target].tolist() for target in ("department", "seniority")] == [[4, UNKNOWN], [UNKNOWN, 1]]
