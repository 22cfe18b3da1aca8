import pytest

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.config import PROJECT_CONFIGS
from harness.tagging.fields import Fields
from harness.tagging.hierarchy import read_hierarchy
from harness.tagging.layout import Field, Layout, every_field

COLUMNS, ADDED = ["Email", "Title"], ["function", "level", "review"]


def read(tmp_path, text):
    path = tmp_path / "layout.yaml"
    path.write_text(text, encoding="utf-8")
    return Layout.read(path)


def test_columns_are_chosen_named_and_ordered(tmp_path):
    layout = read(
        tmp_path,
        """
        version: 3
        delimiter: ";"
        fields:
          - {column: Email, name: Email__c}
          - function: Job_Function__c
          - review
          - "*"
        """,
    )
    assert (layout.version, layout.delimiter) == ("3", ";")
    assert layout.fields(COLUMNS, ADDED) == [
        Field("Email__c", column=0),
        Field("Job_Function__c", added="function"),
        Field("review", added="review"),
        Field("Email", column=0),
        Field("Title", column=1),
    ]


def test_a_column_keeps_its_name_where_none_is_given(tmp_path):
    assert read(tmp_path, "fields: [{column: Title}]").fields(COLUMNS, ADDED) == [Field("Title", column=1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fields: []", "line 1: fields: .* at least 1 item"),
        ("version: 1", "line 1: 'fields' is missing"),
        ("- function", "holds a list; expected a mapping, as a layout is.*fields: "),
        ("fields: [function\n", "is not readable YAML"),
        ("fields: [function]\nfeilds: 1", "line 2: unknown key 'feilds'. Did you mean 'fields'?"),
        ("fields: [function]\ndelimiter: ab", "line 2: delimiter = 'ab': expected one character"),
        ("fields:\n- function\n- {function: a, level: b}", "line 3: .* names 2 fields"),
        ("fields:\n- [a]", "line 2: .*; expected a name"),
        ("fields:\n- {column: Email, as: E}", "line 2: .*unknown key 'as' beside 'column'"),
    ],
)
def test_a_fault_of_the_file_is_named(tmp_path, text, message):
    with pytest.raises(BadInput, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "fields:\n- functon\n- {column: Emial}",
            r"(?s)line 2: unknown field 'functon'.* 'function'.*line 3: unknown column of the file 'Emial'",
        ),
        ("fields: ['*', {function: Email}]", "already has columns that would be added: Email"),
        ("fields: [function, {level: function}]", "already has columns that would be added: function"),
    ],
)
def test_unknown_columns_and_fields_are_named_with_their_lines(tmp_path, text, message):
    with pytest.raises(BadInput, match=message):
        read(tmp_path, text).fields(COLUMNS, ADDED)


def test_without_a_layout_everything_is_added_under_its_name_or_a_prefix():
    assert [field.name for field in every_field(COLUMNS, ADDED, "")] == [
        "Email",
        "Title",
        "function",
        "level",
        "review",
    ]
    assert [field.name for field in every_field(["level"], ["level"], "new_")] == ["level", "new_level"]
    with pytest.raises(BadInput, match=r"would be added: level.*--prefix"):
        every_field(["level"], ADDED, "")


def test_columns_of_the_file_may_have_equal_names():
    assert [field.column for field in every_field(["a", "a"], ["function"], "")] == [0, 1, None]


def test_the_projects_layout_fits_the_projects_hierarchy_and_labels():
    taxonomy = Taxonomy.read(PROJECT_CONFIGS / "taxonomy.yaml")
    hierarchy = read_hierarchy(PROJECT_CONFIGS / "hierarchy.yaml", taxonomy)
    layout = Layout.read(PROJECT_CONFIGS / "layouts" / "crm.yaml")
    fields = layout.fields(["Title"], list(Fields(taxonomy, hierarchy).types()))
    assert [field.name for field in fields][:3] == ["Title", "Job_Function__c", "Job_Role__c"]
