import numpy as np
import polars as pl

from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.review_sample import MIN_RECORDS, choose_titles_to_review


def counted(titles):
    return pl.DataFrame({"title": list(titles), "count": list(titles.values())}, schema_overrides={"count": pl.Int64})


def test_titles_are_chosen_greedily_by_the_documented_worth():
    titles = counted({"a b": 400, "a c": 100, "b c d": 36, "d": 64})
    words = {"a": 500, "b": 436, "c": 136, "d": 100}
    covered = dict.fromkeys(words, 0)
    left, expected = titles["title"].to_list(), []
    while left:

        def gain(title):
            held = title.split()
            return sum(words[w] ** 0.5 * np.log((covered[w] + 2) / (covered[w] + 1)) for w in held) / len(held)

        best = max(left, key=gain)
        expected.append(best)
        left.remove(best)
        for word in best.split():
            covered[word] += 1
    assert choose_titles_to_review(titles, 9)["title"].to_list() == expected


def test_rare_words_do_not_count():
    titles = counted({"nurse": 500, "rare": MIN_RECORDS - 1, "frequent": MIN_RECORDS})
    assert choose_titles_to_review(titles, 3)["title"].to_list() == ["nurse", "frequent", "rare"]


def test_of_near_duplicates_only_the_most_frequent_is_chosen():
    titles = counted({"Sr. Nurse": 5, "nurse, senior": 50, "Senior Nurse": 9, "cook": 40})
    chosen = choose_titles_to_review(titles, 10)["title"]
    assert sorted(chosen) == ["cook", "nurse, senior"]
    assert near_duplicate_keys(chosen).n_unique() == 2


def test_the_order_of_the_titles_does_not_matter():
    titles = counted({f"{shift} {job}": 30 for shift in ("night", "day", "late") for job in ("nurse", "cook", "guard")})
    shuffled = titles.sample(fraction=1, shuffle=True, seed=1)
    assert choose_titles_to_review(titles, 5).equals(choose_titles_to_review(shuffled, 5))
