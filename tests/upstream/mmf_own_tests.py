"""A pytest plugin that runs MMF's unit tests with `mmf_cmsbert.compat`.

`run.py` starts pytest with it. It only adapts the tests: they get the same versions of
libraries as MMF, a few of their assumptions about old libraries are restored, and the
remaining failures are listed with their causes (`rc10.txt`, `main.txt`).
"""

import re
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
_operators = []


def declare_torchvision_operators() -> None:
    """Make torchvision's Python modules importable if its compiled ones are for another torch."""
    found = find_spec("torchvision")
    if found is None:
        return
    try:
        __import__("torchvision")
    except RuntimeError:
        source = (Path(found.origin).parent / "_meta_registrations.py").read_text()
        names = set(re.findall(r'register_(?:meta|fake)\("(?:torchvision::)?(\w+)"', source))
        library = torch.library.Library("torchvision", "FRAGMENT")
        _operators.append(library)  # whose operators are removed with it
        for name in names:
            library.define(f"{name}() -> Tensor")


class OlderAdam(torch.optim.Adam):
    """Adam whose state refers to parameters by identity, as in torch 1.5, so that copies differ."""

    def state_dict(self) -> dict:
        state = super().state_dict()
        names = [id(each) for group in self.param_groups for each in group["params"]]
        return {
            "state": {names[i]: values for i, values in state["state"].items()},
            "param_groups": [
                {**group, "params": [names[i] for i in group["params"]]}
                for group in state["param_groups"]
            ],
        }


declare_torchvision_operators()

from mmf_cmsbert.compat import imports  # noqa: E402

imports.MMF_PACKAGES += ("tests",)

import mmf_cmsbert  # noqa: E402
from mmf_cmsbert.compat.mmf import line as mmf_line  # noqa: E402

mmf_cmsbert.register()  # before a test imports MMF, which would import the tests' package again


def known_failures() -> dict[str, str]:
    """Return the known failures: node of a test -> reason."""
    causes, cause = {}, ""
    for line in (HERE / f"{'main' if mmf_line.is_main() else 'rc10'}.txt").read_text().splitlines():
        if line.startswith("# "):
            cause = line[2:]
        elif line:
            causes[line] = cause
    return causes


def pytest_configure() -> None:
    if mmf_line.is_main():
        from mmf.utils import general

        # It retries six times, with increasing pauses, without a network.
        general.time = imports.facade(time, sleep=lambda seconds: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark known failures, and give rc10's tests of checkpoints an Adam as in torch 1.5."""
    causes = known_failures()
    for item in items:
        if item.nodeid in causes:
            item.add_marker(pytest.mark.xfail(reason=causes[item.nodeid]))
        if item.module.__name__ == "tests.utils.test_checkpoint" and not mmf_line.is_main():
            optim = imports.facade(torch.optim, Adam=OlderAdam)
            item.module.torch = imports.facade(torch, optim=optim)
