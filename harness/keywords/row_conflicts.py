"""Rows of a keyword table that collide on titles, rows that others cover on any title, and accidental matches."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from scipy import sparse

from baselines.gap_and_mask import GAP, MASK, STAR
from baselines.keyword_table import KeywordTable
from baselines.matching import has_symbol, lower_case, normal_form, symbol_form
from data_cleaning.errors import counted
from data_cleaning.titles import IntArray
from harness.keywords.judged_hits import Counts, RankedHits, Reference, pairs_of_rows

MAX_CHAINS = 1_000
"""Chains that are kept, those with most records."""

START, END, INSIDE = "at its start", "at its end", "inside"
"""Where a keyword occurs in a longer word; at the start it is often meant as a stem, as in "recruiter"."""

_IDEOGRAPHS = range(0x4E00, 0x9FFF)
_OF_A_WORD = r"[\p{L}\p{M}\p{N}]"


def find_conflicts(
    table: KeywordTable, hits: Mapping[str, RankedHits], counts: Counts, references: Sequence[Reference]
) -> pl.DataFrame:
    """Find every pair of rows that hit one title and set different classes of a target.

    Args:
        table: the table.
        hits: per target, as `rank_hits` returns them.
        counts: records of each title, (n_titles,).
        references: labels of the titles.

    Returns:
        `target`, `winner` and `loser` (positions of rows, of which the first outranks the second), `titles` and
        `records` that both hit; `decided_titles` and `decided_records`, those of them that the winner decides because
        no third row outranks it; and, of the latter, per reference `judged_titles_`, `judged_records_`, and records for
        which either is right as `winner_right_` and `loser_right_`. Pairs with most decided records come first.
    """
    found = []
    for target, ranked in hits.items():
        classes = table.class_positions[target]
        pairs = pairs_of_rows(ranked, counts, table.order)
        differ = classes[pairs["winner"].to_numpy()] != classes[pairs["loser"].to_numpy()]
        winners = ranked.winners[ranked.titles]  # (n_hits,)
        beaten = classes[winners] != classes[ranked.rows]
        keys = {"winner": winners[beaten], "loser": ranked.rows[beaten]}
        compared = {"winner_right": classes[winners[beaten]], "loser_right": classes[ranked.rows[beaten]]}
        decided = _sum_up(target, ranked.titles[beaten], keys, compared, counts, references)
        decided = decided.rename({"titles": "decided_titles", "records": "decided_records"})
        joined = pairs.filter(pl.Series(differ)).join(decided, on=["winner", "loser"], how="left")
        found.append(joined.select(pl.lit(target).alias("target"), pl.all().fill_null(0)))
    order = ["decided_records", "records", "target", "winner", "loser"]
    return pl.concat(found).sort(order, descending=[True, True, False, False, False])


def find_chains(
    table: KeywordTable, hits: Mapping[str, RankedHits], counts: Counts, references: Sequence[Reference]
) -> pl.DataFrame:
    """Find keywords A, B and C of which A beats B, but C hits as well and wins with another class than A's.

    A is the row that would decide the title without C, and B any row of another class that A outranks there.

    Returns:
        `target`, `first` (A), `second` (B) and `third` (C), positions of rows, with `titles` and `records`, and per
        reference `judged_titles_`, `judged_records_`, `right_` (records for which C is right) and `right_without_` (for
        which A would be). The `MAX_CHAINS` with most records, in that order.
    """
    found = []
    for target, ranked in hits.items():
        classes = table.class_positions[target]
        third, first = ranked.winners[ranked.titles], ranked.runners_up[ranked.titles]  # (n_hits,)
        flips = (ranked.places > 1) & (classes[third] != classes[first]) & (classes[first] != classes[ranked.rows])
        titles = ranked.titles[flips]
        keys = {"first": first[flips], "second": ranked.rows[flips], "third": third[flips]}
        compared = {"right": classes[third[flips]], "right_without": classes[first[flips]]}
        summed = _sum_up(target, titles, keys, compared, counts, references)
        found.append(summed.select(pl.lit(target).alias("target"), pl.all()))
    order = ["records", "target", "third", "first", "second"]
    return pl.concat(found).sort(order, descending=[True, False, False, False, False]).head(MAX_CHAINS)


def _sum_up(
    target: str,
    titles: IntArray,
    keys: Mapping[str, IntArray],
    compared: Mapping[str, IntArray],
    counts: Counts,
    references: Sequence[Reference],
) -> pl.DataFrame:
    """Sum titles, records, and records for which some classes are right, by keys.

    Args:
        target: of the classes.
        titles: positions, (n_pairs,).
        keys: name to the values to group by, each (n_pairs,).
        compared: name of a figure to the classes that are compared with the references, each (n_pairs,).
        counts: records of each title, (n_titles,).
        references: labels of the titles.
    """
    columns = {**keys, "records": counts[titles]}
    sums = [pl.len().cast(pl.Int64).alias("titles"), pl.col("records").sum()]
    for reference in references:
        judged = f"judged_records_{reference.name}"
        columns[judged] = reference.judged[target][titles]
        sums.append((pl.col(judged) > 0).sum().cast(pl.Int64).alias(f"judged_titles_{reference.name}"))
        sums.append(pl.col(judged).sum())
        for name, classes in compared.items():
            columns[f"{name}_{reference.name}"] = reference.right(target, titles, classes)
            sums.append(pl.col(f"{name}_{reference.name}").sum())
    frame = pl.DataFrame({name: np.asarray(values, dtype=np.int64) for name, values in columns.items()})
    return frame.group_by(list(keys)).agg(sums)


def covered_by(table: KeywordTable) -> sparse.csr_matrix:
    """Find rows whose every match is also a match of another row, whatever the title.

    "chief security officer" is covered by "security". Titles are assumed to be in the spelling of `normalise_titles`.
    Every pair that is found is correct; in tables of substring rows only, all pairs are found.

    Returns:
        Booleans, true where the first row is covered by the second, never by itself, (n_rows, n_rows).
    """
    keywords = _keywords(table)
    match = table.rows["match"].to_numpy()
    substring = match == "substring"
    with_symbols = symbol_form(keywords).str.replace_all("|", "", literal=True)
    words = with_symbols.zip_with(has_symbol(keywords), normal_form(keywords)).str.strip_chars()
    # A letter in no keyword extends the first or last word where a title may have more letters there.
    glue = next(chr(code) for code in _IDEOGRAPHS if not keywords.str.contains(chr(code), literal=True).any())
    starred = np.isin(match, (GAP, MASK))
    words = words.zip_with(~pl.Series(starred), keywords.str.replace(STAR, glue, literal=True))
    spelled = np.where(substring, keywords.to_numpy(), words.to_numpy())
    glued = np.where(substring, glue, "") + spelled + np.where(starred | (match == "word"), "", glue)
    # Any signs may separate words in a title, so a substring row can only be found within a single word.
    one_word = keywords.str.contains("^[A-Za-z0-9]+$").to_numpy()
    plain = keywords.str.contains(r"^[\x00-\x7f]+$").to_numpy()
    first, second = table.hits(spelled).nonzero()
    in_letters = substring[second] & (substring[first] | one_word[second]) & (first != second)
    glued_first, glued_second = table.hits(glued).nonzero()
    in_words = ~substring[glued_second] & (~substring[glued_first] | plain[glued_first]) & (glued_first != glued_second)
    first = np.concatenate([first[in_letters], glued_first[in_words]])
    second = np.concatenate([second[in_letters], glued_second[in_words]])
    return sparse.csr_matrix((np.ones(len(first), dtype=bool), (first, second)), shape=(len(table), len(table)))


def unreachable(table: KeywordTable, covered: sparse.csr_matrix) -> dict[int, tuple[int, ...]]:
    """Find rows that can never decide a title, because others outrank them wherever they match.

    Returns:
        The position of each such row to the positions of the rows that decide instead, the highest-ranking one for each
        target that it sets.
    """
    rank = np.argsort(table.order)
    found = {}
    for row in np.flatnonzero(np.diff(covered.indptr)).tolist():
        others = covered.indices[covered.indptr[row] : covered.indptr[row + 1]]
        above = others[rank[others] < rank[row]]
        reasons: dict[int, None] = {}
        for sets in table.sets.values():
            if not sets[row]:
                continue
            deciding = above[sets[above]]
            if not len(deciding):
                break
            reasons[int(deciding[rank[deciding].argmin()])] = None
        else:
            if len(above):
                found[row] = tuple(reasons)
    return found


def equal_overlaps(table: KeywordTable, covered: sparse.csr_matrix) -> list[tuple[int, int, str]]:
    """Find pairs of rows of equal priority, one covered by the other, that set different classes of a target.

    Returns:
        The row that outranks the other because it is longer or earlier, the other row, and the target.
    """
    rank = np.argsort(table.order)
    priority = table.rows["priority"].to_numpy()
    first, second = (covered + covered.T).nonzero()
    equal = (priority[first] == priority[second]) & (rank[first] < rank[second])
    first, second = first[equal], second[equal]
    pairs = []
    for target, sets in table.sets.items():
        classes: IntArray = table.class_positions[target][:-1]
        differ = sets[first] & sets[second] & (classes[first] != classes[second])
        pairs += [
            (one, other, target) for one, other in zip(first[differ].tolist(), second[differ].tolist(), strict=True)
        ]
    return pairs


def find_accidents(table: KeywordTable, titles: pl.Series, hits: sparse.csr_matrix) -> pl.DataFrame:
    """Find the titles in which the keyword of a substring row only occurs inside longer words: "cto" in "director".

    Returns:
        `title` and `row`, positions that belong together; `host`, the lower-cased word in which the keyword first
        occurs (words, where the keyword has several); and whether it is `at` its start, its end, or inside.
    """
    has_word = (normal_form(_keywords(table)) != " ").to_numpy()  # a letter or digit
    rows = np.flatnonzero((table.rows["match"] == "substring").to_numpy() & has_word)
    as_words = KeywordTable(taxonomy=table.taxonomy, rows=table.rows.iloc[rows].assign(match="word"))
    left = hits[:, rows].astype(np.int8) - as_words.hits(titles.to_numpy()).astype(np.int8)
    pairs = (left > 0).tocoo()
    spelled = pl.DataFrame(
        {
            "title": pairs.row.astype(np.int64),
            "row": rows[pairs.col],
            "_text": lower_case(titles).gather(pairs.row),
            "_keyword": lower_case(_keywords(table)).gather(rows[pairs.col]),
        }
    )
    # A keyword that begins or ends with a sign or a space is in no longer word on that side.
    flanked = (
        spelled.with_columns(pl.col("_text").str.splitn(pl.col("_keyword"), 2).alias("_sides"))
        .with_columns(
            _edge(pl.col("_sides").struct.field("field_0"), f"({_OF_A_WORD}+)$", f"^{_OF_A_WORD}").alias("_before"),
            _edge(pl.col("_sides").struct.field("field_1"), f"^({_OF_A_WORD}+)", f"{_OF_A_WORD}$").alias("_after"),
        )
        .filter((pl.col("_before") != "") | (pl.col("_after") != ""))
    )
    at_start, at_end = (pl.when(pl.col(side) == "") for side in ("_before", "_after"))
    place = at_start.then(pl.lit(START)).otherwise(at_end.then(pl.lit(END)).otherwise(pl.lit(INSIDE)))
    host = pl.concat_str("_before", "_keyword", "_after").str.strip_chars()
    return flanked.select("title", "row", host.alias("host"), place.alias("at"))


def count_accidents(
    accidents: pl.DataFrame, titles_decided: pl.DataFrame, counts: pl.Series, judged: Sequence[tuple[str, pl.DataFrame]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Count accidents in records, by row and by host.

    Args:
        accidents: as `find_accidents` returns them.
        titles_decided: `title` and `row`, positions of what each row decides for any target.
        counts: records of each title, (n_titles,).
        judged: name of each reference and what `judged_hits.judge_decisions` returns for it.

    Returns:
        Per `row`, and per `row`, `host` and `at`: `titles` and `records` in which the keyword only occurs inside longer
        words, `decided_titles` and `decided_records`, those of them that the row decides, and of those, per reference,
        `judged_titles_`, `judged_records_` and `wrong_records_`. Rows also have their commonest `hosts` as text.
        Those that decide most records come first.
    """
    priced = (
        accidents.with_columns(counts.gather(accidents["title"]).alias("_count"))
        .join(titles_decided.with_columns(_decided=True), on=["title", "row"], how="left")
        .with_columns(pl.col("_decided").fill_null(False))
    )
    sums = [
        pl.len().cast(pl.Int64).alias("titles"),
        pl.col("_count").sum().alias("records"),
        pl.col("_decided").sum().cast(pl.Int64).alias("decided_titles"),
        pl.col("_count").filter("_decided").sum().alias("decided_records"),
    ]
    for name, decisions in judged:
        here = {kind: f"{kind}_{name}" for kind in ("judged_records", "wrong_records")}
        priced = priced.join(decisions.rename(here), on=["title", "row"], how="left")
        sums.append(pl.col(here["judged_records"]).count().cast(pl.Int64).alias(f"judged_titles_{name}"))
        sums += [pl.col(column).sum() for column in here.values()]
    first = ["decided_records", "records", "row"]
    hosts = priced.group_by("row", "host", "at").agg(sums).sort(*first, "host", descending=[True, True, False, False])
    rows = priced.group_by("row").agg(sums).sort(first, descending=[True, True, False])
    commonest = hosts.group_by("row", "host").agg(pl.col("records").sum())
    commonest = commonest.sort("records", "host", descending=[True, False])
    named = commonest.group_by("row", maintain_order=True).agg(
        pl.format("{} ({})", "host", "records").head(5).str.join(", ").alias("hosts")
    )
    return rows.join(named, on="row", how="left", maintain_order="left"), hosts


def never_because(table: KeywordTable, rows: Sequence[int], titles: pl.DataFrame) -> pl.Series:
    """Say why rows match none of some titles: their keyword is questioned, or another match would find it.

    Args:
        table: the table.
        rows: positions of the rows that match no title.
        titles: `title` and `count`.

    Returns:
        A clause for each row of the table, null where nothing is known, (n_rows,).
    """
    reasons: list[str | None] = [None] * len(table)
    asked = {one.line: one.reason for one in table.questions}
    some = table.rows.iloc[list(rows)]
    for other, said in (
        ("substring", "it occurs only inside longer words"),
        ("word", "other signs separate its words"),
    ):
        differs = (some["match"] == "substring") == (other == "word")
        tried = KeywordTable(taxonomy=table.taxonomy, rows=some.assign(match=other))
        records = tried.hits(titles["title"].to_numpy()).T.astype(np.int64) @ titles["count"].cast(pl.Int64).to_numpy()
        for row, is_other, found in zip(rows, differs, records, strict=True):
            if is_other and found:
                reasons[row] = f"{said} ({counted(int(found), 'record')}); match {other!r} finds it there"
    for row in rows:
        reasons[row] = asked.get(int(table.rows["line"].iloc[row]), reasons[row])
    return pl.Series("never_because", reasons, dtype=pl.String)


def _keywords(table: KeywordTable) -> pl.Series:
    return pl.Series(table.rows["keyword"].tolist(), dtype=pl.String)


def _edge(side: pl.Expr, adjacent: str, keyword_edge: str) -> pl.Expr:
    """Return the letters next to the keyword on one side, "" if the keyword itself has none at that edge."""
    return (
        pl.when(pl.col("_keyword").str.contains(keyword_edge))
        .then(side.str.extract(adjacent).fill_null(""))
        .otherwise(pl.lit(""))
    )
