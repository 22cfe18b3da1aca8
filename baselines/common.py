"""What the systems without torch share: priors and the state file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles


def class_weights(train: LabelledTitles, target: str) -> npt.NDArray[np.float64]:
    """Return the fit weight of the rows of each class, shape (n_classes,)."""
    n_classes = train.taxonomy.n_classes(target)
    return np.bincount(train.labels[target], train.fit_weights, n_classes).astype(np.float64)


def smoothed_prior(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn class weights into shares that sum to 1, one record added to each class; uniform if all are 0."""
    return (weights + 1) / (weights.sum() + len(weights))


def write_state(folder: Path, name: str, taxonomy: Taxonomy, state: Mapping[str, Any]) -> None:
    """Write a system's taxonomy and what else it learned to `folder/name`, creating the folder if it is absent."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"taxonomy": taxonomy.to_dict(), **state}
    (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_state(folder: Path, name: str) -> tuple[Taxonomy, dict[str, Any]]:
    """Read what `write_state` wrote.

    Raises:
        BadInput: the folder holds no such file, or the file is not as it was written.
    """
    path = folder / name
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"No saved system in {folder}: {name} is missing. Fit and save one there first.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not readable ({error}); fit and save the system again.") from None
    return Taxonomy.from_dict(state.pop("taxonomy"), str(path)), state
