"""Each patch has a reason, and the active patches are listed."""

import importlib
import pkgutil
from types import ModuleType

import pytest

from mmf_cmsbert import compat
from mmf_cmsbert.compat import patch as patches
from mmf_cmsbert.compat.patch import Patch, apply_all, patch


def everywhere():
    for info in pkgutil.walk_packages(compat.__path__, compat.__name__ + "."):
        try:
            module = importlib.import_module(info.name)
        except ImportError as error:
            assert error.name.startswith("mmf."), error  # a module of the other line
            continue
        yield from (value for value in vars(module).values() if isinstance(value, Patch))


@pytest.fixture
def none_active(monkeypatch):
    monkeypatch.setattr(patches, "_active", [])


def test_a_patch_that_is_not_needed_is_not_listed(none_active):
    @patch("a.b", why="because", remove_when="never")
    def needed():
        return None

    @patch("a.c", "main", why="because", remove_when="never")
    def not_needed():
        return False

    @patch("a.d", "neither", why="because", remove_when="never")
    def of_another_line():
        return None

    assert needed.apply() and not not_needed.apply() and not of_another_line.apply()
    assert patches.active() == (needed,)


def test_the_patches_of_a_module_are_applied_in_order(none_active):
    done = []
    module = ModuleType("module")
    for name in ("second", "first"):  # by definition, not by name
        make = patch(name, why="because", remove_when="never")
        setattr(module, name, make(lambda name=name: done.append(name)))
    apply_all(module)
    assert done == ["second", "first"]
    assert [each.target for each in patches.active()] == done


def test_every_patch_says_what_why_and_until_when(mmf):
    found = list(everywhere())
    assert len(found) > 20
    for each in found:
        assert each.line in ("both", "rc10", "main"), each.target
        assert each.why.endswith(".") and each.remove_when.endswith("."), each.target


def test_the_patches_that_are_active_are_those_of_the_installed_line(mmf):
    from mmf_cmsbert.compat.mmf import line as mmf_line

    other = "rc10" if mmf_line.is_main() else "main"
    active = patches.active()
    assert active and len(set(active)) == len(active)
    assert not [each.target for each in active if each.line == other]
