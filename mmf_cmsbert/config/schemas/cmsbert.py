"""``model_config.cmsbert``.

[paper] marks what the paper's abstract states; everything else is our interpretation.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mmf_cmsbert.config.schemas.losses import LOSSES, ContrastiveLoss, RegressionLoss
from mmf_cmsbert.config.schemas.section import Expected, Section
from mmf_cmsbert.config.schemas.validation import problems
from mmf_cmsbert.config.schemas.values import (
    Modality,
    NonverbalModality,
    Pair,
    Positive,
    Share,
    Width,
)

# MMF itself puts these two beside the model's own keys.
_OF_MMF = ("model", "zoo_requirements")
_REGRESSION, _CLASSIFICATION = "sentiment_regression", "sentiment_classification"


class BackboneConfig(Section):
    """``backbone``"""

    name: str = Field(
        default="bert-base-uncased",
        description="A BERT-like model on the Hugging Face hub, or a local folder.",
    )
    from_config: Annotated[
        str | dict[str, Any] | None,
        Expected("a section such as {model_type: bert, hidden_size: 96}, a folder, or null"),
    ] = Field(
        default=None,
        description="Random weights instead of pretrained ones: a mapping with model_type and the "
        "model's own keys, or a folder with a config.json. null loads the weights of "
        "backbone.name.",
    )
    pooling: Literal["cls", "mean", "attention"] = Field(
        default="cls",
        description="How the last layer's states become one vector: cls (the [CLS] state through "
        "the backbone's own pooler where it has one) | mean (over the word pieces) | attention "
        "(learned weights).",
    )
    length_groups: Annotated[
        Literal["auto", "packed"] | Annotated[int, Field(ge=1)],
        Expected("auto, packed, or a whole number, at least 1"),
    ] = Field(
        default="auto",
        description="Segments of similar length are encoded together: the same numbers with less "
        "padding. packed: all word pieces of a BERT in one row without padding (other models: in "
        "as many groups as pay); auto: packed on a CPU, padded on a GPU; or a number of groups at "
        "most; 1 pads every segment to the longest.",
    )


class ShiftConfig(Section):
    """``shift``"""

    context: Annotated[
        str,
        Expected("utterance, word, none, or a shift that the package in env.user_dir registers"),
    ] = Field(
        default="utterance",
        description="utterance: a word is shifted by the whole utterance [paper]; word: by its own "
        "frames only, which is MAG (needs word-aligned data); none: plain BERT; or a shift that "
        "the package in env.user_dir registers (docs/extending.md).",
    )
    layer: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="Where words are shifted: 0 after the embeddings (as MAG does), j after "
        "encoder layer j.",
    )
    beta: Positive = Field(
        default=1.0,
        description="The longest displacement, in lengths of the word's state (MAG's beta_shift).",
    )
    dropout: Share = Field(
        default=0.5, description="Dropout on the shifted states (MAG's driver: 0.5)."
    )
    gate: Literal["relu", "sigmoid"] = Field(
        default="relu", description="relu (as in MAG) | sigmoid; only for context utterance."
    )
    start: Literal["auto", "mag", "identity"] = Field(
        default="auto",
        description="mag: norm and dropout over the shifted states, as MAG does, which disturbs a "
        "pretrained backbone at first. identity: no norm, dropout on the displacement, which "
        "begins at zero. auto: mag for context word, which is MAG, and identity for context "
        "utterance, which was better on validation.",
    )


class FramesConfig(Section):
    """``frames``"""

    dim: Annotated[int, Field(ge=1, le=4096)] = Field(
        default=64, description="Width of the encoded frames; heads must divide it."
    )
    layers: Annotated[int, Field(ge=0, le=128)] = Field(
        default=1, description="Transformer layers; 0 leaves projected frames plus positions."
    )
    heads: Annotated[int, Field(ge=1, le=4096)] = Field(
        default=4, description="Attention heads, in these layers and from words to frames."
    )
    dropout: Share = Field(default=0.1, description="Dropout in these layers.")

    @model_validator(mode="after")
    def _heads_divide(self) -> "FramesConfig":
        if self.dim % self.heads:
            raise ValueError(
                f"{{key}}.dim is {self.dim}, which frames.heads ({self.heads}) does not divide; "
                "choose a multiple"
            )
        return self


class ContrastiveConfig(Section):
    """``contrastive``"""

    pairs: Annotated[
        list[Pair],
        Expected(
            "pairs of two different ones of text, visual, acoustic, as in [[text, visual], [text, "
            "acoustic]], or [] for none"
        ),
    ] = Field(
        default=[["text", "visual"], ["text", "acoustic"]],
        description="Pairs to align; [visual, acoustic] is the third possible one. [] switches "
        "alignment off.",
    )
    dim: Annotated[int, Field(ge=1, le=2**14)] = Field(
        default=128, description="Width of the common space."
    )
    temperature: Positive = Field(
        default=0.07, description="Temperature of the similarities at the start of training."
    )
    learn_temperature: bool = Field(
        default=True, description="Whether training changes the temperature."
    )
    temperature_range: Annotated[
        list[Positive],
        Field(min_length=2, max_length=2),
        Expected("two numbers above 0, as in [0.01, 0.5]"),
    ] = Field(default=[0.01, 0.5], description="The temperature is kept within these bounds.")
    text_state: Literal["fused", "verbal"] = Field(
        default="fused",
        description="The text that is aligned: fused (the shifted text, what backbone.pooling "
        "gives) | verbal (mean of the word states before they are shifted).",
    )
    ema_targets: bool = Field(
        default=False,
        description="Whether the averaged copy (ema) gives the other side of each pair, as in MoCo "
        "and ALBEF.",
    )

    @model_validator(mode="after")
    def _temperature_within(self) -> "ContrastiveConfig":
        low, high = self.temperature_range
        if not low <= self.temperature <= high:
            raise ValueError(
                f"{{key}}.temperature is {self.temperature}; expected a number within "
                f"{{key}}.temperature_range, here [{low}, {high}]"
            )
        return self


class EMAConfig(Section):
    """``ema``"""

    enabled: bool = Field(default=True, description="Whether there is an average.")
    decay: Share = Field(
        default=0.99, description="The share of the old average that an update keeps."
    )
    warm_up: bool = Field(
        default=True,
        description="Whether the average keeps less at first: min(decay, (1 + t) / (10 + t)) at "
        "update t.",
    )


class HeadConfig(Section):
    """``head``"""

    dropout: Share = Field(default=0.1, description="Dropout on the pooled text.")
    classes: Literal[2, 7] | None = Field(
        default=None,
        description="null: regression, a sentiment in [-3, 3]. 2 or 7: classification, for which "
        "losses must hold sentiment_classification, as in\n"
        '  "model_config.cmsbert.losses=[{type: sentiment_classification, params: '
        '{label_smoothing: 0.1}}, {type: multimodal_contrastive}]"\n'
        "With 2 classes scores are no sentiment: select on "
        "training.early_stop.criteria=mosi/sentiment_acc2 training.early_stop.minimize=false.",
    )


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


def _known_params(loss: Any) -> Any:
    """Check the params of a loss of this package; those of others are for them to check."""
    if isinstance(loss, Mapping) and loss.get("type") in LOSSES:
        params = loss.get("params")
        schema = LOSSES[loss["type"]]
        found = problems(schema, {} if params is None else params, "{key}.params")
        if found:
            raise ValueError("; ".join(each.text for each in found))
    return loss


Loss = Annotated[str | dict[str, Any], AfterValidator(_known_params)]


class CMSBERTConfig(Section):
    """CMSBERT-CLR"""

    modalities: Annotated[
        list[Modality],
        BeforeValidator(_split),
        Field(min_length=1),
        Expected("some of [text, visual, acoustic]"),
    ] = Field(
        default=["text", "visual", "acoustic"],
        description="Which modalities take part. Text always does: its words are shifted. "
        "[text, visual, acoustic] | [text, visual] | [text, acoustic] | [text]",
    )
    features: Annotated[
        dict[str, dict[NonverbalModality, Width | None]] | None,
        Expected(
            "the width of each dataset's frames, as in {mosi: {visual: 47, acoustic: 74}}, or null"
        ),
    ] = Field(
        default=None,
        description="Width of each dataset's frames, {mosi: {visual: 47, acoustic: 74}}. null "
        "takes them from dataset_config.<dataset>.features of the datasets in use.",
    )
    backbone: BackboneConfig = Field(
        default=BackboneConfig(), description="The text encoder. [paper] a BERT."
    )
    shift: ShiftConfig = Field(
        default=ShiftConfig(), description="Context-driven modality shifting."
    )
    frames: FramesConfig = Field(
        default=FramesConfig(), description="The encoder of visual and acoustic frames."
    )
    contrastive: ContrastiveConfig = Field(
        default=ContrastiveConfig(),
        description="Contrastive alignment of the modalities in a common space. [paper] The loss "
        "itself and its weight are under losses.",
    )
    ema: EMAConfig = Field(
        default=EMAConfig(),
        description="Exponential moving average of the weights. [paper] In evaluation and "
        "prediction the model computes with the average; it is saved with the model.",
    )
    head: HeadConfig = Field(default=HeadConfig(), description="From the pooled text to sentiment.")
    finetune_lr_multiplier: Annotated[
        float,
        Field(ge=0, le=1e6),
        Expected("a number, at least 0, which freezes the backbone"),
    ] = Field(
        default=1.0,
        description="Learning rate of the pretrained backbone, as a multiple of "
        "optimizer.params.lr. 0 freezes it: no gradients, no state in the optimizer, no second "
        "copy in the average. Its dropout stays on.",
    )
    losses: Annotated[list[Loss], Expected("a list of losses")] = Field(
        default=[
            {"type": _REGRESSION, "params": {"kind": RegressionLoss().kind}},
            {
                "type": "multimodal_contrastive",
                "params": ContrastiveLoss().model_dump(include={"weight", "label_smoothing"}),
            },
        ],
        description="The losses, which are added up. params of sentiment_regression: kind l1 | mse "
        "| smooth_l1. params of multimodal_contrastive: weight, label_smoothing of its targets "
        "[paper: smoothing, not its size].",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_keys_of_mmf(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {key: value for key, value in given.items() if key not in _OF_MMF}

    @model_validator(mode="after")
    def _fits_together(self) -> "CMSBERTConfig":
        if self.contrastive.ema_targets and not self.ema.enabled:
            raise ValueError(
                "{key}.contrastive.ema_targets is true but ema.enabled is false; type "
                "{key}.ema.enabled=true"
            )
        types = [loss if isinstance(loss, str) else loss.get("type") for loss in self.losses]
        fitting, other = _REGRESSION, _CLASSIFICATION
        if self.head.classes:
            fitting, other = other, fitting
        if other in types:
            raise ValueError(
                f"{{key}}.head.classes is {self.head.classes}, which {other} cannot train; type "
                f'"{{key}}.losses=[{{type: {fitting}}}, {{type: multimodal_contrastive}}]"'
            )
        return self
