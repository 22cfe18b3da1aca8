import pytest

from data_cleaning.errors import BadInput
from data_cleaning.lead_columns import LeadColumns, find_columns


@pytest.mark.parametrize(
    ("names", "columns", "present", "absent"),
    [
        (["Title"], LeadColumns(), {"title": "Title"}, {"function", "role", "level"}),
        (["JOB TITLE", "role"], LeadColumns(), {"title": "JOB TITLE", "role": "role"}, {"function", "level"}),
        (
            ["title", "Grade"],
            LeadColumns(targets={"g": "Grade"}, date="Day"),
            {"title": "title", "g": "Grade"},
            {"date"},
        ),
        (["Title", "title"], LeadColumns(targets={}), {"title": "Title"}, set()),
    ],
)
def test_only_the_title_and_configured_columns_are_required(names, columns, present, absent):
    found = find_columns(names, columns, "leads.csv")
    assert (found.present, set(found.absent)) == (present, absent)


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        (
            ["Titel"],
            LeadColumns(),
            r"Unknown column 'Title'. Did you mean 'Titel'\?.*--title-column.*leads.columns.title",
        ),
        (["title", "Title ", "TITLE"], LeadColumns(title="titles"), "Unknown column 'titles'"),
        (
            ["Title", "Grad"],
            LeadColumns(targets={"seniority": "Grade"}),
            r"Did you mean 'Grad'\?.*set leads.columns.targets.seniority",
        ),
    ],
)
def test_a_missing_title_or_configured_target_names_the_nearest_column(names, columns, message):
    with pytest.raises(BadInput, match=message):
        find_columns(names, columns, "leads.csv")


@pytest.mark.parametrize("title", ["Nope", "title", "TITLE"])
def test_no_other_column_replaces_a_title_column_that_was_named(title):
    with pytest.raises(BadInput, match=f"Unknown column '{title}'"):
        find_columns(["Title", "Name"], LeadColumns(title=title), "leads.csv")


def test_the_default_title_column_is_exact_where_somebody_named_it():
    assert find_columns(["Job Title"], LeadColumns(), "leads.csv").present["title"] == "Job Title"
    with pytest.raises(BadInput, match="Unknown column 'Title'"):
        find_columns(["Job Title"], LeadColumns(), "leads.csv", title_asked_for=True)
    with pytest.raises(BadInput, match="Unknown column 'Title'"):
        find_columns(["Job Title", "title"], LeadColumns(), "leads.csv")
    mapped = LeadColumns(targets={"function": "Job Title"})
    with pytest.raises(BadInput, match=r"Unknown column 'Title'.*Known: Job Title\."):
        find_columns(["Job Title"], mapped, "leads.csv")


def test_configured_counts_are_required_and_other_optional_columns_are_not():
    with pytest.raises(BadInput, match=r"Unknown column 'Times'. Did you mean 'times'\?.*set leads.columns.count"):
        find_columns(["Title", "times"], LeadColumns(count="Times"), "leads.csv")
    columns = LeadColumns(targets={}, record="Id", country="Land", date="Day")
    found = find_columns(["Title", "id", "Country"], columns, "leads.csv")
    assert found.present == {"title": "Title", "record": "id"}
    assert found.absent == {"country": "Land", "date": "Day"}
