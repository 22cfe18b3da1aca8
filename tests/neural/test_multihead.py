import pytest
import torch
from torch.testing import assert_close

from neural.multihead import MultiHead, pool
from neural.objective import target_losses, total_loss

TOKENS = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]], [[5.0, 0.0], [1.0, 1.0], [3.0, 2.0]]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(("pooling", "pooled"), [("mean", [[2.0, 4.0], [3.0, 1.0]]), ("cls", [[1.0, 2.0], [5.0, 0.0]])])
def test_pooling_ignores_padding(pooling, pooled):
    assert_close(pool(TOKENS, MASK, pooling), torch.tensor(pooled))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_more_padding_changes_no_loss(network, pooling):
    network = MultiHead(network.encoder, {"type": 3, "a.b": 2}, pooling, 0.1).eval()
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    labels = {"type": torch.tensor([0, 2]), "a.b": torch.tensor([1, 0])}

    losses = []
    for n_more in (0, 13):
        wide = [torch.nn.functional.pad(values, (0, n_more)) for values in (ids, mask)]
        losses.append(total_loss(target_losses(network(*wide), labels, torch.tensor([1.0, 3.0]))))

    assert_close(losses[0], losses[1], atol=1e-5, rtol=0)


def test_each_target_has_logits_of_its_own(network):
    logits = network(torch.tensor([[2, 3]]), torch.tensor([[1, 1]]))

    assert {target: tuple(rows.shape) for target, rows in logits.items()} == {"type": (1, 3), "a.b": (1, 2)}


def test_heads_answer_in_float32_under_autocast(network):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(torch.tensor([[2, 5, 3]]), torch.tensor([[1, 1, 1]]))

    assert {rows.dtype for rows in logits.values()} == {torch.float32}
