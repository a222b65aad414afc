"""Everything that MMF's source registers is registered, and every module can be imported."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

DEAD = {
    # rc10: imports a package that MMF does not have
    "mmf.datasets.builders.visual_dialog.original",
    # main: a C extension that is not installed; only a processor imports it
    "mmf.utils.phoc",
    "mmf.utils.phoc.build_phoc",
}
# Kinds with another name in main's registry.
KEPT_AS = {
    "pooler": "pool_name_mapping",
    "datamodule": "builder_name_mapping",
    "test_reporter": "test_reporter_mapping",
}


def source_files(mmf):
    root = Path(mmf.__file__).parent
    # main contains code of projects, which their users import
    return sorted(file for file in root.rglob("*.py") if root / "projects" not in file.parents)


def registered_in_source(files):
    """`(kind, name)` of each `@registry.register_<kind>("name")` and each call of that form."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr.startswith("register_")
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "registry"
                and isinstance(node.args[0], ast.Constant)
            ):
                yield node.func.attr.removeprefix("register_"), node.args[0].value


def test_all_names_in_the_source_are_registered(mmf):
    from mmf.common.registry import registry
    from mmf.utils.env import setup_imports

    setup_imports()
    expected = set(registered_in_source(source_files(mmf)))
    kinds = {kind for kind, _ in expected}
    assert {"model", "builder", "loss", "metric", "trainer", "processor", "optimizer"} <= kinds
    missing = {
        (kind, name)
        for kind, name in expected
        if name not in registry.mapping[KEPT_AS.get(kind, f"{kind}_name_mapping")]
    }
    assert not missing


@pytest.mark.parametrize(
    "package", ["common", "datasets", "models", "modules", "trainers", "utils"]
)
def test_all_modules_import(mmf, package):
    root = importlib.import_module(f"mmf.{package}")
    for module in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
        if module.name not in DEAD:
            importlib.import_module(module.name)


def test_commands_import(mmf):
    assert callable(importlib.import_module("mmf_cli.run").run)
    assert callable(importlib.import_module("mmf_cli.predict").predict)
