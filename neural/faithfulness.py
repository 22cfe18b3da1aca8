"""Whether the network relies on the words to which a method attributes importance: delete words, and predict again."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_cleaning.errors import BadInput, require_fitted
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import FloatArray, IntArray
from neural.attribution import METHODS, N_STEPS, Importances, explain
from neural.classifier import NeuralClassifier
from neural.network import predict_logits, probabilities

SHARES = (0.2, 0.5)
"""Shares of a title's words that are deleted, or kept alone, rounded up: at least one word, and never both of two."""

MIN_TITLES = 20
"""Fewer titles than this are not resampled: if all are alike, the interval would look certain."""

_N_ORDERS = 5
_RESAMPLES = 1_000
_CONFIDENCE = 0.95
_N_WARM_UP = 16


def compare_methods(
    system: NeuralClassifier,
    titles: Sequence[str],
    methods: Sequence[str] = METHODS,
    *,
    seed: int = 0,
    n_steps: int = N_STEPS,
    on_progress: Progress = silent,
) -> pd.DataFrame:
    """Explain the predicted class of distinct titles, such as 1,000, by each method, and evaluate the methods.

    Returns:
        The table of `evaluate_methods`.

    Raises:
        BadInput: no such method, no title of two words or more, or called before `fit`.
    """
    importances: dict[str, Importances] = {}
    seconds_per_title: dict[str, float] = {}
    for method in methods:
        explain(system, titles[:_N_WARM_UP], method, n_steps=2)  # the first call loads what later ones reuse
        began = time.perf_counter()
        importances[method] = explain(system, titles, method, n_steps=n_steps, on_progress=on_progress)
        seconds_per_title[method] = (time.perf_counter() - began) / max(len(titles), 1)
    return evaluate_methods(system, titles, importances, seconds_per_title, seed=seed, on_progress=on_progress)


def evaluate_methods(
    system: NeuralClassifier,
    titles: Sequence[str],
    importances: Mapping[str, Importances],
    seconds_per_title: Mapping[str, float],
    *,
    seed: int = 0,
    on_progress: Progress = silent,
) -> pd.DataFrame:
    """Measure how the probability of the explained class drops as words are deleted in the order of importance.

    Comprehensiveness is the drop when the most important words are deleted, sufficiency the drop when only they are
    kept; both are averaged over `SHARES` of the words, then over titles. The words that raise the class most come
    first, and equally important ones in random order. Words are deleted from the title's text; the signs around them
    stay, and a run of white space becomes one space. The network reads each distinct shortened title once, in fp32, and
    its probabilities have the system's temperatures. The comparison is with deletions in some random orders of the
    words, which are the same for every method and target.

    Args:
        system: fitted.
        titles: those that were explained, (n_titles,). Titles of fewer than two words cannot be evaluated.
        importances: method to its importances.
        seconds_per_title: method to its time for all targets together.
        seed: of the random orders and the resampling.
        on_progress: told of the shortened titles read.

    Returns:
        One row per method and target: `method`, `target`, `titles` evaluated and `titles_too_short`;
        `comprehensiveness` (higher is better) and `sufficiency` (lower is better), in [-1, 1];
        `comprehensiveness_over_random`, the mean over titles of the difference from random orders, with `low` and
        `high`, its 95% percentile-bootstrap interval over titles, missing below `MIN_TITLES`;
        `sufficiency_under_random`, how much smaller the drop in probability is than in random orders; `special_share`,
        the mean share of importance on special tokens; `worst_convergence_delta` and `median_convergence_delta`, of
        absolute values, missing where a method has none; `seconds_per_10000_titles`; and `verdict`, "better than
        random" where `low` is above 0, else "no better than random", or "too few titles to tell".

    Raises:
        BadInput: no title has two words or more, or called before `fit`.

    Source: DeYoung et al. 2020 (ERASER), arXiv:1911.03429, section 4.2, whose shares are 1, 5, 10, 20 and 50% of far
        longer texts; Efron and Tibshirani 1993, ch. 13 (percentile intervals).
    """
    require_fitted(system, "summary_")
    rng = np.random.default_rng(seed)
    words = _Words(titles, next(iter(importances.values())))
    if not len(words.usable):
        raise BadInput(f"None of the {len(titles):,} titles has two words, so no word can be deleted. Give others.")
    ties, *orders = (rng.random(len(words.title_of_word)) for _ in range(1 + _N_ORDERS))  # (n_words,) each
    shortened = {
        (method, target): words.shorten(-found.scores[target], ties)
        for method, found in importances.items()
        for target in found.scores
    }
    random = [words.shorten(order, ties) for order in orders]
    everything = [text for texts in (*shortened.values(), *random) for text in texts.ravel().tolist()]
    predicted = _Probabilities(system, [*words.whole, *everything], on_progress)
    rows = []
    for (method, target), texts in shortened.items():
        found = importances[method]
        classes = found.classes[target][words.usable]  # (n_usable,)
        before = predicted.of(target, words.whole, classes)  # (n_usable,)
        drops = predicted.drops(target, texts, classes, before)  # (n_usable, 2)
        random_drops = [predicted.drops(target, each, classes, before) for each in random]
        at_random = np.mean(random_drops, axis=0)  # (n_usable, 2)
        gain = drops[:, 0] - at_random[:, 0]  # (n_usable,)
        low, high = _interval(gain, np.random.default_rng(seed))
        shown = "better than random" if low > 0 else "no better than random"
        deltas = None if found.convergence_deltas is None else np.abs(found.convergence_deltas[target])
        rows.append({
            "method": method,
            "target": target,
            "titles": len(words.usable),
            "titles_too_short": len(titles) - len(words.usable),
            "comprehensiveness": drops[:, 0].mean(),
            "sufficiency": drops[:, 1].mean(),
            "comprehensiveness_over_random": gain.mean(),
            "low": low,
            "high": high,
            "sufficiency_under_random": (at_random[:, 1] - drops[:, 1]).mean(),
            "special_share": found.special_shares[target][words.usable].mean(),
            "worst_convergence_delta": np.nan if deltas is None else deltas.max(),
            "median_convergence_delta": np.nan if deltas is None else np.median(deltas),
            "seconds_per_10000_titles": 10_000 * seconds_per_title[method],
            "verdict": "too few titles to tell" if np.isnan(low) else shown,
        })  # fmt: skip
    return pd.DataFrame(rows)


class _Words:
    """The words of the titles that can be evaluated."""

    def __init__(self, titles: Sequence[str], importances: Importances) -> None:
        self.title_of_word = importances.title_of_word
        n_words = np.bincount(self.title_of_word, minlength=len(titles))  # (n_titles,)
        self.usable: npt.NDArray[np.int64] = np.flatnonzero(n_words >= 2)  # (n_usable,), titles of two words or more
        self.whole = [titles[title] for title in self.usable.tolist()]  # their texts
        self._n_words = n_words
        self._first_words = np.cumsum(n_words) - n_words  # (n_titles,)
        self._spans = list(zip(importances.starts.tolist(), importances.ends.tolist(), strict=True))

    def shorten(self, order: FloatArray, ties: FloatArray) -> npt.NDArray[np.object_]:
        """Return each usable title without its first words, and with only them, per share, (n_usable, n_shares, 2).

        The words of a title are sorted by `order`, the lowest first, and equal ones by `ties`, (n_words,) each.
        """
        sorted_words = np.lexsort((ties, order, self.title_of_word))  # (n_words,), title after title
        rank = np.empty(len(order), dtype=np.int64)  # (n_words,), of each word in its title
        rank[sorted_words] = np.arange(len(order)) - self._first_words[self.title_of_word]
        texts = np.empty((len(self.usable), len(SHARES), 2), dtype=object)
        for row, title in enumerate(self.usable):
            first, n_words = self._first_words[title], self._n_words[title]
            spans = self._spans[first : first + n_words]
            ranks = rank[first : first + n_words]
            for column, share in enumerate(SHARES):
                # Minus a little, because .2 * 5 may come out above 1.
                is_first = ranks < np.ceil(share * n_words - 1e-9)  # (n_words of the title,)
                for kind, is_cut in enumerate((is_first, ~is_first)):
                    cut = (span for span, goes in zip(spans, is_cut, strict=True) if goes)
                    texts[row, column, kind] = _cut_out(self.whole[row], cut)
        return texts


class _Probabilities:
    """The network's probabilities for some texts, each distinct one read once."""

    def __init__(self, system: NeuralClassifier, texts: Sequence[str], on_progress: Progress) -> None:
        self._rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        tokenized = system.tokenized(list(self._rows))
        logits = predict_logits(system.model_, tokenized, "fp32", "neural faithfulness", on_progress)
        self._probabilities = {
            target: probabilities(values / system.temperatures_[target]) for target, values in logits.items()
        }

    def of(self, target: str, texts: Iterable[str], classes: IntArray) -> npt.NDArray[np.float64]:
        """Return the probability of one class per text, shape of `classes`, (n_texts,)."""
        return self._probabilities[target][[self._rows[text] for text in texts], classes]

    def drops(
        self, target: str, texts: npt.NDArray[np.object_], classes: IntArray, before: FloatArray
    ) -> npt.NDArray[np.float64]:
        """Return the drop in the probability of each title's class, averaged over shares, (n_usable, 2).

        `texts` are shortened titles, (n_usable, n_shares, 2); `before` the probabilities with all words, (n_usable,).
        """
        after = self.of(target, texts.ravel(), np.repeat(classes, texts[0].size)).reshape(texts.shape)
        drops: npt.NDArray[np.float64] = (before[:, None, None] - after).mean(axis=1)
        return drops


def _cut_out(title: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a title without some spans of characters, given in order, and with single spaces."""
    pieces = []
    end = 0
    for start, past_last in spans:
        pieces.append(title[end:start])
        end = past_last
    return re.sub(r"\s+", " ", "".join([*pieces, title[end:]])).strip()


def _interval(gains: FloatArray, rng: np.random.Generator) -> tuple[float, float]:
    """Return the 95% percentile-bootstrap interval of a mean over titles, (n_usable,)."""
    if len(gains) < MIN_TITLES:
        return np.nan, np.nan
    means = [gains[rng.integers(len(gains), size=len(gains))].mean() for _ in range(_RESAMPLES)]
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
