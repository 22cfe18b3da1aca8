import numpy as np
import pytest

from data_cleaning.taxonomy import Taxonomy
from harness.tagging import review

TAXONOMY = Taxonomy.from_dict({"targets": {"field": {"classes": {"a": None}}, "grade": {"classes": {"b": None}}}})
WHY = ("no such field", "no such grade")
DISAGREEMENTS = ("field a in Ward", "grade b in Shops")


@pytest.mark.parametrize(
    ("reasons", "contradiction", "disagreement", "said"),
    [
        (0, -1, -1, None),
        (review.NO_TITLE, -1, -1, "no title"),
        (review.low_confidence(1), -1, -1, "grade unsure"),
        (
            review.ACCENTED | review.low_confidence(0) | review.low_confidence(1),
            -1,
            -1,
            "letters that English does not have; field unsure; grade unsure",
        ),
        (0, 1, -1, "labels contradict: no such grade"),
        (review.LOW_PLACE_CONFIDENCE, -1, -1, "low confidence in the hierarchy"),
        (review.CUT, 0, -1, "longer than a title; labels contradict: no such field"),
        (0, -1, 1, "labels disagree with the place: grade b in Shops"),
        (review.CUT, 0, 1, "longer than a title; labels contradict: no such field"),
    ],
)
def test_review_reasons_are_put_into_words(reasons, contradiction, disagreement, said):
    given = np.array([reasons], dtype=np.uint32), np.array([contradiction], dtype=np.int8), np.array([disagreement])
    codes = review.combined(*given)
    assert review.worded(codes, TAXONOMY, WHY, DISAGREEMENTS).to_list() == [said]
    assert bool(codes[0]) == (said is not None)


def test_review_reasons_keep_the_order_of_rows():
    reasons = np.array([0, review.NO_TITLE, 0, review.OTHER_SCRIPT, review.NO_TITLE], dtype=np.uint32)
    codes = review.combined(reasons, np.full(5, -1), np.full(5, -1))
    said = review.worded(codes, TAXONOMY, WHY, DISAGREEMENTS).to_list()
    assert said == [None, "no title", None, "not in Latin letters", "no title"]


def test_every_allowed_target_has_its_own_bit():
    bits = {review.low_confidence(position) for position in range(review.MAX_TARGETS)}
    assert len(bits) == review.MAX_TARGETS
    assert max(bits) < 2**32
    assert not any(bit & review.LOW_PLACE_CONFIDENCE for bit in bits)
