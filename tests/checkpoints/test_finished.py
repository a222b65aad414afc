"""A finished run's checkpoints leave to its exported model what that holds."""

import contextlib

import pytest
import torch

from mmf_cmsbert.checkpoints import contents, file, finished, model_folder
from mmf_cmsbert.errors import UserError


def state(seed, averaged=True, frozen=None):
    """Weights of a model with a network of two tensors, one of which may be frozen."""
    generator = torch.Generator().manual_seed(seed)

    def network():
        fixed = torch.full((50,), 0.5) if frozen else torch.randn(50, generator=generator)
        return {"layer": torch.randn(40, generator=generator), "frozen": fixed}

    prefixes = ("network.", "ema.module.") if averaged else ("network.",)
    tensors = {p + name: tensor for p in prefixes for name, tensor in network().items()}
    return tensors | {"temperature.log": torch.tensor(-2.0 - seed)}


def checkpoint(seed, **options):
    model = state(seed, **options)
    moments = {0: {"exp_avg": torch.full((90,), float(seed))}}
    return {
        file.FORMAT_KEY: file.FORMAT,
        "model": model,
        "optimizer": {"state": moments, "param_groups": [{"params": [0]}]},
        "num_updates": seed,
        "resume": {"epoch": None},
    }


class Folder:
    """A run's folder: checkpoints of two updates, and the model of the best."""

    def __init__(self, path, best, current):
        self.path, self.best, self.current = path, path / "best.ckpt", path / "current.ckpt"
        file.write(best, self.best)
        if current is best:
            file.write(best, self.best, self.current)
        else:
            file.write(current, self.current)
        self.export(model_folder.network_weights(best["model"]))

    def export(self, weights):
        from safetensors.torch import save_file

        (self.path / "model").mkdir(exist_ok=True)
        save_file(weights, self.path / "model" / "model.safetensors")
        self.weights = weights

    def compact(self):
        finished.compact(self.best, self.current, self.weights)

    def stored(self):
        """Every tensor of the folder's files, a file of several names counted once."""
        files = {path.stat().st_ino: path for path in (self.best, self.current)}
        found = [tensor for path in files.values() for tensor in _tensors(file.read(path))]
        return found + list(self.weights.values())


def _tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    values = value.values() if isinstance(value, dict) else value
    return [t for v in values for t in _tensors(v)] if isinstance(value, (dict, list)) else []


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize("options", [{}, {"averaged": False}, {"frozen": True}])
@pytest.mark.parametrize("last_is_best", [False, True])
def test_no_tensor_is_stored_twice_and_the_last_checkpoint_stays_exact(
    tmp_path, options, last_is_best
):
    best = checkpoint(2, **options)
    current = best if last_is_best else checkpoint(8, **options)
    folder = Folder(tmp_path, best, current)
    folder.compact()
    large = [tuple(t.tolist()) for t in folder.stored() if t.numel() > 1]
    assert len(large) == len(set(large))
    read = contents.load(folder.current)
    assert_equal(read["model"], current["model"])
    assert_equal(read["optimizer"]["state"][0], current["optimizer"]["state"][0])
    assert read["num_updates"] == current["num_updates"] and read["resume"] == {"epoch": None}


def test_the_best_checkpoint_has_the_exported_weights_and_no_optimizer(tmp_path):
    folder = Folder(tmp_path, best := checkpoint(2), checkpoint(8))
    folder.compact()
    assert folder.best.stat().st_size < folder.current.stat().st_size
    read = contents.load(folder.best)
    assert "optimizer" not in read and read["num_updates"] == 2
    for name, tensor in folder.weights.items():
        assert torch.equal(read["model"][f"ema.module.{name}"], tensor)
        assert torch.equal(read["model"][f"network.{name}"], tensor)
    assert torch.equal(read["model"]["temperature.log"], best["model"]["temperature.log"])


def test_where_the_last_validation_was_the_best_both_names_stay_one_exact_file(tmp_path):
    best = checkpoint(2)
    folder = Folder(tmp_path, best, best)
    folder.compact()
    assert folder.best.samefile(folder.current)
    assert_equal(contents.load(folder.best)["model"], best["model"])


def test_compacting_twice_changes_nothing(tmp_path):
    folder = Folder(tmp_path, checkpoint(2), checkpoint(8))
    folder.compact()
    before = [path.read_bytes() for path in (folder.best, folder.current)]
    folder.compact()
    assert [path.read_bytes() for path in (folder.best, folder.current)] == before


def test_a_best_checkpoint_of_other_weights_is_left_alone(tmp_path):
    folder = Folder(tmp_path, best := checkpoint(2), checkpoint(8))
    folder.export(model_folder.network_weights(state(5)))
    folder.compact()
    assert_equal(contents.load(folder.best)["model"], best["model"])
    assert "optimizer" in contents.load(folder.best)


@pytest.mark.parametrize("kill", [1, 2, 3])
def test_killed_while_files_are_replaced_the_run_can_be_resumed(tmp_path, monkeypatch, kill):
    folder, current = Folder(tmp_path, checkpoint(2, frozen=True), checkpoint(8, frozen=True)), 8
    replaced, count = file.os.replace, []

    def replace(*names):
        count.append(names)
        if len(count) == kill:
            raise KeyboardInterrupt
        replaced(*names)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", replace)
        with contextlib.suppress(KeyboardInterrupt):
            folder.compact()
    assert_equal(contents.load(folder.current)["model"], state(current, frozen=True))
    read = contents.load(folder.best)["model"]
    assert_equal(model_folder.network_weights(read), folder.weights)


def test_before_another_model_replaces_the_exported_one_checkpoints_get_their_weights(tmp_path):
    folder = Folder(tmp_path, checkpoint(2), checkpoint(8))
    folder.compact()
    old, new = folder.weights, model_folder.network_weights(state(5))
    finished.release([folder.best, folder.current, tmp_path / "none.ckpt"], new)
    folder.export(new)
    assert_equal(model_folder.network_weights(contents.load(folder.best)["model"]), old)


@pytest.mark.parametrize("change", ["removed", "replaced", "damaged"])
def test_without_its_model_a_checkpoint_says_what_is_missing(tmp_path, change):
    folder = Folder(tmp_path, checkpoint(2), checkpoint(8))
    folder.compact()
    weights = tmp_path / "model" / "model.safetensors"
    if change == "removed":
        weights.unlink()
    elif change == "damaged":
        weights.write_bytes(b"junk")
    else:
        folder.export(model_folder.network_weights(state(5)))
    with pytest.raises(UserError, match="best.ckpt of a finished run leaves its weights to .*safe"):
        contents.load(folder.best)
