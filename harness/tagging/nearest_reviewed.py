"""The reviewed titles that are most like a title: what people said of titles that are written nearly the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from scipy import sparse

from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.files.frames import read_frame
from data_cleaning.labelled_files import SIDE, combine_opinions, one_title
from harness.experiment.run_folder import REVIEWED
from harness.tagging.models import Model
from harness.tagging.reviewing.add_reviews import read_opinions
from harness.tagging.reviewing.ranking import cosines

_MAX_TITLES, _MIN_LIKENESS = 5, 0.1
"""Below this likeness titles share little more than a common word."""


@dataclass(frozen=True, eq=False)
class NearestReviewed:
    """Reviewed titles that can be searched."""

    titles: pl.DataFrame
    """Distinct `title` and a class or null per target."""
    features: TitleFeatures
    rows: sparse.csr_matrix
    """Features of each title, (n_titles, n_features)."""

    @classmethod
    def of(cls, model: Model, opinions: Path | None = None) -> Self | None:
        """Gather the titles that the folder of a model holds, and those of a file of reviews, which count first.

        Returns:
            None where neither has any.

        Raises:
            BadInput: the file is faulty, or its labels are of another taxonomy.
        """
        names = model.taxonomy.names
        found = []
        if opinions is not None and opinions.is_file():
            found.append(combine_opinions(read_opinions(opinions, model.taxonomy).rows, names).drop(SIDE))
        if (model.folder / REVIEWED).is_file():
            found.append(read_frame(model.folder / REVIEWED).select("title", *names))
        titles = pl.concat(found) if found else pl.DataFrame()
        if titles.is_empty():
            return None
        titles = titles.unique(one_title("title"), keep="first", maintain_order=True)
        features = TitleFeatures(TfidfSettings(min_titles=1)).fit(titles["title"].to_list())
        return cls(titles, features, features.transform(titles["title"].to_list()))

    def of_title(self, title: str) -> tuple[dict[str, str | float | None], ...]:
        """Return the titles that are most like a title, and their labels, as `Explanation.nearest` has them."""
        likeness = cosines(self.rows, self.features.transform([title])).toarray()[:, 0]  # (n_reviewed,)
        order = np.argsort(-likeness, kind="stable")[:_MAX_TITLES]
        order = order[likeness[order] >= _MIN_LIKENESS]
        frame = self.titles[order].insert_column(1, pl.Series("likeness", likeness[order].astype(float)).round(3))
        return tuple(frame.to_dicts())
