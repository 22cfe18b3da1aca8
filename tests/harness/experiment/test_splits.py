import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.near_duplicates import near_duplicate_keys
from harness.experiment.splits import LeakError, ToReview, check_leaks, split_hash, split_rows


@pytest.fixture
def rows():
    """Two hundred titles, each in two spellings that share a key, with one to four records."""
    titles = [f"{form} {number}" for number in range(200) for form in ("Senior Nurse", "sr. nurse,")]
    counts = [1 + position % 4 for position in range(len(titles))]
    return pl.DataFrame({"title": titles, "ward": "A", "count": counts})


def split(rows, by="title", **options):
    return split_rows(rows, by=by, shares=(0.1, 0.1), seed=3, **options)


def test_no_near_duplicate_key_is_in_two_parts_when_split_by_title(rows):
    parted = split(rows).with_columns(key=near_duplicate_keys(split(rows)["title"]))
    assert parted.group_by("key").agg(pl.col("part").n_unique())["part"].max() == 1
    shares = parted.group_by("part").agg(pl.col("key").n_unique())
    assert dict(shares.iter_rows()) == {"train": 160, "valid": 20, "test": 20}


def test_every_record_is_in_exactly_one_part_when_split_by_record(rows):
    parted = split(rows, by="record")
    assert parted["count"].sum() == rows["count"].sum() == 1000
    assert dict(parted.group_by("part").agg(pl.col("count").sum()).iter_rows()) == {
        "train": 800,
        "valid": 100,
        "test": 100,
    }
    again = parted.group_by("title").agg(pl.col("count").sum())
    assert again.sort("title").equals(rows.select("title", "count").sort("title"))


@pytest.mark.parametrize("by", ["record", "title"])
def test_the_seed_decides_the_split_and_its_hash(rows, by):
    assert split_hash(split(rows, by)) == split_hash(split(rows, by))
    other = split_rows(rows, by=by, shares=(0.1, 0.1), seed=4)
    assert split_hash(other) != split_hash(split(rows, by))


@pytest.mark.parametrize("by", ["record", "title"])
def test_titles_that_judge_leave_train_and_validation_with_their_near_duplicates(rows, by):
    parted = split(rows, by, truth_titles=["SENIOR NURSE 7", "Nurse 8, Senior"])
    learned = parted.filter(pl.col("part") != "test")["title"].to_list()
    assert not {f"{form} {number}" for number in (7, 8) for form in ("Senior Nurse", "sr. nurse,")} & set(learned)
    assert "Senior Nurse 9" in parted["title"].to_list()


@pytest.mark.parametrize("by", ["record", "title"])
def test_reviewed_titles_are_split_by_title_whatever_the_leads_are(rows, by):
    reviewed = rows.filter(pl.col("title").str.starts_with("Senior")).select("title", "ward")
    parted = split(rows, by, reviewed=reviewed)
    only = parted.filter(pl.col("source") == "reviewed")
    assert len(only) == 200
    assert only["count"].unique().to_list() == [1]
    assert set(only["part"]) == {"train", "valid", "test"}
    if by == "title":
        part_of = dict(only.select(near_duplicate_keys(only["title"]), "part").iter_rows())
        legacy = parted.filter(pl.col("source") == "legacy")
        assert all(
            part_of[key] == part for key, part in zip(near_duplicate_keys(legacy["title"]), legacy["part"], strict=True)
        )


@pytest.mark.parametrize("by", ["record", "title"])
def test_no_scored_title_repeats_a_reviewed_one_that_is_learned_from(rows, by):
    reviewed = rows.filter(pl.col("title").str.starts_with("Senior")).select("title", "ward").head(100)
    parted = split(rows, by, reviewed=reviewed)
    parted = parted.with_columns(near_duplicate_keys(parted["title"]))
    taught = parted.filter((pl.col("source") == "reviewed") & (pl.col("part") != "test"))["key"]
    scored = parted.filter(pl.col("part") == "test")
    assert len(taught) > 70
    assert not set(taught) & set(scored["key"])
    assert len(scored.filter(pl.col("source") == "legacy")) > 0


@pytest.mark.parametrize("by", ["record", "title"])
def test_titles_of_the_leads_carry_their_truth_as_reviewed_ones(rows, by):
    truth = rows.select("title", pl.lit("B").alias("ward"))
    parted = split(rows, by, to_review=ToReview(n_titles={"train": 30, "valid": 10}, labels=truth))
    reviewed = parted.filter(pl.col("source") == "reviewed")
    assert dict(reviewed["part"].value_counts().iter_rows()) == {"train": 30, "valid": 10}
    assert reviewed["ward"].unique().to_list() == ["B"]
    assert near_duplicate_keys(reviewed["title"]).n_unique() == 40
    assert set(parted.filter(pl.col("source") == "legacy")["ward"]) == {"A"}
    if by == "title":
        plain = split(rows, by)
        assert parted.filter(pl.col("source") == "legacy").equals(plain)


def test_both_splits_review_the_same_titles(rows):
    to_review = ToReview(n_titles={"train": 30, "valid": 10}, labels=rows.select("title", "ward"))
    chosen = [split(rows, by, to_review=to_review).filter(pl.col("source") == "reviewed") for by in ("record", "title")]
    assert chosen[0].equals(chosen[1])


def test_a_part_with_too_few_titles_to_review_is_named(rows):
    with pytest.raises(BadInput, match="90 titles of the valid part are to be reviewed, but it has 20"):
        split(rows, to_review=ToReview(n_titles={"valid": 90}, labels=rows.select("title", "ward")))


def test_a_test_file_apart_is_the_test_part_and_leaves_no_near_duplicate_in_train(rows):
    apart = pl.DataFrame({"title": ["nurse senior 5", "cook"], "ward": "A", "count": [2, 1]})
    parted = split(rows, test_rows=apart)
    assert sorted(parted.filter(pl.col("part") == "test")["title"]) == ["cook", "nurse senior 5"]
    assert "Senior Nurse 5" not in parted["title"].to_list()
    by_record = split(rows, by="record", test_rows=apart)
    assert "Senior Nurse 5" in by_record["title"].to_list()


def test_a_leak_is_an_error(rows):
    parted = split(rows).with_columns(key=near_duplicate_keys(split(rows)["title"]))
    moved = parted.with_columns(
        part=pl.when(pl.col("title") == "Senior Nurse 5").then(pl.lit("elsewhere")).otherwise("part")
    )
    with pytest.raises(LeakError, match="1 near-duplicate keys are in two parts, '5 nurse senior'"):
        check_leaks(moved, by="title", judged_keys=pl.Series([], dtype=pl.String))
    taught = parted.filter(pl.col("part") == "test").head(1)
    twice = pl.concat([parted, taught.with_columns(part=pl.lit("train"), source=pl.lit("reviewed"))])
    with pytest.raises(LeakError, match="2 scored rows repeat a reviewed title"):
        check_leaks(twice, by="record", judged_keys=pl.Series([], dtype=pl.String))
    in_train = parted.filter(pl.col("part") == "train")["key"].head(1)
    with pytest.raises(LeakError, match="repeat a title of the truth or test file"):
        check_leaks(parted, by="record", judged_keys=in_train)


@pytest.mark.parametrize("by", ["record", "title"])
def test_titles_never_change_sides_whatever_seed_and_leads(rows, by):
    reviewed = pl.DataFrame({"title": [f"Senior Nurse {number}" for number in range(60)], "ward": "A"})
    sides = ["learn", "score", None] * 20
    for seed in range(5):
        given = {"reviewed": reviewed.with_columns(side=pl.Series(sides))}
        parted = split_rows(rows.head(40 * (seed + 1)), by=by, shares=(0.3, 0.3), seed=seed, **given)
        parted = parted.filter(pl.col("source") == "reviewed")
        part = dict(parted.select("title", "part").iter_rows())
        assert {part[title] for title in reviewed["title"][1::3]} == {"test"}
        assert {part[title] for title in reviewed["title"][0::3]} == {"train", "valid"}
        assert "test" in {part[title] for title in reviewed["title"][2::3]}


@pytest.mark.parametrize("by", ["record", "title"])
def test_rows_that_lack_a_label_are_in_train_and_never_scored(rows, by):
    rows = rows.with_columns(shift=pl.when(pl.col("count") == 4).then(None).otherwise(pl.lit("night")))
    reviewed = rows.filter(pl.col("title").str.starts_with("Senior")).select("title", "ward", shift=pl.lit(None))
    parted = split(rows, by, reviewed=reviewed.cast({"shift": pl.String}))
    partly = parted.filter(pl.col("shift").is_null())
    assert set(partly.filter(pl.col("source") == "legacy")["part"]) == {"train"}
    assert set(partly.filter(pl.col("source") == "reviewed")["part"]) == {"train", "valid"}
    assert parted.filter(pl.col("part") == "test")["shift"].null_count() == 0
    if by == "record":
        assert (
            partly.filter(pl.col("source") == "legacy")["count"].sum()
            == rows.filter(pl.col("count") == 4)["count"].sum()
        )


@pytest.mark.parametrize("by", ["record", "title"])
def test_rows_that_lack_a_label_change_nothing_for_the_others(rows, by):
    partly = pl.DataFrame({"title": [f"Cook {n}" for n in range(90)], "ward": None, "count": 2}, schema=rows.schema)
    parted = split(pl.concat([rows, partly]).sort("title"), by)
    assert split_hash(parted.drop_nulls("ward")) == split_hash(split(rows.sort("title"), by))
    assert len(parted) > len(parted.drop_nulls("ward"))
