"""The model of a finished run, without MMF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from mmf_cmsbert.checkpoints import contents
from mmf_cmsbert.checkpoints.model_folder import network_weights
from mmf_cmsbert.checkpoints.trained_with import configuration_of
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.files import read_json
from mmf_cmsbert.modules.backbone import NAME_KEY, load_backbone
from mmf_cmsbert.predictor.predictor import SentimentPredictor, build_network
from mmf_cmsbert.predictor.trained_model import MODEL, model_config, training_of
from mmf_cmsbert.pretrained import load_pretrained
from mmf_cmsbert.processors.word_pieces import load_tokenizer
from mmf_cmsbert.utils.environment import with_values

_LARGEST_RECORD = 1 << 26


def load_run(folder: str | Path, checkpoint: str | Path | None = None) -> SentimentPredictor:
    """Return the predictor of a run's best checkpoint, with averaged weights if it has them.

    Args:
        folder: the run's ``env.save_dir``.
        checkpoint: a checkpoint of the run to use instead of the best one.

    Raises:
        UserError: the folder contains no run of the model cmsbert, or a file is damaged.
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
        raise ConfigError(
            f"{file} contains no configuration of a run; name a checkpoint of mmf_run"
        )
    config = with_values(config)
    if config["model"] != MODEL:
        raise ConfigError(f"{file} is of model {config['model']}; only {MODEL} can be exported")
    state = contents.weights(loaded)
    # The recorded scores are those of the best checkpoint.
    training = training_of(_record(folder), file.resolve() == best.resolve())
    temperature = float(state["temperature.log"].exp())
    exported = model_config(config, training, _backbone(config), temperature)
    network = build_network(exported)
    network.load_state_dict(network_weights(state))
    dataset = next(iter(exported.datasets))
    key = f"dataset_config.{dataset}.processors.word_processor.params.tokenizer"
    tokenizer = load_tokenizer(exported.tokenizer, key)
    return SentimentPredictor.of(exported, network, tokenizer, dataset=dataset)


def _backbone(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the text encoder's configuration, without loading its weights."""
    backbone = config["model_config"][MODEL]["backbone"]
    name, from_config = backbone["name"], backbone.get("from_config")
    if from_config is not None:
        return load_backbone(from_config=from_config).config.to_dict()
    found = load_pretrained(AutoConfig.from_pretrained, name, "configuration", NAME_KEY)
    return found.to_dict()


def _record(folder: Path) -> Mapping[str, Any]:
    try:
        record = read_json(folder / "run.json", _LARGEST_RECORD)
    except OSError:  # no record
        return {}
    except ValueError as error:
        raise ConfigError(f"{folder / 'run.json'} is no JSON ({str(error)[:100]})") from error
    return record if isinstance(record, dict) else {}
