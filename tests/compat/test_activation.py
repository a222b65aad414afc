import collections
import sys
from types import ModuleType, SimpleNamespace

import pytest

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat import patch as patches
from mmf_cmsbert.compat.libraries import (
    demjson,
    lightning,
    omegaconf,
    stdlib,
    torch,
    torchtext,
    torchvision,
    transformers,
)
from mmf_cmsbert.compat.patch import apply_all


@pytest.fixture
def libraries_as_mmf_knew_them(mmf, monkeypatch):
    """Simulate libraries that MMF supports, so that the table of replacements is empty."""
    import omegaconf as real_omegaconf
    import torch as real_torch
    import transformers as real_transformers

    monkeypatch.setattr(imports, "_modules", {})
    monkeypatch.setattr(imports, "_libraries", {})
    monkeypatch.setattr(patches, "_active", [])
    for name in ("torchvision", "torchtext", "demjson"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(collections, "Mapping", collections.abc.Mapping, raising=False)
    monkeypatch.setattr(
        real_omegaconf.OmegaConf, "create", staticmethod(lambda _: SimpleNamespace(missing=None))
    )
    monkeypatch.setattr(real_transformers.optimization, "AdamW", object, raising=False)
    monkeypatch.setattr(real_torch, "rfft", real_torch.fft.rfft, raising=False)
    monkeypatch.setattr(real_torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(lightning, "find_spec", lambda name: None)
    monkeypatch.setattr(stdlib, "misread", lambda path: False)


def test_libraries_that_have_what_mmf_wants_are_left_alone(libraries_as_mmf_knew_them):
    from omegaconf import DictConfig
    from torch import Tensor

    def state():
        return (DictConfig.__getattr__, DictConfig.__getitem__, DictConfig.get, Tensor.cuda)

    before = state()
    for library in (torchvision, torchtext, demjson, stdlib, omegaconf, transformers, lightning):
        apply_all(library)
    apply_all(torch)
    assert state() == before
    assert not imports._modules and not imports._libraries
    assert not imports.activate()


def test_the_moved_module_of_lightning_is_the_library_s(mmf):
    callbacks = pytest.importorskip("pytorch_lightning.callbacks")
    served = imports._import("pytorch_lightning.callbacks.base", fromlist=("Callback",))
    assert served.Callback is callbacks.Callback


def test_a_second_activation_changes_nothing(mmf):
    from mmf.trainers.base_trainer import BaseTrainer
    from mmf.utils.configuration import Configuration

    from mmf_cmsbert import compat

    before = dict(vars(BaseTrainer)), dict(vars(Configuration))
    compat.activate()
    assert (dict(vars(BaseTrainer)), dict(vars(Configuration))) == before
