import pytest

from data_cleaning.simulate.surface import write


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({}, "Senior Director, Network & Security"),
        ({"join": 1, "separator": 2}, "Senior Director - Network and Security"),
        ({"abbreviation": 1}, "Sr. Director, Network & Security"),
        ({"case": 1}, "senior director, network & security"),
        ({"case": 3, "join": 2}, "Senior Director, Network/Security"),
    ],
)
def test_each_code_changes_the_surface_of_a_title(codes, expected):
    plain = {"join": 0, "separator": 0, "abbreviation": 0, "typo": 0, "case": 0}
    assert write("Senior Director, Network & Security", **{**plain, **codes}) == expected


def test_short_words_have_no_typos():
    for typo in range(1, 256):
        assert write("CIO", join=0, separator=0, abbreviation=0, typo=typo, case=0) == "CIO"
        assert abs(len(write("Manager", join=0, separator=0, abbreviation=0, typo=typo, case=0)) - 7) <= 1
