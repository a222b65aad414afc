import sys

import pytest


@pytest.fixture
def import_user_module(mmf, monkeypatch):
    from mmf.common.registry import registry
    from mmf.utils import env

    state = dict(registry.mapping["state"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield env.import_user_module
    registry.mapping["state"].clear()
    registry.mapping["state"].update(state)


def plugin(folder, name):
    (folder / name).mkdir()
    source = "import sys\nsys.imported = [*sys.imported, __name__]"
    (folder / name / "__init__.py").write_text(source)
    return str(folder / name)


def test_every_plugin_is_imported_once(import_user_module, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "imported", [], raising=False)
    first, second = (plugin(tmp_path, name) for name in ("plugin_of_one", "plugin_of_two"))
    for folder in (first, second, first):
        import_user_module(folder)
    assert [name.rpartition(".")[2] for name in sys.imported] == ["plugin_of_one", "plugin_of_two"]


def test_one_that_is_not_there_is_an_error_also_after_another(import_user_module, tmp_path):
    import_user_module("mmf_cmsbert")
    with pytest.raises(ImportError):
        import_user_module(str(tmp_path / "nothing"))
