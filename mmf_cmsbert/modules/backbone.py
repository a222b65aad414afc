"""The text encoder: any BERT-like model of Hugging Face transformers, shifted at one layer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.pretrained import load_pretrained, weights_in_memory

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
        from_config: random weights for this configuration, instead of pretrained ones: a mapping
            with ``model_type`` and the model's keys, or a folder with a ``config.json``.

    Raises:
        ConfigError: both are None, the configuration is invalid, or the model cannot be loaded.
    """
    if from_config is None:
        load = weights_in_memory(AutoModel.from_pretrained)
        return load_pretrained(load, name, "backbone", NAME_KEY)
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
    except Exception as error:  # each model raises its own type of error
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"{FROM_CONFIG_KEY}: {reason}. Expected a mapping such as {{model_type: bert, "
            "hidden_size: 96, num_hidden_layers: 2, ...} or a folder with a config.json"
        ) from error


def _check_size(config: PretrainedConfig) -> None:
    """Refuse sizes that no memory can hold, before allocating."""
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
            f"{FROM_CONFIG_KEY} has {found}; expected whole numbers with at most "
            f"{_MOST_WEIGHTS:,} weights in at most {_MOST_LAYERS} layers"
        )


def encoder_layers(backbone: PreTrainedModel) -> nn.ModuleList:
    """Return the encoder layers of a BERT-like model, in order.

    Raises:
        ConfigError: the model has no such list (ALBERT shares one layer, T5 is not an encoder).
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
    """Return the module whose output is shifted: 0 for the embeddings, j for the j-th layer.

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
    # ELECTRA's embeddings may be narrower than its layers; a projection follows.
    project = getattr(backbone, "embeddings_project", None)
    return project if isinstance(project, nn.Module) else backbone.get_submodule("embeddings")


def position_count(backbone: PreTrainedModel) -> int | None:
    """Return the maximum word pieces in a segment; None for backbones without position embeddings.

    RoBERTa, MPNet and similar models number positions from one after the padding index.
    """
    table = getattr(backbone.embeddings, "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        return None
    skipped = 0 if table.padding_idx is None else table.padding_idx + 1
    # Nystromformer has unused rows.
    stated = getattr(backbone.config, "max_position_embeddings", table.num_embeddings)
    return min(table.num_embeddings - skipped, stated)


@contextmanager
def replaced_output(part: nn.Module, replace: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Within the context, ``part`` returns ``replace(output)`` instead of its output.

    The rest of the backbone's forward pass is unchanged (masks, attention backend, relative
    positions), whatever its architecture. Layers return a tensor, or a tuple that starts with it.
    """

    def hook(module: nn.Module, _inputs: object, output: Any) -> Any:
        if module is not part:  # DataParallel's replicas share the hooks
            return None
        if isinstance(output, tuple):
            return (replace(output[0]), *output[1:])
        return replace(output)

    handle = part.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
