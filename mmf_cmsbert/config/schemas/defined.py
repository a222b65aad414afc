"""The schema of a dataset that a user's YAML file defines."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, create_model

from mmf_cmsbert.config.schemas.datasets import Annotations, SentimentDatasetConfig
from mmf_cmsbert.config.schemas.validation import read

# So that words are cut as the model expects them, without a line in each recipe.
_TOKENIZER = "${model_config.cmsbert.backbone.name}"


def defined_schema(
    name: str, stated: Mapping[str, Any], source: str
) -> type[SentimentDatasetConfig]:
    """Return the general schema with other defaults.

    Args:
        name: the dataset.
        stated: keys that differ from the general defaults, plain containers.
        source: the file, for messages.

    Raises:
        ConfigError: a key or a value is wrong.
    """
    annotations = Annotations(
        train=[f"{name}/train.pkl"], val=[f"{name}/dev.pkl"], test=[f"{name}/test.pkl"]
    )
    base = _with_defaults(name, SentimentDatasetConfig, {"annotations": annotations})
    values = read(base, _with_tokenizer(stated), f"dataset_config.{name}", source)
    return _with_defaults(
        name, base, {key: getattr(values, key) for key in (*stated, "processors")}
    )


def _with_tokenizer(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Name the backbone's tokenizer, unless another processor or tokenizer is stated."""
    processors = dict(stated.get("processors") or {})
    words = dict(processors.get("word_processor") or {})
    if "type" not in words or words["type"] == "word_pieces":
        words["params"] = {"tokenizer": _TOKENIZER} | dict(words.get("params") or {})
    return {**stated, "processors": {**processors, "word_processor": words}}


def _with_defaults(
    name: str, base: type[SentimentDatasetConfig], values: Mapping[str, Any]
) -> type[SentimentDatasetConfig]:
    fields: dict[str, Any] = {}
    for key, value in values.items():
        field = base.model_fields[key]
        kind: Any = field.annotation
        if field.metadata:
            kind = Annotated.__class_getitem__((kind, *field.metadata))  # type: ignore[attr-defined]
        fields[key] = (kind, Field(value, description=field.description))
    return create_model(
        f"{name}Config", __base__=base, __doc__=f"The dataset {name} of your own.", **fields
    )
