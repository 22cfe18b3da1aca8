"""The tables of missing values, labels and their combinations, and of titles that were labelled in several ways."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from data_cleaning.consensus import inconsistent_combinations, inconsistent_titles
from data_cleaning.profile.material import Material
from data_cleaning.profile.measures import ANY, ANY_OUTPUT, is_missing, missing_shares, share_table, with_shares
from data_cleaning.profile.profile_page import Table
from data_cleaning.taxonomy import Taxonomy

AT_LEAST_ONE = "at least one"
"""Begins what a row of missing values says, where it is about several columns."""

NO_CLASS = "(in no class of the taxonomy)"

_OPTIONAL = ("country", "date")
_FIRST = 5


def missing_table(of: Material) -> Iterator[Table]:
    """Yield the share of records that lack each column."""
    shares = missing_shares(of.leads, of.targets)
    listed = ", ".join(of.targets)
    worded = {ANY_OUTPUT: f"{AT_LEAST_ONE} of {listed}", ANY: f"{AT_LEAST_ONE} of title, {listed}"}
    if not of.targets:
        del shares[ANY]  # it is that of the title
    if len(of.targets) == 1:
        del shares[ANY_OUTPUT]  # it is that of the one target
    single = {name: share for name, share in shares.items() if name not in worded}
    for name in _OPTIONAL:
        if name in of.leads.columns:
            single[name] = int(of.leads.filter(is_missing(name))["count"].sum()) / of.n_records
    several = {worded[name]: share for name, share in shares.items() if name in worded}
    rows = [(name, round(share * of.n_records), share) for name, share in {**single, **several}.items()]
    for name, records, _ in rows:
        of.add(f"records that lack {name}", records, of.n_records, "all records")
    whole = f"all {of.n_records:,} records"
    yield Table(
        "missing",
        "Missing values",
        f"Records with an empty or blank cell, as a share of {whole}.",
        pl.DataFrame(rows, schema={"column": pl.String, "records": pl.Int64, "share": pl.Float64}, orient="row"),
        whole,
    )


def label_tables(of: Material) -> Iterator[Table]:
    """Yield the shares of each target's labels, raw and, where a taxonomy has the target, grouped."""
    cumulative = pl.DataFrame({"labels": []}, schema={"labels": pl.Int64})
    for target in of.targets:
        shares = share_table(of.leads[target], of.leads["count"])
        if shares.is_empty():
            of.left_out.append(f"No figures on {target}: every label is missing.")
            continue
        named = shares.select(
            pl.int_range(1, pl.len() + 1).alias("labels"), pl.col("cumulative_share").alias(f"{target} share")
        )
        cumulative = cumulative.join(named, on="labels", how="full", coalesce=True).sort("labels")
        labelled = int(shares["records"].sum())
        of.add(f"{target}: raw labels", len(shares))
        first = int(shares["records"].head(_FIRST).sum())
        of.add(f"{target}: records with one of the {_FIRST} most common", first, labelled, f"records with a {target}")
        whole = f"the {labelled:,} records with a {target}"
        note = f"Shares are of {whole}."
        raw = Table(f"shares_{_slug(target)}", f"The most common labels of {target}, as recorded", note, shares, whole)
        grouped = _grouped(of.taxonomy, target, shares)
        if grouped is None:
            yield raw
            continue
        columns = ("label", "class", "records", "share", "cumulative_share")
        classed = shares.with_columns(grouped["label"].alias("class")).select(columns)
        yield replace(raw, frame=classed, note=f"{note} The class is what the taxonomy groups the label to.")
        classes = share_table(grouped["label"], grouped["records"])
        yield Table(f"grouped_{_slug(target)}", f"Classes of {target}, as the taxonomy groups", note, classes, whole)
    if len(cumulative):
        yield Table(
            "cumulative_shares",
            "How many labels cover how many records",
            "Share of the records with a label that the most common labels of each target hold together, as recorded.",
            cumulative,
        )
    if "country" in of.leads.columns:
        shares = share_table(of.leads["country"], of.leads["count"])
        if len(shares):
            whole = f"the {shares['records'].sum():,} records with a country"
            yield Table(
                "countries",
                "The most common countries",
                f"Shares are of {whole}.",
                shares.rename({"label": "country"}),
                whole,
            )


def _grouped(taxonomy: Taxonomy | None, target: str, shares: pl.DataFrame) -> pl.DataFrame | None:
    """Return the shares with the class of each label in its place; None where the taxonomy lacks the target."""
    if taxonomy is None or target not in taxonomy.names:
        return None
    raw_to_class = taxonomy[target].raw_to_class
    return shares.with_columns(
        pl.Series("label", [raw_to_class.get(label, NO_CLASS) for label in shares["label"]], dtype=pl.String)
    )


def combination_tables(of: Material) -> Iterator[Table]:
    """Yield the label combinations, and the titles whose records disagree most about theirs."""
    labelled = of.leads.drop_nulls(of.targets).select("title", *of.targets, "count")
    if not of.targets or labelled.is_empty():
        of.left_out.append("No label combinations, nor inconsistent titles: no record has every label.")
        return
    if len(of.targets) > 1:
        yield from _combined(of, labelled)
    yield from _inconsistent(of, labelled.drop_nulls("title"))


def _combined(of: Material, labelled: pl.DataFrame) -> Iterator[Table]:
    raw = _combinations(labelled, of.targets)
    of.add("combinations of raw labels", len(raw))
    whole = f"the {raw['records'].sum():,} records with every label"
    note = f"One label each of {', '.join(of.targets)}. Shares are of {whole}."
    yield Table("combinations", "The most common combinations of labels, as recorded", note, raw, whole)
    grouped = raw
    for target in of.targets:
        classes = _grouped(of.taxonomy, target, raw.rename({target: "label"}))
        if classes is not None:
            grouped = grouped.with_columns(classes["label"].alias(target))
    if grouped is not raw:
        grouped = _combinations(grouped.rename({"records": "count"}), of.targets)
        of.add("combinations of classes", len(grouped))
        title = "The most common combinations of classes, as the taxonomy groups"
        yield Table("grouped_combinations", title, note, grouped, whole)


def _combinations(rows: pl.DataFrame, targets: Sequence[str]) -> pl.DataFrame:
    counted = rows.group_by(targets).agg(pl.col("count").sum().alias("records"))
    return with_shares(counted.sort("records", *targets, descending=[True, *(False for _ in targets)]))


def _inconsistent(of: Material, rows: pl.DataFrame) -> Iterator[Table]:
    titles = inconsistent_titles(rows, of.targets)
    n_labelled, n_records = rows["title"].n_unique(), int(rows["count"].sum())
    of.add("titles with more than one combination", len(titles), n_labelled, "unique titles with every label")
    records = int(titles["records"].sum())
    of.add("records of these titles", records, n_records, "records with a title and every label")
    if titles.is_empty():
        of.left_out.append("No inconsistent titles: all records of a title have the same labels.")
        return
    yield Table(
        "inconsistent_titles",
        "The most inconsistent titles",
        "Titles whose records have different combinations of raw labels, those first that have most records outside "
        "their largest combination (minority records). Variance is that of the combinations' records, majority share "
        "that of the largest combination, entropy in bits: 0 where all agree, 1 for two equal halves.",
        titles,
    )
    # In the order of the titles above, which is not the order of their records.
    order = titles.select("title", pl.int_range(pl.len()).alias("_place"))
    combined = inconsistent_combinations(rows, of.targets).join(order, on="title", maintain_order="left")
    yield Table(
        "inconsistent_combinations",
        "What the most inconsistent titles were labelled",
        "Every combination of labels of the titles above, in the same order; rank 1 is a title's largest combination.",
        combined.sort("_place", "rank", *of.targets).drop("_place"),
    )


def _slug(name: str) -> str:
    """Return a name that may be part of a file's."""
    return re.sub(r"\W+", "_", name)
