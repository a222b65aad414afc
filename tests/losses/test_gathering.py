"""Several processes compute the contrastive loss of one process (gloo, CPU)."""

import pytest
import torch
from several_processes import together
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from mmf_cmsbert.losses import gathering
from mmf_cmsbert.losses.contrastive import multimodal_contrastive

PAIRS = [("text", "visual"), ("text", "acoustic")]
WIDTHS = {"text": 6, "visual": 5, "acoustic": 4}


class Projections(nn.Module):
    """Projections of three modalities into a common space, and a temperature, as in a model."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.maps = nn.ModuleDict({m: nn.Linear(width, 3) for m, width in WIDTHS.items()})
        self.temperature = nn.Parameter(torch.tensor(0.2))

    def forward(self, states):
        return {m: self.maps[m](each) for m, each in states.items()}, self.temperature


def batch():
    """Return nine segments, some of which lack a modality."""
    generator = torch.Generator().manual_seed(0)
    states = {m: torch.randn(9, width, generator=generator) for m, width in WIDTHS.items()}
    targets = {m: torch.randn(9, 3, generator=generator) for m in WIDTHS}
    masks = {"visual": torch.arange(9) % 4 != 1, "acoustic": torch.arange(9) != 0}
    return states, masks, targets


def part(section, rows):
    return {m: each[rows] for m, each in section.items()}


def loss_of_one(model, momentum):
    states, masks, targets = batch()
    embeddings, temperature = model(states)
    targets = targets if momentum else None
    return multimodal_contrastive(embeddings, PAIRS, temperature, 0.1, masks, targets)


def loss_of_some(model, rows, momentum):
    stand_in = len(rows) == 0
    rows = rows if len(rows) else torch.tensor([3])
    states, masks, targets = (part(section, rows) for section in batch())
    embeddings, temperature = model(states)
    gathered = gathering.gather(embeddings, masks, targets if momentum else None, stand_in)
    return multimodal_contrastive(gathered[0], PAIRS, temperature, 0.1, *gathered[1:])


def start(rank, count):
    distributed.init_process_group("gloo", rank=rank, world_size=count)


@pytest.mark.parametrize("momentum", [False, True])
@pytest.mark.parametrize("sizes", [(5, 4), (2, 6, 1), (5, 4, 0)], ids=str)
def test_loss_and_gradients_are_those_of_one_process_with_the_whole_batch(sizes, momentum):
    one = Projections()
    expected = loss_of_one(one, momentum)
    expected.backward()
    rows = torch.arange(9).split(sizes)

    def job(rank):
        start(rank, len(sizes))
        model = DistributedDataParallel(Projections())
        loss = loss_of_some(model, rows[rank], momentum)
        loss.backward()
        return loss.item(), {name: p.grad.tolist() for name, p in model.module.named_parameters()}

    for loss, gradients in together(job, len(sizes)):
        assert loss == pytest.approx(expected.item(), abs=1e-6)
        for name, parameter in one.named_parameters():
            torch.testing.assert_close(
                torch.tensor(gradients[name]), parameter.grad, rtol=1e-5, atol=1e-6
            )


def test_rows_come_in_the_order_of_the_ranks_and_their_gradients_go_back():
    def job(rank):
        start(rank, 2)
        rows = torch.full((rank + 1, 2), float(rank + 1), requires_grad=True)
        gathered = gathering.gather_rows(rows)
        (gathered * torch.arange(1.0, 4.0)[:, None] * (rank + 1)).sum().backward()
        return gathered.tolist(), rows.grad.tolist()

    first, second = together(job)
    assert first[0] == second[0] == [[1, 1], [2, 2], [2, 2]]
    # row i's gradient is i (from 1) from the first process, and twice that from the second
    assert first[1] == [[3, 3]] and second[1] == [[6, 6], [9, 9]]


def test_nothing_is_gathered_by_one_process_nor_without_gradients():
    assert not gathering.train_together()

    def job(rank):
        start(rank, 2)
        with torch.no_grad():
            evaluating = gathering.train_together()
        distributed.barrier()  # or one ends while the other still connects
        return gathering.train_together(), evaluating

    assert together(job) == [(True, False)] * 2
