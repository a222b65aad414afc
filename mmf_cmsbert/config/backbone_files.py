"""Whether two names or folders hold the same pretrained tokenizer and architecture.

A model may be trained with a hub name and used with a local copy, or its folder may have moved. Its
weights are in the checkpoint; word pieces and architecture come from small files, compared here.
"""

from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json, sha256_of
from mmf_cmsbert.paths import find

_TOKENIZER = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
)
# Keys of a config.json that name its origin or how weights are stored.
_IRRELEVANT = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures")
# Bytes of a config.json: one that names 20,000 classes has one million.
_LARGEST_CONFIG = 1 << 24


def is_here(name: str) -> bool:
    """Whether a hub name or folder can be looked into without a network."""
    return bool(_files(name))


def same_pretrained(first: str, second: str) -> bool:
    """Whether two hub names or folders hold the same tokenizer and architecture.

    True also where one of them is not on this machine, so that nothing can be compared.

    Raises:
        DataError: a file is a pipe or device, too large, or cannot be read.
    """
    if first == second or not (is_here(first) and is_here(second)):
        return True
    try:
        return _same(_files(first), _files(second))
    except OSError as error:
        raise DataError(
            f"{error.filename}: cannot be read ({error.strerror or error}), and is compared with "
            "what the model was trained with"
        ) from error


def _same(one: dict[str, Path], other: dict[str, Path]) -> bool:
    shared = [name for name in _TOKENIZER if name in one and name in other]
    if any(sha256_of(one[name]) != sha256_of(other[name]) for name in shared):
        return False
    if bool(set(one) & set(_TOKENIZER)) and bool(set(other) & set(_TOKENIZER)) and not shared:
        return False
    return _architecture(one) == _architecture(other)


def _files(name: str) -> dict[str, Path]:
    folder = find(name)
    if folder is not None:
        found = {each: folder / each for each in (*_TOKENIZER, "config.json")}
        return {each: path for each, path in found.items() if path.is_file()}
    from huggingface_hub import try_to_load_from_cache

    try:
        cached = {each: try_to_load_from_cache(name, each) for each in (*_TOKENIZER, "config.json")}
    except ValueError:  # no name that the hub could have, such as a folder of another machine
        return {}
    return {each: Path(path) for each, path in cached.items() if isinstance(path, str)}


def _architecture(files: dict[str, Path]) -> dict[str, Any]:
    if "config.json" not in files:
        return {}
    try:
        content = read_json(files["config.json"], _LARGEST_CONFIG)
    except ValueError:
        content = None
    if not isinstance(content, dict):  # transformers says what is wrong with it
        return {}
    return {key: value for key, value in content.items() if key not in _IRRELEVANT}
