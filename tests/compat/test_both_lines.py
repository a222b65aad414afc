"""Both lines of MMF make the updates that are written out here, from the same batches."""

import copy

import torch
from torch.utils.data import DataLoader

from mmf_cmsbert.compat import mmf_rng

UPDATES, EVERY, WARM_UP, LAST, RATE = 14, 6, 4, 40, 0.02  # as in the toy's configuration


def by_hand(layers, train, validation, restored):
    """Train without MMF, and return the weights after each evaluation and the last update."""
    mmf_rng.restore(restored)
    optimizer = torch.optim.AdamW(layers.parameters(), lr=RATE)
    loader = DataLoader(train, 4, shuffle=True, collate_fn=list)
    kept, update = {}, 0
    layers.train()
    while update < UPDATES:
        for batch in loader:
            # MMF's schedule is one update behind: the first two have the same rate
            step = max(update - 1, 0)
            factor = step / WARM_UP if step < WARM_UP else (LAST - step) / (LAST - WARM_UP)
            optimizer.param_groups[0]["lr"] = RATE * factor
            x = torch.stack([sample.x for sample in batch])
            y = torch.stack([sample.targets for sample in batch])
            optimizer.zero_grad()
            (layers(x) - y).square().mean().backward()
            optimizer.step()
            update += 1
            if update % EVERY == 0 or update == UPDATES:
                # MMF shuffles the validation, too
                list(DataLoader(validation, 4, shuffle=True, collate_fn=list))
                kept[update] = copy.deepcopy(layers.state_dict())
            if update == UPDATES:
                break
    return kept


def test_the_updates_are_those_written_out(toy, tmp_path):
    trainer = toy.trainer(tmp_path, "training.checkpoint_interval=6")
    start = copy.deepcopy(trainer.model.layers), mmf_rng.capture()
    trainer.train()
    train, validation = trainer.train_loader.datasets[0], trainer.val_loader.datasets[0]
    for update, weights in by_hand(start[0], train, validation, start[1]).items():
        file = tmp_path / "save" / "models" / f"model_{update}.ckpt"
        saved = torch.load(file, weights_only=True)["model"]
        for name, value in weights.items():
            torch.testing.assert_close(saved[f"layers.{name}"], value, msg=f"{name} at {update}")
