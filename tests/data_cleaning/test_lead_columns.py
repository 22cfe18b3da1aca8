import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.lead_columns import LeadColumns, find_columns, find_title

TITLES = ["Security Engineer", "IT Director", "Chief Financial Officer", "Nurse", "Account Executive", "SOC Analyst"]
HONORIFICS = ["Mr", "Ms", "Dr", "Mr", "Mrs.", "Ms"]
TALKS = [
    *("How to secure your network in 2024", "Ten tips for cloud migration", "The future of data in the enterprise"),
    *("Why every business needs a plan", "Building a culture of trust", "A study of protein folding in yeast"),
]
PEOPLE = ["John Smith", "Maria Garcia", "Wei Chen", "Aisha Khan", "Peter Novak", "Ana Souza"]
COMPANIES = ["Acme Corp", "Bank of Nowhere", "Example AG", "Contoso Ltd", "Unnamed plc", "Initech"]
FRENCH = ["Directeur des systèmes", "Infirmière", "Chef de projet", "Comptable", "Responsable achats", "Ingénieur"]
JAPANESE = ["部長", "課長", "情報システム部 主任", "代表取締役", "営業", "係長"]
NUMBERS = ["101", "102", "103", "104", "105", "106"]


def chosen(held, column="Title", asked_for=False, taken=()):
    """Return the column that is found among those of a file, and why."""
    frame = {name: pl.Series(name, values) for name, values in held.items()}
    found = find_title(list(held), column, "leads.csv", asked_for=asked_for, taken=taken, values=frame.__getitem__)
    return found.name, found.why


@pytest.mark.parametrize(
    "name",
    [
        *(
            "JOB_TITLE",
            "job title",
            "Job\u00a0Title",
            "Job\nTitle",
            "Job Title *",
            "Title:",
            "JobTitle",
            " Title ",
            "title",
        ),
        *("Job Title (required)", "Job-Title", "3. Job Title", "Q7 Job title", "\u200bJob Title", "job.title"),
        *("Position", "Designation", "Occupation", "Job Title / Cargo", "Registrant: Job Title"),
        *("Cargo", "Puesto", "Poste", "Intitulé du poste", "INTITULE DU POSTE", "Funktion", "Berufsbezeichnung"),
        *("Functie", "Cargo/Função", "Stanowisko", "Qualifica", "役職", "職位", "职位", "Должность", "직책", "Titel"),
        *("What is your job title?", "Q12. What is your job title? - Selected Choice", "Current role"),
        "Which of the following best describes your role / Your current job title (please specify)",
        "Which of the following best describes your role?",
    ],
)
def test_a_title_column_is_found_by_its_name_in_any_spelling(name):
    held = {"Name": PEOPLE, "Company": COMPANIES, name: TITLES, "Email Address": ["a@example.org"] * 6}
    assert chosen(held) == (name, "")
    without_values = [one for one in held if one != "Company"]
    assert find_title(without_values, "Title", "leads.csv", asked_for=False).name == name


@pytest.mark.parametrize(
    ("header", "title"),
    [
        # Exports and public files as they are.
        ("First Name,Last Name,URL,Email Address,Company,Position,Connected On", "Position"),
        ("First Name,Last Name,Email,Job Title,Registration Time", "Job Title"),
        ("CASE_NUMBER,CASE_STATUS,EMPLOYER_NAME,SOC_CODE,SOC_TITLE,JOB_TITLE,WAGE_RATE", "JOB_TITLE"),
        ("Employee_Name,EmpID,PositionID,Position,State,Department,ManagerName", "Position"),
        ("Age,Attrition,Department,EmployeeNumber,JobRole,JobLevel", "JobRole"),
        ("Respondent ID,Collector ID,What is your job title?,Previous job title", "What is your job title?"),
        ("Name,Job Title Code,Manager Job Title,Job Title", "Job Title"),
        ("Civilité,Nom,Prénom,Titre,Fonction,Société", "Fonction"),
    ],
)
def test_the_title_column_of_public_files_is_found_by_name(header, title):
    names = header.split(",")
    assert find_title(names, "Title", "leads.csv", asked_for=False).name == title


def test_the_one_of_two_possible_columns_whose_values_look_like_titles_is_taken():
    name, why = chosen({"Title": HONORIFICS, "Name": PEOPLE, "Position": TITLES})
    assert (name, why) == ("Position", "'Title' is not read as titles: it holds 'Mr'; 'Ms'; 'Dr'.")
    assert chosen({"Title": TALKS, "Job Title": TITLES})[0] == "Job Title"
    assert chosen({"Position": NUMBERS, "Title": TITLES})[0] == "Title"
    name, why = chosen({"Position": TITLES, "Title": TITLES})
    assert (name, why) == ("Title", "'Position' may hold titles too; --title-column chooses another column.")
    assert chosen({"Title": [None] * 6, "Position": TITLES}) == (
        "Position",
        "'Title' is not read as titles: it is empty.",
    )


def test_titles_in_other_languages_are_told_from_forms_of_address():
    assert chosen({"Titre": HONORIFICS, "Nom": PEOPLE, "Poste": FRENCH})[0] == "Poste"
    assert chosen({"敬称": ["様"] * 6, "現在の役職": JAPANESE})[0] == "現在の役職"
    assert chosen({"Quel est votre poste actuel ?": FRENCH})[0] == "Quel est votre poste actuel ?"


def test_a_name_within_a_longer_one_needs_values_that_may_be_titles():
    with pytest.raises(BadInput, match="Unknown column 'Title'"):
        chosen({"Session title": TALKS, "Name": PEOPLE})
    with pytest.raises(BadInput, match="Unknown column 'Title'"):
        chosen({"How satisfied are you in your role?": NUMBERS})


def test_a_title_column_that_holds_no_titles_is_read_with_a_warning():
    name, why = chosen({"Title": HONORIFICS, "Name": PEOPLE})
    assert name == "Title"
    assert "No value of 'Title' looks like an English job title: it holds 'Mr'; 'Ms'; 'Dr'" in why
    assert "--title-column" in why


def test_columns_of_one_name_are_told_apart_by_what_they_hold():
    first, second = "Job Title (column 2)", "Job Title (column 3)"
    assert chosen({first: TITLES, second: [None] * 6})[0] == first
    assert chosen({first: HONORIFICS, second: TITLES})[0] == second
    assert chosen({first: TITLES, second: TITLES})[0] == first
    held = {"Lead": PEOPLE, first: TITLES, second: TITLES[::-1]}
    with pytest.raises(
        BadInput, match=r"2 columns that may hold the titles: 'Job Title \(column 2\)'; .* --title-column"
    ):
        chosen(held)
    assert chosen(held, second, asked_for=True) == (second, "")
    with pytest.raises(BadInput, match=r"has 2 columns called 'Job Title'.*Name one of these"):
        chosen(held, "Job Title", asked_for=True)


def test_a_file_without_a_title_column_gets_a_hint_that_can_be_followed():
    held = {"Name": PEOPLE, "What\u00a0you\ndo": TITLES, "Company": COMPANIES}
    with pytest.raises(BadInput, match="'What you do' holds looks like titles: --title-column 'What you do'"):
        chosen(held)
    assert chosen(held, "What you do", asked_for=True)[0] == "What\u00a0you\ndo"
    with pytest.raises(BadInput, match=r"Unknown column 'Nope'.*The file has 'Name'; 'What you do'; 'Company'"):
        chosen(held, "Nope", asked_for=True)


@pytest.mark.parametrize(
    ("names", "columns", "present", "absent"),
    [
        (["Title"], LeadColumns(), {"title": "Title"}, {"function", "role", "level"}),
        (["JOB TITLE", "role"], LeadColumns(), {"title": "JOB TITLE", "role": "role"}, {"function", "level"}),
        (["Title", "JOB_ROLE"], LeadColumns(), {"title": "Title", "role": "JOB_ROLE"}, {"function", "level"}),
        (
            ["title", "Grade"],
            LeadColumns(targets={"g": "Grade"}, date="Day"),
            {"title": "title", "g": "Grade"},
            {"date"},
        ),
        (["Title", "title"], LeadColumns(targets={}), {"title": "Title"}, set()),
        (["Name", "Role"], LeadColumns(), {"title": "Role"}, {"function", "role", "level"}),
    ],
)
def test_only_the_title_and_configured_columns_are_required(names, columns, present, absent):
    found = find_columns(names, columns, "leads.csv")
    assert (found.present, set(found.absent)) == (present, absent)


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        (
            ["Tittle"],
            LeadColumns(),
            r"Unknown column 'Title'. Did you mean 'Tittle'\?.*--title-column.*leads.columns.title",
        ),
        (["title", "Title ", "TITLE"], LeadColumns(), "3 columns that may hold the titles"),
        (["title", "Title ", "TITLE"], LeadColumns(title="titles"), "Unknown column 'titles'"),
        (
            ["Title", "Grad"],
            LeadColumns(targets={"seniority": "Grade"}),
            r"Did you mean 'Grad'\?.*set leads.columns.targets.seniority",
        ),
        (
            ["Title", "Job Level (column 2)", "Job Level (column 3)"],
            LeadColumns(),
            "has 2 columns called 'Job Level'",
        ),
    ],
)
def test_a_missing_or_doubtful_column_is_refused_with_the_nearest_one(names, columns, message):
    with pytest.raises(BadInput, match=message):
        find_columns(names, columns, "leads.csv")


def test_no_other_column_replaces_a_title_column_that_was_named():
    with pytest.raises(BadInput, match="Unknown column 'Nope'"):
        find_columns(["Title", "Name"], LeadColumns(title="Nope"), "leads.csv")
    assert find_columns(["Job Title"], LeadColumns(), "leads.csv").present["title"] == "Job Title"
    with pytest.raises(BadInput, match="Unknown column 'Title'"):
        find_columns(["Job Title"], LeadColumns(), "leads.csv", title_asked_for=True)
    mapped = LeadColumns(targets={"function": "Job Title"})
    with pytest.raises(BadInput, match=r"Unknown column 'Title'.*The file has 'Job Title'"):
        find_columns(["Job Title"], mapped, "leads.csv")


def test_a_run_needs_labels_and_is_told_both_ways_to_do_without():
    with pytest.raises(BadInput, match=r"Unknown column 'Job Function'.*'labels: table'.*title-harness check"):
        find_columns(["Title"], LeadColumns(), "leads.csv", every=True)


def test_configured_counts_are_required_and_other_optional_columns_are_not():
    with pytest.raises(BadInput, match=r"Unknown column 'Times'. Did you mean 'Time'\?.*set leads.columns.count"):
        find_columns(["Title", "Time"], LeadColumns(count="Times"), "leads.csv")
    columns = LeadColumns(targets={}, record="Id", country="Land", date="Day")
    found = find_columns(["Title", "id", "Country"], columns, "leads.csv")
    assert found.present == {"title": "Title", "record": "id"}
    assert found.absent == {"country": "Land", "date": "Day"}


def test_a_list_without_names_of_columns_is_told_to_get_some(tmp_path):
    values = {"Ann": pl.Series(["Bob"]), "Chief Executive Officer": pl.Series(["Chief Financial Officer"])}
    with pytest.raises(BadInput, match=r"'Chief Executive Officer', in their place, reads like a title.* Add a row of"):
        find_title(list(values), "Title", tmp_path, asked_for=False, values=values.__getitem__)
