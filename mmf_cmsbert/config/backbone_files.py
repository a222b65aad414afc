"""Compare the tokenizer and architecture of two pretrained models, given by name or folder.

A model may be trained with a hub name and used with a local copy, or its folder may have moved. The
checkpoint contains the weights; the tokenizer and the architecture come from small files, which are
compared here.
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
# Bytes of a config.json; with the names of 20,000 classes it has about one million.
_LARGEST_CONFIG = 1 << 24


def is_here(name: str) -> bool:
    """Return whether the files of a hub name or folder are available offline."""
    return bool(_files(name))


def same_pretrained(first: str, second: str) -> bool:
    """Return whether two hub names or folders contain the same tokenizer and architecture.

    Also true if one of them is not on this machine, because they cannot be compared then.

    Raises:
        DataError: a file is a pipe or device, too large, or cannot be read.
    """
    if first == second or not (is_here(first) and is_here(second)):
        return True
    try:
        return _same(_files(first), _files(second))
    except OSError as error:
        raise DataError(
            f"{error.filename}: cannot be read ({error.strerror or error}); it has to be compared "
            "with the file that the model was trained with"
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
    except ValueError:  # not a valid hub name, such as a folder of another machine
        return {}
    return {each: Path(path) for each, path in cached.items() if isinstance(path, str)}


def _architecture(files: dict[str, Path]) -> dict[str, Any]:
    if "config.json" not in files:
        return {}
    try:
        content = read_json(files["config.json"], _LARGEST_CONFIG)
    except ValueError:
        content = None
    if not isinstance(content, dict):  # transformers reports the error when it loads the file
        return {}
    return {key: value for key, value in content.items() if key not in _IRRELEVANT}
