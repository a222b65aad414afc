"""What the tests of the benchmarks share."""

import importlib
import sys

import pytest

from mmf_cmsbert.paths import PACKAGE


@pytest.fixture(scope="module")
def imported():
    """A function that imports a file of the benchmarks, which finds the others beside it."""
    folder = PACKAGE / "projects" / "cmsbert" / "benchmarks"
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    yield importlib.import_module
    sys.path.remove(str(folder))
    for name in {file.stem for file in folder.glob("*.py")} - before:
        sys.modules.pop(name, None)
