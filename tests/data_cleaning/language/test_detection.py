import polars as pl

from data_cleaning.language.detection import fold_texts


def test_folding_leaves_words_in_lower_case():
    titles = pl.Series(["Sr. IT-Manager  (EMEA) 2", "Leiter*in", "-", "Ｇeneral", "मैनेजर"])
    assert fold_texts(titles).to_list() == ["sr it manager emea", "leiter in", "", "ｇeneral", "मैनेजर"]
