"""Checks of a checkpoint before and after a trainer loads its weights.

MMF makes none of them:

- It loads weights that were trained with another configuration.
- If the number of updates of another run exceeds this run's limit, it trains nothing and scores.
- With `pretrained_state_mapping` it copies tensors of other shapes if they broadcast (rc10), and
  gives no warning if no tensor matches.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from mmf_cmsbert.checkpoints import left_to_train, state_mapping, trained_with, transfer
from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.config import shipped, weights
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.splits import trains
from mmf_cmsbert.config.trained import datasets, heads
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.media.card import Card, check_same
from mmf_cmsbert.records import training_cards


def check_configuration(
    config: Any, contents: Any, file: str, extractors: Mapping[str, Card]
) -> None:
    """Refuse weights that were trained with another configuration or on other features.

    Args:
        config: the configuration of the run that loads them.
        contents: the content of the checkpoint.
        file: the path of the checkpoint.
        extractors: dataset -> card of the extractors of its frames, where it is known.

    Raises:
        ConfigError: the configurations or extractors differ; the message lists keys and values.
    """
    if weights.copies_a_part(config.checkpoint) and file == str(config.checkpoint.resume_file):
        return
    found: Any = OmegaConf.to_container(config, resolve=True)
    kept = trained_with.configuration_of(contents)
    defaults = shipped.defaults_of(found["model"], datasets(found))
    take = f"checkpoint.resume_file={file}"
    for line in weights.check(found, kept, defaults, Path(file), take):
        mmf_log.write(line, "warning")
    check_extractors(extractors, Path(file))


def check_extractors(found: Mapping[str, Card], file: Path) -> None:
    """Refuse data whose frames are of other extractors than those that the weights were trained on.

    Args:
        found: dataset -> card of the extractors of its frames.
        file: the checkpoint, or the folder of an exported model.

    Raises:
        ConfigError: a dataset has frames of another extractor.
    """
    trained = training_cards.of_weights(file)
    for name, card in found.items():
        check_same(trained.get(name, {}), card, str(file), f"dataset {name}")


def copy_parts(model: Any, options: Any, state: dict[str, Any]) -> None:
    """Copy the parts named by `checkpoint.pretrained_state_mapping` into the model.

    Args:
        model: the model of the run.
        options: the section `checkpoint`.
        state: the weights in the file, name -> tensor.

    Raises:
        ConfigError: a part of the mapping fits no tensors.
    """
    owner = getattr(model, "module", model)
    if hasattr(owner, "format_state_key"):
        state = {owner.format_state_key(name): tensor for name, tensor in state.items()}
    mapping: Any = OmegaConf.to_container(options.pretrained_state_mapping)
    untouched = getattr(owner, "tensors_of_the_data", ())
    settings = getattr(owner, "settings", None)
    if isinstance(settings, CMSBERTConfig):
        kept = trained_with.configuration(options.resume_file)
        if kept is not None and kept.get("model") == "cmsbert":
            state = transfer.with_own_heads(state, heads(kept), settings)
    own = model.state_dict()
    copied = state_mapping.copy_mapped(own, state, mapping, untouched)
    if hasattr(owner, "weights_replaced"):
        owner.weights_replaced()
    mmf_log.write(f"{copied} (from {options.resume_file}){_anew(owner, own, copied.copied)}")


def _anew(owner: Any, own: Iterable[str], copied: Collection[str]) -> str:
    """Return which parts were loaded, and which start anew."""
    if not isinstance(getattr(owner, "settings", None), CMSBERTConfig):
        return ""
    names = [name for name in own if name.removeprefix("module.").startswith("network.")]
    rest = [name for name in names if name not in copied]
    loaded = ", ".join(transfer.whole_parts(copied, names))
    text = f". Loaded: {loaded}"
    return f"{text}. Start anew: {', '.join(transfer.whole_parts(rest, names))}" if rest else text


def check_left(trainer: Any, file: str, own: bool) -> None:
    """Check that a training run has updates left after loading a checkpoint.

    A run that resumes its own checkpoint gets a warning instead of an error.

    Args:
        trainer: MMF's trainer, with the counts of the checkpoint.
        file: the checkpoint.
        own: whether the run resumes its own checkpoint.

    Raises:
        ConfigError: another run's checkpoint has reached the limit of this run.
    """
    if not trains(trainer.config.run_type):
        return
    training = trainer.config.training
    kept = getattr(trainer, "resume_position", None)
    begun = bool(own and kept and kept["epoch"])  # inside the last epoch
    limit = left_to_train.reached_limit(
        trainer.num_updates,
        trainer.current_epoch - begun,
        # As in MMF, max_epochs replaces max_updates.
        None if training.max_epochs is not None else training.max_updates,
        training.max_epochs,
    )
    if limit is None:
        return
    if not own:
        raise ConfigError(left_to_train.other_run(file, trainer.num_updates, limit))
    mmf_log.write(left_to_train.own_run(trainer.num_updates, limit), "warning")
