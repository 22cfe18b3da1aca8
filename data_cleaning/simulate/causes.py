"""Why a label is what it is: the causes that are kept with the truth, and those that lie in the keyword tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray

BoolArray = npt.NDArray[np.bool_]

TABLE_RIGHT = "table right"
"""The table in force wrote the class that the title should have."""
PRIORITY = "priority"
"""A keyword of the table spoke for the class that the title should have, and another keyword outranked it."""
OLDER_REVISION = "older revision"
"""The table in force had no keyword for what the newest one gets right."""
NO_KEYWORD = "no keyword"
"""The table in force is wrong and had no keyword for the right class; the newest one is wrong as well."""
SOURCE_HABIT = "source habit"
"""A source of records wrote its own label over the table's."""
OVERRIDE_RIGHT = "override right"
OVERRIDE_WRONG = "override wrong"
OVERRIDE = "override"
"""A person changed the label, and no truth is known to judge it by."""
BLANK = "blank"
"""The title or the label is missing."""

TABLE_CAUSES = (TABLE_RIGHT, PRIORITY, OLDER_REVISION, NO_KEYWORD)
CAUSES = (*TABLE_CAUSES, SOURCE_HABIT, OVERRIDE_RIGHT, OVERRIDE_WRONG, OVERRIDE, BLANK)


def table_causes(
    verdicts: Mapping[str, IntArray],
    contenders: Sequence[Mapping[str, BoolArray] | None],
    truth: Mapping[str, IntArray] | None,
    taxonomy: Taxonomy,
) -> dict[str, IntArray]:
    """Say of every verdict of every table why it is what it is.

    A verdict is held against the truth or, where none is known, against the newest table's.

    Args:
        verdicts: target to class positions, each (n_revisions, n_titles), the newest table last.
        contenders: per revision, target to the classes that some keyword speaks for, each (n_titles, n_classes); None
            where the table cannot say.
        truth: target to class positions, each (n_titles,).
        taxonomy: names the targets.

    Returns:
        Target to positions in `CAUSES`, each (n_revisions, n_titles).
    """
    found = {}
    for name in taxonomy.names:
        newest = verdicts[name][-1]
        should_be = newest if truth is None else truth[name]
        cause = np.where(newest == should_be, CAUSES.index(OLDER_REVISION), CAUSES.index(NO_KEYWORD))
        causes = np.broadcast_to(cause, verdicts[name].shape).copy()
        for revision, spoken_for in enumerate(contenders):
            if spoken_for is not None:
                outranked = np.take_along_axis(spoken_for[name], should_be[:, None].astype(np.int64), axis=1)[:, 0]
                causes[revision, outranked] = CAUSES.index(PRIORITY)
        causes[verdicts[name] == should_be] = CAUSES.index(TABLE_RIGHT)
        found[name] = causes
    return found
