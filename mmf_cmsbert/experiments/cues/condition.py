"""The conditions of the planted-cue benchmark, and their names in folders and tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.cues.placements import PLACEMENTS

# In standard deviations of the label that the cue adds; MOSI's labels have one of 1.6.
STRENGTHS = (0.0, 0.25, 0.5, 1.0, 1.5)
_NAME = re.compile(r"(\w+)_([\d.]+)(_permuted)?_(\d+)_draw(\d+)")


@dataclass(frozen=True)
class Condition:
    """What a corpus of the benchmark is made of.

    Attributes:
        placement: where the cue is.
        strength: how much a cue of 1 adds to the label.
        size: number of training segments.
        draw: the seed of cues and frames; runs of it train with the same number as seed.
        permuted: whether the labels of each split are permuted, so that nothing can be learned.
    """

    placement: str
    strength: float
    size: int
    draw: int
    permuted: bool = False

    @property
    def name(self) -> str:
        """The name of its recipe: the base of its runs."""
        permuted = "_permuted" * self.permuted
        return f"{self.placement}_{self.strength:g}{permuted}_{self.size}_draw{self.draw}"

    @classmethod
    def named(cls, name: str) -> "Condition":
        """Return the condition of a name."""
        found = _NAME.fullmatch(name)
        assert found is not None, name
        placement, strength, permuted, size, draw = found.groups()
        return cls(placement, float(strength), int(size), int(draw), bool(permuted))


def conditions(
    placements: Sequence[str],
    strengths: Sequence[float],
    sizes: Sequence[int],
    draw: int,
    permuted: bool = True,
) -> list[Condition]:
    """Return the conditions of a draw, the controls with permuted labels last.

    These have the largest strength and training set; without ``permuted`` there are none.
    """
    found = [
        Condition(placement, strength, size, draw)
        for placement in placements
        for strength in strengths
        for size in sizes
    ]
    controls = [
        Condition(placement, max(strengths), max(sizes), draw, permuted=True)
        for placement in placements
        if permuted
    ]
    return found + controls


def sizes_of(available: int, typed: Sequence[int] | None) -> list[int]:
    """Return the numbers of training segments: those typed, else a quarter, half and all.

    Raises:
        ConfigError: the corpus has fewer.
    """
    if not typed:
        return sorted({max(1, available // 4), max(1, available // 2), available})
    if max(typed) > available:
        raise ConfigError(
            f"--size {max(typed)}: the training split has {available} usable segments; expected at "
            "most as many"
        )
    return sorted(set(typed))


def checked_strengths(typed: Sequence[float] | None) -> list[float]:
    """Return the strengths typed, else all, without repetitions and in order.

    Raises:
        ConfigError: none is above zero, or one does not survive in the name of a condition.
    """
    found = sorted(set(typed or STRENGTHS))
    for each in found:
        if not re.fullmatch(r"[\d.]+", f"{each:g}") or float(f"{each:g}") != each:
            raise ConfigError(
                f"--strength {each}: expected a number of at most six digits, such as 0.25"
            )
    if max(found) == 0:
        raise ConfigError("--strength 0 alone plants nothing; add one above 0")
    return found


def checked_placements(typed: Sequence[str] | None) -> list[str]:
    """Return the placements typed, else all.

    Raises:
        ConfigError: there is no such placement.
    """
    for name in typed or ():
        if name not in PLACEMENTS:
            raise ConfigError(f"--placement {name}: expected one of {', '.join(PLACEMENTS)}")
    return list(dict.fromkeys(typed or PLACEMENTS))
