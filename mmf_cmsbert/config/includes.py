"""Read a configuration file with the files that it includes, as MMF does."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmf_cmsbert.config.run_length import settled
from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.paths import PACKAGE

_MOST_FILES = 100


class ConfigFiles:
    """Reads configuration files together with their ``includes``.

    An included file is searched for in MMF's folder, in the folder of the file that includes it,
    and in this package, in this order.

    Args:
        mmf_root: MMF's folder.
        merge: merges configurations, later ones over earlier ones.
    """

    def __init__(self, mmf_root: Path, merge: Callable[..., Any] = OmegaConf.merge):
        self._mmf_root = mmf_root
        self._merge = merge
        self._read: dict[Path, DictConfig] = {}

    def load(self, path: Path) -> DictConfig:
        """Return the values of a file, merged over those of the files that it includes.

        Raises:
            ConfigError: a file is missing, is not a configuration, or includes itself.
        """
        return self._load(path.resolve(), ())

    def _load(self, path: Path, including: tuple[Path, ...]) -> DictConfig:
        if path in including:
            circle = " -> ".join(map(str, [*including[including.index(path) :], path]))
            raise ConfigError(f"includes: the files include each other in a circle: {circle}")
        if path in self._read:
            return self._read[path]
        if len(self._read) + len(including) >= _MOST_FILES:
            raise ConfigError(f"{path}: more than {_MOST_FILES} files are included")
        content = dict(read_yaml(path))
        included = [
            self._load(self._find(name, path), (*including, path))
            for name in _names(content.pop("includes", None), path)
        ]
        try:
            merged = self._merge({}, *included, OmegaConf.create(settled(content, str(path))))
        except (OmegaConfBaseException, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"{path}: cannot be merged with the files that it includes: {reason}"
            ) from error
        self._read[path] = merged
        return merged

    def _find(self, name: str, file: Path) -> Path:
        places = [self._mmf_root, file.parent, PACKAGE]
        for place in places:
            if (place / name).exists():
                return (place / name).resolve()
        raise ConfigError(
            f"{file}: includes {name}, but there is no such file in {', '.join(map(str, places))}"
        )


def _names(includes: Any, path: Path) -> Sequence[str]:
    names = [] if includes is None else includes
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        found = type(includes).__name__ if isinstance(includes, Mapping) else repr(includes)
        raise ConfigError(
            f"{path}: includes is {found[:100]}; expected a list of files, as in "
            "includes: [./common.yaml]"
        )
    return names
