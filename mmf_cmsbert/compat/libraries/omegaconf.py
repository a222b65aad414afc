"""omegaconf: missing keys as in release 2.0, for configs that MMF creates or reads.

Since 2.1 a missing key raises an error; before, it was None, and MMF relies on that. The old
behaviour applies to configs with a flag, which MMF's calls of `OmegaConf` set and which nodes,
copies and merges inherit. It also applies to any config that is read by MMF's code, such as one
that a user passes to MMF's classes. Other configs raise when other code reads them, and so do
structured configs and those in struct mode. Reading an existing key costs one more dict lookup.
"""

import os
import sys
import warnings
from functools import partial
from types import FrameType
from typing import Any

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch

_FLAG = "mmf_missing_is_none"


@patch(
    "omegaconf.DictConfig",
    why="A missing key raises since omegaconf 2.1; MMF expects None.",
    remove_when="MMF reads optional keys with get().",
)
def return_none_for_missing_keys() -> bool:
    import omegaconf

    original = omegaconf.OmegaConf
    if _returns_none(original.create({})):
        return False
    _patch_reading(omegaconf.DictConfig, original.to_yaml)
    mmfs = _mmfs_omegaconf(original)
    imports.replace_module("omegaconf", imports.facade(omegaconf, OmegaConf=mmfs))
    found: Any
    for name, found in list(sys.modules.items()):  # MMF may have been imported before
        if imports.is_mmf(name) and getattr(found, "OmegaConf", None) is original:
            found.OmegaConf = mmfs
    return True


@patch(
    "omegaconf.OmegaConf resolver env",
    why="omegaconf 2.1 renamed the resolver `env` to `oc.env`; YAML written for rc10 uses `env`.",
    remove_when="support for rc10 ends.",
)
def register_env() -> bool:
    from omegaconf import OmegaConf

    if OmegaConf.has_resolver("env"):
        return False
    OmegaConf.register_resolver("env", env)
    # rc10's YAML has empty defaults, `${env:MMF_LOG_DIR,}`, which newer releases warn about.
    warnings.filterwarnings("ignore", r"In the sequence `MMF_\w+,`")
    return True


def _returns_none(config: Any) -> bool:
    try:
        return config.missing is None
    except AttributeError:
        return False


def env(name: str, default: Any = None) -> Any:
    """Resolve `${env:NAME,default}` of rc10's YAML; the variable is parsed as a YAML scalar.

    Raises:
        KeyError: the variable is not set, and there is no default.
    """
    value = os.environ.get(name, default)
    if value is None:
        raise KeyError(f"environment variable {name!r} is not set, and no default is given")
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for number in (int, float):
        try:
            return number(value)
        except ValueError:
            pass
    return value


def _mmfs_omegaconf(original: Any) -> type:
    """Return `OmegaConf` for MMF: it flags new configs, and replaces registered resolvers."""

    def flagged(make: Any) -> Any:
        def make_flagged(*args: Any, **kwargs: Any) -> Any:
            config = make(*args, **kwargs)
            if config is not None:
                config._set_flag(_FLAG, True)
            return config

        return staticmethod(make_flagged)

    # MMF clears all resolvers, including those of other libraries, to register its own again.
    register = staticmethod(partial(original.register_resolver, replace=True))
    return type(
        "OmegaConf",
        (original,),
        {
            "create": flagged(original.create),
            "load": flagged(original.load),
            "merge": flagged(original.merge),
            "from_dotlist": flagged(original.from_dotlist),
            "register_resolver": register,
            "register_new_resolver": register,
            "clear_resolvers": staticmethod(lambda: None),
        },
    )


def _patch_reading(dict_config: Any, to_yaml: Any) -> None:
    get_attribute, get_item, get = dict_config.__getattr__, dict_config.__getitem__, dict_config.get

    def __getattr__(self: Any, key: str) -> Any:
        # Not for special names, which Python tests for.
        if _lacks(self, key) and not key.startswith("__") and _as_in_2_0(self, sys._getframe(1)):
            if key == "pretty":
                return partial(to_yaml, self)
            if _takes_any_key(self):
                return None
        return get_attribute(self, key)

    def __getitem__(self: Any, key: Any) -> Any:
        if _lacks(self, key) and _as_in_2_0(self, sys._getframe(1)) and _takes_any_key(self):
            return None
        return get_item(self, key)

    def get_or_default(self: Any, key: Any, default_value: Any = None) -> Any:
        # In 2.0 the default also replaced a value of None.
        value = get(self, key, default_value)
        if value is None and default_value is not None and _as_in_2_0(self, sys._getframe(1)):
            return default_value
        return value

    dict_config.__getattr__ = __getattr__
    dict_config.__getitem__ = __getitem__
    dict_config.get = get_or_default


def _lacks(config: Any, key: Any) -> bool:
    content = config.__dict__.get("_content")
    try:
        return isinstance(content, dict) and key not in content
    except TypeError:  # not hashable; omegaconf reports it
        return False


def _as_in_2_0(config: Any, reader: FrameType) -> bool:
    return bool(config._get_flag(_FLAG)) or imports.is_mmf(reader.f_globals.get("__name__", ""))


def _takes_any_key(config: Any) -> bool:
    return config._get_flag("struct") is not True and not config._is_typed()
