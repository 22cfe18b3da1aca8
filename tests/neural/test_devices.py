import numpy as np
import pytest
import torch

from data_cleaning.errors import BadInput
from neural.devices import ProcessGroup, resolve_device, uses_bf16

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("has_gpu", "name", "kind"),
    [
        (False, "auto", "cpu"),
        (False, "cpu", "cpu"),
        (True, "auto", "cuda"),
        (True, "cpu", "cpu"),
        (True, "cuda", "cuda"),
    ],
)
def test_auto_takes_a_gpu_where_there_is_one(monkeypatch, has_gpu, name, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)

    assert resolve_device(name).type == kind


def test_an_absent_gpu_is_bad_input(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(BadInput, match=r"torch sees no GPU. Set device to 'auto' or 'cpu'"):
        resolve_device("cuda")


@pytest.mark.parametrize(
    ("precision", "capabilities", "expected"),
    [
        ("auto", {"avx512_bf16": True}, True),
        ("auto", {"amx_bf16": True}, True),
        ("auto", {"avx2": True}, False),
        ("fp32", {"avx512_bf16": True}, False),
        ("bf16", {}, True),
    ],
)
def test_auto_takes_bf16_where_the_processor_multiplies_in_it(monkeypatch, precision, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)

    assert uses_bf16(precision, CPU) is expected


@pytest.mark.parametrize("n_rows", [1, 2, 7])
def test_every_row_of_a_batch_goes_to_exactly_one_process(n_rows):
    shards = [ProcessGroup(rank, 3).shard(np.arange(n_rows)) for rank in range(3)]

    assert sorted(np.concatenate(shards)) == list(range(n_rows))
