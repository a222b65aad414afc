"""Pretrained parts from Hugging Face: the local copy first, then the hub."""

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.files import NotRegularFile, check_regular, open_regular, read_json
from mmf_cmsbert.paths import find

_LARGEST_CONFIG = 1 << 24  # bytes


def load_pretrained(
    load: Callable[..., Any],
    name: str | None,
    what: str,
    key: str,
    /,
    hint: str = "",
    **kwargs: Any,
) -> Any:
    """Call ``load(name_or_folder, **kwargs)``, a ``from_pretrained``, and explain a failure.

    Args:
        load: for example ``AutoModel.from_pretrained``.
        name: a name on the hub, or a folder (absolute, relative to the working folder, or shipped
            with this package).
        what: what is being loaded, for the message.
        key: the configuration key that names it, for the message.
        hint: what else to type, for the message.
        **kwargs: passed to ``load``.

    Raises:
        ConfigError: the name is neither a folder, nor in the local cache, nor on the hub.
    """
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{key} is {name!r}; expected a name on the Hugging Face hub or a folder")
    folder = find(name)
    if folder is None and (Path(name).is_absolute() or name.startswith((".", "~"))):
        raise ConfigError(
            f"{key}: there is no folder {name}. Type {key}=/path/to/folder with one that holds "
            f"a model as Hugging Face transformers saves it{hint}"
        )
    if folder is not None:
        _check_files(folder, key)
    try:
        # A cached model needs no network, and a machine without one must not wait for it.
        return load(str(folder or name), local_files_only=True, **kwargs)
    except Exception as error:  # damaged files fail in many ways
        failure = error
    if folder is None:
        try:
            _ask_hub(name)
            return load(name, **kwargs)
        except Exception as error:
            failure = error
    where = f"in the folder {folder}" if folder else "in the local cache or on the Hugging Face hub"
    raise ConfigError(
        f"{key}: the {what} {name!r} could not be had {where} "
        f"({type(failure).__name__}: {_first_line(failure)}). "
        f"Where there is no network, type {key}=/path/to/folder with a local copy{hint}"
    ) from failure


def weights_in_memory(load: Any) -> Callable[..., Any]:
    """Wrap the ``from_pretrained`` of a model so that it reads files of weights, never maps them.

    A mapped file stays mapped for as long as the model lives: if the file is cut, the process ends
    (SIGBUS), and if it is overwritten, the weights change. transformers reads ``.safetensors``
    files on request, where its version can, and maps ``.bin`` files always; these are read here.

    Args:
        load: the method of a model's class, or of ``AutoModel``.
    """

    def from_pretrained(name: str, **kwargs: Any) -> Any:
        from transformers import AutoConfig

        where = {"local_files_only": kwargs.get("local_files_only", False)}
        if not (files := _bin_files(name, **where)):
            return load(name, **_unmapped(), **kwargs)
        weights = {key: tensor for file in files for key, tensor in _read_bin(file).items()}
        config = kwargs.pop("config", None) or AutoConfig.from_pretrained(name, **where)
        model = _of_class(load, config)(None, config=config, state_dict=weights, **kwargs)
        model.name_or_path = model.config.name_or_path = name
        return model

    return from_pretrained


def _of_class(load: Any, config: Any) -> Any:
    """``load`` of the class of that configuration: AutoModel's takes no tensors."""
    import torch
    from transformers import PreTrainedModel

    if issubclass(load.__self__, PreTrainedModel):
        return load
    with torch.device("meta"):  # which takes neither time nor memory
        return type(load.__self__.from_config(config)).from_pretrained


def _bin_files(name: str, **where: Any) -> list[str]:
    """The ``.bin`` files that transformers would load; none where it finds ``.safetensors``."""
    from transformers import utils
    from transformers.utils.hub import cached_file, get_checkpoint_shard_files

    def find(file: str) -> str | None:
        return cached_file(name, file, _raise_exceptions_for_missing_entries=False, **where)

    config = find(utils.CONFIG_NAME)
    if config and "transformers_weights" in read_json(config, _LARGEST_CONFIG):
        return []  # it names another file, which has to be .safetensors
    if find(utils.SAFE_WEIGHTS_NAME) or find(utils.SAFE_WEIGHTS_INDEX_NAME):
        return []
    if file := find(utils.WEIGHTS_NAME):
        return [file]
    index = find(utils.WEIGHTS_INDEX_NAME)
    return get_checkpoint_shard_files(name, index, **where)[0] if index else []


def _read_bin(file: str) -> dict[str, Any]:
    import torch

    with open_regular(file) as opened:
        weights: dict[str, Any] = torch.load(opened, map_location="cpu", weights_only=True)
    return weights


def _unmapped() -> dict[str, Any]:
    from transformers import PreTrainedModel

    known = signature(PreTrainedModel.from_pretrained).parameters
    return {"disable_mmap": True} if "disable_mmap" in known else {}


def _check_files(folder: Path, key: str) -> None:
    """Refuse pipes, devices and sockets among the files: opening one would never end.

    The libraries open the files by their names (the tokenizer's in Rust), and offer no way to hand
    over what was opened here. A file that is exchanged in between is not noticed.
    """
    try:
        for each in sorted(folder.iterdir()) if folder.is_dir() else [folder]:
            if not each.is_dir() and (folder == each or each.exists()):
                check_regular(each)
    except NotRegularFile as error:
        raise ConfigError(f"{key}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{key}: {folder} cannot be read ({error.strerror or error})") from error


def _ask_hub(name: str) -> None:
    """Ask the hub once: loading asks one that does not answer again and again for a minute."""
    from huggingface_hub import HfApi

    try:
        HfApi().model_info(name, timeout=10)
    except Exception as error:  # of whichever HTTP library the hub's client uses
        raise OSError(str(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
