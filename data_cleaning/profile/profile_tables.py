"""The exploratory tables: missing values, labels and their combinations, titles, words, lengths and growth."""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl

from data_cleaning.consensus import inconsistent_combinations, inconsistent_titles
from data_cleaning.profile.measures import (
    ANY,
    ANY_OUTPUT,
    Material,
    fit_heaps,
    growth_curve,
    is_missing,
    length_summary,
    length_table,
    missing_shares,
    round_sizes,
    share_table,
    with_shares,
)
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray
from data_cleaning.words import split_words, stop_words

AT_LEAST_ONE = "at least one"
"""Begins what a row of missing values says, where it is about several columns."""

NO_CLASS = "(in no class of the taxonomy)"

_FIRST = 5

MAX_TOKENS = 64
"""Tokens of a title that the study's network read."""

_TOKEN_CHUNK = 20_000
_MAX_TITLES = 1000

TokenCounter = Callable[[Sequence[str]], IntArray]
"""Titles to the tokens of each, (n_titles,)."""


def missing_table(of: Material) -> Iterator[Table]:
    """Yield the share of records that lack each column."""
    missing = missing_shares(of.leads, of.targets)
    shares = {name: missing[name] for name in ("title", *of.targets)}
    for name in ("country", "date"):
        if name in of.leads.columns:
            shares[name] = int(of.leads.filter(is_missing(name))["count"].sum()) / of.n_records
    listed = ", ".join(of.targets)
    if len(of.targets) > 1:  # else the same as that of the one target
        shares[f"{AT_LEAST_ONE} of {listed}"] = missing[ANY_OUTPUT]
    if of.targets:  # else the same as that of the title
        shares[f"{AT_LEAST_ONE} of title, {listed}"] = missing[ANY]
    rows = [(name, round(share * of.n_records), share) for name, share in shares.items()]
    for name, records, _ in rows:
        of.add(f"records that lack {name}", records, of.n_records, "all records")
    whole = f"all {of.n_records:,} records"
    note = f"Records with an empty or blank cell, as a share of {whole}."
    frame = pl.DataFrame(rows, schema={"column": pl.String, "records": pl.Int64, "share": pl.Float64}, orient="row")
    yield Table("missing", "Missing values", note, frame, whole=whole)


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
        slug = re.sub(r"\W+", "_", target)  # may be part of a file's name
        title = f"The most common labels of {target}, as recorded"
        grouped = _grouped(of.taxonomy, target, shares)
        if grouped is None:
            yield Table(f"shares_{slug}", title, note, shares, whole=whole)
            continue
        columns = ("label", "class", "records", "share", "cumulative_share")
        classed = shares.with_columns(grouped["label"].alias("class")).select(columns)
        said = f"{note} The class is that of the label in the taxonomy."
        yield Table(f"shares_{slug}", title, said, classed, whole=whole)
        classes = share_table(grouped["label"], grouped["records"])
        yield Table(f"grouped_{slug}", f"Classes of {target}, as the taxonomy groups", note, classes, whole=whole)
    if len(cumulative):
        note = (
            "Share of the records with a label that the most common labels of each target hold together, as recorded."
        )
        yield Table("cumulative_shares", "How many labels cover how many records", note, cumulative)
    if "country" in of.leads.columns:
        shares = share_table(of.leads["country"], of.leads["count"]).rename({"label": "country"})
        if len(shares):
            whole = f"the {shares['records'].sum():,} records with a country"
            yield Table("countries", "The most common countries", f"Shares are of {whole}.", shares, whole=whole)


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
    yield Table("combinations", "The most common combinations of labels, as recorded", note, raw, whole=whole)
    grouped = raw
    for target in of.targets:
        classes = _grouped(of.taxonomy, target, raw.rename({target: "label"}))
        if classes is not None:
            grouped = grouped.with_columns(classes["label"].alias(target))
    if grouped is not raw:
        grouped = _combinations(grouped.rename({"records": "count"}), of.targets)
        of.add("combinations of classes", len(grouped))
        title = "The most common combinations of classes, as the taxonomy groups"
        yield Table("grouped_combinations", title, note, grouped, whole=whole)


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
    note = (
        "Titles whose records have different combinations of raw labels, those first that have most records outside "
        "their largest combination (minority records). Variance is that of the combinations' records, majority share "
        "that of the largest combination, entropy in bits: 0 where all agree, 1 for two equal halves."
    )
    yield Table("inconsistent_titles", "The most inconsistent titles", note, titles)
    # In the order of the titles above, which is not the order of their records.
    order = titles.select("title", pl.int_range(pl.len()).alias("_place"))
    combined = inconsistent_combinations(rows, of.targets).join(order, on="title", maintain_order="left")
    combined = combined.sort("_place", "rank", *of.targets).drop("_place")
    note = (
        "Every combination of labels of the titles above, in the same order; rank 1 is a title's largest combination."
    )
    yield Table("inconsistent_combinations", "What the most inconsistent titles were labelled", note, combined)


def title_tables(of: Material) -> Iterator[Table]:
    """Yield the most common titles and words."""
    if of.titles.is_empty():
        of.left_out.append("No figures on titles and words: every title is missing.")
        return
    folded = of.titles["title"].str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    n_titles, n_words = len(of.titles), len(of.words)
    once = int((of.titles["records"] == 1).sum())
    of.add("unique titles, as written", n_titles, of.n_titled, "records with a title")
    of.add("unique titles, case and white space aside", folded.n_unique(), of.n_titled, "records with a title")
    of.add("titles that occur once", once, n_titles, "unique titles")
    whole = f"the {of.n_titled:,} records with a title"
    note = f"Titles as they are written; shares are of {whole}."
    yield Table("titles", "The most common titles", note, with_shares(of.titles).head(_MAX_TITLES))
    if of.words.is_empty():
        of.left_out.append("No figures on words: no title holds a letter or a digit.")
        return
    words = of.words.with_columns(
        (pl.col("records") / of.n_titled).alias("share"), pl.col("word").is_in(list(stop_words())).alias("stop_word")
    )
    common = words.filter("stop_word").drop("stop_word")
    of.add("unique words", n_words)
    of.add("words in one record only", int((of.words["records"] == 1).sum()), n_words, "unique words")
    of.add("stop words among the unique words", len(common), n_words, "unique words")
    note = (
        "A word is a lower-cased run of letters and digits. White space and punctuation separate words, but signs "
        "inside a word stay (r&d, c++, 24/7, cyber-security). Records whose title holds the word, and their share of "
        "the records with a title; a title holds several words, so the shares add up to more than all."
    )
    yield Table("words", "The most common words", note, words, whole=whole)
    if len(common):
        note = (
            f"Words of the {len(stop_words())} English stop words of scikit-learn that titles hold. Look before you "
            'drop them: "it" is on the list.'
        )
        yield Table("stop_words", "Stop words in the titles", note, common)
    yield _zipf(of)


def _zipf(of: Material) -> Table:
    ranks = sorted({int(rank) for rank in np.geomspace(1, max(len(of.words), len(of.titles)), 60).round()})
    at = pl.DataFrame({"rank": ranks}, schema={"rank": pl.Int64})
    for name, counted in (("word", of.words), ("title", of.titles)):
        ranked = counted.with_row_index("rank", offset=1).cast({"rank": pl.Int64})
        at = at.join(ranked.rename({"records": f"{name}_records"}), on="rank", how="left", maintain_order="left")
    note = (
        "Words and titles ranked by their records, at ranks that are evenly apart on a logarithmic scale. On such "
        "axes Zipf's law is a straight line that falls by one tenfold per tenfold."
    )
    return Table("zipf", "How fast words and titles become rare", note, at)


def length_tables(of: Material, count_tokens: TokenCounter | None, progress: Progress) -> Iterator[Table]:
    """Yield the lengths of the titles in characters, words and, with a tokenizer, tokens."""
    if of.titles.is_empty():
        return
    titles, records = of.titles["title"], of.titles["records"].to_numpy()
    words = of.titles.select(split_words(pl.col("title")).list.len()).to_series()
    lengths = {"characters": titles.str.len_chars().to_numpy(), "words": words.to_numpy()}
    if count_tokens is None:
        of.left_out.append(f"No figures on tokens, nor on titles above {MAX_TOKENS} of them: no tokenizer was given.")
    else:
        lengths["tokens"] = _in_chunks(titles, count_tokens, progress)
    tables = {unit: length_table(of_titles, records) for unit, of_titles in lengths.items()}
    if "tokens" in tables:
        above = int(tables["tokens"].filter(pl.col("length") > MAX_TOKENS)["records"].sum())
        of.add(f"records with a title above {MAX_TOKENS} tokens", above, of.n_titled, "records with a title")
    rows = [{"unit": unit, **length_summary(table)} for unit, table in tables.items()]
    note = "Per record with a title. Nine in ten records have a title of at most the length in that column."
    yield Table("lengths", "Length of the titles", note, pl.DataFrame(rows))
    for unit in ("words", "tokens"):
        if unit in tables:
            note = f"Records with a title of each length, as a share of the {of.n_titled:,} records with a title."
            yield Table(f"lengths_{unit}", f"Length of the titles in {unit}", note, tables[unit])


def _in_chunks(titles: pl.Series, count_tokens: TokenCounter, progress: Progress) -> IntArray:
    """Count the tokens of each distinct title, and report the progress, as it is the longest step."""
    counted = []
    for start in range(0, len(titles), _TOKEN_CHUNK):
        counted.append(np.asarray(count_tokens(titles[start : start + _TOKEN_CHUNK].to_list())))
        progress("Count tokens", min(start + _TOKEN_CHUNK, len(titles)), len(titles))
    return np.concatenate(counted)


def growth_tables(of: Material) -> Iterator[Table]:
    """Yield how unique titles and words grow with the records, and the Heaps curves fitted to both."""
    sizes = round_sizes(of.n_titled) if of.n_titled else []
    if len(sizes) < 2 or of.words.is_empty():
        of.left_out.append("No growth of titles and words: it takes two records with a title, and a word.")
        return
    growth = growth_curve(of.titles["title"], sizes, of.titles["records"])
    fits = {}
    for name in ("unique_titles", "unique_words"):
        fits[name] = fit_heaps(growth["size"].to_numpy(), growth[name].to_numpy())
        curve = fits[name].k * pl.col("size") ** fits[name].exponent
        growth = growth.with_columns(curve.alias(f"fitted_{name}"))
    note = (
        "Unique titles and words in a random sample of that many records, averaged over all samples, and the Heaps "
        "curve k × records ^ exponent that is fitted to each."
    )
    yield Table("growth", "Growth with the number of records", note, growth.rename({"size": "records"}))
    rows = [{"growth_of": name.replace("_", " "), **fit._asdict()} for name, fit in fits.items()]
    note = (
        "With an exponent of 1 every record would bring something new, with 0 none would. The deviation is the "
        "largest gap between the curve and a size above, as a share of the unique titles or words there."
    )
    yield Table("growth_fit", "Heaps curves", note, pl.DataFrame(rows))
