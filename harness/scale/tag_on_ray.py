"""What `predict --engine ray` does: the same answers as on one machine, in a folder of parts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from data_cleaning.files import Batch
from data_cleaning.files.output_places import REJECTS
from data_cleaning.files.whole_files import whole_file
from data_cleaning.files.written_tables import check_schema, open_rows
from data_cleaning.progress import Progress
from harness.scale.blocks import Block, Input, OneBatch, open_input
from harness.scale.cluster import RayOptions, check_installed, ray_cluster, work_on_blocks
from harness.scale.parts_folder import Partial, PartsFolder
from harness.tagging.business.counting import Counts
from harness.tagging.predict import Tagged, write_summary
from harness.tagging.work import Job, Tally, Work

_STAGE = "tagged"
_WHOLE, _BY, _BEST = "whole", "by {}", "best"


@dataclass
class _TagBlock:
    """Tags blocks; the system is loaded for the first of them."""

    work: Work
    folder: PartsFolder

    def do(self, block: Block) -> None:
        """Write the part of a block, and what it adds to the summary."""
        self.folder.begin(block)
        work, part = self.work, self.folder.part(block.place)
        answered_before = work.tagger.n_answered
        tally = Tally(work, self.folder.job)
        readable = Batch(block.batch.rows, ())  # what could not be read is merged by the driver
        with whole_file(part) as filling, open_rows(filling, work.names, work.schema) as output:
            for piece in work.pieces([readable], lambda rows: None):
                numbered = replace(piece, first_row=piece.first_row + block.first_row - 1)
                work.write(numbered, output, tally)
        frames: dict[str, pl.DataFrame] = {}
        facts: dict[str, Any] = {name: getattr(tally, name) for name in _ADDED_UP}
        facts["n_answered"] = work.tagger.n_answered - answered_before
        if work.hierarchy is not None:
            counts = tally.counter.total()
            frames = {_WHOLE: counts.whole, **{_BY.format(at): rows for at, rows in enumerate(counts.by.values())}}
            facts["given_up"] = sorted(counts.given_up)
        if tally.best is not None:
            frames[_BEST], facts["n_relevant"] = tally.best.partial()
        self.folder.save(_STAGE, block, facts, frames, [part])


_ADDED_UP = ("n_rows", "n_untitled", "n_review", "n_repaired")


def tag_on_ray(job: Job, options: RayOptions, on_progress: Progress, announce: Callable[[str], None]) -> Tagged:
    """Write the folder `job.out`: parts in the order of the rows, summary, follow-up list and manifest.

    A call that is interrupted keeps the parts that are finished, and is continued with `options.resume`.

    Raises:
        BadInput: as `tag_file`; Ray is not installed; files of the input have different columns; the folder holds
            something else, or parts of another job.
    """
    check_installed()
    folder = PartsFolder(job.out)
    given, source = open_input(job.leads, job.encoding, job.delimiter, job.table)
    # Workers may have another current folder.
    systems = {name: path.absolute() for name, path in job.model.systems.items()}
    job = replace(job, out=folder.path, model=replace(job.model, systems=systems))
    work = Work(job, source)
    for note in (*source.notes, work.title_said):
        announce(note)
    check_schema(folder.table, work.names, work.schema, otherwise="use --engine local and an --out that ends in .csv")
    identity = {"verb": "predict", **work.identity([given.identity(), str(given.layout), given.block_rows])}
    folder.check(job.leads, given.files, identity, resume=options.resume, force=job.force)
    with folder.locked(identity, force=job.force):
        finished = folder.finished()
        if finished is not None:
            announce("An earlier call has tagged every row; the files have their checksums.")
            return Tagged(**finished)
        kept = folder.kept(_STAGE)
        if kept:
            announce(f"Resuming: {len(kept):,} parts of an earlier call are kept.")
        with ray_cluster(announce):
            step = f"tagging with {job.system}"
            # What has a workbook open cannot travel, and workers get their blocks from elsewhere.
            work.source = OneBatch(given.files[0], given.unit, given.schema, Batch(given.schema.empty_table(), ()))
            work_on_blocks(given, kept, _TagBlock(work, folder), options, step, on_progress)
        return _merged(work, folder, given, identity)


def _merged(work: Work, folder: PartsFolder, given: Input, identity: Mapping[str, Any]) -> Tagged:
    """Merge what the workers found out, in the order of the rows, and finish the folder."""
    tally = Tally(work, folder.ready / REJECTS)
    sums: Counter[str] = Counter()
    left_out: list[str] = []
    first_rows: dict[int, int] = {}  # rows before each file
    with folder.making_ready():
        for partial in folder.partials(_STAGE):
            facts = partial.facts
            rows_before = first_rows.setdefault(partial.place.file, tally.n_rows)
            _merge_counts(tally, partial, [*work.by], rows_before)
            sums.update({name: facts[name] for name in ("n_answered", "n_skipped")})
            left_out += facts["left_out"]
            tally.write_rejects(partial.rejects(given))
        summary, _ = write_summary(work, tally, folder.table, folder.ready)
        tagged = Tagged(
            n_rows=tally.n_rows,
            n_untitled=tally.n_untitled,
            n_review=tally.n_review,
            n_repaired=tally.n_repaired,
            n_rejected=tally.n_rejected,
            n_answered=sums["n_answered"],
            n_cut=0,
            n_replaced=0,
            n_escaped=0,
            n_skipped=sums["n_skipped"],
            left_out=[*dict.fromkeys(left_out)],
            sentences=None if summary is None else summary.sentences,
            notes=() if summary is None else summary.notes,
            files=folder.waiting(),
        )
        folder.finish(identity, asdict(tagged), given)
    return tagged


def _merge_counts(tally: Tally, partial: Partial, by: Sequence[str], rows_before: int) -> None:
    facts, frames = partial.facts, partial.frames
    for name in _ADDED_UP:
        setattr(tally, name, getattr(tally, name) + facts[name])
    if _WHOLE in frames:
        counts = {name: frames[_BY.format(at)] for at, name in enumerate(by)}
        tally.counter.merge(Counts(frames[_WHOLE], counts, frozenset(facts["given_up"])))
    if tally.best is not None:
        tally.best.merge(frames[_BEST], facts["n_relevant"], rows_before)
