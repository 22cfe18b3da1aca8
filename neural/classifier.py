"""The neural system: fine-tune one encoder for every target, then predict, save and load."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_model, save_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from data_cleaning.errors import BadInput, require_fitted
from data_cleaning.novelty import NETWORK_FILE, TitleNovelty, fall_back
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray, IntArray, LabelledTitles, StrArray
from neural.batches import Examples, TokenizedTitles, tokenize
from neural.calibration import calibrate
from neural.checkpoints import Checkpoints, EpochLog, log_table
from neural.cpu_operations import Dropout, choose_attention
from neural.devices import ProcessGroup, resolve_device, torchrun_group, uses_bf16
from neural.encoder import load_encoder, load_skeleton, longest_input, save_skeleton
from neural.network import MultiHead, keep_layers, predict_logits, probabilities
from neural.neural_settings import NeuralSettings
from neural.runtime import OnnxNetwork, choose_runtime, predict_with
from neural.spelling import spellings
from neural.training import Trainer
from neural.training_rows import distinct_rows, resampling_probabilities, sample_rows, soften

_ONNX = "network.onnx"
_WEIGHTS = "model.safetensors"
_LOG = "training_log.json"
_TITLES_AT_ONCE = 100_000


class NeuralClassifier:
    """A title classifier in torch.

    `fit` sets `taxonomy_`, `tokenizer_`, `model_`, `log_` (one entry per epoch), `temperatures_` (target to what its
    logits are divided by), `runtime_` (the network that predicts instead of torch, or None), `novelty_` and `summary_`.
    """

    taxonomy_: Taxonomy
    tokenizer_: PreTrainedTokenizerBase
    model_: MultiHead
    log_: list[EpochLog]
    temperatures_: dict[str, float]
    runtime_: OnnxNetwork | None
    novelty_: TitleNovelty
    summary_: dict[str, Any]
    _n_fitted: int
    """Distinct rows that the fit has learned from so far."""
    _is_batch_invariant = False

    def __init__(
        self,
        settings: NeuralSettings,
        seed: int = 0,
        on_progress: Progress = silent,
        checkpoints: Path | None = None,
        warm_start: Path | None = None,
    ) -> None:
        """Store the settings.

        Args:
            settings: of the fit.
            seed: decides the heads' first weights, the order of rows and dropout; on a CPU, the same seed and number of
                threads give the same network.
            on_progress: told how far fitting and predicting are.
            checkpoints: folder for this fit alone; a fit that was killed resumes from it. None keeps no checkpoints.
            warm_start: folder of a network that was fitted with the same settings on the same rows without the reviewed
                ones. Where reviewed titles are learned last, the fit starts from it. None learns the other rows first.
        """
        self.settings = settings
        self.seed = seed
        self.on_progress = on_progress
        self.checkpoints = checkpoints
        self.warm_start = warm_start

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> Self:
        """Fine-tune the encoder and keep the epoch with the best mean accuracy over the targets.

        Where some rows are reviewed, the network learns from the others first and then, for `reviewed_epochs`, from
        the reviewed ones alone. The reviewed rows of `valid`, if any, then choose the epoch and the temperatures.

        Args:
            train: what to learn from.
            valid: chooses the epoch, weighted as the training rows are; if it is empty, the last epoch is kept.

        Raises:
            BadInput: there is nothing to learn from, no such encoder or device, or training diverged.
        """
        if not len(train):
            raise BadInput("There are no training titles. Check the filters and the split, or give more leads.")
        device = resolve_device(self.settings.device)
        encoder, tokenizer = load_encoder(self.settings.encoder)
        longest = longest_input(encoder, tokenizer)
        if self.settings.max_tokens > longest:
            raise BadInput(
                f"max_tokens is {self.settings.max_tokens}, but encoder {self.settings.encoder!r} takes at most "
                f"{longest}. Lower max_tokens."
            )
        if self.settings.kept_layers is not None:
            keep_layers(encoder, self.settings.kept_layers)
        self.taxonomy_ = train.taxonomy
        self.tokenizer_ = tokenizer
        reviewed = train.sources == "reviewed"
        reviewed_last = self.settings.reviewed_epochs > 0 and reviewed.any() and not reviewed.all()
        chosen_by = valid.select(valid.sources == "reviewed") if reviewed_last else valid
        # Forked, so that a fit leaves the caller's random generators as they were.
        with (
            torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]),
            torchrun_group(device) as processes,
        ):
            if not reviewed_last:
                best = self._learn(encoder, processes, train, valid)
            else:
                if self.warm_start is not None:
                    fitted = self._load_same_labels(self.warm_start)
                    self.model_, self.log_ = fitted.model_.to(device), fitted.log_
                    self._n_fitted = fitted.summary_["distinct_rows_fitted"]
                else:
                    others = train.select(~reviewed), valid.select(valid.sources != "reviewed")
                    self._learn(encoder, processes, *others)
                best = self._learn_reviewed(processes, train.select(reviewed), chosen_by)
        errors = self._calibrate(self._examples(chosen_by if len(chosen_by) else valid))
        valid_rows = self._examples(valid)
        chosen = choose_runtime(self.model_, valid_rows.titles, self.settings.runtime, self.settings.precision)
        self.runtime_ = chosen.network
        self.novelty_ = TitleNovelty.learn(train.titles, valid.titles)
        self.summary_ = {
            **train.summary(),
            "distinct_rows_fitted": self._n_fitted,
            "distinct_rows_validated": len(valid_rows.titles),
            "best_epoch": best.epoch,
            "reviewed_alone": bool(reviewed_last),
            "target_weights": best.valid_target_weights,
            "seconds": sum(entry.seconds for entry in self.log_),
            "device": device.type,
            "bf16": uses_bf16(self.settings.precision, device),
            "threads": torch.get_num_threads(),
            "calibration": {"temperatures": self.temperatures_, "errors": errors},
            "runtime": {"chosen": chosen.name, "compared": chosen.compared},
        }
        return self

    def _learn(
        self, encoder: PreTrainedModel, processes: ProcessGroup, train: LabelledTitles, valid: LabelledTitles
    ) -> EpochLog:
        """Put heads on an encoder and train both; return the log of the epoch that was kept."""
        rng = np.random.default_rng(self.seed)
        train_rows, valid_rows = self._training_examples(train, rng), self._examples(valid)
        kept = self.checkpoints
        checkpoints = None if kept is None else Checkpoints(kept, self._identity(train_rows, valid_rows))
        self._n_fitted = len(train_rows)
        torch.manual_seed(self.seed)
        self.model_ = self._build(encoder, resolve_device(self.settings.device))
        chosen_by = valid_rows if len(valid) else None
        self.log_, best = Trainer(
            self.model_, train_rows, chosen_by, self.settings, rng, self.on_progress, checkpoints, processes, self.seed
        ).run()
        return best

    def _learn_reviewed(self, processes: ProcessGroup, train: LabelledTitles, valid: LabelledTitles) -> EpochLog:
        """Train on what a person labelled, after everything else; return the log of the epoch that was kept.

        Mixed with the other rows, few titles with the right label lose to many of the same words with a wrong one.
        """
        settings = replace(self.settings, epochs=self.settings.reviewed_epochs, min_steps=0, teacher=None)
        rng = np.random.default_rng([self.seed, 1])
        torch.manual_seed(self.seed)
        train_rows = self._training_examples(train, rng)
        self._n_fitted += len(train_rows)
        chosen_by = self._examples(valid) if len(valid) else None
        log, best = Trainer(
            self.model_, train_rows, chosen_by, settings, rng, self.on_progress, None, processes, self.seed
        ).run()
        before = len(self.log_)
        self.log_ = [*self.log_, *(replace(entry, epoch=before + entry.epoch, reviewed=True) for entry in log)]
        return self.log_[before + best.epoch - 1]

    def _load_same_labels(self, folder: Path) -> "NeuralClassifier":
        """Load another fitted network that predicts the same targets and classes.

        Raises:
            BadInput: the folder holds no fitted network, or one with other labels.
        """
        fitted = NeuralClassifier.load(folder)
        own, its = ([(each.name, each.classes) for each in of.taxonomy_.targets] for of in (self, fitted))
        if own != its:
            raise BadInput(f"The network in {folder} predicts other labels. Fit it with the same taxonomy.")
        return fitted

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return the probabilities of each target, float64, each (n_titles, n_classes), in the order of the titles.

        Any string is a title, the empty one too. Equal titles get equal rows. Texts that are unlike the training titles
        get what `fall_back` answers.

        Raises:
            BadInput: called before `fit`.
        """
        require_fitted(self, "summary_")
        distinct = {title: row for row, title in enumerate(dict.fromkeys(titles))}
        rows = np.fromiter((distinct[title] for title in titles), np.int64, len(titles))  # (n_titles,)
        distinct_titles = list(distinct)
        found: dict[str, list[FloatArray]] = {target: [] for target in self.taxonomy_.names}
        run = predict_with(
            self.model_, self.runtime_, self.settings.precision, batch_invariant=self._is_batch_invariant
        )
        # In chunks, so that tokens and logits of a million titles are never in memory at once.
        for start in range(0, max(len(distinct_titles), 1), _TITLES_AT_ONCE):
            chunk = distinct_titles[start : start + _TITLES_AT_ONCE]
            # Titles that differ by case or by the signs between their words are often read alike.
            tokenized, own = self.tokenized(chunk).distinct()  # (n_chunk,)

            def report(
                step: str, done: int, total: int, _unit: str = "titles", before: int = start, n_chunk: int = len(chunk)
            ) -> None:
                self.on_progress(step, before + done * n_chunk // total, len(distinct_titles))

            for target, values in run(tokenized, "neural predict", report).items():
                found[target].append(probabilities(values / self.temperatures_[target])[own])
        answers = {target: np.concatenate(pieces) for target, pieces in found.items()}
        answers = fall_back(answers, self.unlike(distinct_titles), self.taxonomy_)
        return {target: values[rows] for target, values in answers.items()}

    def unlike(self, titles: Sequence[str] | StrArray) -> BoolArray:
        """Say which texts are unlike the training titles, (n_titles,)."""
        require_fitted(self, "summary_")
        return self.novelty_.unlike(titles)

    def tokenized(self, titles: Sequence[str]) -> TokenizedTitles:
        """Return titles as the network reads them."""
        return tokenize(titles, self.tokenizer_, self.settings.max_tokens, folded=self.settings.spelling == "any")

    def fit_summary(self) -> dict[str, Any]:
        """Return what the system learned from, in all and per source, its best epoch, and where it was computed."""
        require_fitted(self, "summary_")
        return self.summary_

    def save(self, folder: Path) -> None:
        """Write weights, encoder config, tokenizer, taxonomy, settings and log; nothing else is needed to load."""
        folder.mkdir(parents=True, exist_ok=True)
        save_skeleton(self.model_.encoder, self.tokenizer_, folder / "encoder")
        save_model(self.model_, str(folder / _WEIGHTS))
        _write_json(folder / "taxonomy.json", self.taxonomy_.to_dict())
        _write_json(folder / "settings.json", {"seed": self.seed, "settings": asdict(self.settings)})
        if self.runtime_ is not None:
            (folder / _ONNX).write_bytes(self.runtime_.content)
        _write_json(folder / NETWORK_FILE, self.novelty_.to_dict())
        log = [asdict(entry) for entry in self.log_]
        _write_json(folder / _LOG, {"summary": self.summary_, "epochs": log})
        table = log_table(self.log_, self.summary_["best_epoch"])
        (folder / "training_log.md").write_text(table, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, *, batch_invariant: bool = False) -> Self:
        """Rebuild a saved system, on a GPU only if its settings allow one and this machine has it.

        Args:
            folder: that `save` wrote.
            batch_invariant: whether a title must get the same probabilities, to the last bit, whatever other titles are
                in the call. int8 rounds by the largest value of a batch, which moved probabilities by up to .2, so the
                same network in bf16, where the processor has it, or in fp32 replaces it.

        Raises:
            BadInput: the folder is not one that `save` wrote.
        """
        try:
            saved = _read_json(folder / "settings.json")
            log = _read_json(folder / _LOG)
            settings = NeuralSettings.from_saved(saved["settings"])
            # A system trained on a GPU must predict on a machine without one.
            system = cls(replace(settings, device="auto") if settings.device == "cuda" else settings, saved["seed"])
            system.taxonomy_ = Taxonomy.from_dict(_read_json(folder / "taxonomy.json"), str(folder / "taxonomy.json"))
            encoder, system.tokenizer_ = load_skeleton(folder / "encoder")
            with torch.random.fork_rng(devices=[]):
                system.model_ = system._build(encoder, resolve_device(system.settings.device))
            load_model(system.model_, folder / _WEIGHTS)
            system.novelty_ = TitleNovelty.beside_network(folder)
            system.log_ = [EpochLog(**entry) for entry in log["epochs"]]
            system.summary_ = log["summary"]
            system.temperatures_ = log["summary"]["calibration"]["temperatures"]
            system.runtime_ = None
            system._is_batch_invariant = batch_invariant
            on_cpu = next(system.model_.parameters()).device.type == "cpu"
            if on_cpu and (folder / _ONNX).exists() and find_spec("onnxruntime") is not None:
                system.runtime_ = OnnxNetwork((folder / _ONNX).read_bytes(), system.model_.n_classes)
                if batch_invariant and system.runtime_.is_int8:
                    in_torch = uses_bf16(system.settings.precision, torch.device("cpu"))
                    system.runtime_ = None if in_torch else OnnxNetwork.in_fp32(system.model_)
        except BadInput:
            raise
        except Exception as error:  # which is all that the loader of the tokenizer raises
            raise BadInput(
                f"{folder} is not a whole saved neural system ({type(error).__name__}: {error}). Give the folder that "
                "'save' wrote, or fit again."
            ) from error
        return system

    def _calibrate(self, valid_rows: Examples) -> dict[str, dict[str, float]]:
        """Fit the temperatures on validation; return the calibration errors before and after, per target."""
        logits = predict_logits(self.model_, valid_rows.titles, self.settings.precision)
        labels = valid_rows.on(torch.device("cpu")).labels
        self.temperatures_, errors = calibrate(logits, labels, torch.tensor(valid_rows.weights))
        return errors

    def _build(self, encoder: PreTrainedModel, device: torch.device) -> MultiHead:
        """Put fresh heads for the targets of the taxonomy on an encoder, in evaluation mode."""
        n_classes = {target.name: target.n_classes for target in self.taxonomy_.targets}
        choose_attention(encoder, short=device.type == "cpu")
        Dropout.everywhere_in(encoder)
        return MultiHead(encoder, n_classes, self.settings.pooling, self.settings.dropout).to(device).eval()

    def _identity(self, *all_examples: Examples) -> str:
        """Digest what decides the outcome of a fit: settings, seed, rows and teacher."""
        settings = {name: value for name, value in asdict(self.settings).items() if name != "checkpoint_minutes"}
        # A checkpoint holds the vectors of these rows' words alone; earlier releases kept those of all words.
        found = hashlib.sha256(json.dumps([settings, self.seed, "used words"]).encode())
        for examples in all_examples:
            for array in (examples.titles.ids, examples.titles.offsets, examples.weights, *examples.labels.values()):
                found.update(np.ascontiguousarray(array).tobytes())
        if self.settings.teacher is not None:
            # Its files, because what it computes differs in the last bits from one machine to the next.
            for name in (_WEIGHTS, _LOG):
                found.update((Path(self.settings.teacher) / name).read_bytes())
        return found.hexdigest()

    def _training_examples(self, labelled: LabelledTitles, rng: np.random.Generator) -> Examples:
        """Make the rows to learn from, at most as many as the settings allow, with the soft labels they ask for."""
        positions, weights = self._rows(labelled)
        if self.settings.max_train_rows is not None:
            drawn, weights = sample_rows(weights, self.settings.max_train_rows, rng)
            positions = positions[drawn]
        plain = self._tokenized(labelled, positions, weights)
        taught = None
        if self.settings.teacher is not None:
            teacher = self._load_same_labels(Path(self.settings.teacher))
            teacher.on_progress = self.on_progress
            taught = teacher.predict_proba(list(labelled.titles[positions]))
        power = self.settings.resampling_power
        draws = resampling_probabilities(plain.labels, plain.weights, labelled.taxonomy, power) if power else None
        soft = soften(plain.labels, plain.weights, labelled.taxonomy, self.settings, taught)
        rows = replace(plain, soft_labels=soft, draws=draws)
        return self._in_other_spellings(rows, labelled.titles[positions]) if self.settings.spelling == "any" else rows

    def _in_other_spellings(self, rows: Examples, titles: StrArray) -> Examples:
        """Add each row once for every other spelling of its title; `titles` are those of the rows, (n_rows,)."""
        others = [title for spelled in zip(*map(spellings, titles), strict=True) for title in spelled]
        tokenized = self.tokenized([*titles, *others])
        n = len(tokenized) // len(titles)
        return replace(
            rows,
            titles=tokenized,
            labels={target: np.tile(codes, n) for target, codes in rows.labels.items()},
            weights=np.tile(rows.weights, n),
            soft_labels=rows.soft_labels
            and {target: np.tile(soft, (n, 1)) for target, soft in rows.soft_labels.items()},
            n_spellings=n,
        )

    def _examples(self, labelled: LabelledTitles) -> Examples:
        """Merge, weigh and tokenise rows."""
        return self._tokenized(labelled, *self._rows(labelled))

    def _rows(self, labelled: LabelledTitles) -> tuple[IntArray, npt.NDArray[np.float64]]:
        """Return the positions of the rows to make, merged if the settings say so, and their weights."""
        if self.settings.merge_equal_rows:
            return distinct_rows(labelled, self.settings.count_power)  # (n_distinct,) each
        positions = np.repeat(np.arange(len(labelled)), labelled.counts)  # (n_records,)
        return positions, labelled.weights[positions].astype(np.float64)  # (n_records,) each

    def _tokenized(self, labelled: LabelledTitles, positions: IntArray, weights: npt.NDArray[np.float64]) -> Examples:
        """Tokenise some rows, weights scaled to mean 1."""
        return Examples(
            titles=self.tokenized(list(labelled.titles[positions])),
            labels={target: codes[positions] for target, codes in labelled.labels.items()},
            weights=weights / weights.mean() if len(weights) else weights,
        )


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
