"""One person's way through picked titles: what is chosen, what is held back for an undo, and what is saved."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.labelled_files import REVIEWER
from data_cleaning.taxonomy import Taxonomy
from harness.tagging.reviewing.add_reviews import add_opinions
from harness.tagging.reviewing.pick_titles import Choice
from harness.tagging.reviewing.review_sheet import NOTE

HELD = 5
"""Reviews that are held back, so that they can be undone: what is saved is never changed."""


@dataclass
class Reviewing:
    """Titles one after the other; the last few reviews are not saved yet."""

    choice: Choice
    reviewer: str
    into: Path
    at: int = 0
    """Position of the title that is asked about."""
    target: int = 0
    """Position of the target that keys choose a class of."""
    n_saved: int = 0
    labels: dict[str, str | None] = field(default_factory=dict)
    """Class per target of the title that is asked about, None where it says nothing."""
    decided: list[int] = field(default_factory=list)
    """Positions of the titles that were decided one by one, in that order."""
    in_table: set[int] = field(default_factory=set)
    """Positions of those that were judged in the table, and saved."""
    ticked: pl.DataFrame = field(default_factory=pl.DataFrame)
    """What was judged in the table and is not saved yet: `position`, a class or null per target, and `note`."""
    held: list[dict[str, str | None]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Why reviews were not added."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Fill in the first title."""
        self._fill_in()

    @property
    def taxonomy(self) -> Taxonomy:
        """Of the labels."""
        return self.choice.taxonomy

    @property
    def is_done(self) -> bool:
        """Whether every title was decided."""
        return self.at >= len(self.choice.picked)

    @property
    def n_decided(self) -> int:
        """Titles that were decided, one by one or in the table."""
        return len(self.decided) + len(self.in_table)

    def left(self) -> pl.DataFrame:
        """Return the titles that were not decided yet, as they were picked, with their `position`."""
        known = {*self.decided, *self.in_table}
        return self.choice.picked.with_row_index("position").filter(~pl.col("position").is_in(known))

    def answer(self, at: int, name: str, label: str | None) -> None:
        """Choose the class of a target, and go on to the next target; a key for an earlier title is ignored."""
        if at == self.at:
            self.labels[name] = label
            self.move((self.taxonomy.names.index(name) + 1) - self.target)

    def move(self, by: int) -> None:
        """Let keys choose a class of another target."""
        self.target = (self.target + by) % len(self.taxonomy.names)

    def accept(self, at: int) -> None:
        """Take the labels as they are, and go on to the next title."""
        if at == self.at and not self.is_done:
            title = self.choice.picked["title"][at]
            self.held.append({"place": f"title {at + 1}", "title": title, **self.labels, REVIEWER: None, NOTE: None})
            self.decided.append(self.at)
            self._next()
            if len(self.held) >= 2 * HELD:  # together, as each addition keeps the file as it was
                self.save(HELD)

    def cannot_tell(self, at: int) -> None:
        """Say that nobody can tell from the title; it is not picked again."""
        if at == self.at:
            self.labels = dict.fromkeys(self.labels)
            self.accept(at)

    def undo(self) -> None:
        """Take the last review back, if it was not saved yet."""
        if self.held:
            last = self.held.pop()
            self.at = self.decided.pop()
            self._fill_in()
            self.labels = {name: last[name] for name in self.labels}

    def save(self, keep: int = 0) -> None:
        """Add the reviews to the file, but for the last few."""
        with self._lock:
            ready = self.held[: max(len(self.held) - keep, 0)]
            self.held = self.held[len(ready) :]
        if not keep:
            try:
                self.save_ticked()
            except BadInput as error:
                self.refused.append(str(error))
        if not ready:
            return
        try:
            self._add(ready)
        except BadInput:  # one of them is at fault, and the others are to be saved all the same
            for one in ready:
                try:
                    self._add([one])
                except BadInput as error:
                    self.refused.append(str(error))

    def save_ticked(self) -> None:
        """Add what was judged in the table.

        Raises:
            BadInput: one of them contradicts an earlier opinion of the same person; then none is added.
        """
        picked = self.choice.picked["title"]
        held = self.ticked.rows(named=True)
        if not held:
            return
        self._add(
            [
                {
                    "place": f"the row of {picked[row['position']]!r}",
                    "title": picked[row["position"]],
                    **{name: row[name] for name in self.labels},
                    REVIEWER: None,
                    NOTE: row[NOTE],
                }
                for row in held
            ]
        )
        self.in_table |= {row["position"] for row in held}
        self.ticked = pl.DataFrame()
        if self.at in self.in_table:
            self._next()

    def _next(self) -> None:
        known = {*self.decided, *self.in_table}
        n_titles = len(self.choice.picked)
        self.at = next((at for at in range(n_titles) if at not in known), n_titles)
        self._fill_in()

    def _add(self, rows: list[dict[str, str | None]]) -> None:
        frame = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))
        now = datetime.now(UTC).astimezone()
        add_opinions(
            frame, said_in="The review", reviewer=self.reviewer, into=self.into, taxonomy=self.taxonomy, now=now
        )
        self.n_saved += len(rows)

    def _fill_in(self) -> None:
        names = self.taxonomy.names
        self.target = 0
        self.labels = dict.fromkeys(names) if self.is_done else dict(self.choice.picked.row(self.at, named=True))
        self.labels = {name: self.labels[name] for name in names}
