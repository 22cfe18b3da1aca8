"""The cleaning steps in order, with a ledger of every record dropped or changed.

No record vanishes without a reason: in = out + quarantined.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from data_cleaning.consensus import learn_majority, relabelling_facts
from data_cleaning.errors import BadInput, did_you_mean, first_few
from data_cleaning.grouping import group_labels
from data_cleaning.language import LanguageSettings, judge_languages
from data_cleaning.ledger import POSITION, Ledger, records, require_account
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired
from data_cleaning.words import normalise_titles

Consensus = Literal["none", "whole-file"]
LANGUAGE_STEP = "filter languages"
_FOREIGN_COLUMNS = {"title": pl.String, "language": pl.String, "reason": pl.String, "records": pl.Int64}


@dataclass(frozen=True, kw_only=True)
class CleanSettings:
    """Which optional steps are taken, and how."""

    countries: tuple[str, ...] = ()
    """Keep records of these countries only, as the leads spell them; none keeps all."""
    english_only: bool = True
    """Whether titles in other languages, and undecodable ones, go to quarantine; `clean --keep-foreign` sets it to
    false."""
    language: LanguageSettings = field(default_factory=LanguageSettings)
    """How sure the detection of a language must be."""
    consensus: Consensus = "none"
    """`whole-file` gives every record the most frequent labels of its title, as the study did: records that are
    later held out then influence the labels that are learned."""
    min_support: int = 2
    """Records that a title's most frequent labels need before consensus takes them."""
    report_min_records: int = 1
    """Records that a title needs to be listed in the reports on its labels."""

    def __post_init__(self) -> None:
        if self.consensus not in ("none", "whole-file"):
            raise BadInput(f"consensus is {self.consensus!r}; expected none or whole-file.")
        for name in ("min_support", "report_min_records"):
            if (value := getattr(self, name)) < 1:
                raise BadInput(f"{name} is {value}; expected a number of records of at least 1.")


@dataclass(frozen=True, kw_only=True)
class CleanedLeads:
    """The records that cleaning kept, those in quarantine, and the account of both."""

    kept: pl.DataFrame
    """Leads with the normalised `title`, `original_title` and, per target, the class (null where only others are known)
    and `raw_<target>`; after
    consensus also `original_<target>`, the class before it, and `majority_status`. In the order of the leads."""
    kept_rows: pl.Series
    """Their rows in the leads."""
    quarantined: pl.DataFrame
    """The other leads, unchanged and in their order, with a `reason`."""
    quarantined_rows: pl.Series
    ledger: pl.DataFrame
    """One row per step, with `LEDGER_COLUMNS`."""
    targets: tuple[str, ...]
    """The targets of the taxonomy that the leads have."""
    label_map: pl.DataFrame
    """`taxonomy_version`, `target`, `raw_label`, `class`, `records`: every raw label of the taxonomy, most frequent
    first, with the records that had it when labels were grouped; 0 where none did."""
    foreign_titles: pl.DataFrame
    """`title`, `language` (null where undecodable), `reason`, `records`: titles not in English."""


def clean_leads(
    leads: pl.DataFrame,
    taxonomy: Taxonomy,
    settings: CleanSettings | None = None,
    progress: Progress = silent,
    known: Iterable[str] = (),
) -> CleanedLeads:
    """Take every step: normalise, drop what is missing, filter sources, group labels, filter languages, consensus.

    Args:
        leads: as `leads.pick_leads` returns them; targets and country are optional, further columns are passed on.
        taxonomy: names the targets and groups their raw labels.
        settings: None takes the defaults.
        progress: called during the slow steps.
        known: keywords or titles of the business, whose words count as English, as those of the labels do.

    Raises:
        BadInput: a raw label is in no class of the taxonomy, countries are to be filtered but the leads have none, or
            no record is left.
        RecordsLost: a record is neither kept nor in quarantine; a fault of this function.
    """
    settings = settings or CleanSettings()
    ledger = Ledger()
    targets = tuple(name for name in taxonomy.names if name in leads.columns)
    kept = _normalise(leads.with_row_index(POSITION), ledger)
    kept = _drop_missing(kept, ["title"], ledger)
    kept = _drop_missing(kept, targets, ledger) if targets else kept
    whole = f"a title and a label ({', '.join(targets)})" if targets else "a title"
    _require_some(kept, f"No record has {whole}; check the columns that are named under leads.columns.")
    if settings.countries:
        kept = _filter_countries(kept, settings.countries, ledger)
    before = kept
    kept, label_map = group_labels(kept, taxonomy, targets)
    if targets:
        regrouped = pl.any_horizontal(pl.col(name) != pl.col(f"raw_{name}") for name in targets)
        why = f"to classes, by taxonomy version {taxonomy.version}"
        ledger.enter("group raw labels", before, kept, records(kept.lazy().filter(regrouped)), why)
    del before  # of ten million records, it would take another gigabyte until the end
    foreign = pl.DataFrame(schema=_FOREIGN_COLUMNS)
    if settings.english_only:
        known = [*known, *taxonomy.raw_labels]
        kept, foreign = _filter_languages(kept, settings.language, ledger, progress, known)
    if targets and settings.consensus == "whole-file":
        kept = _relabel(kept, targets, settings.min_support, ledger)

    dropped = pl.concat(ledger.dropped).sort(POSITION)
    table = ledger.table()
    require_account(leads, kept[POSITION], dropped[POSITION], table)
    return CleanedLeads(
        kept=kept.drop(POSITION),
        kept_rows=kept[POSITION],
        quarantined=leads[dropped[POSITION]].with_columns(dropped["reason"]),
        quarantined_rows=dropped[POSITION],
        ledger=table,
        targets=targets,
        label_map=label_map,
        foreign_titles=foreign,
    )


def equal_rows(cleaned: pl.DataFrame | pl.LazyFrame, targets: Sequence[str], prefix: str = "") -> pl.DataFrame:
    """Merge records of the same title and labels into rows with a `count`, in a fixed order.

    Labels are taken from the columns with a prefix such as `raw_`, and returned under the targets' names.
    """
    labels = [pl.col(f"{prefix}{name}").alias(name) for name in targets]
    keys = ["title", *targets]
    rows = cleaned.lazy().select("title", *labels, "count")
    return rows.group_by(keys).agg(pl.col("count").sum()).sort(keys).collect()


def _normalise(leads: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    distinct = leads["title"].drop_nulls().unique()
    whole = repaired(distinct)
    spelled = pl.DataFrame({"original_title": distinct, "repaired": whole, "title": normalise_titles(whole)})
    renamed = leads.rename({"title": "original_title"})
    read = renamed.join(spelled, on="original_title", how="left", maintain_order="left")
    mended = read.drop("title").rename({"repaired": "title"})
    kept = read.drop("repaired")
    changed = records(read.lazy().filter(pl.col("repaired") != pl.col("original_title")))
    why = "double-decoded text, HTML entities and invisible characters; the original is kept"
    ledger.enter("repair titles", leads, mended, changed, why)
    changed = records(read.lazy().filter(pl.col("title") != pl.col("repaired")))
    why = "Unicode, quotes, dashes and white space in one form; the original is kept"
    ledger.enter("normalise titles", mended, kept, changed, why)
    return kept


def _drop_missing(kept: pl.DataFrame, names: Sequence[str], ledger: Ledger) -> pl.DataFrame:
    """Drop the records that have none of some columns; what others lack becomes null."""
    named = " and ".join(names)
    kept = kept.with_columns(pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)) for name in names)
    missing = pl.all_horizontal(pl.col(name).is_null() for name in names)
    reasons = kept.select(pl.when(missing).then(pl.lit(f"missing {named}"))).to_series()
    return ledger.drop(f"drop missing {named}", kept, reasons, f"without {named} nothing is learned or scored")


def _filter_countries(kept: pl.DataFrame, countries: Sequence[str], ledger: Ledger) -> pl.DataFrame:
    if "country" not in kept.columns:
        raise BadInput(
            "clean.countries filters by country, but the leads have no such column. Set leads.columns.country to what "
            "it is called, or leave clean.countries empty."
        )
    country = pl.col("country").str.strip_chars()
    reason = pl.format("source not listed ({})", country.fill_null("no country"))
    reasons = kept.select(pl.when(~country.is_in(list(countries)).fill_null(False)).then(reason)).to_series()
    left = ledger.drop("filter sources", kept, reasons, f"only records from {first_few(countries)}")
    named = kept["country"].drop_nulls().str.strip_chars().unique().sort().to_list()
    found = f"the leads have {first_few(named)}.{''.join(did_you_mean(name, named) for name in countries)}"
    _require_some(left, f"No record is from {first_few(countries)}, the countries of clean.countries; {found}")
    return left


def _filter_languages(
    kept: pl.DataFrame, settings: LanguageSettings, ledger: Ledger, progress: Progress, known: Iterable[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    titles = kept.group_by("title", maintain_order=True).agg(pl.col("count").sum())
    judged = judge_languages(titles, settings, progress, known)
    foreign = judged.with_columns(titles["count"].alias("records")).filter(pl.col("reason").is_not_null())
    reasons = kept.select("title").join(foreign, on="title", how="left", maintain_order="left")["reason"]
    left = ledger.drop(LANGUAGE_STEP, kept, reasons, "in other languages, or nobody can decode them")
    _require_some(
        left, "No title is in English; with --keep-foreign (clean.english_only=false) titles of any language are kept."
    )
    return left, foreign.sort("records", "title", descending=[True, False]).select(list(_FOREIGN_COLUMNS))


def _relabel(kept: pl.DataFrame, targets: Sequence[str], min_support: int, ledger: Ledger) -> pl.DataFrame:
    rows = equal_rows(kept, targets).drop_nulls(targets)
    relabelled = learn_majority(rows, targets, min_support=min_support).relabel(kept)
    facts = relabelling_facts(relabelled)
    why = (
        "most frequent labels of each title, learned from the whole file: later test records had a say; "
        f"left alone: {facts['tie_titles']:,} tied titles, {facts['too_few_titles']:,} with under {min_support} records"
    )
    ledger.enter("consensus labels", kept, relabelled, facts["changed_records"], why)
    return relabelled.drop("changed")


def _require_some(left: pl.DataFrame, message: str) -> None:
    if left.is_empty():
        raise BadInput(message)
