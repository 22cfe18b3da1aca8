import numpy as np
import pytest

from data_cleaning.taxonomy import Taxonomy
from harness.tagging import review

TAXONOMY = Taxonomy.from_dict({"targets": {"field": {"classes": {"a": None}}, "rank": {"classes": {"b": None}}}})
WHY = ("no such field", "no such rank")


@pytest.mark.parametrize(
    ("reasons", "contradiction", "said"),
    [
        (0, -1, None),
        (review.NO_TITLE, -1, "no title"),
        (review.low_confidence(1), -1, "rank unsure"),
        (
            review.NO_KEYWORD | review.low_confidence(0) | review.low_confidence(1),
            -1,
            "no keyword matches; field unsure; rank unsure",
        ),
        (0, 1, "labels contradict: no such rank"),
        (review.LOW_PLACE_CONFIDENCE, -1, "low confidence in the hierarchy"),
        (review.CUT, 0, "longer than a title; labels contradict: no such field"),
    ],
)
def test_review_reasons_are_put_into_words(reasons, contradiction, said):
    given = np.array([reasons], dtype=np.uint32), np.array([contradiction], dtype=np.int8)
    assert review.worded(*given, TAXONOMY, WHY).to_pylist() == [said]
    assert bool(review.combined(*given)[0]) == (said is not None)


def test_review_reasons_keep_the_order_of_rows():
    reasons = np.array([0, review.NO_TITLE, 0, review.OTHER_SCRIPT, review.NO_TITLE], dtype=np.uint32)
    said = review.worded(reasons, np.full(5, -1), TAXONOMY, WHY).to_pylist()
    assert said == [None, "no title", None, "not in Latin letters", "no title"]


def test_every_allowed_target_has_its_own_bit():
    bits = {review.low_confidence(position) for position in range(review.MAX_TARGETS)}
    assert len(bits) == review.MAX_TARGETS
    assert max(bits) < 2**32
    assert not any(bit & review.LOW_PLACE_CONFIDENCE for bit in bits)
