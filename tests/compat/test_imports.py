import collections
import sys
from types import ModuleType

import omegaconf
import pytest

from mmf_cmsbert.compat import imports


def test_only_mmf_is_served(mmf):
    from mmf.utils import configuration

    assert configuration.OmegaConf is not omegaconf.OmegaConf
    assert issubclass(configuration.OmegaConf, omegaconf.OmegaConf)
    assert sys.modules["omegaconf"] is omegaconf


@pytest.mark.rc10("main asks for collections.abc")
def test_abstract_classes_are_in_collections_for_mmf_alone(mmf):
    from mmf.utils import logger

    assert logger.collections.Mapping is collections.abc.Mapping
    assert logger.collections.OrderedDict is collections.OrderedDict
    assert not hasattr(collections, "Mapping")
    assert sys.modules["collections"] is collections


def test_a_facade_has_its_additions_and_the_rest_of_the_module():
    module = ModuleType("m")
    module.kept, module.replaced = 1, 2
    facade = imports.facade(module, replaced=3, added=4)
    assert (facade.kept, facade.replaced, facade.added) == (1, 3, 4)
    assert module.replaced == 2 and not hasattr(module, "added")
    assert not hasattr(facade, "missing")


def test_an_empty_table_changes_nothing(monkeypatch):
    monkeypatch.setattr(imports, "_modules", {})
    monkeypatch.setattr(imports, "_libraries", {})
    before = list(sys.meta_path)
    assert not imports.activate() and sys.meta_path == before


def test_a_second_activation_changes_nothing(mmf):
    from omegaconf import DictConfig

    from mmf_cmsbert import compat

    before = list(sys.meta_path), DictConfig.__getattr__
    compat.activate()
    assert (list(sys.meta_path), DictConfig.__getattr__) == before


def test_a_function_is_replaced_where_mmf_imported_it_by_name(mmf, monkeypatch):
    from mmf_cmsbert.compat.imports import replace_function

    def original():
        return 1

    home, importer, stranger = ModuleType("mmf.home"), ModuleType("mmf.other"), ModuleType("mmfx")
    for module in (home, importer, stranger):
        module.build = original
        monkeypatch.setitem(sys.modules, module.__name__, module)
    replace_function(home, "build", lambda function: lambda: function() + 1)
    assert (home.build(), importer.build(), stranger.build()) == (2, 2, 1)
