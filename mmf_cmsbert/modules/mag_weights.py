"""Load weights of MAG-BERT's published code into our network with ``shift.context=word``."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.dataset_linear import DatasetLinear
from mmf_cmsbert.modules.frame_scale import FrameScale
from mmf_cmsbert.modules.network import SentimentNetwork
from mmf_cmsbert.modules.shifts.base import Shift
from mmf_cmsbert.modules.shifts.word import WordShift

# The settings of MAG-BERT. Others follow from the shapes of its weights, or, as beta and the number
# of attention heads, are not in the weights.
_SETTINGS = {
    "shift.context": "word",
    "shift.layer": 0,
    "shift.start": "mag",
    "backbone.pooling": "cls",
}
# The names of its gate and value; both implementations concatenate [frame; word] in this order.
_MAPS = {"visual": ("W_hv", "W_v"), "acoustic": ("W_ha", "W_a")}
# The positions 0, 1, ..., which transformers saved with the weights from 3.1 on.
_CONSTANTS = {"bert.embeddings.position_ids"}


def mag_parameters(network: SentimentNetwork, dataset: str) -> dict[str, nn.Parameter]:
    """Return the network's parameters by their names in MAG-BERT's published code.

    These are all parameters that the sentiment depends on. The frame encoders and projections,
    which only the contrastive loss trains, are not included.

    Args:
        network: a network with the settings of MAG-BERT.
        dataset: the dataset whose frames the shift reads.

    Raises:
        ConfigError: the settings differ, or the network was built without the dataset's frames.
    """
    settings = network.settings
    shift = Shift if network.shift is None else type(network.shift)
    stated = {
        "shift.context": settings.shift.context,
        "shift.layer": settings.shift.layer,
        "shift.start": shift.start(settings),
        "backbone.pooling": settings.backbone.pooling,
    }
    for name, expected in _SETTINGS.items():
        found = stated[name]
        if found != expected:
            key = f"model_config.cmsbert.{name}"
            raise ConfigError(
                f"{key} is {found!r}, but MAG-BERT's weights need {expected!r}; type "
                f"{key}={expected}"
            )
    if others := [m for m in network.modalities if m not in _MAPS]:
        raise ConfigError(
            f"the network also reads {', '.join(others)} frames, and MAG-BERT has visual and "
            "acoustic ones only; type model_config.cmsbert.modalities=[text, visual, acoustic]"
        )
    parts: dict[str, nn.Module] = {"bert.": network.backbone, "classifier.": network.head}
    for modality, (gate, value) in _MAPS.items():
        if dataset not in _widths(network, modality):
            raise ConfigError(
                f"the network was built without {modality} frames of {dataset}, and MAG-BERT has "
                "both visual and acoustic ones; see model_config.cmsbert.modalities and "
                f"model_config.cmsbert.features.{dataset}"
            )
        word_shift = cast(WordShift, network.shift)
        parts[f"bert.MAG.{gate}."] = _maps(word_shift.gates, modality)[dataset]
        parts[f"bert.MAG.{value}."] = _maps(word_shift.values, modality)[dataset]
        parts["bert.MAG.LayerNorm."] = cast(nn.LayerNorm, word_shift.norm)
    return {
        prefix + name: parameter
        for prefix, part in parts.items()
        for name, parameter in part.named_parameters()
    }


def load_mag_weights(network: SentimentNetwork, state: Mapping[str, Tensor], dataset: str) -> None:
    """Load the weights of MAG-BERT (Rahman et al., ACL 2020) into a network.

    The network then computes the same as MAG-BERT, except for segments that lack a modality: there
    MAG-BERT uses frames of zeros, so that its biases shift the words. MAG-BERT does not scale
    frames, so the scaling of this dataset is reset. Set ``shift.beta`` to MAG-BERT's
    ``beta_shift``, which is not saved with the weights. An averaged copy is not changed.

    Args:
        network: a network with the same type of BERT and ``shift.context=word``.
        state: the state dict of ``MAG_BertForSequenceClassification``, or the file written by its
            ``save_pretrained``, loaded with ``torch.load(file, weights_only=True)``.
        dataset: the dataset that it was trained on.

    Raises:
        ConfigError: the weights are not those of MAG-BERT, or do not fit the network.
    """
    parameters = mag_parameters(network, dataset)
    if not isinstance(state, Mapping):
        raise ConfigError(
            f"MAG-BERT's weights are a {type(state).__name__}; expected its state dict, a mapping "
            "of names to tensors"
        )
    problems = [
        _listed("missing", [name for name in parameters if name not in state]),
        _listed("unexpected", [n for n in state if n not in parameters and n not in _CONSTANTS]),
        _listed("of another shape", _misshapen(parameters, state)),
    ]
    found = "; ".join(problem for problem in problems if problem)
    if found:
        widths = " and ".join(f"{_widths(network, m)[dataset]} {m}" for m in _MAPS)
        backbone = type(network.backbone).__name__
        raise ConfigError(
            f"the weights are not MAG-BERT's for this network: {found}. The network has "
            f"{widths} columns (model_config.cmsbert.features.{dataset}), "
            f"{network.head.out_features} outputs (head.classes) and as its backbone a {backbone} "
            "(backbone.name); expected the state dict of a MAG_BertForSequenceClassification of "
            "these sizes"
        )
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(state[name])
    for modality in _MAPS:
        width = _widths(network, modality)[dataset]
        scale = cast(FrameScale, network.frame_scales[modality])
        scale.set(dataset, torch.zeros(width), torch.ones(width))


def _widths(network: SentimentNetwork, modality: str) -> dict[str, int]:
    """Map each dataset to the width of the frames that the network's shift reads."""
    if modality not in network.modalities:
        return {}
    maps = _maps(cast(WordShift, network.shift).values, modality)
    return {dataset: cast(nn.Linear, each).in_features for dataset, each in maps.items()}


def _maps(parts: nn.ModuleDict, modality: str) -> nn.ModuleDict:
    """Return the linear maps of a modality's gate or value by dataset."""
    return cast(DatasetLinear, parts[modality]).maps


def _misshapen(parameters: Mapping[str, nn.Parameter], state: Mapping[str, Any]) -> list[str]:
    """Describe weights of the wrong shape: name, shape found, shape expected."""
    problems = []
    for name, parameter in parameters.items():
        if name not in state:
            continue
        weight, expected = state[name], tuple(parameter.shape)
        found = tuple(weight.shape) if isinstance(weight, Tensor) else type(weight).__name__
        if found != expected:
            problems.append(f"{name} {found}, expected {expected}")
    return problems


def _listed(problem: str, names: list[str]) -> str:
    """Format the first name and the number of others; empty without names."""
    if not names:
        return ""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{problem}: {names[0]}{more}"
