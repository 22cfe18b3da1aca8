"""The verb `suggest apply`: the next revision of a keyword table with the suggestions that a person accepted."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.output_places import check_file
from data_cleaning.files.whole_files import check_writable, whole_file
from data_cleaning.files.written_tables import write_table
from data_cleaning.taxonomy import Taxonomy
from harness.keywords.marked_suggestions import Marked, MarkedRow, accepted_changes, json_beside, read_marked
from harness.keywords.suggestion_sheets import ACCEPT, REJECT
from harness.keywords.suggestions import Suggestion, amend, memory_beside, read_memory, sha256_of, updated
from harness.keywords.table_difference import describe_changes, match_rows


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What was done with a file of suggestions."""

    table: Path | None
    """The new revision; None where nothing was accepted."""
    memory: Path
    """Where rejected suggestions are remembered."""
    n_accepted: int
    n_changed: int
    """Accepted rows that a person changed."""
    n_rejected: int
    n_undecided: int
    n_rows: int | None
    """Of the new revision; None where there is none."""


def apply_suggestions(
    file: Path,
    *,
    table: Path | None,
    configured: Path | None,
    out: Path | None,
    taxonomy: Path,
    force: bool,
    announce: Callable[[str], None],
) -> Applied:
    """Write the next revision of a keyword table with the accepted suggestions, and remember the rejected ones.

    The table itself is never changed. Both files are written, or neither.

    Args:
        file: suggestions.xlsx, .csv or .json with marks.
        table: that the suggestions were made for; None takes the `configured` one.
        configured: the table of the config. A path that the file of suggestions names is never read or written.
        out: file to write; None writes `next_revision` of the table.
        taxonomy: file of the taxonomy.
        force: whether an existing `out` may be replaced.
        announce: told what a person changed.

    Raises:
        BadInput: the file or a row of it is faulty, or no row is marked; the table is missing, or is not the one that
            the suggestions were made for; the output cannot be written, or exists already.
    """
    known = Taxonomy.read(taxonomy)
    marked = read_marked(file)
    accepted, rejected = marked.with_mark(ACCEPT), marked.with_mark(REJECT)
    if not accepted and marked.faults:
        raise BadInput(f"{file}: {first_few(marked.faults)}.")
    if not accepted and not rejected:
        raise BadInput(
            f"{file} has no row marked {ACCEPT} or {REJECT}. Write {ACCEPT} into the first column of the rows to take."
        )
    base = _base_table(marked, table or configured)
    memory = memory_beside(base)
    check_writable(memory)
    remembered = read_memory(memory)
    new_table = None
    changes: list[Suggestion] = []
    if accepted:
        new_table = out or next_revision(base)
        _check_out(new_table, base, file, memory, force=force)
        _check_targets(marked, known, taxonomy)
        before = KeywordTable.read(base, known)
        amended, changes = amended_table(marked, base, before)
        for note in before.notes:
            announce(f"{base.name}: {note}")
    noted = updated(
        remembered,
        accepted=[one.key for one in (*(row.suggestion for row in accepted), *changes)],
        rejected=[(row.suggestion, row.reason) for row in rejected],
        table_name=marked.origin.table_name,
        day=date.today(),
    )
    with ExitStack() as stack:
        stack.enter_context(_restored(memory))
        # The memory is put in place first: if the process is killed between the two, the same call completes the work.
        if new_table is not None:
            amended.to_csv(stack.enter_context(whole_file(new_table)))
        if not noted.equals(remembered):
            write_table(noted, stack.enter_context(whole_file(memory)))
    changed = [row for row in accepted if row.changed]
    if changed:
        announce(f"Changed by hand in {file.name}: {first_few(map(_worded, changed), 20)}.")
    return Applied(
        table=new_table,
        memory=memory,
        n_accepted=len(accepted),
        n_changed=len(changed),
        n_rejected=len(rejected),
        n_undecided=marked.n_undecided,
        n_rows=None if new_table is None else len(amended),
    )


def amended_table(marked: Marked, base: Path, before: KeywordTable) -> tuple[KeywordTable, list[Suggestion]]:
    """Return the table with the accepted changes, and these changes, given the table that was `before` in `base`.

    Raises:
        BadInput: a row is faulty, or the table is not the one that the suggestions were made for.
    """
    changes = accepted_changes(_for_the_rows_of(base, before, marked), before)
    return amend(_edited(before, changes), changes), changes


def next_revision(table: Path) -> Path:
    """Return the default place of a table's next revision: 2023.csv to 2024.csv, names.csv to names-next.csv."""
    stem = table.stem
    is_year = stem.isascii() and stem.isdecimal()
    return table.with_name(f"{str(int(stem) + 1).zfill(len(stem)) if is_year else f'{stem}-next'}.csv")


def _base_table(marked: Marked, table: Path | None) -> Path:
    made_for = f"{marked.path} was made for {marked.origin.table_path}. Name it with --table."
    if table is None:
        raise BadInput(f"The config names no keyword table; {made_for}")
    if not table.is_file():
        raise BadInput(f"No keyword table at {table}; {made_for}")
    return table


def _for_the_rows_of(base: Path, table: KeywordTable, marked: Marked) -> Marked:
    """Return the marked suggestions with the lines that their rows have in a table, which must have the same rows.

    The kind of file, quotes, line ends and the order of columns and rows make no difference.

    Raises:
        BadInput: a row of the table was added, removed or changed since the suggestions were made; all are named.
    """
    found = sha256_of(base)
    if found == marked.origin.table_sha256:
        return marked
    remedy = f"Name a copy of the original, {marked.origin.table_path}, with --table, or make suggestions again."
    if not marked.origin.rows:  # a file of an earlier version
        raise BadInput(
            f"{base} is not the table that {marked.path} was made for: its SHA-256 begins {found[:12]}, expected "
            f"{marked.origin.table_sha256[:12]}. It has changed since, or is another revision. {remedy}"
        )
    original = marked.origin.original(table.taxonomy)
    pairs = match_rows(original, table)
    changed = describe_changes(original, table, [pair for pair in pairs if pair.kinds])
    if not changed.is_empty():
        named = (
            f"line {line['new_line'] or line['old_line']} {line['keyword']!r} was {line['change']} ({line['details']})"
            for line in changed.iter_rows(named=True)
        )
        raise BadInput(f"{base} is not the table that {marked.path} was made for: {first_few(named)}. {remedy}")
    old_lines, new_lines = original.rows["line"].tolist(), table.rows["line"].tolist()
    # Every row has its pair, as none was added or removed.
    line_of = {old_lines[pair.old or 0]: new_lines[pair.new or 0] for pair in pairs}
    rows = (
        replace(row, suggestion=replace(row.suggestion, line=line_of.get(row.suggestion.line or 0)))
        for row in marked.rows
    )
    return replace(marked, rows=tuple(rows))


def _check_targets(marked: Marked, taxonomy: Taxonomy, path: Path) -> None:
    if set(marked.origin.targets) != set(taxonomy.names):
        raise BadInput(
            f"{marked.path} was made for the targets {', '.join(marked.origin.targets)}, but {path} has "
            f"{', '.join(taxonomy.names)}. Give --config with the taxonomy with which it was made."
        )


def _check_out(out: Path, base: Path, file: Path, memory: Path, *, force: bool) -> None:
    """Refuse an output that is not a CSV file, that exists, or that is another file that is read or written."""
    if out.suffix.lower() != ".csv":
        raise BadInput(f"--out {out} ends in {out.suffix or 'nothing'!r}; a keyword table is a .csv file.")
    if out.resolve() == memory.resolve():
        raise BadInput(f"--out {out} is where rejected suggestions are remembered. Choose another --out.")
    for source in (base, file, json_beside(file)):
        check_file(out, source, force=True)  # an input is never replaced, even with force
    check_file(out, None, force=force)


def _edited(table: KeywordTable, changes: Sequence[Suggestion]) -> KeywordTable:
    """Put the cells by hand into the rows to change, in which `amend` then finds them."""
    rows = table.rows.copy()
    for change in changes:
        at = rows["line"] == change.line  # a new row has no line
        rows.loc[at, ["keyword", "match", *change.labels]] = [change.keyword, change.match, *change.labels.values()]
        rows.loc[at, "priority"] = change.priority
    return replace(table, rows=rows)


def _worded(row: MarkedRow) -> str:
    changes = (f"{name} {row.cells[name]!r} instead of {suggested!r}" for name, suggested in row.changed.items())
    return f"line {row.line}: {', '.join(changes)}"


@contextmanager
def _restored(path: Path) -> Iterator[None]:
    """Restore a file, or remove it if there was none, when the block fails."""
    before = path.read_bytes() if path.exists() else None
    try:
        yield
    except BaseException:
        if before is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(before)
        raise
