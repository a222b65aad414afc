"""Configuration keys without a default in MMF 1.0.0rc10, which it or the patches here read.

MMF refuses to override a key on the command line that no YAML holds, so these must exist.
"""

from mmf.utils.configuration import Configuration
from omegaconf import OmegaConf

DEFAULTS = """
training:
    # Run under autograd's anomaly detection, which names the operation behind a NaN. Slow.
    detect_anomaly: false
    # Largest norm of all gradients together, when training.clip_gradients is true
    max_grad_l2_norm: null
checkpoint:
    # How many models/model_<update>.ckpt stay, the newest ones: -1 all of them, 0 none
    max_to_keep: -1
"""


def apply() -> None:
    """Add the missing defaults, below everything that YAML files and the command line say."""
    original = getattr(Configuration, "_merge_with_dotlist", None)
    if original is None:  # main, whose own defaults are complete
        return

    def merge_with_dotlist(self, config, opts):
        # This is the last step before overrides are checked against the keys that exist. It comes
        # after `env.user_dir` is imported, so it works for plugins that are imported that way.
        return original(self, OmegaConf.merge(OmegaConf.create(DEFAULTS), config), opts)

    Configuration._merge_with_dotlist = merge_with_dotlist
