"""The choices that make a network: one field a knob of ``model_config.cmsbert``."""

from dataclasses import dataclass, fields
from math import isfinite

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.shifts.base import Shift
from mmf_cmsbert.modules.shifts.registry import shift_named

CHOICES = {
    "shift_gate": ("relu", "sigmoid"),
    "shift_start": ("auto", "mag", "identity"),
    "pooling": ("cls", "mean", "attention"),
    "text_state": ("fused", "verbal"),
    "classes": (None, 2, 7),
}
# The names under which a user knows the fields.
KEYS = {
    "shift_context": "shift.context",
    "shift_layer": "shift.layer",
    "shift_beta": "shift.beta",
    "shift_dropout": "shift.dropout",
    "shift_gate": "shift.gate",
    "shift_start": "shift.start",
    "pooling": "backbone.pooling",
    "length_groups": "backbone.length_groups",
    "frame_dim": "frames.dim",
    "frame_layers": "frames.layers",
    "frame_heads": "frames.heads",
    "frame_dropout": "frames.dropout",
    "head_dropout": "head.dropout",
    "classes": "head.classes",
    "embed_dim": "contrastive.dim",
    "text_state": "contrastive.text_state",
}


@dataclass(frozen=True)
class NetworkSettings:
    """Knobs of :class:`CMSBert`, with the defaults of ``configs/models/cmsbert/defaults.yaml``.

    ``shift_start`` is never ``auto`` afterwards: that becomes the shift's ``default_start``, which
    is ``mag`` where words are shifted by their own frames, which is MAG, and else ``identity``,
    which was better on validation (our interpretation).

    Raises:
        ConfigError: a value that is none of the choices, or out of its range.
    """

    shift_context: str = "utterance"
    shift_layer: int = 0
    shift_beta: float = 1.0
    shift_dropout: float = 0.5
    shift_gate: str = "relu"
    shift_start: str = "auto"
    pooling: str = "cls"
    length_groups: int | str = "auto"
    frame_dim: int = 64
    frame_layers: int = 1
    frame_heads: int = 4
    frame_dropout: float = 0.1
    head_dropout: float = 0.1
    classes: int | None = None
    embed_dim: int = 128
    text_state: str = "fused"

    def __post_init__(self):
        for field in fields(self):
            self._check(field.name, getattr(self, field.name))
        if self.shift_start == "auto":
            shift = shift_named(self.shift_context, _key("shift_context")) or Shift
            object.__setattr__(self, "shift_start", shift.default_start)
        if self.frame_dim % self.frame_heads:
            raise ConfigError(
                f"model_config.cmsbert.frames.dim is {self.frame_dim}, which frames.heads "
                f"({self.frame_heads}) does not divide; choose a multiple"
            )

    @staticmethod
    def _check(name: str, value) -> None:
        expected = None
        if name == "shift_context":
            shift_named(value, _key(name))
        elif name in CHOICES:
            if value not in CHOICES[name] or isinstance(value, bool):
                expected = "one of " + ", ".join(str(choice) for choice in CHOICES[name])
        elif name.endswith("dropout"):
            if not is_number(value) or not 0 <= value < 1:
                expected = "a number from 0 to below 1"
        elif name == "shift_beta":
            if not is_number(value) or value <= 0:
                expected = "a number above 0"
        elif name in ("frame_dim", "frame_heads", "embed_dim", "frame_layers"):
            least = 0 if name == "frame_layers" else 1
            if not is_count(value, least):
                expected = f"a whole number, at least {least}"
        elif name == "length_groups" and not (value in ("auto", "packed") or is_count(value, 1)):
            expected = "auto, packed, or a whole number, at least 1"
        if expected:
            raise ConfigError(f"{_key(name)} is {value!r}; expected {expected}")


def _key(name: str) -> str:
    return f"model_config.cmsbert.{KEYS[name]}"


def is_count(value, least: int) -> bool:
    """Whether a value is a whole number of at least ``least``; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_number(value) -> bool:
    """Whether a value is a finite number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
