"""Defaults for configuration keys that MMF lacks and that MMF or this package reads."""

from collections.abc import Mapping
from typing import Any

from mmf.utils import configuration
from omegaconf import OmegaConf

from mmf_cmsbert.compat.mmf.line import is_main
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.config.words import value_of

DEFAULTS = """
env:
    # Whether a run replaces an earlier one in env.save_dir; otherwise such a folder is refused
    overwrite: false
training:
    # fp32, tf32, bf16 or fp16: of forward and backward pass; weights and our losses stay in fp32
    precision: fp32
    # Progress bars: auto where a terminal watches; true or false
    progress_bar: auto
    # Run under autograd's anomaly detection, which names the operation behind a NaN. Slow.
    detect_anomaly: false
    # Batches whose gradients make one update. Losses that compare segments with each other, such as
    # multimodal_contrastive, compare within each batch
    update_frequency: 1
    # Largest norm of all gradients together, when training.clip_gradients is true
    max_grad_l2_norm: null
    # Whether rc10 hides its log from the terminal; main never does, and does not look here
    stdout_capture: true
evaluation:
    # The same of validation, test and predictions
    precision: fp32
checkpoint:
    # How many models/model_<update>.ckpt stay, the newest ones: -1 all of them, 0 none
    max_to_keep: -1
"""


_more = [DEFAULTS]


def add(defaults: str) -> None:
    """Add YAML of keys that MMF lacks, below what is there, to every configuration from now on."""
    _more.append(defaults)


@patch(
    "mmf.utils.configuration._merge_with_dotlist",
    why="MMF refuses to override a key that no YAML file holds, and drops the value of a whole "
    "section that is given on the command line.",
    remove_when="MMF takes defaults from plugins and sets whole sections.",
)
def add_defaults() -> None:
    # This is the last step before overrides are checked against the keys that exist. It comes after
    # `env.user_dir` is imported, so it works for plugins that are imported that way.
    owner = configuration if is_main() else configuration.Configuration
    original = owner._merge_with_dotlist

    def merge_with_dotlist(*args: Any, **kwargs: Any) -> Any:
        *itself, config, options = args
        config = OmegaConf.merge(*map(OmegaConf.create, _more), config)
        return original(*itself, config, _without_sections(config, options), **kwargs)

    owner._merge_with_dotlist = merge_with_dotlist


def _without_sections(config: Any, options: list[str] | None) -> list[str] | None:
    """Set the values of whole sections among the options, which MMF drops."""
    if not options or "=" not in options[0]:
        return options
    rest = []
    for option in options:
        key, _, text = option.partition("=")
        if "[" not in key and isinstance(OmegaConf.select(config, key), Mapping):
            OmegaConf.update(config, key, value_of(text), merge=False)
        else:
            rest.append(option)
    return rest
