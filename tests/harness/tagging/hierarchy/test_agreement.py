"""Labels that do not go with their place."""

import numpy as np
import pytest

from data_cleaning.errors import BadInput
from tests.harness.tagging.hierarchy_by_hand import BY_HAND, MATRON, NURSES, ROOT, SHOPS, WARD, read

AGREEMENT = """\
agreement:
  - {band: Rest, grade: Staff}
  - {node: Ward, field: Care}
  - {node: Nurses, grade: [Boss, Staff]}
"""
CARE, TRADE = BOSS, STAFF = 0, 1
TOP, REST, UNSURE = 0, 1, -1


@pytest.fixture
def hierarchy(tmp_path):
    return read(tmp_path, text=BY_HAND + AGREEMENT)


@pytest.mark.parametrize(
    ("labels", "node", "band", "said"),
    [
        ((CARE, STAFF), WARD, REST, None),
        ((TRADE, STAFF), WARD, REST, "field Trade in Ward"),
        ((TRADE, STAFF), NURSES, REST, "field Trade in Ward"),
        ((TRADE, BOSS), MATRON, REST, "field Trade in Ward, grade Boss in Rest"),
        ((CARE, BOSS), NURSES, REST, None),  # the node goes before the band
        ((CARE, BOSS), WARD, REST, "grade Boss in Rest"),
        ((CARE, BOSS), WARD, UNSURE, None),
        ((CARE, BOSS), SHOPS, TOP, None),
        ((TRADE, BOSS), ROOT, REST, None),  # no place is sure
        ((-1, -1), -1, -1, None),  # no title
    ],
)
def test_labels_that_do_not_go_with_their_place_are_named(hierarchy, labels, node, band, said):
    codes, words = hierarchy.disagreements(np.array([labels]), np.array([node]), np.array([band]))
    assert (None if codes[0] < 0 else words[codes[0]]) == said


def test_every_row_gets_its_own_disagreement(hierarchy):
    labels = np.array([[TRADE, STAFF], [CARE, STAFF], [CARE, BOSS], [TRADE, STAFF]], dtype=np.int16)
    codes, words = hierarchy.disagreements(labels, np.array([WARD, WARD, SHOPS, NURSES]), np.array([REST] * 4))
    said = [words[code] if code >= 0 else None for code in codes]
    assert said == ["field Trade in Ward", None, "grade Boss in Rest", "field Trade in Ward"]


def test_without_agreements_nothing_disagrees(tmp_path):
    codes, words = read(tmp_path).disagreements(np.array([[TRADE, BOSS]]), np.array([WARD]), np.array([REST]))
    assert codes.tolist() == [-1]
    assert words == ()


@pytest.mark.parametrize(
    ("entry", "line", "message"),
    [
        ("{node: Ward, band: Top, field: Care}", 25, "expected either 'node' or 'band', and the labels"),
        ("{field: Care}", 25, "expected either 'node' or 'band', and the labels"),
        ("{node: Ward}", 25, "expected either 'node' or 'band', and the labels"),
        ("{node: Wrad, field: Care}", 25, "unknown node 'Wrad'. Did you mean 'Ward'?"),
        ("{band: Tpo, field: Care}", 25, "unknown band 'Tpo'. Did you mean 'Top'?"),
        ("{node: Ward, field: Cure}", 25, "unknown field 'Cure'. Did you mean 'Care'?"),
        ("{node: Matron, grade: Staff}", 25, "no rule leads titles with grade Staff to 'Matron'"),
        ("{band: Top, field: Trade}", 25, "no rule leads titles with field Trade to 'Top'"),
    ],
)
def test_faults_of_agreements_are_named_with_their_lines(tmp_path, entry, line, message):
    with pytest.raises(BadInput) as error:
        read(tmp_path, text=f"{BY_HAND}agreement:\n  - {entry}\n")
    assert f"line {line}" in str(error.value)
    assert message in str(error.value)
