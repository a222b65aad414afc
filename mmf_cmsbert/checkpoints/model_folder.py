"""The folder of an exported model.

``config.json``, ``model.safetensors`` and the tokenizer's files, named as Hugging Face's libraries
name them. Nothing in it executes code when it is read.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from pydantic import Field
from safetensors import SafetensorError
from torch import Tensor

from mmf_cmsbert.checkpoints.model_files import CONFIG, LARGEST_CONFIG, LIBRARY, OF_RUN
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.schemas.section import Section
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import read_json, read_regular, sha256_of, system_errors

WEIGHTS, CARD, FORMAT = "model.safetensors", "README.md", 1
# How the names of the network's tensors begin in the state of a model: trained, and averaged.
LATEST, AVERAGED = "network.", "ema.module."
_LARGEST_WEIGHTS = 1 << 36


class Preparation(Section):
    """What happens to the segments of a dataset before the network reads them.

    See ``dataset_config.<dataset>``.
    """

    max_seq_length: int = Field(
        ge=3, description="Word pieces of a segment, special tokens included."
    )
    max_frames: int | None = Field(None, description="Longer modalities are pooled to so many.")
    normalise: Literal["none", "corpus", "segment"] = Field("none", description="")
    single_frame: Literal["keep", "every_word"] = Field("keep", description="")
    non_finite: Literal["error", "zero"] = Field("error", description="")


class ModelConfig(Section):
    """``config.json`` of an exported model.

    Attributes:
        library_name: always ``mmf_cmsbert``.
        format: version of the folder's form.
        library_version: the version of this package that wrote it.
        model: ``model_config.cmsbert`` with the widths of all datasets.
        shift_class: the class of the shift, if another package than this one registered it.
        backbone: the configuration of the text encoder, as transformers writes it.
        temperature: of the contrastive similarities, as training left it.
        tokenizer: the tokenizer's name in training; its files are in the folder.
        datasets: dataset -> what happens to its segments.
        training: seed, commit, hashes of data, selected update, scores; from the run's record.
        weights_sha256: hash of the file of weights, verified when it is read; None: not verified.
    """

    library_name: Literal["mmf_cmsbert"] = Field("mmf_cmsbert", description="")
    format: int = Field(FORMAT, ge=1, le=FORMAT, description="")
    library_version: str = Field(description="")
    model: CMSBERTConfig = Field(description="")
    shift_class: str | None = Field(None, description="")
    backbone: dict[str, Any] = Field(description="")
    temperature: float | None = Field(None, gt=0, description="")
    tokenizer: str = Field(description="")
    datasets: dict[str, Preparation] = Field(min_length=1, description="")
    training: dict[str, Any] = Field({}, description="")
    weights_sha256: str | None = Field(None, description="")

    def widths(self, dataset: str) -> dict[str, int]:
        """Modality -> columns of a frame, of the modalities that the model reads of a dataset."""
        given = (self.model.features or {}).get(dataset, {})
        used = self.model.used({dataset: given})
        return {m: width for m, width in given.items() if width and m in used}


def find(name: str | Path, revision: str | None = None, **download: Any) -> Path:
    """The folder of a model.

    Args:
        name: a folder; a run's folder that has a model in ``model``; or a model on the Hugging Face
            hub, ``OWNER/NAME``.
        revision: branch, tag or commit on the hub.
        **download: further arguments of ``huggingface_hub.snapshot_download``.

    Raises:
        ConfigError: there is no such folder and no such model on the hub, or the folder holds no
            exported model.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return _from_hub(str(name), revision, download)
    for each in (folder, folder / OF_RUN):
        if (each / CONFIG).is_file() and (each / WEIGHTS).is_file():
            return each
    hint = ""
    if (folder / "run.json").is_file():
        hint = f". It is a run; type cmsbert export {folder} FOLDER, and name that folder"
    raise ConfigError(f"{folder} holds no exported model: expected {CONFIG} and {WEIGHTS}{hint}")


def _from_hub(name: str, revision: str | None, download: Mapping[str, Any]) -> Path:
    if name.startswith((".", "~", "/")) or name.count("/") != 1:
        raise ConfigError(
            f"there is no folder {name}; expected a folder that cmsbert export wrote, or "
            "OWNER/NAME on the Hugging Face hub"
        )
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.model", WEIGHTS, CARD]
    try:
        found = snapshot_download(name, revision=revision, allow_patterns=patterns, **download)
    except Exception as error:  # of the network, the hub, or the library that speaks to it
        reason = str(error).strip().splitlines()
        raise ConfigError(
            f"{name} is neither a folder nor a model that could be downloaded from the Hugging "
            f"Face hub ({type(error).__name__}: {reason[0][:200] if reason else 'no reason given'})"
        ) from error
    folder = Path(found)
    if not ((folder / CONFIG).is_file() and (folder / WEIGHTS).is_file()):
        raise ConfigError(f"{name} on the Hugging Face hub holds no {CONFIG} and {WEIGHTS}")
    return folder


def read_config(folder: Path) -> ModelConfig:
    """The configuration of an exported model.

    Raises:
        UserError: the file is missing or damaged, or was written by a newer version.
    """
    file = folder / CONFIG
    try:
        given = read_json(file, LARGEST_CONFIG)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise ConfigError(f"{file} is no JSON ({str(error)[:100]})") from error
    if not isinstance(given, dict) or given.get("library_name") != LIBRARY:
        raise ConfigError(
            f"{file} is not of a model of this package; expected library_name {LIBRARY}. Name a "
            "folder that cmsbert export wrote"
        )
    found = given.get("format")
    if type(found) is int and found > FORMAT:
        raise ConfigError(
            f"{file} has format {found}; this version of mmf_cmsbert reads formats up to {FORMAT}. "
            f"Install mmf_cmsbert {given.get('library_version', '')} or newer"
        )
    return read(ModelConfig, given, "", str(file))


def read_weights(folder: Path, config: ModelConfig | None = None) -> dict[str, Tensor]:
    """The tensors of an exported model by name.

    Args:
        folder: of the model.
        config: its configuration, with the hash of the file; None if the caller has a hash.

    Raises:
        UserError: the file is missing, damaged, or not the one that was exported.
    """
    file = folder / WEIGHTS
    try:
        # Read, not mapped: a file that is cut meanwhile would end the process.
        content = read_regular(file, _LARGEST_WEIGHTS)
        expected = None if config is None else config.weights_sha256
        if expected not in (None, hashlib.sha256(content).hexdigest()):
            raise DataError(
                f"{file} is not the file that was exported: its hash differs from weights_sha256 "
                f"in {CONFIG}. Export the model again, or copy it again from its source; if the "
                f"weights were changed on purpose, remove weights_sha256 from {CONFIG}"
            )
        return safetensors.torch.load(content)
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror or error})") from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise DataError(
            f"{file} is damaged ({str(error)[:150]}). Export the model again, or copy it again "
            "from its source"
        ) from error


def network_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's tensors in the state of a model: averaged ones where there is an average."""
    prefix = AVERAGED if any(name.startswith(AVERAGED) for name in state) else LATEST
    return {name[len(prefix) :]: each for name, each in state.items() if name.startswith(prefix)}


def as_checkpoint(folder: Path) -> dict[str, Any]:
    """The model as a checkpoint of MMF's model ``cmsbert``: weights and configuration.

    Both the trained network and its average have the exported weights.
    """
    config = read_config(folder)
    tensors = read_weights(folder, config)
    state = {LATEST + name: tensor for name, tensor in tensors.items()}
    if config.model.ema.enabled:
        state |= {AVERAGED + name: tensor.clone() for name, tensor in tensors.items()}
        state["ema.n_averaged"] = torch.tensor(1)
    temperature = config.temperature or config.model.contrastive.temperature
    state["temperature.log"] = torch.tensor(math.log(temperature))
    return {"model": state, "config": run_configuration(config), "resume": None}


def run_configuration(config: ModelConfig) -> dict[str, Any]:
    """What the configuration of a run with this model says of the model and its data."""
    return {
        "model": "cmsbert",
        "datasets": ",".join(config.datasets),
        "model_config": {"cmsbert": config.model.plain()},
        "dataset_config": {
            name: section.model_dump(exclude={"max_seq_length"})
            | {
                "features": (config.model.features or {}).get(name, {}),
                "processors": {
                    "word_processor": {
                        "type": "word_pieces",
                        "params": {
                            "tokenizer": config.tokenizer,
                            "max_seq_length": section.max_seq_length,
                        },
                    }
                },
            }
            for name, section in config.datasets.items()
        },
    }


def to_build(config: ModelConfig) -> dict[str, Any]:
    """``model_config.cmsbert`` that builds the model without its backbone's pretrained weights."""
    model = config.model.plain()
    return model | {"backbone": model["backbone"] | {"from_config": dict(config.backbone)}}


def write(
    folder: Path,
    config: ModelConfig,
    weights: Mapping[str, Tensor],
    tokenizer: Any,
    card: str,
) -> None:
    """Write the files of a model into an existing empty folder.

    Args:
        folder: where to.
        config: its configuration.
        weights: its tensors by name.
        tokenizer: a fast tokenizer of transformers.
        card: the text of its ``README.md``.

    Raises:
        OSError: a file cannot be written.
    """
    # Each tensor by itself: safetensors refuses two names for one memory.
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in weights.items()}
    with system_errors():
        safetensors.torch.save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
        tokenizer.save_pretrained(folder)
    config = config.model_copy(update={"weights_sha256": sha256_of(folder / WEIGHTS)})
    text = json.dumps(config.plain(), indent=2, ensure_ascii=False)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")
    # safetensors creates the file with mode 0600 and ignores the umask.
    shutil.copymode(folder / CONFIG, folder / WEIGHTS)
    (folder / CARD).write_text(card, encoding="utf-8")
