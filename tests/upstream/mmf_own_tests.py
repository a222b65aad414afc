"""A pytest plugin: MMF's own unit tests, against an MMF behind `mmf_cmsbert.compat`.

`run.py` starts pytest with it. Here stands what concerns the tests alone: they are to see the
libraries as MMF sees them, they presume a few things of their time's libraries themselves, and the
failures that are left are known, with their causes (`rc10.txt`, `main.txt`).
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
    """Let torchvision's Python parts be imported where its compiled ones are for another torch."""
    found = find_spec("torchvision")
    if found is None:
        return
    try:
        __import__("torchvision")
    except RuntimeError:
        source = (Path(found.origin).parent / "_meta_registrations.py").read_text()
        names = set(re.findall(r'register_(?:meta|fake)\("(?:torchvision::)?(\w+)"', source))
        library = torch.library.Library("torchvision", "FRAGMENT")
        _operators.append(library)  # which takes its operators with it when it goes
        for name in names:
            library.define(f"{name}() -> Tensor")


class OlderAdam(torch.optim.Adam):
    """Adam whose state names parameters by identity, as in torch 1.5: two copies never agree."""

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

mmf_cmsbert.register()  # before a test imports MMF, which would begin with the tests' package anew


def known_failures() -> dict[str, str]:
    """Node of a test -> why it fails."""
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

        # It asks six times, with longer and longer pauses, a network that is not there.
        general.time = imports.facade(time, sleep=lambda seconds: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is known to fail, and give rc10's tests of checkpoints the Adam of their time."""
    causes = known_failures()
    for item in items:
        if item.nodeid in causes:
            item.add_marker(pytest.mark.xfail(reason=causes[item.nodeid]))
        if item.module.__name__ == "tests.utils.test_checkpoint" and not mmf_line.is_main():
            optim = imports.facade(torch.optim, Adam=OlderAdam)
            item.module.torch = imports.facade(torch, optim=optim)
