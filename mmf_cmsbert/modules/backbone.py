"""The text encoder: any BERT-like model of Hugging Face transformers, opened up at one place."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.pretrained import load_pretrained, unmapped

NAME_KEY = "model_config.cmsbert.backbone.name"
FROM_CONFIG_KEY = "model_config.cmsbert.backbone.from_config"
# 40 GB of float32; the largest BERT-like models have 1.5 billion weights in 48 layers.
_MOST_WEIGHTS, _MOST_LAYERS = 10**10, 1000


def load_backbone(
    name: str | None = None, from_config: Mapping[str, Any] | str | None = None
) -> PreTrainedModel:
    """Build the text encoder.

    Args:
        name: a model on the hub or a local folder; its pretrained weights are loaded.
        from_config: instead of pretrained weights, random ones for this configuration: a mapping
            with ``model_type`` and the model's own keys, or a folder that holds a ``config.json``.

    Raises:
        ConfigError: neither is given, the configuration is unusable, or the model cannot be had.
    """
    if from_config is None:
        return load_pretrained(AutoModel.from_pretrained, name, "backbone", NAME_KEY, **unmapped())
    if isinstance(from_config, str):
        config = load_pretrained(
            AutoConfig.from_pretrained, from_config, "configuration", FROM_CONFIG_KEY
        )
        _check_size(config)
        return AutoModel.from_config(config)
    try:
        values = dict(from_config)
        config = AutoConfig.for_model(values.pop("model_type"), **values)
        _check_size(config)
        return AutoModel.from_config(config)
    except ConfigError:
        raise
    except Exception as error:  # each model refuses its own configuration in its own way
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"{FROM_CONFIG_KEY}: {reason}. Expected a mapping such as {{model_type: bert, "
            "hidden_size: 96, num_hidden_layers: 2, ...} or a folder with a config.json"
        ) from error


def _check_size(config: PretrainedConfig) -> None:
    """Refuse sizes that no memory holds, before any of it is taken."""
    sizes = {
        name: getattr(config, name, 1)
        for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size")
    }
    hidden, inner, layers, pieces = sizes.values()
    whole = all(type(size) is int and size >= 1 for size in sizes.values())
    weights = layers * hidden * (4 * hidden + 2 * inner) + pieces * hidden if whole else 0
    if not whole or layers > _MOST_LAYERS or weights > _MOST_WEIGHTS:
        found = ", ".join(f"{name} {size!r}" for name, size in sizes.items())
        raise ConfigError(
            f"{FROM_CONFIG_KEY} asks for {found}; expected whole numbers that make at most "
            f"{_MOST_WEIGHTS:,} weights in at most {_MOST_LAYERS} layers"
        )


def encoder_layers(backbone: PreTrainedModel) -> nn.ModuleList:
    """The encoder layers of a BERT-like model, in order.

    Raises:
        ConfigError: the model has no such list (ALBERT shares one layer, T5 is no encoder).
    """
    for path in ("encoder.layer", "transformer.layer", "encoder.layers", "layers"):
        found: object = backbone
        for part in path.split("."):
            found = getattr(found, part, None)
        if isinstance(found, nn.ModuleList) and hasattr(backbone, "embeddings"):
            return found
    raise ConfigError(
        f"{NAME_KEY}: {type(backbone).__name__} has no list of encoder layers to shift words in; "
        "expected a BERT-like model (BERT, RoBERTa, ELECTRA, DistilBERT, MPNet, DeBERTa, ...)"
    )


def shift_place(backbone: PreTrainedModel, layer: int) -> nn.Module:
    """The part of the backbone whose output is shifted: 0 the embeddings, j the j-th layer.

    Raises:
        ConfigError: there is no such layer.
    """
    layers = encoder_layers(backbone)
    if not isinstance(layer, int) or isinstance(layer, bool) or not 0 <= layer <= len(layers):
        raise ConfigError(
            f"model_config.cmsbert.shift.layer is {layer!r}; expected a number from 0 (after the "
            f"embeddings) to {len(layers)} (after the last layer of this backbone)"
        )
    if layer:
        return layers[layer - 1]
    # ELECTRA's embeddings may be narrower than its layers, which get them through a projection.
    project = getattr(backbone, "embeddings_project", None)
    return project if isinstance(project, nn.Module) else backbone.get_submodule("embeddings")


def position_count(backbone: PreTrainedModel) -> int | None:
    """How many word pieces a segment can have; None where a backbone has no table of positions.

    RoBERTa, MPNet and their kin number positions from one after the padding's.
    """
    table = getattr(backbone.embeddings, "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        return None
    skipped = 0 if table.padding_idx is None else table.padding_idx + 1
    # Nystromformer has rows that it never reads.
    stated = getattr(backbone.config, "max_position_embeddings", table.num_embeddings)
    return min(table.num_embeddings - skipped, stated)


@contextmanager
def replaced_output(part: nn.Module, replace: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Within the context, ``part`` gives ``replace(output)`` instead of its output.

    The backbone's own forward pass keeps doing everything else (masks, attention backend, relative
    positions), whatever its architecture. Layers give a tensor, or a tuple that starts with it.
    """

    def hook(module: nn.Module, _inputs: object, output: Any) -> Any:
        if module is not part:  # DataParallel's replicas share one table of hooks
            return None
        if isinstance(output, tuple):
            return (replace(output[0]), *output[1:])
        return replace(output)

    handle = part.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
