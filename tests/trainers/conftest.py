import gc
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

_MAPPINGS = ("builder_name_mapping", "model_name_mapping", "metric_name_mapping")


@pytest.fixture(scope="session")
def mmf():
    """MMF with this package registered; tests are skipped if it is not installed."""
    import mmf_cmsbert.registration

    if not mmf_cmsbert.registration.mmf_installed():
        pytest.skip("MMF is not installed")
    mmf_cmsbert.registration.register()
    return pytest.importorskip("mmf")


@pytest.fixture(scope="session")
def _toy_plugin(mmf):
    """The toy plugin of the tests of compat."""
    pytest.importorskip("pytorch_lightning")
    from mmf.common.registry import registry

    before = {name: dict(registry.mapping[name]) for name in _MAPPINGS}
    file = Path(__file__).resolve().parents[1] / "helpers" / "mmf_toy.py"
    spec = spec_from_file_location("mmf_toy_of_trainers", file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    registered = {
        name: {k: v for k, v in registry.mapping[name].items() if before[name].get(k) is not v}
        for name in _MAPPINGS
    }
    for name in _MAPPINGS:
        registry.mapping[name].clear()
        registry.mapping[name].update(before[name])
    gc.freeze()  # MMF collects garbage after each evaluation, which is slow after many imports
    return module, registered


@pytest.fixture
def toy(_toy_plugin, monkeypatch):
    """A toy plugin and runs of trainers with it; MMF's registry is restored afterwards."""
    from mmf.common.registry import registry
    from mmf.utils import logger

    from mmf_cmsbert.compat.mmf import line as mmf_line

    module, registered = _toy_plugin
    if mmf_line.is_main():  # whose writer of values does not exist
        monkeypatch.setattr(
            logger, "log_progress", lambda info: registry.get("writer").log_progress(info)
        )
        monkeypatch.setattr(module.Writer, "warning", module.Writer.write, raising=False)
    changed = ("state", *_MAPPINGS)
    before = {name: dict(registry.mapping[name]) for name in changed}
    for name in _MAPPINGS:
        registry.mapping[name].update(registered[name])
    yield module
    for name in changed:
        registry.mapping[name].clear()
        registry.mapping[name].update(before[name])
