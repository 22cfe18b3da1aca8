import re
import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest

from data_cleaning.report_table import Table
from harness.reporting.charts import charts_of
from tests.harness.reporting.toy_run_page import SCRIPT, toy_tables


def test_every_table_with_figures_to_draw_has_charts():
    found = {name: len(charts) for name, charts in charts_of(toy_tables()).items()}
    drawn = ("verdict", "confusion", "risk_coverage", "reliability", "learning_curve", "costs")
    assert found == dict.fromkeys(drawn, 1) | {"verdict": 2}


def test_charts_are_xml_with_text_escaped_and_colours_of_the_page():
    for charts in charts_of(toy_tables()).values():
        for chart in charts:
            ElementTree.fromstring(chart.svg)
            assert SCRIPT not in chart.svg
            # The Vega library draws an invisible background with a colour of its own, and no text.
            assert not re.search(r'<text[^>]*fill="#', chart.svg)
            assert "var(--" in chart.svg


def of_verdict(ceiling):
    verdict = pd.DataFrame({"system": ["a", "b"], "all": [0.5, 0.9], "low": [0.4, None], "high": [0.6, None]})
    scores = verdict.assign(reference="legacy", weighting="per record")
    scores = pd.concat([scores, scores.tail(1).assign(system="(noise ceiling)", all=ceiling)])
    tables = [
        Table("verdict", "V", "", verdict.assign(verdict=["use", "floor"])),
        Table("scores_by_title", "S", "", scores),
    ]
    return charts_of(tables)["verdict"]


def test_the_ceiling_is_left_out_where_labels_do_not_contradict_each_other():
    assert len(of_verdict(ceiling=1.0)) == 1
    whole, agreement = of_verdict(ceiling=0.97)
    assert "noise ceiling 0.970" in agreement.svg
    assert "noise ceiling" not in whole.svg


def test_a_floor_is_not_drawn():
    assert ">a</text>" in of_verdict(1.0)[0].svg
    assert ">b</text>" not in of_verdict(1.0)[0].svg


@pytest.mark.parametrize("n_classes", [3, 40])
def test_a_confusion_shows_the_classes_with_most_records(n_classes):
    labels = [f"class {number:02}" for number in range(n_classes)]
    frame = pd.DataFrame({"label": labels, "predicted": labels, "records": range(n_classes, 0, -1), "share": 1.0})
    frame = frame.assign(system="a", target="role", split="title", learned_from="legacy")
    [chart] = charts_of([Table("confusion", "C", "", frame)])["confusion"]
    assert ("16 classes with most records" in chart.title) == (n_classes > 16)
    assert (">class 16</text>" in chart.svg) is False
    assert ">class 02</text>" in chart.svg


def test_a_table_without_rows_or_with_other_columns_is_not_drawn():
    costs = pd.DataFrame({"system": ["a"], "titles per second": [3]})
    assert charts_of([Table("costs", "C", "", costs), Table("confusion", "C", "", pd.DataFrame())]) == {}
