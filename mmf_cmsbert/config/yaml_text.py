"""Read a YAML file to plain containers, in bounded time and memory, without executing code."""

import io
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import read_regular

# The largest configuration that MMF ships has 20 KB, and a few hundred nodes.
MOST_BYTES, MOST_NODES, MOST_DEPTH = 1 << 18, 10_000, 50
_SUFFIXES = (".yaml", ".yml")
# Parsing to events creates no objects, so that the faster parser is equally safe.
_EVENTS = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> dict[Any, Any]:
    """Read a YAML file with keys and values.

    Error messages contain the position of an error. They quote text only from files with the suffix
    of a YAML file, because other files may contain secrets.

    Returns:
        Dicts, lists and scalars, references unresolved. Empty for an empty file.

    Raises:
        ConfigError: the file is missing, not a regular file, too large, not text, not YAML, nested
            too deeply, or not a mapping.
    """
    try:
        content = read_regular(path, MOST_BYTES)
    except DataError as error:
        raise ConfigError(f"{error}; expected a YAML file") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})") from error
    try:
        # YAML does not allow the zero byte, but the parser in C reads it as the end.
        text = content.decode("utf-8-sig").replace("\0", "\ufffe")
        return parse_yaml(text, str(path), quote=path.suffix.lower() in _SUFFIXES)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start}); expected YAML") from error


def parse_yaml(text: str, source: str, quote: bool = True) -> dict[Any, Any]:
    """Parse the keys and values of a YAML text.

    Args:
        text: the text.
        source: the file's name, for messages.
        quote: whether messages may quote words from the text.

    Raises:
        ConfigError: as for :func:`read_yaml`.
    """
    try:
        first = check_size(text, source)
        if first is None:
            return {}
        # OmegaConf turns text without keys into a key.
        if isinstance(first, yaml.MappingStartEvent):
            content: Any = OmegaConf.to_container(OmegaConf.load(io.StringIO(text)))
            return dict(content)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not YAML{_place(error, quote)}") from error
    except (OmegaConfBaseException, ValueError, TypeError, RecursionError) as error:
        # YAML has values and keys that configurations do not support, such as sets and pairs.
        reason = f": {' '.join(str(error).split())[:200]}" if quote else ""
        raise ConfigError(f"{source}: not a configuration{reason}") from error
    raise ConfigError(f"{source}: expected a configuration with keys and values, found none")


def check_size(text: str, source: str) -> yaml.Event | None:
    """Refuse too many nodes, counted after expanding aliases, or too many levels.

    Args:
        text: the YAML text.
        source: its file or key, for messages.

    Returns:
        The event that starts the outermost node; None if there is none.

    Raises:
        ConfigError: more than 10,000 nodes, or more than 50 levels.
        YAMLError: the text is not YAML.
    """
    first: yaml.Event | None = None
    sizes: dict[str, int | None] = {}
    counts = [0]
    anchors: list[str | None] = []
    size: int | None
    for event in yaml.parse(text, Loader=_EVENTS):
        if first is None and isinstance(event, yaml.NodeEvent):
            first = event
        if isinstance(event, yaml.CollectionStartEvent):
            counts.append(1)
            anchors.append(event.anchor)
            if event.anchor:
                sizes[event.anchor] = None  # until its end
            if len(counts) > MOST_DEPTH:
                raise ConfigError(
                    f"{source}: nested more than {MOST_DEPTH} levels deep (line "
                    f"{event.start_mark.line + 1})"
                )
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            size, anchor = counts.pop(), anchors.pop()
        elif isinstance(event, yaml.AliasEvent):
            size, anchor = sizes.get(event.anchor, 1), None
            if size is None:
                raise ConfigError(
                    f"{source}: an alias refers to a value that contains it (line "
                    f"{event.start_mark.line + 1})"
                )
        elif isinstance(event, yaml.ScalarEvent):
            size, anchor = 1, event.anchor
        else:
            continue
        if anchor:
            sizes[anchor] = size
        counts[-1] += size
        if counts[-1] > MOST_NODES:
            raise ConfigError(f"{source}: more than {MOST_NODES:,} values after expanding aliases")
    return first


def _place(error: yaml.YAMLError, quote: bool) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    return f"{place}: {' '.join(str(problem).split())[:200]}" if quote and problem else place
