"""A classifier of scikit-learn as a system: one fit for each target, on the features that tfidf has too.

Fitted estimators are saved by skops, which builds nothing but the types of scikit-learn and numpy when it reads them.
"""

import inspect
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from safetensors.numpy import load_file, save_file
from sklearn.utils.discovery import all_estimators
from sklearn.utils.validation import has_fit_parameter

from baselines.majority import read_state, write_state
from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.errors import BadInput, require_fitted, unknown
from data_cleaning.novelty import TitleNovelty, fall_back
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray, LabelledTitles, StrArray

_STATE, _ARRAYS, _ESTIMATOR = "sklearn.json", "sklearn.safetensors", "estimator_{}.skops"
_TRUSTED = frozenset({
    *("scipy.sparse._csr.csr_matrix", "scipy.sparse._csc.csc_matrix"),
    *("sklearn.tree._tree.Tree", "sklearn.neighbors._kd_tree.KDTree64", "sklearn.neighbors._ball_tree.BallTree64"),
    *(f"sklearn.neural_network._stochastic_optimizers.{name}Optimizer" for name in ("Adam", "SGD")),
})  # fmt: skip
"""Types that are read besides those that skops trusts; none of them runs code."""


def build_estimator(estimator: str, settings: Mapping[str, Any], seed: int) -> Any:
    """Return an estimator of scikit-learn that has learned nothing.

    Raises:
        BadInput: there is no such classifier, it takes no such settings, or it gives no probabilities.
    """
    known = {f"{_public_module(found)}.{name}": found for name, found in all_estimators(type_filter="classifier")}
    if estimator not in known:
        raise unknown("classifier of scikit-learn", estimator, known)
    found = known[estimator]
    seeded = {"random_state": seed} if "random_state" in inspect.signature(found).parameters else {}
    try:
        built = found(**{**seeded, **settings})
    except TypeError as error:
        raise BadInput(f"sklearn.settings do not fit {estimator}: {error}.") from None
    if not hasattr(built, "predict_proba"):
        raise BadInput(f"{estimator} gives no probabilities with these settings. Choose another estimator.")
    return built


class SklearnClassifier:
    """Any classifier of scikit-learn that answers with probabilities.

    A title with several classes is a weighted row for each of them; an estimator that takes no weights is given each
    title once, with the class that weighs most.
    """

    taxonomy_: Taxonomy
    features_: TitleFeatures
    fitted_: dict[str, Any]
    """Target to its fitted estimator; None where training showed a single class, whose position `only_` has."""
    only_: dict[str, int]
    novelty_: TitleNovelty
    summary_: dict[str, object]

    def __init__(self, estimator: str, settings: Mapping[str, Any] | None = None, seed: int = 0) -> None:
        """Store the settings.

        Args:
            estimator: full name of the class, such as `sklearn.naive_bayes.ComplementNB`.
            settings: what the class is called with.
            seed: its `random_state`, where it has one that `settings` leaves open.
        """
        self.estimator = estimator
        self.settings = dict(settings or {})
        self.seed = seed

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> "SklearnClassifier":
        """Learn features from distinct titles, then each target.

        Only what tells texts that are unlike the training titles is chosen on `valid`.

        Raises:
            BadInput: there is no such estimator, or it cannot be fitted with these settings on sparse features.
        """
        self.taxonomy_ = train.taxonomy
        title_of_row, titles = pd.factorize(train.titles)
        self.features_ = TitleFeatures(TfidfSettings()).fit(titles)
        features = self.features_.transform(titles)  # (n_titles, n_features)
        self.novelty_ = TitleNovelty.learn(train.titles, valid.titles)
        self.fitted_, self.only_ = {}, {}
        for target in train.taxonomy.names:
            weights = pd.DataFrame({"title": title_of_row, "class": train.labels[target], "weight": train.fit_weights})
            rows = weights[weights["class"] >= 0].groupby(["title", "class"])["weight"].sum().reset_index()
            built = build_estimator(self.estimator, self.settings, self.seed)
            weighted = has_fit_parameter(built, "sample_weight")
            if not weighted:
                rows = rows.sort_values("weight", kind="stable").drop_duplicates("title", keep="last").sort_index()
            classes = rows["class"].to_numpy()
            if len(np.unique(classes)) < 2:
                self.only_[target] = int(classes[0]) if len(classes) else 0
                continue
            given = {"sample_weight": rows["weight"].to_numpy()} if weighted else {}
            try:
                self.fitted_[target] = built.fit(features[rows["title"].to_numpy()], classes, **given)
            except (TypeError, ValueError) as error:
                raise BadInput(f"{self.estimator} cannot be fitted on {target}: {error}") from None
        self.summary_ = {**train.summary(), "estimator": self.estimator, "features": self.features_.n_features}
        return self

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return class probabilities per target, shape (n_titles, n_classes); 0 for classes that training lacked.

        Texts that are unlike the training titles get what `fall_back` answers.
        """
        require_fitted(self, "summary_")
        back, distinct = pd.factorize(np.array(titles, dtype=object))
        features = self.features_.transform(distinct) if len(distinct) else None
        answers: dict[str, FloatArray] = {}
        for target in self.taxonomy_.names:
            found = np.zeros((len(distinct), self.taxonomy_.n_classes(target)))
            if target in self.only_:
                found[:, self.only_[target]] = 1.0
            elif features is not None:
                fitted = self.fitted_[target]
                found[:, fitted.classes_] = fitted.predict_proba(features)
            answers[target] = found
        answers = fall_back(answers, self.unlike(distinct), self.taxonomy_)
        return {target: rows[back] for target, rows in answers.items()}

    def unlike(self, titles: Sequence[str] | StrArray) -> BoolArray:
        """Say which texts are unlike the training titles, (n_titles,)."""
        require_fitted(self, "summary_")
        return self.novelty_.unlike(titles)

    def fit_summary(self) -> dict[str, object]:
        """Return what the system learned from, the estimator, and the number of features."""
        require_fitted(self, "summary_")
        return self.summary_

    def save(self, folder: Path) -> None:
        """Write settings as JSON, arrays as safetensors, and each estimator as skops does."""
        require_fitted(self, "summary_")
        runs, rarity = self.features_.state()
        state = {"estimator": self.estimator, "settings": self.settings, "seed": self.seed, "summary": self.summary_}
        learned = {"runs": runs, "folded": self.features_.folded, "novelty": self.novelty_.to_dict()}
        write_state(folder, _STATE, self.taxonomy_, {**state, **learned, "only": self.only_})
        save_file({name: np.ascontiguousarray(values) for name, values in rarity.items()}, folder / _ARRAYS)
        for position, target in enumerate(self.taxonomy_.names):
            if target in self.fitted_:
                skops.io.dump(self.fitted_[target], folder / _ESTIMATOR.format(position))

    @classmethod
    def load(cls, folder: Path) -> "SklearnClassifier":
        """Read what `save` wrote.

        Raises:
            BadInput: the folder holds none, or an estimator with parts that are not scikit-learn's.
        """
        taxonomy, state = read_state(folder, _STATE)
        system = cls(state["estimator"], state["settings"], state["seed"])
        folded, rarity = state.get("folded", False), load_file(folder / _ARRAYS)
        system.features_ = TitleFeatures.from_state(TfidfSettings(), state["runs"], rarity, folded=folded)
        system.taxonomy_, system.summary_, system.only_ = taxonomy, state["summary"], state["only"]
        system.novelty_ = TitleNovelty.from_dict(state.get("novelty"))
        system.fitted_ = {}
        for position, target in enumerate(taxonomy.names):
            path = folder / _ESTIMATOR.format(position)
            if target in system.only_:
                continue
            strange = sorted(set(skops.io.get_untrusted_types(file=path)) - _TRUSTED)
            if strange:
                raise BadInput(f"{path} holds {', '.join(strange)}, which may run code. Choose another estimator.")
            system.fitted_[target] = skops.io.load(path, trusted=sorted(_TRUSTED))
        return system


def _public_module(found: type) -> str:
    """Return where a class is imported from: its module, up to the first private part."""
    return ".".join(itertools.takewhile(lambda part: not part.startswith("_"), found.__module__.split(".")))
