import numpy as np
import pandas as pd
import pytest

from baselines.keyword import KeywordClassifier
from baselines.keyword_table import KeywordTable
from data_cleaning.titles import LabelledTitles, Predictions
from harness.experiment.config_file import load_config
from harness.experiment.stages import MODEL, PREDICTIONS, REFERENCE_ROWS
from harness.experiment.title_lookup import _decisive_words, lookup

TITLES = ["chief nurse", "cook", "senior surgeon", "visitor"]


@pytest.fixture
def stages(company, tmp_path):
    """The folders of the stages of two systems, split by title; nobody says what a visitor is."""
    labels = pd.DataFrame(
        [("chief nurse", "Nursing", "Chief", 5), ("cook", "Kitchen", "None given", 9), ("cook", "Garden", "Chief", 1),
         ("senior surgeon", "Surgery", "Senior", 7)],
        columns=["title", "department", "seniority", "records"],
    )  # fmt: skip
    legacy = pd.DataFrame([("visitor", "Garden", "Chief", 2)], columns=labels.columns)
    rows = pd.concat([labels.assign(reference="truth"), legacy.assign(reference="legacy")])
    config = load_config(company.config, ("systems=[majority, keyword]", "split.by=[title]"))
    frame = labels.rename(columns={"records": "count"})
    train = LabelledTitles.from_frame(frame, company.taxonomy, "legacy")
    table = KeywordTable.read(config.keyword.table, company.taxonomy)
    system = KeywordClassifier(table).fit(train, train)
    done = {"references/title": tmp_path}
    rows.assign(history="consistent").to_parquet(tmp_path / REFERENCE_ROWS)
    for name in ("majority", "keyword"):
        place = tmp_path / name
        place.mkdir()
        predicted = Predictions(
            taxonomy=company.taxonomy,
            titles=np.array(TITLES, dtype=object),
            probabilities=system.predict_proba(TITLES),
        )
        predicted.write(place / PREDICTIONS)
        system.save(place / MODEL)
        done |= {f"predict/title/legacy/{name}": place, f"fit/title/legacy/{name}": place}
    return config, done


def test_titles_come_with_their_most_frequent_label_every_answer_and_the_winning_keyword(stages, company):
    config, done = stages
    found = lookup(config, company.taxonomy, done, None, "truth")
    assert found["titles"] == ["cook", "senior surgeon", "chief nurse", "visitor"]
    assert found["records"] == [10, 7, 5, 2]
    department = company.taxonomy["department"].classes
    of_titles = [department[code] if code >= 0 else None for code in found["labels"][::2]]
    assert of_titles == ["Kitchen", "Surgery", "Nursing", None]
    majority, keyword = found["systems"]
    assert "reasons" not in majority
    assert [department[code] for code in keyword["answers"][::2]][:3] == ["Kitchen", "Surgery", "Nursing"]
    won = [found["texts"][at] if at >= 0 else None for at in keyword["reasons"][::2]]
    assert won[:3] == ["cook", "surgeon", "nurse"]
    assert all(0 <= percent <= 100 for percent in keyword["confidence"])
    assert "the 4 titles of the test part, split by title. Answers" in found["note"]


def test_where_there_is_no_room_the_titles_with_most_records_stay(stages, company):
    config, done = stages
    found = lookup(config, company.taxonomy, done, None, "truth", max_bytes=560)
    assert found["titles"] == ["cook", "senior surgeon", "chief nurse", "visitor"][: len(found["titles"])]
    assert 0 < len(found["titles"]) < 4
    assert f"The {len(found['titles'])} with most records are here." in found["note"]
    assert len(found["systems"][1]["answers"]) == 2 * len(found["titles"])


def test_the_word_counts_without_which_the_answer_loses_most(company):
    sizes = {target.name: len(target.classes) for target in company.taxonomy.targets}

    class CountsNurses:
        def predict_proba(self, titles):
            sure = np.array([0.9 if "nurse" in title else 0.6 if title else 0.5 for title in titles])
            rest = {name: (1 - sure) / (size - 1) for name, size in sizes.items()}
            return {name: np.column_stack([sure, *[rest[name]] * (size - 1)]) for name, size in sizes.items()}

    titles = ["night nurse", "cook", "visitor of cook", ""]
    predictions = Predictions(
        taxonomy=company.taxonomy, titles=np.array(titles, dtype=object),
        probabilities=CountsNurses().predict_proba(titles),
    )  # fmt: skip
    assert _decisive_words(CountsNurses(), titles, predictions)[::2] == ["nurse", "cook", "", ""]
