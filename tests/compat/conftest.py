import pytest

pytest.importorskip("torch")


@pytest.fixture(scope="session", autouse=True)
def mmf():
    """MMF with the compatibility layer; tests are skipped if it is not installed."""
    import mmf_cmsbert.compat as compat

    compat.activate()
    return pytest.importorskip("mmf")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """A folder with a randomly initialised BERT of 2 layers, 4 heads, 32 dimensions."""
    import torch
    from transformers import BertConfig, BertForPreTraining

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=40,
    )
    folder = tmp_path_factory.mktemp("tiny_bert")
    BertForPreTraining(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def _toy_plugin(mmf):
    import gc
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    spec = spec_from_file_location("mmf_toy", Path(__file__).parents[1] / "helpers" / "mmf_toy.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    gc.freeze()  # MMF collects garbage after each evaluation, which is slow after many imports
    return module


@pytest.fixture
def toy(_toy_plugin, monkeypatch):
    """A toy plugin and runs of MMF's trainer with it; MMF's registry is restored afterwards."""
    from mmf.common.registry import registry
    from mmf.utils import logger

    from mmf_cmsbert.compat.mmf import line as mmf_line

    if mmf_line.is_main():  # whose writer of values does not exist
        monkeypatch.setattr(
            logger, "log_progress", lambda info: registry.get("writer").log_progress(info)
        )
    state = dict(registry.mapping["state"])
    yield _toy_plugin
    registry.mapping["state"].clear()
    registry.mapping["state"].update(state)
