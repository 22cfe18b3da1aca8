"""The system hybrid: it corrects the keyword table by what reviewed titles teach, and is the table without them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from safetensors.numpy import load_file, save_file
from scipy import sparse

from baselines.keyword import KeywordClassifier
from baselines.keyword_table import KeywordTable
from baselines.majority import read_state, write_state
from baselines.matching import as_series
from baselines.regression import Regression
from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.errors import require_fitted
from data_cleaning.novelty import TitleNovelty, fall_back
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.title_forms import answer_in_forms
from data_cleaning.titles import BoolArray, FloatArray, IntArray, LabelledTitles, StrArray
from data_cleaning.words import normalise_titles, spell_acronyms
from harness.experiment.corrections import Corrections, fit_temperatures, keep_own_answers, with_answer
from harness.experiment.joint_answers import (
    ALWAYS,
    all_right,
    cooled,
    honest_titles,
    is_better,
    log_likelihood,
    mixed,
    mixed_where_unsure,
)
from harness.experiment.reviewed_titles import N_FOLDS, ReviewedTitles, draw_unreviewed
from harness.scoring.reliability import Reliability

if TYPE_CHECKING:
    from neural.classifier import NeuralClassifier

_STATE, _ARRAYS, _TABLE, _NETWORK = "hybrid.json", "hybrid.safetensors", "table", "network"

_MIN_REVIEWED, _MIN_TITLES = 20, 2
"""Distinct reviewed titles below which nothing is learned, and those that a run of words or characters must be in."""

_ANSWER_SCALE = 2.0
"""What the table's answers count beside the matching rows and the runs of a title."""

_MAX_UNREVIEWED, _UNREVIEWED_WEIGHT = 1_000, 0.05
"""Other titles of train that the table labels, and what each weighs beside a reviewed one. They keep the table's
answers where no reviewed title is near: without them, it had more right answers for titles of another source."""

_INVERSE_REGULARISATION, _MAX_ITERATIONS = 1.0, 500
_NETWORK_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)

_PREDICT_TITLES = 50_000
"""Distinct titles whose features are in memory at a time, about 50 MB."""


def _load_network(folder: Path) -> "NeuralClassifier":
    from neural.classifier import NeuralClassifier  # on use: torch takes seconds to import

    return NeuralClassifier.load(folder)


class HybridClassifier:
    """A keyword table whose answers are corrected by what reviewed titles and a network teach.

    One logistic regression per target learns from reviewed titles. Its features are the table's answers, every row that
    matches, be it outranked or not, and the runs of words and characters. Where their answers are unsure, the network's
    are mixed in. Classes of different targets that go together are decided together.

    Only rows of the table that gave a reviewed title a wrong answer are corrected, the fallback among them. What is
    trusted is learned from reviewed titles that the answers did not learn from: the network's share and temperatures
    on those of validation, and by cross-validation whether anything is corrected at all. If not, the table answers.
    """

    table_: KeywordClassifier
    reads_as_written_: bool
    """Whether keywords are also found inside words, as the table in force finds them."""
    network_: "NeuralClassifier | None"
    corrections_: Corrections | None
    reliability_: Reliability | None  # of corrected answers, out of fold
    novelty_: TitleNovelty
    summary_: dict[str, Any]

    def __init__(
        self,
        table: KeywordTable,
        network: Path | None = None,
        seed: int = 0,
        on_progress: Progress = silent,
        ask_below: float = ALWAYS,
    ) -> None:
        """Store the settings.

        Args:
            table: that is corrected.
            network: folder of a network that was fitted on the same rows; None for none.
            seed: decides the folds and which unreviewed titles are drawn.
            on_progress: told how far fitting and predicting are.
            ask_below: probability of the most probable class of a target under which the network is asked about a
                title. Asking about fewer is faster, but tells less of how sure answers are.
        """
        self.table = table
        self.network = network
        self.seed = seed
        self.on_progress = on_progress
        self.ask_below = ask_below

    @property
    def taxonomy(self) -> Taxonomy:
        """The targets and classes of the table."""
        return self.table.taxonomy

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> Self:
        """Learn each row's precision from `train`, and the corrections from the reviewed titles of both.

        Raises:
            BadInput: the titles are labelled by another taxonomy than the table's, or the network's folder is damaged.
        """
        self.table_ = KeywordClassifier(self.table).fit(train, valid)
        self.reads_as_written_ = True
        self.novelty_ = TitleNovelty.learn(train.titles, valid.titles)
        self.network_, self.corrections_, self.reliability_ = None, None, None
        reviewed = ReviewedTitles.of(train, valid, self.seed)
        self.summary_ = {**train.summary(), "reviewed_titles": len(reviewed.titles)}
        if len(np.unique(reviewed.titles.astype(str))) >= _MIN_REVIEWED:
            self._choose_reading(reviewed, train, valid)
            self._learn(reviewed, draw_unreviewed(train, reviewed.titles, _MAX_UNREVIEWED, self.seed))
            self._check_novelty(train, valid, reviewed)
        self.summary_["corrects_the_table"] = self.corrections_ is not None
        self.summary_["reads_inside_words"] = self.reads_as_written_
        return self

    def _choose_reading(self, reviewed: ReviewedTitles, train: LabelledTitles, valid: LabelledTitles) -> None:
        """Read keywords at the beginning of words alone, if that gives more right answers for reviewed titles."""
        in_words = self.table.in_words()
        if is_better(reviewed.right_by(in_words), reviewed.right_by(self.table)):
            self.table_, self.reads_as_written_ = KeywordClassifier(in_words).fit(train, valid), False

    def _learn(self, reviewed: ReviewedTitles, unreviewed: StrArray) -> None:
        """Learn corrections from reviewed titles beside unreviewed ones, and keep them if they help."""
        alone = self._out_of_fold(reviewed, unreviewed)
        by_table, _ = self.table_.decide(reviewed.titles.tolist())
        doubted = reviewed.in_doubt_out_of_fold(self.table_.table)
        answers = reviewed.decided(alone)
        answers = {
            target: np.where(doubted[target][:, None], rows, by_table[target]) for target, rows in answers.items()
        }
        right, table_right = (all_right(rows, reviewed.labels) for rows in (answers, by_table))
        given_right = reviewed.right_by(self.table)
        self.summary_["out_of_fold"] = {
            "right": float(right.mean()),
            "table_right": float(table_right.mean()),
            "fixed": int((right & ~table_right).sum()),
            "broken": int((table_right & ~right).sum()),
        }
        if right.sum() < table_right.sum() or not is_better(right, given_right):
            return
        share, chosen_on = self._network_share(alone, reviewed)
        held = reviewed.select(chosen_on)
        answers = held.decided(
            self._with_network(held.titles, {name: of[chosen_on] for name, of in alone.items()}, share)
        )
        temperatures, errors = fit_temperatures(
            answers, held.labels, {name: of[chosen_on] for name, of in doubted.items()}
        )
        answers = cooled(answers, temperatures)
        trust = keep_own_answers(
            answers,
            {target: rows[chosen_on].argmax(axis=1) for target, rows in by_table.items()},
            {target: ~of[chosen_on] for target, of in doubted.items()},
            held.labels,
        )
        self.reliability_ = Reliability.of(answers, held.labels)
        self.summary_ |= {"network_share": share, "calibration": {"temperatures": temperatures, "errors": errors}}
        pieces, regressions = self._regress(reviewed, unreviewed)
        self.corrections_ = Corrections(
            pieces=pieces,
            regressions=regressions,
            pairs=reviewed.pairs(),
            network_share=share,
            temperatures=temperatures,
            doubted=reviewed.rows_in_doubt(self.table_.table),
            trust=trust,
        )
        self.on_progress("fit hybrid", N_FOLDS + 1, N_FOLDS + 1, "fits")

    def _out_of_fold(self, reviewed: ReviewedTitles, unreviewed: StrArray) -> dict[str, FloatArray]:
        """Return what regressions that learned from the other folds answer for each reviewed title."""
        alone: dict[str, FloatArray] = {
            target.name: np.zeros((len(reviewed.titles), target.n_classes)) for target in self.taxonomy.targets
        }
        for number in range(N_FOLDS):
            held = reviewed.fold == number
            pieces, regressions = self._regress(reviewed.select(~held), unreviewed)
            features = self._features(pieces, reviewed.titles[held])
            for target, learned in regressions.items():
                alone[target][held] = learned.probabilities(features)
            self.on_progress("fit hybrid", number + 1, N_FOLDS + 1, "fits")
        return alone

    def _network_share(self, alone: Mapping[str, FloatArray], reviewed: ReviewedTitles) -> tuple[float, IntArray]:
        """Load the network and choose its share on the titles that it did not learn from.

        Returns:
            The share, and the positions of reviewed titles that answers with that share may be calibrated on.
        """
        everything = np.arange(len(reviewed.titles))
        held = reviewed.select(reviewed.in_valid)
        if self.network is None or not len(held.titles):
            return 0.0, everything
        self.network_ = _load_network(self.network)
        own = {target: rows[reviewed.in_valid] for target, rows in alone.items()}
        its = self.network_.predict_proba(held.titles.tolist())
        likelihoods = {
            share: log_likelihood(held.decided(mixed(own, its, share)), held.labels) for share in _NETWORK_SHARES
        }
        best = max(likelihoods, key=likelihoods.__getitem__)
        if best:
            return best, honest_titles(alone, reviewed.in_valid, self.ask_below)
        self.network_ = None
        return 0.0, everything

    def _with_network(self, titles: StrArray, alone: dict[str, FloatArray], share: float) -> dict[str, FloatArray]:
        """Return the answers of the regressions, mixed with the network's where they are unsure."""
        network = self.network_
        if network is None:
            return alone
        return mixed_where_unsure(
            alone, share, lambda some: network.predict_proba(titles[some].tolist()), self.ask_below
        )

    def _regress(self, reviewed: ReviewedTitles, unreviewed: StrArray) -> tuple[TitleFeatures, dict[str, Regression]]:
        """Learn the runs of reviewed titles, and a regression per target from them and from unreviewed titles."""
        pieces = TitleFeatures(TfidfSettings(min_titles=_MIN_TITLES)).fit(list(dict.fromkeys(reviewed.titles)))
        features = self._features(pieces, np.concatenate([reviewed.titles, unreviewed]))
        weights = np.repeat([1.0, _UNREVIEWED_WEIGHT], [len(reviewed.titles), len(unreviewed)])
        by_table = self.table_.table.classes(unreviewed)
        labels = {name: np.concatenate([reviewed.labels[name], by_table[name]]) for name in self.taxonomy.names}
        known = {name: np.flatnonzero(codes >= 0) for name, codes in labels.items()}
        regressions = {
            target.name: Regression.fit(
                features[known[target.name]],
                labels[target.name][known[target.name]],
                weights[known[target.name]],
                target.n_classes,
                inverse_regularisation=_INVERSE_REGULARISATION,
                max_iterations=_MAX_ITERATIONS,
                seed=self.seed,
            )
            for target in self.taxonomy.targets
        }
        return pieces, regressions

    def _features(self, pieces: TitleFeatures, titles: StrArray) -> sparse.csr_matrix:
        """Return the rows of the table that match, its answers, and the runs of titles, (n_titles, n_features)."""
        answers = self.table_.table.classes(titles)
        one_hot = [
            sparse.csr_matrix(_ANSWER_SCALE * np.eye(target.n_classes)[answers[target.name]])
            for target in self.taxonomy.targets
        ]
        blocks = [self.table_.table.hits(titles), *one_hot, pieces.transform(titles)]
        return sparse.hstack(blocks, format="csr", dtype=np.float32)

    def _check_novelty(self, train: LabelledTitles, valid: LabelledTitles, reviewed: ReviewedTitles) -> None:
        """Take no text for unlike where that would make answers for reviewed titles wrong."""
        known = [part.titles[part.sources != "reviewed"] for part in (train, valid)]
        unlike = TitleNovelty.learn(*known).unlike(reviewed.titles) & ~self._is_matched(reviewed.titles)
        answers = self._answers(reviewed.titles)
        fallen = fall_back(answers, unlike, self.taxonomy)
        if all_right(fallen, reviewed.labels).sum() < all_right(answers, reviewed.labels).sum():
            self.novelty_ = TitleNovelty.from_dict(None)

    def _is_matched(self, titles: Sequence[str] | StrArray) -> BoolArray:
        """Say which titles some row of the table matches, (n_titles,)."""
        matched: BoolArray = np.any([rows >= 0 for rows in self.table_.table.winners(titles).values()], axis=0)
        return matched

    def _answers(self, titles: StrArray) -> dict[str, FloatArray]:
        """Return what is answered for any text, were it no title at all."""
        corrections = self.corrections_
        if corrections is None:
            return self.table_.predict_proba(titles.tolist())
        features = self._features(corrections.pieces, titles)
        answers: dict[str, FloatArray] = {
            target: learned.probabilities(features) for target, learned in corrections.regressions.items()
        }
        answers = corrections.pairs.decide(self._with_network(titles, answers, corrections.network_share))
        answers = cooled(answers, corrections.temperatures)
        winners = self.table_.table.winners(titles)
        for target, rows in answers.items():
            # A row that answered no reviewed title wrongly may be right, whatever is known of other titles.
            kept = np.flatnonzero(~corrections.doubted[target][winners[target]])
            own = self.table_.table.class_positions[target][winners[target][kept]]
            rows[kept] = with_answer(rows[kept], own, corrections.trust[target])
        return answers

    @property
    def _is_the_table(self) -> bool:
        """Whether reviewed titles have taught nothing, so that the answers are the table's."""
        return self.corrections_ is None and self.reads_as_written_

    def _read(self, titles: Sequence[str] | StrArray) -> StrArray:
        """Return titles as they are read: as they are where the table answers, else with acronyms in one word."""
        if self._is_the_table:
            return np.array(titles, dtype=object)
        read: StrArray = spell_acronyms(normalise_titles(as_series(titles))).to_numpy()
        return read

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return class probabilities per target, (n_titles, n_classes).

        Where reviewed titles have taught something, "former" and the like are understood as the taxonomy's forms say.
        Texts that `unlike` names get what `fall_back` answers.
        """
        require_fitted(self, "summary_")
        back, distinct = pd.factorize(np.array(titles, dtype=object))
        read, chunks = self._read(distinct), []
        forms = () if self._is_the_table else self.taxonomy.forms
        classes = {target.name: target.classes for target in self.taxonomy.targets}
        for start in range(0, max(len(read), 1), _PREDICT_TITLES):
            some = read[start : start + _PREDICT_TITLES]
            chunks.append(answer_in_forms(some, forms, classes, self._answers))
            self.on_progress("predict hybrid", start + len(some), len(read))
        answers = {target: np.concatenate([chunk[target] for chunk in chunks]) for target in self.taxonomy.names}
        answers = fall_back(answers, self._unlike(read), self.taxonomy)
        return {target: rows[back] for target, rows in answers.items()}

    def unlike(self, titles: Sequence[str] | StrArray) -> BoolArray:
        """Say which texts are unlike the training titles and match no row of the table, (n_titles,).

        Where the answers are the table's, no text is if that could change an answer.
        """
        require_fitted(self, "summary_")
        return self._unlike(self._read(titles))

    def _unlike(self, read: StrArray) -> BoolArray:
        """Do what `unlike` does for titles that `_read` returned."""
        if self._is_the_table and any(target.fallback != target.no_title for target in self.taxonomy.targets):
            return np.zeros(len(read), dtype=bool)
        unlike: BoolArray = self.novelty_.unlike(read) & ~self._is_matched(read)
        if not self._is_the_table:
            unlike |= ~pl.Series(read, dtype=pl.String).str.contains(r"[\p{L}\p{N}]").to_numpy()
        return unlike

    def fit_summary(self) -> dict[str, Any]:
        """Return what the system learned from, and how right it and the table were out of fold."""
        require_fitted(self, "summary_")
        return self.summary_

    def save(self, folder: Path) -> None:
        """Write the table, the network if it has a share, and what was learned as JSON and safetensors."""
        require_fitted(self, "summary_")
        state: dict[str, Any] = {
            "seed": self.seed,
            "ask_below": self.ask_below,
            "summary": self.summary_,
            "novelty": self.novelty_.to_dict(),
        }
        state["reads_as_written"] = self.reads_as_written_
        learned = self.corrections_
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        if learned is not None:
            state["corrections"], arrays = learned.to_saved()
        write_state(folder, _STATE, self.taxonomy, state)
        save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, folder / _ARRAYS)
        (folder / _TABLE).mkdir(exist_ok=True)
        self.table_.save(folder / _TABLE)
        if self.network_ is not None:
            self.network_.save(folder / _NETWORK)

    @classmethod
    def load(cls, folder: Path, *, load_network: Callable[[Path], Any] | None = None) -> Self:
        """Read what `save` wrote.

        Args:
            folder: that it was saved in.
            load_network: loads the network, if there is one, in another way than `NeuralClassifier.load`.

        Raises:
            BadInput: the folder holds no such system.
        """
        taxonomy, state = read_state(folder, _STATE)
        table = KeywordClassifier.load(folder / _TABLE)
        system = cls(table.table, seed=state["seed"], ask_below=state.get("ask_below", ALWAYS))
        system.table_, system.summary_ = table, state["summary"]
        system.novelty_ = TitleNovelty.from_dict(state["novelty"])
        system.network_, system.corrections_, system.reliability_ = None, None, None
        system.reads_as_written_ = state.get("reads_as_written", True)
        if "corrections" in state:
            system.corrections_ = Corrections.read(state["corrections"], load_file(folder / _ARRAYS), taxonomy)
        if (folder / _NETWORK).is_dir():
            system.network_ = (load_network or _load_network)(folder / _NETWORK)
        return system
