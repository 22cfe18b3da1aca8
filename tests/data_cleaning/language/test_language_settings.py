import pytest
from pydantic import TypeAdapter, ValidationError

from data_cleaning.errors import BadInput
from data_cleaning.language import LanguageSettings
from harness.experiment.config_file import load_config
from tests.data_cleaning.language.toy_titles import NONE, SETTINGS


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"margins": {"deu": 0.2}}, "Unknown language 'deu'"),
        ({"margins": {"de": 1.2}}, r"margins\.de is 1\.2"),
        ({"margins": {"de": 0.2, "en": 0.2}}, "no 'en'"),
        ({"margins": {"xx": None}}, "Unknown language 'xx'"),
        ({"margins": NONE}, "at least one language"),
        ({"sure_margin": -1}, "sure_margin is -1"),
        ({"min_evidence": 0}, "min_evidence is 0"),
        ({"min_evidence": 3, "sure_evidence": 2}, "the second is not the smaller"),
        ({"min_lost_share": 0}, "every title undecodable"),
        ({"min_frequent_records": 0, "max_short_letters": 0}, "min_frequent_records is 0; max_short_letters is 0"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(BadInput, match=message):
        LanguageSettings(**settings)


def test_settings_can_be_read_from_a_config():
    adapter = TypeAdapter(LanguageSettings)
    assert adapter.validate_python({}) == SETTINGS
    assert adapter.validate_python({"margins": {"sv": 0.3}}).used_margins == {**SETTINGS.margins, "sv": 0.3}
    with pytest.raises(ValidationError, match="Unknown language"):
        adapter.validate_python({"margins": {"xx": 0.3}})


def test_setting_one_margin_keeps_the_others_and_null_removes_one():
    settings = LanguageSettings(margins={"de": 0.3, "fr": None})
    others = {code: margin for code, margin in SETTINGS.margins.items() if code not in ("de", "fr")}
    assert settings.used_margins == {"de": 0.3, **others}
    adapter = TypeAdapter(LanguageSettings)
    assert adapter.validate_python(adapter.dump_python(settings)) == settings


def test_a_margin_set_on_the_command_line_keeps_the_other_languages(company):
    config = load_config(company.config, ["clean.language.margins.de=0.3", "clean.language.margins.nl=null"])
    expected = {code: margin for code, margin in SETTINGS.margins.items() if code != "nl"}
    assert config.clean.language.used_margins == {**expected, "de": 0.3}
