"""The layers of an encoder: keep fewer of them, leave the lower ones as they are, or let them learn more slowly."""

from collections.abc import Iterator

from torch import nn
from transformers import PreTrainedModel

from data_cleaning.errors import BadInput


def keep_layers(encoder: PreTrainedModel, n_kept: int) -> None:
    """Drop layers of an encoder in place, keeping `n_kept` of them, evenly spaced and the first among them.

    Source: Sanh et al. 2019, "DistilBERT", arXiv:1910.01108, section 3: a student starts from every other layer.

    Raises:
        BadInput: the encoder has fewer layers, or they share their weights.
    """
    holder, name = _find_layers(encoder)
    layers = list(getattr(holder, name))
    if n_kept > len(layers):
        raise BadInput(f"kept_layers is {n_kept}, but the encoder has {len(layers)} layers. Lower kept_layers.")
    setattr(holder, name, nn.ModuleList(layers[place * len(layers) // n_kept] for place in range(n_kept)))
    encoder.config.num_hidden_layers = n_kept


def freeze_layers(encoder: PreTrainedModel, n_frozen: int) -> None:
    """Keep the word vectors and the lowest `n_frozen` layers of an encoder as they are; 0 freezes nothing.

    Raises:
        BadInput: the encoder has fewer layers, or they share their weights.
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
    """Yield every parameter with its depth: 0 for word vectors, then the number of its layer, counted from 1.

    What belongs to no layer and is not a part of the word vectors counts as the last layer.

    Raises:
        BadInput: the layers share their weights.
    """
    holder, name = _find_layers(encoder)
    layers = getattr(holder, name)
    depths = {id(weights): depth for depth, layer in enumerate(layers, 1) for weights in layer.parameters()}
    # Positions belong to the word vectors where the encoder keeps both in one module.
    embeddings = getattr(encoder, "embeddings", encoder.get_input_embeddings())
    depths |= {id(weights): 0 for weights in embeddings.parameters()}
    for weights in encoder.parameters():
        yield depths.get(id(weights), len(layers)), weights


def _find_layers(encoder: PreTrainedModel) -> tuple[nn.Module, str]:
    """Return the module that holds the list of layers, and the name of the list in it."""
    for holder in encoder.modules():
        for name, child in holder.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == encoder.config.num_hidden_layers:
                return holder, name
    raise BadInput(
        f"{type(encoder).__name__} has no {encoder.config.num_hidden_layers} layers of their own weights, so that "
        "kept_layers, frozen_layers and layer_decay have nothing to act on. Leave them out, or take another encoder."
    )
