"""Which of a run's models tags a file."""

import pytest

from data_cleaning.errors import BadInput
from harness.experiment.run import RUN_FACTS, model_folder
from harness.tagging.models import fitted_model


@pytest.mark.parametrize(
    ("blocks", "taken"),
    [
        (["legacy"], "legacy"),
        (["consensus"], "consensus"),
        (["consensus-english"], "consensus-english"),
        (["consensus-english", "consensus"], "consensus"),
        (["consensus", "legacy"], "legacy"),
        (["consensus", "consensus+reviewed", "legacy"], "consensus+reviewed"),
        (["consensus+reviewed", "legacy+reviewed"], "legacy+reviewed"),
    ],
)
def test_the_model_that_learned_from_reviewed_titles_comes_first_then_that_of_recorded_labels(tmp_path, blocks, taken):
    (tmp_path / RUN_FACTS).write_text("{}")
    for block in blocks:
        model_folder(tmp_path, "record", block, "tfidf").mkdir(parents=True)
    assert fitted_model(tmp_path, "tfidf") == model_folder(tmp_path, "record", taken, "tfidf")
    with pytest.raises(BadInput, match="has no fitted 'neural'; it has tfidf"):
        fitted_model(tmp_path, "neural")
