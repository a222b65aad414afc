"""Compare the form of a value from a file with that of a valid value."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import torch


def difference(wanted: Any, found: Any, where: str) -> str | None:
    """Describe the first difference of form; None if there is none.

    The forms are alike if numbers are numbers, text is text, and containers hold values of alike
    forms: mappings under the same names, lists and tuples at the same positions. What is None on
    either side can be anything.

    Args:
        wanted: a value of the right form.
        found: the value from the file.
        where: its name, for the answer.
    """
    if wanted is None or found is None:
        return None
    if isinstance(wanted, Mapping):
        if not isinstance(found, Mapping):
            return _unlike(wanted, found, where)
        for name, each in wanted.items():
            # A newer release may keep more than the one that wrote the file.
            if name in found and (what := difference(each, found[name], f"{where}.{name}")):
                return what
        return None
    if isinstance(wanted, (list, tuple)):
        if not isinstance(found, (list, tuple)):
            return _unlike(wanted, found, where)
        for index, (one, other) in enumerate(zip(wanted, found, strict=False)):
            if what := difference(one, other, f"{where}[{index}]"):
                return what
        return None
    for kind in (bool, Real, str, torch.Tensor):
        if isinstance(wanted, kind):
            return None if isinstance(found, kind) else _unlike(wanted, found, where)
    return None


def _unlike(wanted: Any, found: Any, where: str) -> str:
    return f"{where} should be {type(wanted).__name__}, found {type(found).__name__}"
