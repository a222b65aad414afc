"""Effects of importing the package, and the time of its registration with MMF."""

import gc
import subprocess
import sys

import pytest

import mmf_cmsbert
from mmf_cmsbert import registration
from mmf_cmsbert.errors import ConfigError


@pytest.fixture(scope="module")
def mmf():
    return pytest.importorskip("mmf")


def python(code):
    """Run code in a new process; return what it prints."""
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode().split()


@pytest.mark.parametrize("program", ["mmf_run", "cmsbert", "script.py"])
def test_importing_the_package_imports_no_framework_whatever_program_runs(program):
    code = f"""
import sys
sys.argv = ["{program}"]
import mmf_cmsbert
from importlib.util import find_spec
find_spec("mmf")
print(*(name for name in ("mmf", "torch", "transformers", "omegaconf") if name in sys.modules))
"""
    assert python(code) == []


def test_mmf_imported_after_the_package_knows_its_parts(mmf):
    code = """
import mmf_cmsbert
import mmf
from mmf.common.registry import registry
print(registry.get_model_class("cmsbert").__name__, registry.get_builder_class("mosi").__name__)
"""
    assert python(code) == ["CMSBERT", "MOSIBuilder"]


def test_a_module_that_needs_mmf_can_be_imported_first(mmf):
    code = """
from mmf_cmsbert.models.cmsbert import CMSBERT
from mmf.common.registry import registry
print(registry.get_model_class("cmsbert") is CMSBERT)
print(registry.get_loss_class("multimodal_contrastive") is not None)
"""
    assert python(code) == ["True", "True"]


@pytest.mark.slow  # a run of it: tests/test_end_to_end.py
def test_the_command_line_of_mmf_can_be_imported_first(mmf):
    code = """
import mmf_cmsbert
import mmf_cli.run
from mmf.common.registry import registry
print(registry.get_model_class("cmsbert").__name__)
"""
    assert python(code) == ["CMSBERT"]


def test_without_mmf_registering_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(registration, "_registered", False)
    monkeypatch.setattr(registration, "mmf_installed", lambda: False)
    with pytest.raises(ConfigError, match="cmsbert install-mmf"):
        mmf_cmsbert.register()


def test_what_was_imported_is_excluded_from_later_garbage_collection(mmf):
    mmf_cmsbert.register()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000
