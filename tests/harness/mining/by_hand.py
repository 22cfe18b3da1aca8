"""An audit counted with loops over titles and rows, to hold the columnar one against."""

import re
import unicodedata
from collections import Counter, defaultdict
from itertools import combinations

import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Taxonomy
from harness.scoring.significance import wilson_interval

TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "function": {"classes": {"IT": ["Engineering"], "Security": ["Cyber"], "Other": []}},
            "level": {"classes": {"Executive": ["C-Level"], "Contributor": []}},
        }
    }
)


def table_of(*rows: tuple) -> KeywordTable:
    """Build a table from rows of (keyword, priority, {target: label}) or (..., match)."""
    frame = pd.DataFrame(
        [{"keyword": row[0], "priority": row[1], **row[2], "match": row[3] if len(row) > 3 else ""} for row in rows],
        columns=["keyword", "priority", "match", *TAXONOMY.names],
    )
    return KeywordTable.from_frame(frame, TAXONOMY)


def titles_of(counts: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame({"title": list(counts), "count": list(counts.values())})


def in_words(text: str) -> str:
    """Spell a text as words between single spaces, one before and one after."""
    kept = [char if unicodedata.category(char)[0] in "LMN" else " " for char in text.lower()]
    return f" {' '.join(''.join(kept).split())} "


def matches(keyword: str, match: str, title: str) -> bool:
    if match == "substring":
        return keyword.lower() in title.lower()
    sought = in_words(keyword)
    return (sought if match == "word" else sought[:-1]) in in_words(title)


class ByHand:
    """Everything that an audit counts, title by title and row by row."""

    def __init__(
        self, table: KeywordTable, counts: dict[str, int], references: dict[str, list[tuple[str, dict, int]]]
    ) -> None:
        self.rows = table.rows.to_dict("records")
        self.counts = counts
        self.references = references
        self.names = TAXONOMY.names
        self.order = sorted(
            range(len(self.rows)),
            key=lambda at: (self.rows[at]["priority"], -len(self.rows[at]["keyword"]), at),
        )
        self.hits = {
            title: [at for at in self.order if matches(self.rows[at]["keyword"], self.rows[at]["match"], title)]
            for title in counts
        }

    def class_of(self, row: int, target: str) -> str | None:
        label = self.rows[row][target] if row >= 0 else TAXONOMY[target].fallback
        return TAXONOMY[target].group(label) if label else None

    def setting(self, title: str, target: str) -> list[int]:
        """Rows that hit a title and set a target, the best first."""
        return [at for at in self.hits[title] if self.rows[at][target]]

    def winner(self, title: str, target: str) -> int:
        return next(iter(self.setting(title, target)), -1)

    def decides(self, row: int, title: str) -> bool:
        return any(self.winner(title, target) == row for target in self.names)

    def records(self, titles) -> int:
        return sum(self.counts[title] for title in titles)

    def labels(self, name: str, title: str, target: str) -> Counter:
        """Records of a title in a reference, by class."""
        found: Counter = Counter()
        for known, labels, count in self.references[name]:
            if known == title and labels.get(target):
                found[TAXONOMY[target].group(labels[target])] += count
        return found

    def judged(self, name: str, titles, target: str) -> dict[str, int]:
        known = [sum(self.labels(name, title, target).values()) for title in titles]
        return {f"judged_titles_{name}": sum(count > 0 for count in known), f"judged_records_{name}": sum(known)}

    def right(self, name: str, titles, target: str, row: int) -> int:
        return sum(self.labels(name, title, target)[self.class_of(row, target)] for title in titles)

    def wrong_at_once(self, name: str, row: int, titles) -> tuple[int, int, int]:
        """Titles and records with a label of what a row decides there, and records of which such a label differs."""
        judged: dict[str, int] = defaultdict(int)
        wrong = 0
        for known, labels, count in self.references[name]:
            if known not in titles:
                continue
            decided = [target for target in self.names if self.winner(known, target) == row and labels.get(target)]
            if decided:
                judged[known] += count
                differ = [TAXONOMY[t].group(labels[t]) != self.class_of(row, t) for t in decided]
                wrong += count if any(differ) else 0
        return len(judged), sum(judged.values()), wrong

    def row(self, at: int) -> dict:
        hit = [title for title, rows in self.hits.items() if at in rows]
        decided = [title for title in hit if self.decides(at, title)]
        line = {
            "line": self.rows[at]["line"],
            "titles": len(hit),
            "records": self.records(hit),
            "decided_titles": len(decided),
            "decided_records": self.records(decided),
        }
        for name in self.references:
            _, line[f"judged_records_{name}"], line[f"wrong_records_{name}"] = self.wrong_at_once(name, at, decided)
        for target in self.names:
            line |= self._row_and_target(at, target, hit)
        return line

    def _row_and_target(self, at: int, target: str, hit: list[str]) -> dict:
        kinds = {
            "decided": [title for title in hit if self.winner(title, target) == at],
            "unique": [title for title in hit if self.setting(title, target) == [at]],
            "overlap": [title for title in hit if len(self.setting(title, target)) > 1],
            "conflict": [
                title
                for title in hit
                if any(self.class_of(o, target) != self.class_of(at, target) for o in self.setting(title, target))
            ],
        }
        line = {f"sets_{target}": self.rows[at][target] or None}
        for kind, titles in kinds.items():
            line[f"{kind}_titles_{target}"] = len(titles)
            line[f"{kind}_records_{target}"] = self.records(titles)
        for name in self.references:
            figures = self.judged(name, kinds["decided"], target)
            n_titles, judged = figures.values()
            labels: Counter = sum((self.labels(name, title, target) for title in kinds["decided"]), Counter())
            right = labels[self.class_of(at, target)]
            instead = [(-count, c) for c, count in labels.items() if c != self.class_of(at, target)]
            first = min(instead, key=lambda pair: (pair[0], TAXONOMY[target].classes.index(pair[1])), default=(0, None))
            end = f"{target}_{name}"
            line |= {
                f"judged_titles_{end}": n_titles,
                f"judged_records_{end}": judged,
                f"wrong_records_{end}": judged - right,
                f"precision_{end}": right / judged if judged else None,
                f"instead_{end}": first[1],
            }
            if judged and (right * n_titles) % judged == 0:
                low, high = wilson_interval(right * n_titles // judged, n_titles)
                line |= {f"low_{end}": low, f"high_{end}": high}
        if not self.rows[at][target]:
            line = {name: None for name in line}
        return line

    def verdict(self, at: int) -> str | None:
        """Why a row decides nothing here; whether it could decide anything is another question."""
        hit = [title for title, rows in self.hits.items() if at in rows]
        if not hit:
            return "never fired"
        if any(self.decides(at, title) for title in hit):
            return None
        beaten: Counter = Counter()
        for target in self.names:
            if self.rows[at][target]:
                for title in hit:
                    beaten[self.winner(title, target)] += self.counts[title]
        most = min(beaten, key=lambda other: (-beaten[other], self.order.index(other)))
        return f"shadowed by line {self.rows[most]['line']} ({self.rows[most]['keyword']!r})"

    def coverage(self) -> list[dict]:
        lines = []
        for target in self.names:
            for name in ("a row", "the fallback"):
                titles = [title for title in self.counts if (self.winner(title, target) >= 0) == (name == "a row")]
                line = {"target": target, "decided_by": name, "titles": len(titles), "records": self.records(titles)}
                for reference in self.references:
                    known = self.judged(reference, titles, target)
                    right = sum(self.right(reference, [t], target, self.winner(t, target)) for t in titles)
                    line |= known | {f"wrong_records_{reference}": known[f"judged_records_{reference}"] - right}
                lines.append(line)
        return lines

    def conflicts(self) -> list[dict]:
        """One line per pair, the row that outranks the other first."""
        together = defaultdict(list)
        for target in self.names:
            for title in self.counts:
                for one, other in combinations(self.setting(title, target), 2):
                    if self.class_of(one, target) != self.class_of(other, target):
                        together[target, one, other].append(title)
        lines = []
        for (target, one, other), titles in together.items():
            decided = [title for title in titles if self.winner(title, target) == one]
            line = {
                "target": target,
                "line": self.rows[one]["line"],
                "keyword": self.rows[one]["keyword"],
                "class": self.class_of(one, target),
                "opponent_line": self.rows[other]["line"],
                "opponent": self.rows[other]["keyword"],
                "opponent_class": self.class_of(other, target),
                "titles": len(titles),
                "records": self.records(titles),
                "decided_titles": len(decided),
                "decided_records": self.records(decided),
            }
            for name in self.references:
                line |= self.judged(name, decided, target)
                line[f"own_right_{name}"] = self.right(name, decided, target, one)
                line[f"opponent_right_{name}"] = self.right(name, decided, target, other)
            lines.append(line)
        return lines

    def chains(self) -> list[dict]:
        found = defaultdict(list)
        for target in self.names:
            for title in self.counts:
                rows = self.setting(title, target)
                for other in rows[2:]:
                    classes = [self.class_of(at, target) for at in (rows[1], other, rows[0])]
                    if classes[0] != classes[1] and classes[0] != classes[2]:
                        found[target, rows[1], other, rows[0]].append(title)
        lines = []
        for (target, *three), titles in found.items():
            line = {"target": target, "titles": len(titles), "records": self.records(titles)}
            for end, at in zip(("first", "second", "third"), three, strict=True):
                line |= {f"{end}_{name}": self.rows[at][name] for name in ("line", "keyword")}
                line[f"{end}_class"] = self.class_of(at, target)
            for name in self.references:
                line |= self.judged(name, titles, target)
                line[f"right_{name}"] = self.right(name, titles, target, three[2])
                line[f"right_without_{name}"] = self.right(name, titles, target, three[0])
            lines.append(line)
        return lines

    def accidents(self) -> dict[tuple[int, str, str], list[str]]:
        """(row, host, where in it) to the titles in which the keyword stands only inside longer words."""
        found = defaultdict(list)
        for title, rows in self.hits.items():
            for at in rows:
                if self.rows[at]["match"] == "substring" and (host := host_of(self.rows[at]["keyword"], title)):
                    found[at, *host].append(title)
        return found

    def priced(self, at: int, titles: list[str]) -> dict:
        decided = [title for title in titles if self.decides(at, title)]
        line = {
            "line": self.rows[at]["line"],
            "keyword": self.rows[at]["keyword"],
            "titles": len(titles),
            "records": self.records(titles),
            "decided_titles": len(decided),
            "decided_records": self.records(decided),
        }
        for name in self.references:
            judged = self.wrong_at_once(name, at, decided)
            for kind, figure in zip(("judged_titles", "judged_records", "wrong_records"), judged, strict=True):
                line[f"{kind}_{name}"] = figure
        return line


def host_of(keyword: str, title: str) -> tuple[str, str] | None:
    """Return the longer word that a keyword first stands in, and where; None where it is a word somewhere."""
    keyword, title = keyword.lower(), title.lower()
    if in_words(keyword) == "  " or in_words(keyword) in in_words(title):
        return None
    start = title.index(keyword)
    before, after = title[:start], title[start + len(keyword) :]
    letters = [char for char in reversed(before)] if _is_letter(keyword[0]) else []
    head = "".join(reversed(_leading(letters)))
    tail = "".join(_leading(list(after))) if _is_letter(keyword[-1]) else ""
    if not head and not tail:
        return None
    where = "at its start" if not head else "at its end" if not tail else "inside"
    return re.sub(r"^\s+|\s+$", "", f"{head}{keyword}{tail}"), where


def _leading(chars: list[str]) -> list[str]:
    kept = []
    for char in chars:
        if not _is_letter(char):
            break
        kept.append(char)
    return kept


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"
