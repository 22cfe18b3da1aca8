"""The layers of an encoder: keep fewer of them, leave the lower ones as they are, or let them learn more slowly."""

from collections.abc import Iterator

from torch import nn
from transformers import PreTrainedModel

from data_cleaning.errors import BadInput


def keep_layers(encoder: PreTrainedModel, n_kept: int) -> None:
    """Drop layers of an encoder in place, keeping `n_kept` of them, evenly spaced and the first among them.

    Source: Sanh et al. 2019, "DistilBERT", arXiv:1910.01108, section 3: a student starts from every other layer.

    Raises:
        BadInput: the encoder has fewer layers, or no list of layers with weights of their own.
    """
    holder, name = _find_layers(encoder)
    layers = list(getattr(holder, name))
    if n_kept > len(layers):
        raise BadInput(f"kept_layers is {n_kept}, but the encoder has {len(layers)} layers. Lower kept_layers.")
    places = [place * len(layers) // n_kept for place in range(n_kept)]
    setattr(holder, name, nn.ModuleList(layers[place] for place in places))
    # Some configs say of each layer which attention it has, and check that there are as many as layers.
    kinds = getattr(encoder.config, "layer_types", None)
    encoder.config.num_hidden_layers = n_kept
    if kinds is not None:
        encoder.config.layer_types = [kinds[place] for place in places]


def freeze_layers(encoder: PreTrainedModel, n_frozen: int) -> None:
    """Keep the word vectors and the lowest `n_frozen` layers of an encoder as they are; 0 freezes nothing.

    Raises:
        BadInput: the encoder has fewer layers, or no list of layers with weights of their own.
    """
    if n_frozen == 0:
        return
    holder, name = _find_layers(encoder)
    n_layers = len(getattr(holder, name))
    if n_frozen > n_layers:
        raise BadInput(f"frozen_layers is {n_frozen}, but the encoder has {n_layers} layers. Lower frozen_layers.")
    for depth, weights in by_depth(encoder):
        weights.requires_grad = depth > n_frozen


def by_depth(encoder: PreTrainedModel) -> Iterator[tuple[int, nn.Parameter]]:
    """Yield every parameter with its depth: the number of its layer, counted from 1.

    What stands before the first layer, such as word vectors, has depth 0; what stands after it and belongs to no layer
    counts as the last one.

    Raises:
        BadInput: the encoder has no list of layers with weights of their own.
    """
    holder, name = _find_layers(encoder)
    layers = getattr(holder, name)
    depths = {id(weights): depth for depth, layer in enumerate(layers, 1) for weights in layer.parameters()}
    other = 0
    for weights in encoder.parameters():
        if id(weights) in depths:
            other = len(layers)
        yield depths.get(id(weights), other), weights


def _find_layers(encoder: PreTrainedModel) -> tuple[nn.Module, str]:
    """Return the module that holds the list of layers, and the name of the list in it."""
    n_layers = encoder.config.num_hidden_layers
    found = [
        (holder, name)
        for holder in encoder.modules()
        for name, child in holder.named_children()
        if isinstance(child, nn.ModuleList) and len(child) == n_layers
    ]
    if len(found) != 1:
        raise BadInput(
            f"{type(encoder).__name__} does not keep its {n_layers} layers in one list with weights of their own, on "
            "which kept_layers, frozen_layers and layer_decay act. Leave these out, or take another encoder."
        )
    return found[0]
