"""The registered shifts by name."""

from collections.abc import Callable
from typing import TypeVar

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.shifts.base import Shift

NONE = "none"
_shifts: dict[str, type[Shift]] = {}
Class = TypeVar("Class", bound=type[Shift])


def register_shift(name: str) -> Callable[[Class], Class]:
    """Register the decorated subclass of :class:`~.base.Shift` under ``name``.

    The name is then accepted as ``model_config.cmsbert.shift.context``.

    Raises:
        ConfigError: the name is taken by another class, or the class is not a shift.
    """

    def register(shift: Class) -> Class:
        if not (isinstance(shift, type) and issubclass(shift, Shift)):
            raise ConfigError(
                f"register_shift({name!r}): {shift!r} is not a subclass of "
                "mmf_cmsbert.modules.Shift; let it inherit from Shift"
            )
        taken = _shifts.get(name)
        if name == NONE or (taken is not None and _place(taken) != _place(shift)):
            by = f"the shift {_place(taken)}" if taken else "the choice of no shift"
            raise ConfigError(
                f"{_place(shift)}: the name {name!r} is taken by {by}; register the shift under "
                "another name"
            )
        _shifts[name] = shift
        return shift

    return register


def shift_named(name: object, key: str) -> type[Shift] | None:
    """Return the shift registered under ``name``, None for ``none``.

    Args:
        name: the value of ``key``.
        key: the configuration key that names the shift, for the message.

    Raises:
        ConfigError: no shift has this name; the message lists the names.
    """
    if name == NONE:
        return None
    if not isinstance(name, str) or name not in _shifts:
        raise ConfigError(
            f"{key} is {name!r}; expected one of {', '.join([*_shifts, NONE])}, or a shift "
            "registered by the package in env.user_dir"
        )
    return _shifts[name]


def _place(shift: type[Shift]) -> str:
    return f"{shift.__module__}.{shift.__qualname__}"
