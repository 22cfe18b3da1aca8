"""Golden titles judge every system of a run, by what is difficult about them."""

import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.progress import silent
from harness.experiment.config_file import load_config
from harness.experiment.run import run
from tests.toy_company import write_toy_company

GOLDEN = """What you do,Dept,Grade,kind
Head Nurse,Nursing,Head,plain
chief  cook,Kitchen,Chief,plain
gardener,Garden,None given,no row
former surgeon,Elsewhere,None given,not held
"""


def finished(folder, golden):
    owner = write_toy_company(folder)
    (folder / "golden.csv").write_text(golden)
    given = ("systems=[majority, keyword]", "split.by=[title]", f"golden={folder / 'golden.csv'}")
    config = load_config(owner.config, given)
    made = run(config, results=folder / "r", out=None, fresh=False, on_progress=silent, announce=lambda _: None)
    return made.folder


def test_a_run_says_how_many_of_each_kind_every_system_gets_right(tmp_path):
    folder = finished(tmp_path, GOLDEN)
    table = pd.read_csv(folder / "tables" / "golden.csv")
    assert table.to_dict("list") == {
        "kind": ["plain", "no row", "not held", "(all)"],
        "titles": [2, 1, 1, 4],
        "majority": [0, 0, 0, 0],
        "keyword": [1, 0, 0, 0.5],
    }
    wrong = pd.read_csv(folder / "tables" / "golden_titles.csv")
    of_keyword = wrong[wrong["system"] == "keyword"].set_index("title")
    assert of_keyword["predicted_department"].to_dict() == {"gardener": "Elsewhere", "former surgeon": "Surgery"}
    assert of_keyword["department"].to_dict() == {"gardener": "Garden", "former surgeon": "Elsewhere"}


def test_golden_titles_without_kinds_are_refused(tmp_path):
    with pytest.raises(BadInput, match=r"golden\.csv.*kind"):
        finished(tmp_path, GOLDEN.replace("kind", "remark"))
