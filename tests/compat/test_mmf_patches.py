"""The patches are applied once, and reach code that imported MMF before."""

import sys
from types import ModuleType


def test_a_second_activation_changes_nothing(mmf):
    from mmf.trainers.base_trainer import BaseTrainer
    from mmf.utils.configuration import Configuration

    from mmf_cmsbert.compat import mmf_patches

    before = dict(vars(BaseTrainer)), dict(vars(Configuration))
    mmf_patches.activate()
    assert (dict(vars(BaseTrainer)), dict(vars(Configuration))) == before


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
