"""Parse the values of ``KEY=VALUE`` arguments as YAML or paths, and write them for MMF.

MMF parses a value twice, as YAML and as a Python literal. MMF 1.0.0rc10 ignores a value with an
equals sign.
"""

import json
import re
from ast import literal_eval
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from mmf_cmsbert.config.yaml_text import check_size
from mmf_cmsbert.errors import ConfigError

# Values of these keys are paths or names; they are not parsed as YAML.
_PATHS = (
    "config",
    "env.*_dir",
    "env.tensorboard_logdir",
    "env.*_zoo",
    "checkpoint.resume_file",
    "dataset_config.*.data_dir",
    "dataset_config.*.store_dir",
    "dataset_config.*.vocabulary",
    "*.tokenizer",
    "*.backbone.name",
    "*.from_config",
)
# Values of these keys are paths, or lists of them in brackets.
_LISTS_OF_PATHS = ("dataset_config.*.annotations.*", "dataset_config.*.source")
_QUOTES = "'\""
_SPECIAL = (bool, list, dict, type(None))


class _Loader(yaml.SafeLoader):
    """Parses YAML with the types of configuration files."""


# As in configuration files, 1e-3 is a number (PyYAML requires 1.0e-3), and a date is text.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+\Z"),
    list("-+0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)


def read(key: str, text: str) -> str:
    """Parse a typed value, and return it in the form that MMF reads.

    Args:
        key: the dotted key.
        text: the value as typed.

    Returns:
        Text, or a Python literal if the value is not text.

    Raises:
        ConfigError: brackets or braces are not valid YAML, or the value is not UTF-8 text.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{key}: {ascii(text)} is not UTF-8 text") from error
    listed = text.strip()
    paths = any(fnmatchcase(key, pattern) for pattern in _LISTS_OF_PATHS)
    if (is_path(key) and not text.startswith("{")) or (paths and not listed.startswith("[")):
        return "None" if text in ("null", "~", "None") else _unquoted(text)
    if paths and listed.endswith("]") and (files := _listed(listed[1:-1])):
        return repr(files)
    value = _parsed(key, text)
    if isinstance(value, _SPECIAL) and text:
        return repr(value)
    return repr(value) if text[:1] in _QUOTES and isinstance(value, str) else text


def value_of(text: str) -> Any:
    """Return the value that MMF reads from the text of an option."""
    try:
        return None if text == "None" else literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


def option_value(key: str, text: str) -> Any:
    """Return the value of an option whose text :func:`read` returned."""
    return text if is_path(key) and text != "None" else value_of(text)


def write(key: str, text: str) -> str:
    """Return the argument for MMF of an option whose text :func:`read` returned."""
    value = option_value(key, text)
    if isinstance(value, str) and value == text and _reads_back(value):
        return f"{key}={text}"
    if isinstance(value, (str, list, dict)):
        # An equals sign only occurs within quotes.
        return f"{key}={_literal(value).replace('=', chr(92) + 'x3d')}"
    return f"{key}={text}"


def is_path(key: str) -> bool:
    """Return whether the values of a key are paths or names, which are not parsed."""
    return any(fnmatchcase(key, pattern) for pattern in _PATHS)


def _parsed(key: str, text: str) -> Any:
    try:
        check_size(text, key)
        value = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        if text.lstrip()[:1] not in ("[", "{"):
            return text
        problem = getattr(error, "problem", None) or error
        raise ConfigError(f"{key}: the value {text!r} is not YAML ({problem})") from error
    # On a command line, lists and mappings need brackets: "- a" and "a: b" are text.
    if isinstance(value, (list, dict)) and text.lstrip()[:1] not in ("[", "{"):
        return text
    return value


def _listed(text: str) -> list[str] | None:
    """Split paths at commas, without parsing them; None if quotes or brackets require YAML."""
    if _exists(text.strip()):
        return [text.strip()]  # one path that contains commas or brackets
    files = [each.strip() for each in text.split(",")]
    return None if any(not each or each[0] in _QUOTES + "[{" for each in files) else files


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES and not _exists(text):
        value = _parsed("", text)
        return value if isinstance(value, str) else text
    return text


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _reads_back(value: str) -> bool:
    if "=" in value or value_of(value) != value:
        return False
    try:
        return yaml.safe_load(value) == value or not value
    except (yaml.YAMLError, ValueError):
        return False


def _literal(value: Any) -> str:
    """Return a literal that is the same in YAML and in Python."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(k)}: {_literal(v)}' for k, v in value.items())}}}"
    return repr(value)
