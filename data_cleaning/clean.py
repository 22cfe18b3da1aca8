"""The cleaning steps in order, with a ledger of every record dropped or changed.

Source: the step order of DESIGN ("The data, honestly"); nothing vanishes unexplained: in = out + quarantined.
"""

from dataclasses import dataclass

import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.normalise import normalise_titles
from data_cleaning.taxonomy import Target, Taxonomy

LEDGER_COLUMNS = ("step", "records_in", "titles_in", "changed", "dropped", "records_out", "titles_out", "why")


@dataclass(frozen=True)
class CleanedLeads:
    """What cleaning leaves, what it set aside, and the account of both."""

    kept: pl.DataFrame
    """Leads with `original_title`, the normalised `title`, and per target the class and `raw_<target>`."""
    quarantined: pl.DataFrame
    """The other leads as they came, with a `reason`."""
    ledger: pl.DataFrame
    """One row per step, with `LEDGER_COLUMNS`."""


def clean_leads(leads: pl.DataFrame, taxonomy: Taxonomy) -> CleanedLeads:
    """Normalise titles, set aside records with a missing title or label, and group raw labels.

    Args:
        leads: as `leads.read_leads` returns them.
        taxonomy: names the targets and groups their raw labels.

    Raises:
        BadInput: a raw label is in no class of the taxonomy, or no record is left.
    """
    ledger: list[dict[str, object]] = []
    kept = leads.with_columns(pl.col("title").alias("original_title"))
    kept = kept.with_columns(normalise_titles(kept["title"]).alias("title"))
    changed = _records(kept.filter(pl.col("title") != pl.col("original_title")))
    _enter(
        ledger, "normalise titles", leads, kept, changed, "Unicode composed, white space and control characters folded"
    )

    quarantined = []
    for name in ("title", *taxonomy.names):
        missing = pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "")
        dropped = kept.filter(missing).with_columns(pl.lit(f"missing {name}").alias("reason"))
        left = kept.filter(~missing)
        _enter(ledger, f"drop missing {name}", kept, left, 0, f"a record without {name} cannot be learned or scored")
        quarantined.append(dropped)
        kept = left
    if kept.is_empty():
        raise BadInput("No record has both a title and every label; check the column names under 'leads.columns'.")

    before = kept
    for target in taxonomy.targets:
        raw = kept[target.name].str.strip_chars()
        # Distinct labels are few: encode those, and let the join carry the classes to the records.
        distinct = raw.unique().to_list()
        try:
            grouped = [target.classes[code] for code in target.encode(distinct)]
        except BadInput as error:
            raise BadInput(f"{error} {_first_unmapped(kept, raw, target)}") from None
        kept = kept.with_columns(
            raw.alias(f"raw_{target.name}"),
            raw.replace_strict(distinct, grouped, return_dtype=pl.String).alias(target.name),
        )
    regrouped = pl.any_horizontal(pl.col(name) != pl.col(f"raw_{name}") for name in taxonomy.names)
    changed = _records(kept.filter(regrouped))
    _enter(ledger, "group raw labels", before, kept, changed, f"taxonomy version {taxonomy.version}")

    aside = pl.concat(quarantined)
    assert _records(kept) + _records(aside) == _records(leads), "a record vanished in cleaning"
    return CleanedLeads(kept, aside, pl.DataFrame(ledger))


def _first_unmapped(kept: pl.DataFrame, raw: pl.Series, target: Target) -> str:
    unmapped = kept.filter(~raw.is_in(list(target.raw_to_class)))
    return (
        f"The leads have it in {len(unmapped):,} records, first in record {unmapped['record'][0]} "
        f"({unmapped['title'][0]!r}). Add the label to a class of the taxonomy, or correct it in the leads."
    )


def _records(frame: pl.DataFrame) -> int:
    return int(frame["count"].sum())


def _enter(
    ledger: list[dict[str, object]], step: str, before: pl.DataFrame, after: pl.DataFrame, changed: int, why: str
) -> None:
    n_in, n_out = _records(before), _records(after)
    values = (step, n_in, before["title"].n_unique(), changed, n_in - n_out, n_out, after["title"].n_unique(), why)
    ledger.append(dict(zip(LEDGER_COLUMNS, values, strict=True)))
