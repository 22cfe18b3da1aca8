import pytest
import torch

from data_cleaning.errors import BadInput
from neural.devices import resolve_device, uses_bf16

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
