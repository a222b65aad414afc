"""The model of a finished run, without MMF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import AutoConfig

from mmf_cmsbert import __version__
from mmf_cmsbert.checkpoints import contents
from mmf_cmsbert.checkpoints.model_folder import ModelConfig, Preparation
from mmf_cmsbert.checkpoints.trained_with import configuration_of
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.files import read_json
from mmf_cmsbert.modules.backbone import NAME_KEY, load_backbone
from mmf_cmsbert.predictor.predictor import SentimentPredictor, build_network
from mmf_cmsbert.pretrained import load_pretrained
from mmf_cmsbert.processors.word_pieces import load_encoder
from mmf_cmsbert.utils.environment import with_values

MODEL = "cmsbert"
_LARGEST_RECORD = 1 << 26
_OF_THE_RUN = ("command", "seed", "commit", "code_sha256", "data")
_OF_ITS_BEST = ("best", "validation", "test")
_AVERAGED, _LATEST = "ema.module.", "network."


def load_run(folder: str | Path, checkpoint: str | Path | None = None) -> SentimentPredictor:
    """The predictor of a run's best checkpoint, with the averaged weights where there are any.

    Args:
        folder: the run's ``env.save_dir``.
        checkpoint: another checkpoint of the run than its best one.

    Raises:
        UserError: the folder holds no run of model cmsbert, or a file of it is damaged.
    """
    folder = Path(folder).expanduser()
    best = folder / "best.ckpt"
    file = Path(checkpoint).expanduser() if checkpoint else best
    if not file.is_file():
        raise ConfigError(
            f"{file}: there is no such checkpoint; expected the env.save_dir of a run that was "
            "validated at least once"
        )
    loaded = contents.load(file)
    config = configuration_of(loaded)
    if config is None:
        raise ConfigError(f"{file} holds no configuration of a run; name a checkpoint of mmf_run")
    config = with_values(config)
    if config["model"] != MODEL:
        raise ConfigError(f"{file} is of model {config['model']}; only {MODEL} can be exported")
    state = contents.weights(loaded)
    # The recorded scores are those of the best checkpoint.
    keys = (*_OF_THE_RUN, *_OF_ITS_BEST) if file.resolve() == best.resolve() else _OF_THE_RUN
    record = _record(folder)
    training = {key: record[key] for key in keys if record.get(key) is not None}
    exported = _exported(config, training, float(state["temperature.log"].exp()))
    network = build_network(exported)
    network.load_state_dict(_weights(state))
    key = f"dataset_config.{next(iter(exported.datasets))}.processors.word_processor.params"
    encoder = load_encoder(exported.tokenizer, exported.max_seq_length, key)
    return SentimentPredictor.of(exported, network, encoder, dataset=next(iter(exported.datasets)))


def _exported(
    config: Mapping[str, Any], training: Mapping[str, Any], temperature: float
) -> ModelConfig:
    names = config["datasets"]
    names = names.split(",") if isinstance(names, str) else list(names)
    sections = {name: config["dataset_config"][name] for name in names}
    given = dict(config["model_config"][MODEL])
    given["features"] = given.get("features") or {n: s["features"] for n, s in sections.items()}
    model = read(CMSBERTConfig, given, f"model_config.{MODEL}")
    params = next(iter(sections.values()))["processors"]["word_processor"]["params"]
    return ModelConfig.model_validate(
        {
            "library_version": __version__,
            "model": model,
            "backbone": _backbone(model),
            "temperature": temperature,
            "tokenizer": params["tokenizer"],
            "max_seq_length": params["max_seq_length"],
            "datasets": {name: _preparation(section) for name, section in sections.items()},
            "training": {**training}
            | {"synthetic": [n for n, section in sections.items() if section.get("synthetic")]},
        }
    )


def _preparation(section: Mapping[str, Any]) -> Preparation:
    known = {key: section[key] for key in Preparation.model_fields if key in section}
    return Preparation(**known)


def _backbone(model: CMSBERTConfig) -> dict[str, Any]:
    """The text encoder's configuration, without its weights."""
    if model.backbone.from_config is not None:
        values = load_backbone(from_config=model.backbone.from_config).config.to_dict()
    else:
        name = model.backbone.name
        found = load_pretrained(AutoConfig.from_pretrained, name, "configuration", NAME_KEY)
        values = found.to_dict()
    # Where it came from on this machine.
    return {key: value for key, value in values.items() if key != "_name_or_path"}


def _weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's tensors: averaged ones where the run kept an average."""
    prefix = _AVERAGED if any(name.startswith(_AVERAGED) for name in state) else _LATEST
    return {name[len(prefix) :]: each for name, each in state.items() if name.startswith(prefix)}


def _record(folder: Path) -> Mapping[str, Any]:
    try:
        record = read_json(folder / "run.json", _LARGEST_RECORD)
    except OSError:  # runs made from Python keep none
        return {}
    except ValueError as error:
        raise ConfigError(f"{folder / 'run.json'} is no JSON ({str(error)[:100]})") from error
    return record if isinstance(record, dict) else {}
