"""A few leads, a taxonomy, and files that are hard to profile."""

import numpy as np
import polars as pl

from data_cleaning.taxonomy import Taxonomy

TARGETS = ("function", "level")


TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "function": {"classes": {"IT": ["Info Tech"], "Other": []}},
            "level": {"classes": {"Boss": ["Chief"]}},
        }
    }
)


def make_leads(count=None, **columns):
    n_rows = len(columns["title"])
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return frame.with_columns(pl.Series("count", count or [1] * n_rows, dtype=pl.Int64))


LEADS = make_leads(
    title=["CIO", "CIO", "cio", "IT Boss of it", None, " ", "Baker"],
    function=["IT", "Info Tech", " IT ", None, "IT", "", "Cakes"],
    level=["Boss", "Boss", "Chief", "Boss", "Boss", "Boss", " "],
    country=["US", "US", "DE", "US", "US", "US", None],
    count=[4, 2, 1, 1, 1, 1, 2],
)
"""Twelve records: ten with a title, ten with a function, ten with a level."""


def letters(titles):
    return np.array([len(title) for title in titles])


def frames(profile):
    return {table.name: table.frame for table in profile.tables}


def figures(profile):
    return {row["figure"]: (row["number"], row["share"]) for row in frames(profile)["figures"].iter_rows(named=True)}


HARD = {
    "only titles": make_leads(title=["a b", "a b", "c"]),
    "one record": make_leads(title=["CISO"], function=["IT"], level=["Boss"]),
    "no labels": make_leads(title=["a b", "c"], function=[None, " "]),
    "no titles": make_leads(title=[None, " "], function=["IT", "IT"]),
    "no words": make_leads(title=["🚀", "?"]),
    "one label": make_leads(title=["a", "b", "b"], function=["IT", "IT", "IT"]),
    "other scripts": make_leads(
        title=["情報システム部長", "🚀 Engineer", "🚀 Engineer", "$a$ <b>|_x\nmany\tlines"],
        function=["情報", "🚀 $Growth$", "|<i>", "_" + "W" * 80],
        level=["a", "b", "a", "c"],
    ),
}
