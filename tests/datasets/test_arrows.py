"""Packages under ``datasets`` import in one direction: stores, readers, conversion, builders."""

import ast
from pathlib import Path

import pytest

from mmf_cmsbert.paths import PACKAGE

DATASETS = PACKAGE / "datasets"
PREFIX = "mmf_cmsbert.datasets."
# Package -> the others that it may import; packages that are not listed are above them.
BELOW = {
    "stores": {"segment"},
    "readers": {"segment", "stores"},
    "conversion.py": {
        "normalise",
        "preparation",
        "readers",
        "segment",
        "split_rule",
        "stores",
        "synthetic",
        "validation",
    },
}


def imported(file: Path) -> set[str]:
    """Return the modules and packages of ``mmf_cmsbert.datasets`` that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name.removeprefix(PREFIX).split(".")[0] for name in found if name.startswith(PREFIX)}


@pytest.mark.parametrize("name", BELOW)
def test_imports_point_down(name):
    path = DATASETS / name
    files = list(path.rglob("*.py")) if path.is_dir() else [path]
    assert files
    for file in files:
        above = imported(file) - BELOW[name] - {path.stem}
        assert not above, f"{file.relative_to(PACKAGE)} imports {above}"
