import json

import pytest
import torch

from data_cleaning.errors import BadInput
from neural.checkpoints import Checkpoints, EpochLog, best_of, log_table

TENSORS, FACTS = {"weights": torch.tensor([1.0, 2.0])}, {"epoch": 3}


def logged(epoch, accuracies, loss, **more):
    return EpochLog(
        epoch=epoch, train_loss=1.0, train_accuracy={"x": 0.5, "y": 0.25}, valid_loss=loss, valid_accuracy=accuracies,
        target_weights={"x": 1.5, "y": 0.5}, valid_target_weights={}, n_steps=1200, seconds=2.0, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("better", "worse"),
    [((0.9, 0.5, 2.0), (0.6, 0.7, 1.0)), ((0.6, 0.8, 1.0), (0.8, 0.6, 1.1))],
    ids=["mean accuracy decides", "a tie goes to the lower loss"],
)
def test_the_best_epoch_has_the_best_mean_accuracy_then_the_lowest_loss(better, worse):
    log = [logged(1, {"x": x, "y": y}, loss) for x, y, loss in (worse, better)]

    assert best_of(log) is log[1]


def test_the_log_table_marks_reviewed_epochs_and_the_kept_one():
    table = log_table([logged(1, None, None), logged(2, {"x": 0.5, "y": 1.0}, 0.25, reviewed=True)], best_epoch=2)

    first, second = table.splitlines()[2:]
    assert first == "| 1 | 0.5000 | – | 1.500 | 0.2500 | – | 0.500 | 1.0000 | – | 1,200 | 2.0 |"
    assert second.startswith("| 2 reviewed (kept) | 0.5000 | 0.5000 | 1.500 |")


def test_a_checkpoint_that_was_cut_short_leaves_the_last_one(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, "mine")
    checkpoints.save(TENSORS, FACTS)
    monkeypatch.setattr("neural.checkpoints.save_file", lambda *_: (_ for _ in ()).throw(OSError("disk full")))

    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(TENSORS, {"epoch": 4})

    tensors, facts = checkpoints.load()
    assert facts == FACTS
    assert torch.equal(tensors["weights"], TENSORS["weights"])


@pytest.mark.parametrize("name", ["snapshot-0.safetensors", "latest.json"])
def test_a_broken_checkpoint_is_refused(tmp_path, name):
    Checkpoints(tmp_path, "mine").save(TENSORS, FACTS)
    (tmp_path / name).write_bytes(b"not tensors")

    with pytest.raises(BadInput, match=r"cannot be read|is not readable as the checkpoint"):
        Checkpoints(tmp_path, "mine").load()


@pytest.mark.parametrize("edited", [{"number": "x"}, {"number": None}, {"number": 7}, {"facts": []}, {"sha256": 3}])
def test_an_edited_checkpoint_is_refused(tmp_path, edited):
    kept = Checkpoints(tmp_path, "mine")
    kept.save(TENSORS, FACTS)
    latest = tmp_path / "latest.json"
    latest.write_text(json.dumps(json.loads(latest.read_text()) | edited))
    for use in (kept.load, lambda: kept.save(TENSORS, FACTS)):
        with pytest.raises(BadInput, match=r"latest\.json has changed since it was written\. Remove the folder"):
            use()


def test_a_checkpoint_without_a_sum_is_said_to_be_of_an_earlier_release(tmp_path):
    kept = Checkpoints(tmp_path, "mine")
    kept.save(TENSORS, FACTS)
    latest = tmp_path / "latest.json"
    latest.write_text(
        json.dumps({key: held for key, held in json.loads(latest.read_text()).items() if key != "sha256"})
    )
    with pytest.raises(BadInput, match=r"latest\.json was written by an earlier release, or is damaged\. Remove the"):
        kept.load()


@pytest.mark.parametrize("name", ["snapshot-0.safetensors", "best-1.safetensors"])
def test_a_flipped_bit_of_a_checkpoint_is_refused(tmp_path, name):
    kept = Checkpoints(tmp_path, "mine")
    kept.save(TENSORS, FACTS)
    kept.save_best(TENSORS, 1)
    content = bytearray((tmp_path / name).read_bytes())
    content[-1] ^= 1
    (tmp_path / name).write_bytes(bytes(content))
    with pytest.raises(BadInput, match=f"{name} has changed since it was written. Remove the folder"):
        (kept.load if name.startswith("snap") else lambda: kept.load_best(1))()


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    Checkpoints(tmp_path, "mine").save(TENSORS, FACTS)

    with pytest.raises(BadInput, match="other settings or data"):
        Checkpoints(tmp_path, "yours").load()
