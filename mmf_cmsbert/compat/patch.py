"""A patch: one change to MMF, or to a library as MMF sees it, with its reason.

Every file below ``libraries``, ``mmf`` and ``models`` defines its patches with :func:`patch`.
:func:`active` lists those that the installed versions need; ``cmsbert doctor`` prints them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from mmf_cmsbert.compat.mmf import line as mmf_line

Line = Literal["both", "rc10", "main"]

_active: list["Patch"] = []


@dataclass(frozen=True)
class Patch:
    """One change, its reason, and when it can be removed.

    Attributes:
        target: dotted name of the changed object.
        line: the line of MMF that needs it: ``rc10``, ``main`` or ``both``.
        why: what goes wrong without it.
        remove_when: the condition under which it is no longer needed.
        install: makes the change. Returns False if the installed versions do not need it.
    """

    target: str
    line: Line
    why: str
    remove_when: str
    install: Callable[[], bool | None]

    def apply(self) -> bool:
        """Install the patch; return whether the installed line and versions need it."""
        needed = self.line in ("both", mmf_line.installed()) and self.install() is not False
        if needed:
            _active.append(self)
        return needed


def patch(
    target: str, line: Line = "both", *, why: str, remove_when: str
) -> Callable[[Callable[[], bool | None]], Patch]:
    """Decorate a function that installs a patch; arguments as for :class:`Patch`."""

    def make(install: Callable[[], bool | None]) -> Patch:
        return Patch(target, line, why, remove_when, install)

    return make


def apply_all(module: ModuleType) -> None:
    """Apply the patches of a module in the order of their definition."""
    for value in list(vars(module).values()):
        if isinstance(value, Patch):
            value.apply()


def active() -> tuple[Patch, ...]:
    """Return the patches that were applied in this process, in order."""
    return tuple(_active)
