import pytest

from data_cleaning.profile import profile_leads
from tests.data_cleaning.profile.toy_leads import LEADS, TARGETS, TAXONOMY, letters


@pytest.fixture(scope="package")
def profile():
    return profile_leads(LEADS, TARGETS, TAXONOMY, letters)
