"""What the network does on a GPU, measured in under eight minutes; without one, the same steps in small on the CPU.

    tests/gpu/run.sh                        # as a command, from a bare checkout

The encoder has the size of DistilBERT and random weights, so that nothing is downloaded. Its vocabulary is learned from
the titles and so small that a title has as many tokens as with BERT's own, 7.7 on average. Every step is measured for
itself, and the report is written after each, so that a step that fails or hangs takes no other with it.
"""

import argparse
import copy
import datetime
import gc
import importlib.metadata
import json
import platform
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from tokenizers import BertWordPieceTokenizer
from transformers import BertTokenizerFast, DistilBertConfig, DistilBertModel
from transformers.utils import logging

from data_cleaning.simulate.grammar import draw_titles
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles
from neural.batches import Examples
from neural.classifier import NeuralClassifier
from neural.encoder import load_encoder
from neural.network import TOKENS_PER_BATCH, MultiHead, predict_logits
from neural.neural_settings import NeuralSettings
from neural.runtime import OnnxNetwork, parity
from neural.training import Trainer

ROOT = Path(__file__).parents[2]
SECONDS = {"cuda": 460, "cpu": 110}
"""After so many, what is left is given up."""
N_WORD_PIECES = 600
RATE_ASKED, AGREEMENT_ASKED = 100_000, 0.998
EPOCH_ASKED = {"H200": 10, "H100": 15}
"""Seconds, by a part of the device's name."""
PEAKS = (
    ("H200 NVL", 835.5, "NVIDIA H200 data sheet, 1,671 with sparsity"),
    ("H200", 989.5, "NVIDIA H200 data sheet, 1,979 with sparsity"),
    ("H100 PCIe", 756.5, "NVIDIA H100 data sheet, 1,513 with sparsity"),
    ("H100 NVL", 835.5, "NVIDIA H100 data sheet, 1,671 with sparsity"),
    ("H100", 989.5, "NVIDIA H100 data sheet, 1,979 with sparsity"),
    ("A100", 312.0, "NVIDIA A100 data sheet"),
    ("L40S", 362.0, "NVIDIA L40S data sheet"),
    ("L4", 121.0, "NVIDIA L4 data sheet, 242 with sparsity"),
    ("A10", 125.0, "NVIDIA A10 data sheet"),
)
"""Part of a device's name to its dense bf16 peak, in TFLOP/s, and its source; the first that fits counts."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    leads: int
    layers: int
    dim: int
    tokens_per_batch: int
    matrix: int
    """Rows and columns of the matrices whose product shows what the device reaches."""
    step_rows: int
    """Rows of the epochs with and without compiled steps, and of those that run out of memory."""
    resumed_rows: int


SIZES = {
    "gpu": Size(leads=1_700_000, layers=6, dim=768, tokens_per_batch=16_384, matrix=8_192, step_rows=60_000,
                resumed_rows=3_000),
    "cpu": Size(leads=10_000, layers=2, dim=128, tokens_per_batch=1_024, matrix=1_024, step_rows=2_000,
                resumed_rows=1_500),
    "smallest": Size(leads=1_000, layers=1, dim=32, tokens_per_batch=512, matrix=256, step_rows=0, resumed_rows=0),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    what: str
    asked: str
    measured: str
    passes: bool | None = None
    """Whether what is asked is met; None where nothing is asked, or where nothing was measured on a GPU."""


class _EnoughError(Exception):
    """Ends a training after the steps that are of interest."""


@dataclass
class Bench:
    """The device, the data and what earlier steps made."""

    size: Size
    folder: Path
    device: torch.device
    system: NeuralClassifier | None = None
    """Fitted by `epoch`."""
    tokens_per_title: float = 0.0
    matmul: float = 0.0
    """TFLOP/s of one large product of matrices in bf16, as measured."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def on_gpu(self) -> bool:
        return self.device.type == "cuda"

    @property
    def name(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.on_gpu else f"CPU, {torch.get_num_threads()} threads"

    @cached_property
    def peak(self) -> tuple[float, str] | None:
        """The data sheet's dense bf16 TFLOP/s, and its source."""
        return next(((peak, source) for part, peak, source in PEAKS if self.on_gpu and part in self.name), None)

    @cached_property
    def settings(self) -> NeuralSettings:
        return NeuralSettings(
            encoder=str(self.encoder),
            epochs=1,
            min_steps=0,
            max_tokens_per_batch=self.size.tokens_per_batch,
            device=self.device.type,
        )

    @cached_property
    def encoder(self) -> Path:
        """An encoder with random weights, and a vocabulary of its own."""
        place = self.folder / "encoder"
        trained = BertWordPieceTokenizer()
        trained.train_from_iterator(self.titles[:50_000], vocab_size=N_WORD_PIECES, show_progress=False)
        (self.folder / "words").mkdir()
        (vocabulary,) = trained.save_model(str(self.folder / "words"))
        BertTokenizerFast(vocab=vocabulary, model_max_length=64).save_pretrained(place)
        config = DistilBertConfig(
            n_layers=self.size.layers, dim=self.size.dim, hidden_dim=4 * self.size.dim, n_heads=self.size.dim // 32,
            max_position_embeddings=64,
        )  # fmt: skip
        if self.size.dim == 768:
            config.n_heads, config.max_position_embeddings = 12, 512  # as DistilBERT's
        torch.manual_seed(0)
        DistilBertModel(config).save_pretrained(place)
        return place

    @cached_property
    def labelled(self) -> LabelledTitles:
        """Simulated leads with their true labels, one row a title, in random order."""
        taxonomy = Taxonomy.read(ROOT / "configs" / "taxonomy.yaml")
        rng = np.random.default_rng(17)
        drawn = draw_titles(self.size.leads, rng)
        counts = np.bincount(drawn.title_of_record, minlength=len(drawn.titles))
        frame = pd.DataFrame({"title": drawn.titles, **drawn.truth, "count": counts})
        return LabelledTitles.from_frame(frame, taxonomy, "truth").select(rng.permutation(len(frame)))

    @property
    def titles(self) -> list[str]:
        return list(self.labelled.titles)

    @cached_property
    def parts(self) -> tuple[LabelledTitles, LabelledTitles]:
        """What is learned from, about 1.6 million leads on a GPU, and 20,000 titles, or a tenth of few, held out."""
        n_valid = min(20_000, len(self.labelled) // 10)
        rows = np.arange(len(self.labelled))
        return self.labelled.select(rows[n_valid:]), self.labelled.select(rows[:n_valid])

    @property
    def weights_per_token(self) -> int:
        """Weights that a token is multiplied with: all but those that are looked up, and the heads."""
        assert self.system is not None
        encoder = self.system.model_.encoder
        return sum(w.numel() for name, w in encoder.named_parameters() if "embeddings" not in name)

    def fitted(self) -> NeuralClassifier:
        if self.system is None:
            raise RuntimeError("the epoch, which this step builds on, was not measured")
        return self.system

    @property
    def seconds(self) -> int:
        return SECONDS[self.device.type]

    def trainer(self, settings: NeuralSettings, n_rows: int) -> Trainer:
        """Return a training of a fresh network on some rows, whose titles have one spelling."""
        some = self.parts[0].select(np.arange(min(n_rows, len(self.parts[0]))))
        encoder, _ = load_encoder(settings.encoder)
        n_classes = {target.name: target.n_classes for target in some.taxonomy.targets}
        model = MultiHead(encoder, n_classes, settings.pooling, settings.dropout).to(self.device)
        titles = replace_settings(self.fitted(), settings).tokenized(list(some.titles))
        examples = Examples(titles=titles, labels=some.labels, weights=np.ones(len(some)))
        return Trainer(model, examples, None, settings, np.random.default_rng(0))


def replace_settings(system: NeuralClassifier, settings: NeuralSettings) -> NeuralClassifier:
    """Return a system that reads titles by other settings."""
    other = copy.copy(system)
    other.settings = settings
    return other


def timed(function: Callable[[], object]) -> float:
    """Return the seconds that a call takes, what it started on the GPU included."""
    began = time.perf_counter()
    function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def free_memory() -> None:
    """Give memory of dropped networks back to the GPU."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def matmul(bench: Bench) -> Iterator[Finding]:
    """One large product of matrices: what the device reaches at best, beside its data sheet."""
    n, n_rounds = bench.size.matrix, 50 if bench.on_gpu else 3
    one, two = (torch.randn(n, n, device=bench.device, dtype=torch.bfloat16) for _ in range(2))
    timed(lambda: one @ two)
    seconds = timed(lambda: [one @ two for _ in range(n_rounds)])
    bench.matmul = 2 * n**3 * n_rounds / seconds / 1e12
    known = "" if bench.peak is None else f"; {bench.peak[0]:,.0f} by the {bench.peak[1]}"
    yield Finding(f"bf16 product of {n:,} x {n:,} matrices", "", f"{bench.matmul:,.2f} TFLOP/s{known}")


def share(bench: Bench, flops_per_second: float) -> str:
    """Say how much of the peak some work reaches."""
    rate = flops_per_second / 1e12
    of_measured = f"{rate:,.2f} TFLOP/s, {rate / bench.matmul:.1%} of the measured product" if bench.matmul else ""
    return of_measured + (f", {rate / bench.peak[0]:.1%} of the data sheet" if bench.peak else "")


def epoch(bench: Bench) -> Iterator[Finding]:
    """One epoch over all leads with the fast recipe, as `fit` does it."""
    train, valid = bench.parts
    # The first products of a process load libraries; a fit of a few rows does that before the clock runs.
    some = train.select(np.arange(200))
    NeuralClassifier(bench.settings, 0).fit(some, some)
    system = NeuralClassifier(bench.settings, 0)
    whole = timed(lambda: system.fit(train, valid))
    bench.system, seconds = system, system.log_[0].seconds
    n_tokens = int(system.tokenized(list(train.titles)).lengths.sum())
    bench.tokens_per_title = n_tokens / len(train)
    asked = next((limit for part, limit in EPOCH_ASKED.items() if part in bench.name), None)
    limits = ", ".join(f"< {limit} s on an {part}" for part, limit in EPOCH_ASKED.items())
    yield Finding(
        f"An epoch of {train.n_records:,} leads: {len(train):,} rows of distinct titles, "
        f"{bench.tokens_per_title:.1f} tokens each, {system.log_[0].n_steps:,} steps of at most "
        f"{bench.size.tokens_per_batch:,} tokens, validation on {len(valid):,} titles",
        limits,
        f"{seconds:.2f} s; {len(train) / seconds:,.0f} distinct titles/s, {train.n_records / seconds:,.0f} leads/s, "
        f"{n_tokens / seconds:,.0f} tokens/s",
        seconds < asked if asked else None,
    )
    yield Finding("The whole fit, reading and tokenising four spellings of each title included", "", f"{whole:.1f} s")
    accuracies = ", ".join(f"{name} {value:.3f}" for name, value in (system.log_[0].valid_accuracy or {}).items())
    yield Finding("What this epoch taught a network of random weights: held-out titles", "", accuracies)
    flops = 6 * bench.weights_per_token * n_tokens / seconds
    yield Finding("Training's share of the bf16 peak, padding not counted as work", "", share(bench, flops))


def inference(bench: Bench) -> Iterator[Finding]:
    """All distinct titles: from text to probabilities, and through the network alone."""
    system, titles = bench.fitted(), bench.titles
    rate = len(titles) / timed(lambda: system.predict_proba(titles))
    tokenized = system.tokenized(titles)
    alone = len(titles) / timed(lambda: predict_logits(system.model_, tokenized, "auto"))
    yield Finding(
        f"Inference, {len(titles):,} distinct titles, from text to probabilities",
        f">= {RATE_ASKED:,} titles/s",
        f"{rate:,.0f} titles/s",
        rate >= RATE_ASKED,
    )
    yield Finding("The same, tokenised before", "", f"{alone:,.0f} titles/s")
    flops = 2 * bench.weights_per_token * bench.tokens_per_title * alone
    yield Finding("Inference's share of the bf16 peak, tokenised before", "", share(bench, flops))


def bf16(bench: Bench) -> Iterator[Finding]:
    """Predictions in bf16 beside those in fp32, on titles that were not learned from, at the worst target."""
    system, valid = bench.fitted(), bench.parts[1]
    tokenized = system.tokenized(list(valid.titles))
    logits = {precision: predict_logits(system.model_, tokenized, precision) for precision in ("fp32", "bf16")}
    found = parity(logits["fp32"], logits["bf16"])
    yield Finding(
        f"bf16 beside fp32, {len(valid):,} held-out titles, worst target",
        f"same class >= {AGREEMENT_ASKED}",
        f"same class {found.agreement:.4f}, mean difference of probabilities {found.difference:.5f}",
        found.agreement >= AGREEMENT_ASKED,
    )


def compiled(bench: Bench) -> Iterator[Finding]:
    """Epochs with `neural.compiled` off and on; titles of at most 16 tokens, so that few shapes are compiled."""
    plain = replace(bench.settings, max_tokens=16, epochs=2)
    if not bench.on_gpu:  # where compiling alone would take longer than all other steps
        plain = replace(plain, max_tokens=8, encoder=str(small_encoder(bench)))
    seconds = {}
    for is_compiled in (False, True):
        trainer = bench.trainer(replace(plain, compiled=is_compiled), bench.size.step_rows)
        seconds[is_compiled] = [entry.seconds for entry in trainer.run()[0]]
        n_rows = len(trainer.train_rows)
        del trainer
        free_memory()
    (_, off), (first, on) = seconds[False], seconds[True]
    yield Finding(
        f"`neural.compiled`, an epoch of {n_rows:,} rows once everything is compiled",
        "",
        f"off {n_rows / off:,.0f} rows/s, on {n_rows / on:,.0f} rows/s: {off / on:.2f} x; compiling took "
        f"{first - on:.0f} s",
    )


def halving(bench: Bench) -> Iterator[Finding]:
    """A batch for which the GPU's memory, limited to what little more than half of it takes, does not suffice."""
    settings = replace(bench.settings, max_tokens_per_batch=8 * bench.size.tokens_per_batch)
    idle = torch.cuda.memory_reserved(bench.device)
    torch.cuda.reset_peak_memory_stats(bench.device)
    trainer = bench.trainer(settings, bench.size.step_rows)
    state = 16 * sum(weights.numel() for weights in trainer.model.parameters())  # with gradients and two moments, bytes

    def stop(*_: object) -> None:
        raise _EnoughError

    trainer.on_progress = stop
    with suppress(_EnoughError):
        trainer.run()
    peak = torch.cuda.max_memory_reserved(bench.device)
    del trainer
    free_memory()
    trainer = bench.trainer(settings, bench.size.step_rows)
    limit = idle + state + (peak - idle - state) * 0.7
    torch.cuda.set_per_process_memory_fraction(limit / torch.cuda.mem_get_info(bench.device)[1], bench.device)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            log = trainer.run()[0]
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, bench.device)
    n_told = sum("ran out of memory" in str(each.message) for each in told)
    yield Finding(
        f"Batches of {settings.max_tokens_per_batch:,} tokens, of which one needs {peak / 1e9:.1f} GB, "
        f"where {limit / 1e9:.1f} GB are allowed",
        "batches are halved, every row is learned from",
        f"halved {trainer.at.halvings} times, {n_told} warnings, {log[0].n_steps} steps, loss {log[0].train_loss:.3f}",
        trainer.at.halvings > 0 and n_told == trainer.at.halvings,
    )


def onnx(bench: Bench) -> Iterator[Finding]:
    """The exported network in onnxruntime, on the GPU if it can."""
    what = f"ONNX on {'CUDA' if bench.on_gpu else 'the CPU'}"
    provider = "CUDAExecutionProvider" if bench.on_gpu else "CPUExecutionProvider"
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        yield Finding(what, "", "skipped: onnx or onnxruntime is not installed")
        return
    import onnxruntime

    if provider not in onnxruntime.get_available_providers():
        yield Finding(what, "", "skipped: this onnxruntime has no CUDA; onnxruntime-gpu has")
        return
    system, valid = bench.fitted(), bench.parts[1]
    network = OnnxNetwork.in_fp32(copy.deepcopy(system.model_).cpu())
    session = onnxruntime.InferenceSession(network.content, providers=[provider])
    used = session.get_providers()[0]
    if used != provider:
        yield Finding(what, "", f"failed: onnxruntime fell back to {used}")
        return
    network._session = session
    tokenized = system.tokenized(list(valid.titles))
    seconds = timed(lambda: network.logits(tokenized))  # loads what later calls reuse
    seconds = timed(lambda: network.logits(tokenized))
    found = parity(predict_logits(system.model_, tokenized, "fp32"), network.logits(tokenized))
    yield Finding(
        f"{what}, fp32, {len(valid):,} held-out titles in batches of {TOKENS_PER_BATCH['cpu']:,} tokens",
        f"same class >= {AGREEMENT_ASKED}",
        f"same class {found.agreement:.4f}; {len(valid) / seconds:,.0f} titles/s",
        found.agreement >= AGREEMENT_ASKED,
    )


def resume(bench: Bench) -> Iterator[Finding]:
    """`python -m neural`, killed in the middle and started again, beside a training that nothing broke."""
    place = bench.folder / "resumed"
    place.mkdir()
    settings = {**asdict(bench.settings), "encoder": str(small_encoder(bench)), "epochs": 2}
    settings |= {"max_tokens_per_batch": 512, "checkpoint_minutes": 0.0}
    (place / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    frames = [as_frame(part.select(np.arange(min(bench.size.resumed_rows, len(part))))) for part in bench.parts]
    for name, frame in zip(("train", "valid"), frames, strict=True):
        frame.to_csv(place / f"{name}.csv", index=False)

    def start(out: str) -> "subprocess.Popen[str]":
        files = [place / "train.csv", place / "valid.csv", "--settings", place / "settings.yaml", "--out", place / out]
        command = [sys.executable, "-m", "neural", *files, "--taxonomy", ROOT / "configs" / "taxonomy.yaml"]
        return subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    whole = start("whole")
    broken, batch = start("broken"), 0
    snapshot = place / "broken_checkpoints" / "latest.json"
    while broken.poll() is None:
        batch = json.loads(snapshot.read_text())["facts"]["position"]["batch"] if snapshot.exists() else 0
        if batch >= 3:
            broken.kill()
            break
        time.sleep(0.01)
    if broken.wait() != -signal.SIGKILL:
        raise RuntimeError(f"the training ended before it could be killed: {broken.communicate()[1][-500:]}")
    again = start("broken")
    for process in (whole, again):
        _, errors = process.communicate()
        if process.returncode:
            raise RuntimeError(errors[-500:])
    nets = [NeuralClassifier.load(place / name) for name in ("whole", "broken")]
    tokenized = nets[0].tokenized(frames[1]["title"].tolist())
    found = parity(*(predict_logits(net.model_, tokenized, "fp32") for net in nets))
    weights = [torch.cat([values.flatten() for values in net.model_.state_dict().values()]) for net in nets]
    largest = float((weights[0] - weights[1]).abs().max())
    yield Finding(
        f"A training killed (SIGKILL) after batch {batch} of its epoch and started again, beside an unbroken one",
        "ends with the same answers" if bench.on_gpu else "ends with the same weights",
        f"same class {found.agreement:.4f}, largest difference of a weight {largest:.1e}",
        found.agreement >= AGREEMENT_ASKED if bench.on_gpu else largest == 0,
    )


def small_encoder(bench: Bench) -> Path:
    """Return an encoder that is quickly compiled, and whose checkpoints can be written after every batch."""
    place = bench.folder / "small_encoder"
    load_encoder(str(bench.encoder))[1].save_pretrained(place)
    config = DistilBertConfig(n_layers=1, dim=64, hidden_dim=128, n_heads=2, vocab_size=2 * N_WORD_PIECES)
    torch.manual_seed(0)
    DistilBertModel(config).save_pretrained(place)
    return place


def as_frame(labelled: LabelledTitles) -> pd.DataFrame:
    """Return labelled titles as the files of `python -m neural` hold them."""
    labels = {
        target.name: np.array(target.classes, dtype=object)[labelled.labels[target.name]]
        for target in labelled.taxonomy.targets
    }
    return pd.DataFrame({"title": labelled.titles, **labels, "count": labelled.counts})


STEPS: dict[str, Callable[[Bench], Iterator[Finding]]] = {
    each.__name__: each for each in (matmul, epoch, inference, bf16, halving, resume, onnx, compiled)
}
GPU_ONLY, NOT_IN_SMALLEST = ("halving",), ("resume", "onnx", "compiled")


def report(bench: Bench, seconds: float, left: list[str]) -> str:
    """Return the findings so far as Markdown."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "transformers")]
    when = (
        f"{datetime.date.today().isoformat()}, {bench.name}, {', '.join(versions)}, Python {platform.python_version()}"
    )
    cuda = f", CUDA {torch.version.cuda}" if bench.on_gpu else ""
    lines = ["# The network on a GPU", "", f"`tests/gpu/run.sh`, {when}{cuda}, {seconds:.0f} s.", ""]
    if not bench.on_gpu:
        lines += [
            "**Nothing has been measured on a GPU.** This machine has none, so the script ran in CPU mode: the same "
            f"steps in small ({bench.size.leads:,} simulated leads, an encoder of {bench.size.layers} x "
            f"{bench.size.dim} dimensions). That shows that the steps work and says nothing about the speed of a GPU. "
            "Run the script on a machine with a GPU to replace this page.",
            "",
        ]
    else:
        lines += ["The encoder has the size of DistilBERT and random weights.", ""]
    lines += [
        "| what | asked of a GPU | measured here | met |",
        "|---|---|---|---|",
    ]
    words = {True: "yes", False: "no", None: ""}
    for finding in bench.findings:
        met = words[finding.passes] if bench.on_gpu or not finding.asked else "not measured on a GPU"
        lines.append(f"| {finding.what} | {finding.asked} | {finding.measured} | {met} |")
    if left:
        lines += ["", f"Not reached in {bench.seconds} s: {', '.join(left)}."]
    return "\n".join(lines) + "\n"


def measure(bench: Bench, steps: list[str], out: Path) -> bool:
    """Take the steps one after the other, and write the report after each; return whether none failed."""
    began, worked = time.monotonic(), True

    def out_of_time(*_: object) -> None:
        raise TimeoutError(f"not done {bench.seconds} s after the start")

    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, out_of_time)
        signal.alarm(bench.seconds)
    for position, name in enumerate(steps):
        step_began = time.monotonic()
        try:
            if name in GPU_ONLY and not bench.on_gpu:
                bench.findings.append(Finding(STEPS[name].__doc__ or name, "", "skipped: needs a GPU"))
            else:
                bench.findings += STEPS[name](bench)
        except Exception as error:  # a step that fails must not take the others with it
            worked = False
            kind = f"failed: {type(error).__name__}: {str(error).strip()[:300]}".replace("\n", " ").replace("|", "/")
            bench.findings.append(Finding(STEPS[name].__doc__ or name, "", kind, passes=False))
        free_memory()
        seconds = time.monotonic() - began
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(report(bench, seconds, steps[position + 1 :]), encoding="utf-8")
        sys.stderr.write(f"{name}: {time.monotonic() - step_began:.1f} s\n")
        if seconds >= bench.seconds:
            break
    if hasattr(signal, "SIGALRM"):
        signal.alarm(0)
    return worked


def main() -> None:
    """Measure on the GPU if there is one, else in CPU mode; exit with 1 where a step failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "reference" / "gpu.md")
    parser.add_argument("--smallest", action="store_true", help="CPU mode with hardly any data, for the tests")
    given = parser.parse_args()
    on_gpu = torch.cuda.is_available() and not given.smallest
    if not on_gpu and given.out.exists() and "Nothing has been measured on a GPU" not in given.out.read_text("utf-8"):
        sys.exit(f"{given.out} has figures of a GPU, and this machine has none. Name another file with --out.")
    size = SIZES["smallest" if given.smallest else "gpu" if on_gpu else "cpu"]
    steps = [name for name in STEPS if not (given.smallest and name in NOT_IN_SMALLEST)]
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(size, Path(folder), torch.device("cuda", 0) if on_gpu else torch.device("cpu"))
        worked = measure(bench, steps, given.out)
    sys.stdout.write(given.out.read_text(encoding="utf-8"))
    sys.exit(0 if worked else 1)


if __name__ == "__main__":
    main()
