"""A saved network of BERT's form run by numpy: to answer a few titles takes less time than torch takes to import.

It gives the logits of torch in fp32, up to rounding. Everything else about a network is in `classifier`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from scipy.special import erf, softmax
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from data_cleaning.novelty import TitleNovelty, fall_back
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray
from neural.spelling import as_read

Floats = npt.NDArray[np.float32]

_PLAIN_BERT = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "is_decoder": False,
    "add_cross_attention": False,
    "position_embedding_type": "absolute",
}
"""What a config has to say where it says anything of these; other encoders are computed otherwise."""

_MASKED = np.float32(-1e9)
_TITLES_PER_BATCH = 64


class NumpyNetwork:
    """A fitted network, for a few titles."""

    def __init__(self, folder: Path, config: dict[str, Any], settings: dict[str, Any]) -> None:
        """Read what `NeuralClassifier.save` wrote, with the config of an encoder that is `_PLAIN_BERT`."""
        log = json.loads((folder / "training_log.json").read_text(encoding="utf-8"))
        taxonomy = folder / "taxonomy.json"
        self.taxonomy = Taxonomy.from_dict(json.loads(taxonomy.read_text(encoding="utf-8")), str(taxonomy))
        self._novelty = TitleNovelty.beside_network(folder)
        self._temperatures = log["summary"]["calibration"]["temperatures"]
        self._pooling = settings["pooling"]
        self._folded = settings.get("spelling") == "any"  # networks of earlier releases lack it
        self._config = config
        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "encoder" / "tokenizer.json"))
        self._tokenizer.enable_truncation(settings["max_tokens"])
        self._tokenizer.no_padding()

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return the probabilities of each target, float64, each (n_titles, n_classes), in the order of the titles.

        Texts that are unlike the training titles get what `fall_back` answers.
        """
        read = [as_read(title, folded=self._folded) for title in titles]
        ids = [encoded.ids for encoded in self._tokenizer.encode_batch(read)]
        order = np.argsort([len(one) for one in ids], kind="stable")
        found: dict[str, FloatArray] = {
            target.name: np.empty((len(titles), target.n_classes)) for target in self.taxonomy.targets
        }
        for start in range(0, len(order), _TITLES_PER_BATCH):
            rows = order[start : start + _TITLES_PER_BATCH]
            with threadpool_limits(1):  # matrices this small lose more to waking a second thread than they gain
                pooled = self._encode([ids[row] for row in rows])  # (n_rows, dim)
            for number, name in enumerate(self.taxonomy.names):
                logits = self._linear(pooled, f"heads.{number}").astype(np.float64)  # (n_rows, n_classes)
                found[name][rows] = softmax(logits / self._temperatures[name], axis=1)
        return fall_back(found, self.unlike(titles), self.taxonomy)

    def unlike(self, titles: Sequence[str]) -> BoolArray:
        """Say which texts are unlike the training titles, (n_titles,)."""
        return self._novelty.unlike(titles)

    def _encode(self, ids: list[list[int]]) -> Floats:
        """Return one vector per title, (batch, dim), for titles of about equal length."""
        longest = max(map(len, ids))
        padded = np.array([one + [0] * (longest - len(one)) for one in ids])  # (batch, seq)
        mask = np.array([[1] * len(one) + [0] * (longest - len(one)) for one in ids], dtype=np.float32)  # (batch, seq)
        name = "encoder.embeddings"
        tokens = (
            self._weights[f"{name}.word_embeddings.weight"][padded]
            + self._weights[f"{name}.position_embeddings.weight"][:longest]
            + self._weights[f"{name}.token_type_embeddings.weight"][0]
        )  # (batch, seq, dim)
        tokens = self._normalise(tokens, f"{name}.LayerNorm")
        for layer in range(self._config["num_hidden_layers"]):
            tokens = self._layer(tokens, (1 - mask)[:, None, None] * _MASKED, f"encoder.encoder.layer.{layer}")
        if self._pooling == "cls":
            return tokens[:, 0]
        keep = mask[:, :, None]  # (batch, seq, 1)
        if self._pooling == "max":
            return (tokens + (1 - keep) * _MASKED).max(1)
        return (tokens * keep).sum(1) / keep.sum(1)

    def _layer(self, tokens: Floats, masked: Floats, name: str) -> Floats:
        """Attend to all tokens, then change each; tokens are (batch, seq, dim), `masked` (batch, 1, 1, seq)."""
        batch, seq, dim = tokens.shape
        heads = self._config["num_attention_heads"]
        query, key, value = (
            self._linear(tokens, f"{name}.attention.self.{part}").reshape(batch, seq, heads, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )  # (batch, heads, seq, dim / heads) each
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(dim // heads)) + masked
        seen = (softmax(scores, axis=-1) @ value).transpose(0, 2, 1, 3).reshape(batch, seq, dim)
        attended = self._linear(seen, f"{name}.attention.output.dense")
        tokens = self._normalise(tokens + attended, f"{name}.attention.output.LayerNorm")
        inner = self._linear(tokens, f"{name}.intermediate.dense")  # (batch, seq, 4 dim)
        inner = inner * (1 + erf(inner / np.float32(np.sqrt(2)))) / 2  # GELU
        return self._normalise(tokens + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _linear(self, values: Floats, name: str) -> Floats:
        weight = self._weights[f"{name}.weight"]  # (n_out, n_in)
        flat = values.reshape(-1, values.shape[-1]) @ weight.T  # one product is faster than one for each title
        return (flat + self._weights[f"{name}.bias"]).reshape(*values.shape[:-1], -1)

    def _normalise(self, values: Floats, name: str) -> Floats:
        centred = values - values.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + self._config["layer_norm_eps"])
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def load_for_few_titles(folder: Path) -> NumpyNetwork | None:
    """Read a saved network to ask it about a few titles; None where torch has to run it, or to say what is wrong.

    Where torch computes in bf16, its probabilities differ by some thousandths, and its answers for 2 titles in 10,000.
    Whoever asks about one title gains four seconds for that; only a network that was told to use bf16 is left to torch.
    """
    try:
        settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))["settings"]
        if settings["precision"] == "bf16":
            return None
        config, of_tokenizer = (
            json.loads((folder / "encoder" / name).read_text(encoding="utf-8"))
            for name in ("config.json", "tokenizer_config.json")
        )
        if not isinstance(of_tokenizer, dict):  # which is damaged, though only torch's way of loading needs it
            return None
        if any(config.get(key, value) != value for key, value in _PLAIN_BERT.items()) or "model_type" not in config:
            return None
        return NumpyNetwork(folder, config, settings)
    except Exception:  # which is all that the loader of the tokenizer raises
        return None
