"""Titles of any bytes through `predict`: each comes back unchanged with its labels, or is rejected; no hang."""

import itertools
import math
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_cleaning.files.spreadsheet_text import unescape_cell
from data_cleaning.text_repair import repaired
from harness.tagging.tagger import LONGEST_TITLE
from harness.tagging.work import Job
from tests.fuzz.fuzz_size import FULL, TALLY, examples
from tests.fuzz.odd_csv import MARKER, TITLE
from tests.fuzz.odd_text import LARGEST, NAMED, NOT_UTF8, long_titles, short_titles
from tests.fuzz.tagged_files import Written, read_written, tag

N_TITLES, N_AT_ONCE = 100_000, 50
SYSTEMS = ["keyword", "keyword-corrected", "tfidf", "neural"]


@dataclass(frozen=True)
class Way:
    """Into which file the titles are written, and how they are tagged."""

    form: str
    """Of the leads: csv, or the type of the column in Parquet."""
    ending: str
    system: str
    with_hierarchy: bool = True
    encoding: str | None = "utf-8"
    """Of CSV; None leaves it to be found out."""
    raw: bool = True
    """Whether what looks like a formula is written as it is."""


FORMS = ["csv", "csv", "csv", "string", "large_string", "dictionary"]
ways = st.builds(
    Way,
    form=st.sampled_from(FORMS),
    ending=st.sampled_from([".csv", ".parquet"]),
    system=st.sampled_from(SYSTEMS),
    with_hierarchy=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8", "latin-1", None]),
    raw=st.booleans(),
)


@examples(full=N_TITLES // N_AT_ONCE, few=12)
@given(
    titles=st.lists(st.none() | short_titles, min_size=N_AT_ONCE, max_size=N_AT_ONCE + 30),
    long=st.integers(0, 19).flatmap(lambda one_in: st.none() if one_in else long_titles),
    way=ways,
)
def test_titles_of_any_bytes_are_labelled_or_rejected_and_come_back_as_they_were(toy, titles, long, way):
    check_titles(toy, [*titles, *([] if long is None else [long.content])], way)


@pytest.mark.parametrize(
    ("form", "ending", "system"),
    [
        ("csv", ".csv", "keyword"),
        ("csv", ".parquet", "neural"),
        ("csv", ".csv.gz", "keyword"),
        ("string", ".csv", "tfidf"),
        ("large_string", ".parquet", "keyword-corrected"),
        ("dictionary", ".parquet", "keyword"),
        ("dictionary", ".csv", "keyword"),
    ],
)
def test_titles_known_to_break_parsers_are_tagged(toy, form, ending, system):
    check_titles(toy, NAMED, Way(form, ending, system))


@pytest.mark.parametrize("form", ["csv", "string"])
def test_titles_known_to_break_parsers_come_back_from_behind_an_apostrophe(toy, form):
    check_titles(toy, NAMED, Way(form, ".csv", "keyword", raw=False))


@pytest.mark.parametrize("form", ["csv", "string", "large_string", "dictionary"])
@pytest.mark.parametrize("titles", [[None], [b""], [None, b"\xff"], NOT_UTF8], ids=["none", "empty", "both", "no text"])
def test_files_without_any_title_are_tagged(toy, form, titles):
    check_titles(toy, titles, Way(form, ".csv", "keyword"))


def check_titles(toy, titles: list[bytes | None], way: Way) -> None:
    """Tag titles, and compare everything that comes out with what went in."""
    TALLY.add(titles=len(titles), long_titles=sum(len(title or b"") == LARGEST for title in titles))
    with tempfile.TemporaryDirectory(dir=toy.work) as folder:
        leads = Path(folder) / ("leads.csv" if way.form == "csv" else "leads.parquet")
        (write_csv if way.form == "csv" else write_parquet)(leads, titles, way.form)
        job = Job(
            leads=leads,
            out=Path(folder) / f"out{way.ending}",
            model=toy.model,
            system=way.system,
            hierarchy=toy.hierarchy if way.with_hierarchy else None,
            encoding=way.encoding,
            fields="all",
            raw=way.raw,
        )
        tagged = tag(job)
        written = read_written(job.out, raw=way.raw)
    check_answers(toy, written)
    if way.form == "csv" and way.encoding is None:  # UTF-8 or not, by what most of the titles are
        found = [row[0] for row in written.rows] + [MARKER.findall(text)[0] for _, _, text in written.rejects]
        assert sorted(found) == [f"id{number:05d}" for number in range(len(titles))]
        return
    texts = [decoded(title, "utf-8" if way.form != "csv" else way.encoding) for title in titles]
    # A title that somebody has escaped before stays as it is, so that both read back alike.
    expected = {
        f"id{number:05d}": text if way.raw or way.ending == ".parquet" else unescape_cell(text)
        for number, text in enumerate(texts)
        if text is not None
    }
    assert [row[0] for row in written.rows] == list(expected)
    changed = [row[0] for row in written.rows if (row[1] or "") != expected[row[0]]]
    assert not changed
    rejected = [f"id{number:05d}" for number, text in enumerate(texts) if text is None]
    assert [MARKER.findall(text)[0] for _, _, text in written.rejects] == rejected
    assert (tagged.n_rows, tagged.n_rejected) == (len(expected), len(rejected))


def decoded(title: bytes | None, encoding: str) -> str | None:
    """Return a title as text, None where it is none; an absent one is empty."""
    try:
        return (title or b"").decode(encoding)
    except UnicodeDecodeError:
        return None


def write_csv(leads: Path, titles: list[bytes | None], form: str) -> None:
    """Write titles as they are, each in quotes."""
    lines = [b'id%05d,"%b"\n' % (n, (title or b"").replace(b'"', b'""')) for n, title in enumerate(titles)]
    leads.write_bytes(b"id,What you do\n" + b"".join(lines))


def write_parquet(leads: Path, titles: list[bytes | None], form: str) -> None:
    """Write titles into a column of text, which nobody checks."""
    kind = pa.large_string() if form == "large_string" else pa.string()
    held = pa.array(titles, pa.large_binary() if form == "large_string" else pa.binary())
    column = pa.Array.from_buffers(kind, len(held), held.buffers())
    if form == "dictionary":
        numbers = itertools.count()  # Parquet holds no null within a dictionary
        codes = [None if title is None else next(numbers) for title in titles]
        column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), column.filter(column.is_valid()))
    markers = pa.array([f"id{number:05d}" for number in range(len(titles))])
    pq.write_table(pa.table({"id": markers, TITLE: column}), leads, row_group_size=40)


def check_answers(toy, written: Written) -> None:
    """Compare every label and confidence with what such ones may be."""
    at = {name: position for position, name in enumerate(written.names)}
    titles = [(row[1] or "")[:LONGEST_TITLE] for row in written.rows]
    for row, title, whole in zip(written.rows, titles, repaired(pl.Series(titles, dtype=pl.String)), strict=True):
        labels = []
        for target in toy.model.taxonomy.names:
            label, confidence = row[at[target]] or None, row[at[f"{target}_confidence"]]
            confidence = None if confidence in (None, "") else float(confidence)
            assert (label is None) == (confidence is None)
            if label is not None:
                assert label in toy.model.taxonomy[target].classes
                assert math.isfinite(confidence)
                assert 0 <= confidence <= 1
            labels.append(label)
        assert len({label is None for label in labels}) == 1
        if "hierarchy_confidence" in at:
            placed = row[at["hierarchy_confidence"]]
            assert (placed in (None, "")) == (labels[0] is None)
            assert labels[0] is None or 0 <= float(placed) <= 1
        if is_surely_a_title(title, whole):
            assert labels[0] is not None, ascii(title[:50])
        if is_surely_none(title, whole):
            assert labels[0] is None, ascii(title[:50])
        assert (row[at["review"]] in (True, "true")) == bool(row[at["review_reason"]])


def is_surely_a_title(text: str, whole: str) -> bool:
    """Whether a letter, digit or symbol is in what is read of a title, `whole` once it is repaired.

    An entity such as "&nbsp;" has letters and is nothing; a no-break space that was decoded twice begins with one.
    """
    has_no_entity = "&" not in unicodedata.normalize("NFKC", text)
    if has_no_entity and any(letter.isascii() and letter.isalnum() for letter in text):
        return True
    return any(unicodedata.category(letter)[0] in "LN" or letter in "👍💻" for letter in whole)


def is_surely_none(text: str, whole: str) -> bool:
    """Whether there is nothing but spaces and control characters, which repaired ones of Windows may not be."""
    return all(ord(letter) <= 32 for letter in text) or all(
        unicodedata.category(letter) in ("Cc", "Zs", "Zl", "Zp") for letter in whole
    )


@pytest.mark.skipif(not FULL, reason="only few were asked for")
def test_as_many_titles_went_through_as_were_asked_for():
    assert TALLY.counts["titles"] >= N_TITLES
