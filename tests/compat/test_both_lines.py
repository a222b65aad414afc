"""Both lines of MMF make the same updates as plain PyTorch, from the same batches.

The slow test compares the whole command with that in another environment.
"""

import copy
import os
import re
import subprocess
import sys

import pytest
import torch
from torch.utils.data import DataLoader

from mmf_cmsbert.checkpoints import generators

UPDATES, EVERY, WARM_UP, LAST, RATE = 14, 6, 4, 40, 0.02  # as in the toy's configuration


def by_hand(layers, train, validation, restored):
    """Train without MMF, and return the weights after each evaluation and the last update."""
    generators.restore(restored)
    optimizer = torch.optim.AdamW(layers.parameters(), lr=RATE)
    loader = DataLoader(train, 4, shuffle=True, collate_fn=list)
    kept, update = {}, 0
    layers.train()
    while update < UPDATES:
        for batch in loader:
            # MMF's schedule lags by one update, so the first two have the same rate
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
                # MMF also shuffles the validation split
                list(DataLoader(validation, 4, shuffle=True, collate_fn=list))
                kept[update] = copy.deepcopy(layers.state_dict())
            if update == UPDATES:
                break
    return kept


def test_the_updates_are_those_written_out(toy, tmp_path):
    trainer = toy.trainer(tmp_path, "training.checkpoint_interval=6")
    start = copy.deepcopy(trainer.model.layers), generators.capture()
    trainer.train()
    train, validation = trainer.train_loader.datasets[0], trainer.val_loader.datasets[0]
    for update, weights in by_hand(start[0], train, validation, start[1]).items():
        file = tmp_path / "save" / "models" / f"model_{update}.ckpt"
        saved = torch.load(file, weights_only=True)["model"]
        for name, value in weights.items():
            torch.testing.assert_close(saved[f"layers.{name}"], value, msg=f"{name} at {update}")


OTHER = "OTHER_LINE_PYTHON"
RUN = [
    "config=projects/cmsbert/demo.yaml",
    "training.max_updates=40",
    "training.evaluation_interval=4",
    "training.early_stop.patience=6",
    "optimizer.params.lr=1e-3",
    "training.report=false",
]


def logged(python, folder):
    """Return the evaluations in the log of `mmf_run`: split, update, name -> value."""
    folder.mkdir()
    program = "from mmf_cmsbert.cli import mmf_run; mmf_run()"
    done = subprocess.run(
        [python, "-c", program, *RUN, f"env.save_dir={folder / 'save'}"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"progress: (\d+)/\d+, ((?:val|test)/.*)", done.stdout + done.stderr)
    values = [dict(re.findall(r"((?:val|test)/[\w/]+): ([-\d.]+)", line)) for _, line in lines]
    return [(int(update), value) for (update, _), value in zip(lines, values, strict=True)]


@pytest.mark.slow
def test_the_command_gives_the_same_scores_on_the_other_line(tmp_path):
    other = os.environ.get(OTHER)
    if not other:
        pytest.skip(f"{OTHER} does not name the python of an environment with the other line")
    found, expected = logged(sys.executable, tmp_path / "own"), logged(other, tmp_path / "other")
    assert len(found) > 2 and [update for update, _ in found] == [update for update, _ in expected]
    for (update, ours), (_, theirs) in zip(found, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert float(value) == pytest.approx(float(theirs[name]), abs=1e-4), (name, update)
