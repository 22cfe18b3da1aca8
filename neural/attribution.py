"""The words of a title to which the network attributes importance for a class."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_cleaning.errors import BadInput, require_fitted, unknown
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import FloatArray, IntArray
from neural.classifier import NeuralClassifier
from neural.devices import autocast
from neural.network import TOKENS_PER_BATCH, MultiHead
from neural.word_tokens import WordTokens

METHODS = ("gradient-x-input", "integrated-gradients", "grad-cam")

N_STEPS = 3
"""Points at which gradients are integrated. The order of words settles long before the sums do: 3 points rank them
nearly as well as 20, which bring convergence deltas down to about .1 and take six times as long."""

# A backward pass keeps what the forward pass computed, so half as many tokens fill the caches.
_TOKENS_PER_BATCH = {device: tokens // 2 for device, tokens in TOKENS_PER_BATCH.items()}


@dataclass(frozen=True, kw_only=True)
class Importances:
    """Word importances of many titles, title after title."""

    title_of_word: IntArray
    """Position of each word's title, (n_words,)."""
    starts: IntArray
    """First character of each word in its title as given, (n_words,)."""
    ends: IntArray
    """One past its last character, (n_words,)."""
    scores: Mapping[str, FloatArray]
    """Target to how much each word raises the logit of the explained class, below 0 where it lowers it, (n_words,)."""
    classes: Mapping[str, IntArray]
    """Target to the class explained, (n_titles,)."""
    special_shares: Mapping[str, FloatArray]
    """Target to the share of the absolute importance of words and special tokens that falls on the latter, in [0, 1],
    (n_titles,); 0 where nothing has any importance."""
    convergence_deltas: Mapping[str, FloatArray] | None
    """Target to the sum of the importances of all tokens minus the logit's rise from the baseline, (n_titles,); None
    for methods other than integrated gradients."""


def explain(
    system: NeuralClassifier,
    titles: Sequence[str],
    method: str,
    *,
    classes: Mapping[str, IntArray] | None = None,
    targets: Sequence[str] | None = None,
    n_steps: int = N_STEPS,
    on_progress: Progress = silent,
) -> Importances:
    """Return how much each word of each title raises the logit of a class.

    A word is a run of letters, marks and digits of the title as given. Its importance is the sum over its tokens; a
    token that spans several words is divided equally among them, and a word without kept tokens scores 0. Tokens
    without a letter, mark or digit are ignored. Torch computes this in fp32, even where another runtime predicts for
    the system. The same call on the same machine gives the same numbers.

    gradient-x-input: the gradient of the logit by each word embedding, times the embedding, summed over dimensions.

    integrated-gradients: that gradient, averaged along the straight line from a baseline of padding tokens under the
    same mask, times the difference from the baseline. By captum, at the midpoints of equal steps: the gradient is near
    0 at both ends of the line, so midpoints approximate the integral better than as many Gauss-Legendre points.

    grad-cam: the gradient by each token's vector after the last layer, times the vector, summed over dimensions.
    Selvaraju et al. weigh a channel by its gradient averaged over positions, and their ReLU drops negative values.
    Here signs are kept, because words may speak against a class, and nothing is averaged. With mean pooling both are
    the same, because every token has the same gradient, and the importances of all tokens sum to the logit minus its
    bias. With pooling "cls" only the first token has any importance, and every word scores 0.

    Args:
        system: fitted; its network is left as it was, without gradients.
        titles: any strings.
        method: one of `METHODS`.
        classes: target to the class to explain, (n_titles,); None explains what the network predicts in the same pass.
        targets: to explain, at least one; None for all.
        n_steps: of integrated gradients; convergence deltas far from 0 call for more.
        on_progress: told of the titles done.

    Raises:
        BadInput: no such method or target, its package is not installed, classes that do not fit the titles or the
            taxonomy, fewer than 2 steps, or called before `fit`.

    Source: Shrikumar et al. 2016, arXiv:1605.01713 (gradient x input); Sundararajan et al. 2017, arXiv:1703.01365
        (integrated gradients); Selvaraju et al. 2017, arXiv:1610.02391 (Grad-CAM).
    """
    require_fitted(system, "summary_")
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if method == "integrated-gradients" and find_spec("captum") is None:
        raise BadInput(f"Method {method!r} needs the package 'captum' (pip install captum); or choose another method.")
    if n_steps < 2:
        raise BadInput(f"n_steps is {n_steps}; integrated gradients need at least 2.")
    chosen = [system.taxonomy_[target].name for target in (system.taxonomy_.names if targets is None else targets)]
    if classes is not None:
        _check_classes(system, chosen, classes, len(titles))
    words = WordTokens(titles, system.tokenizer_, system.settings.max_tokens, folded=system.settings.spelling == "any")
    tokenized, device = words.titles, next(system.model_.parameters()).device
    explained = {target: np.zeros(len(titles), dtype=np.int64) for target in chosen}
    importances = {target: np.zeros(len(tokenized.ids)) for target in chosen}  # (n_tokens,) each
    deltas = {target: np.zeros(len(titles)) for target in chosen}
    with _frozen(system.model_), torch.enable_grad(), autocast(device, bf16=False):
        for rows in tokenized.batches(_TOKENS_PER_BATCH[device.type], "neural explain", on_progress):
            given = None
            if classes is not None:
                given = {target: torch.as_tensor(classes[target][rows]) for target in chosen}
            batch = _Batch(system.model_, *tokenized.padded(rows, device), targets=chosen, given=given)
            if method == "integrated-gradients":
                found, of_titles = batch.integrate(tokenized.pad_id, n_steps)
                for target, values in of_titles.items():
                    deltas[target][rows] = values.cpu().numpy()
            else:
                found = batch.multiply(method)
            positions = tokenized.offsets[rows, None] + np.arange(batch.ids.shape[1])  # (batch, seq)
            is_token = positions < tokenized.offsets[rows + 1, None]  # (batch, seq)
            for target in chosen:
                explained[target][rows] = batch.classes[target].cpu().numpy()
                importances[target][positions[is_token]] = found[target].cpu().numpy()[is_token]
    return Importances(
        title_of_word=words.title_of_word,
        starts=words.starts,
        ends=words.ends,
        scores={target: words.sum_by_word(values) for target, values in importances.items()},
        classes=explained,
        special_shares={target: words.special_shares(values) for target, values in importances.items()},
        convergence_deltas=deltas if method == "integrated-gradients" else None,
    )


def _check_classes(
    system: NeuralClassifier, targets: Sequence[str], classes: Mapping[str, IntArray], n_titles: int
) -> None:
    for target in targets:
        if target not in classes:
            raise BadInput(f"There are no classes to explain for target {target!r}. Give them, or leave it out.")
        given, n_classes = classes[target], system.taxonomy_.n_classes(target)
        if given.shape != (n_titles,):
            raise BadInput(
                f"The classes of {target!r} have shape {given.shape}; expected one each of {n_titles} titles."
            )
        if n_titles and not 0 <= given.min() <= given.max() < n_classes:
            raise BadInput(
                f"The classes of {target!r} go from {given.min()} to {given.max()}; expected positions from 0 to "
                f"{n_classes - 1}."
            )


class _Batch:
    """About equally long titles, and the class of each that is to be explained."""

    classes: dict[str, Tensor]
    """Target to the class to explain, (batch,); set by the first pass, as it may be what the network predicts."""

    def __init__(
        self, model: MultiHead, ids: Tensor, mask: Tensor, *, targets: Sequence[str], given: dict[str, Tensor] | None
    ) -> None:
        self.model, self.ids, self.mask = model, ids, mask  # (batch, seq) each of the latter two
        self.targets, self.given = targets, given

    def multiply(self, method: str) -> dict[str, Tensor]:
        """Multiply vectors by the gradients of each target's logit: target to importances, (batch, seq)."""
        where = self.model.encoder if method == "grad-cam" else self.model.encoder.get_input_embeddings()
        logits, vectors = _cut(self.model, where, self.ids, self.mask)  # vectors: (batch, seq, dim)
        self._choose(logits)
        gradients = _gradients(logits, self.classes, vectors)
        return {target: (gradient * vectors).sum(-1).detach() for target, gradient in gradients.items()}

    def integrate(self, pad_id: int, n_steps: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Integrate the gradients of each target's logit from padding to the word embeddings.

        Returns:
            Target to importances, (batch, seq), and target to convergence deltas, (batch,).
        """
        from captum.attr import IntegratedGradients  # only here, so that everything else works without captum

        where = self.model.encoder.get_input_embeddings()
        with torch.no_grad():
            logits, top = _cut(self.model, where, self.ids, self.mask)  # top: (batch, seq, dim)
            # Equally long titles have one baseline.
            masks, of_title = torch.unique(self.mask, dim=0, return_inverse=True)  # (n_lengths, seq), (batch,)
            padding = torch.full_like(masks, pad_id)  # (n_lengths, seq)
            baseline_logits = {target: rows[of_title] for target, rows in self.model(padding, masks).items()}
            bottom = where(padding)[of_title]  # (batch, seq, dim)
        self._choose(logits)

        def gradients(forward_fn: Any, inputs: Any, target_ind: Any, additional_forward_args: Any) -> tuple[Tensor]:
            """Return the gradients of all targets after one pass, (points, n_targets, seq, dim)."""
            (vectors,) = inputs  # (points, 1, seq, dim)
            ids, mask, *classes = additional_forward_args
            logits, _ = _cut(self.model, where, ids, mask, vectors[:, 0])
            found = _gradients(logits, dict(zip(self.targets, classes, strict=True)), vectors)
            return (torch.cat(list(found.values()), 1),)

        integrated = IntegratedGradients(self.model)
        # Captum's own function computes one target at a time, with a pass for each.
        integrated.gradient_func = gradients
        n_titles, seq = self.ids.shape
        values = integrated.attribute(
            top.detach()[:, None],
            bottom[:, None],
            additional_forward_args=(self.ids, self.mask, *(self.classes[target] for target in self.targets)),
            n_steps=n_steps,
            method="riemann_middle",
            internal_batch_size=max(n_titles, _TOKENS_PER_BATCH[self.ids.device.type] // seq),  # titles times steps
        ).sum(-1)  # (batch, n_targets, seq)
        importances = {target: values[:, position] for position, target in enumerate(self.targets)}
        rises = {
            target: (logits[target] - baseline_logits[target]).gather(1, classes[:, None])[:, 0]  # (batch,)
            for target, classes in self.classes.items()
        }
        return importances, {target: importances[target].sum(1) - rises[target] for target in self.targets}

    def _choose(self, logits: Mapping[str, Tensor]) -> None:
        """Set the classes to explain: those given, or else those predicted."""
        given = self.given or {target: logits[target].argmax(1) for target in self.targets}
        self.classes = {target: classes.to(self.ids.device, torch.int64) for target, classes in given.items()}


def _cut(
    model: MultiHead, where: nn.Module, ids: Tensor, mask: Tensor, vectors: Tensor | None = None
) -> tuple[dict[str, Tensor], Tensor]:
    """Run a network forward, with gradients down to the output of the module `where`, (batch, seq, dim).

    `vectors` replace that output, which is a tensor or has a `last_hidden_state`; None keeps it.

    Returns:
        Target to logits, each (batch, n_classes), and the vectors that they were computed from.
    """
    used: list[Tensor] = []

    def substitute(_module: nn.Module, _given: Any, output: Any) -> Any:
        is_plain = isinstance(output, Tensor)
        own = output if is_plain else output.last_hidden_state
        used.append(own.detach().requires_grad_() if vectors is None else vectors)
        if is_plain:
            return used[0]
        output.last_hidden_state = used[0]
        return output

    hook = where.register_forward_hook(substitute)
    try:
        return model(ids, mask), used[0]
    finally:
        hook.remove()


def _gradients(logits: Mapping[str, Tensor], classes: Mapping[str, Tensor], vectors: Tensor) -> dict[str, Tensor]:
    """Return the gradient of each target's logit of its `classes`, (batch,), shaped as the vectors."""
    found = {}
    for target, positions in classes.items():
        # A title's logit depends on its own vectors alone, so the gradient of the sum holds that of every title.
        total = logits[target].gather(1, positions[:, None]).sum()
        (found[target],) = torch.autograd.grad(total, vectors, retain_graph=True)
    return found


@contextmanager
def _frozen(model: MultiHead) -> Iterator[None]:
    """Put a network in evaluation mode, its parameters without gradients; afterwards every module is as it was."""
    modes = [(module, module.training) for module in model.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    model.eval().requires_grad_(False)
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, requires_grad in flags:
            parameter.requires_grad_(requires_grad)
