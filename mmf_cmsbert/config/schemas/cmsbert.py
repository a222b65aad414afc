"""``model_config.cmsbert``.

[paper] marks what the paper's abstract states; everything else is our interpretation.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mmf_cmsbert.config.schemas.losses import LOSSES, ContrastiveLoss, RegressionLoss
from mmf_cmsbert.config.schemas.section import Expected, Section
from mmf_cmsbert.config.schemas.targets import (
    SENTIMENT,
    Target,
    TargetsOfDatasets,
    main,
    named,
)
from mmf_cmsbert.config.schemas.validation import problems
from mmf_cmsbert.config.schemas.values import (
    Modality,
    Pair,
    Positive,
    Share,
    TextOrModality,
    Width,
)

# MMF adds these two to the keys of a model.
_OF_MMF = ("model", "zoo_requirements")
_REGRESSION, _CLASSIFICATION = "sentiment_regression", "sentiment_classification"
_TARGET = "target_loss"


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
        description="Random weights instead of pretrained ones: a mapping with model_type and keys "
        "of that type's config, or a folder with a config.json. null loads the weights of "
        "backbone.name.",
    )
    pooling: Literal["cls", "mean", "attention"] = Field(
        default="cls",
        description="Pooling of the last layer's states to one vector: cls (the [CLS] state, "
        "through the backbone's pooler if it has one) | mean (over the word pieces) | attention "
        "(learned weights).",
    )
    length_groups: Annotated[
        Literal["auto", "packed"] | Annotated[int, Field(ge=1)],
        Expected("auto, packed, or a whole number, at least 1"),
    ] = Field(
        default="auto",
        description="Encode segments of similar length together, which gives the same results with "
        "less padding. packed: all word pieces of a BERT in one row without padding (other models: "
        "as many groups as reduce the cost); auto: packed on a CPU, padded on a GPU; or the "
        "largest number of groups, where 1 pads every segment to the longest.",
    )


class ShiftConfig(Section):
    """``shift``"""

    context: Annotated[
        str,
        Expected("utterance, word, none, or a shift registered by the package in env.user_dir"),
    ] = Field(
        default="utterance",
        description="The frames that shift a word. utterance: those of the whole utterance "
        "[paper]; word: those of the word only, as in MAG (requires word-aligned data); none: no "
        "shift, plain BERT; or a shift registered by the package in env.user_dir "
        "(docs/extending.md).",
    )
    layer: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="The layer whose output is shifted: 0 for the embeddings (as in MAG), j for "
        "encoder layer j.",
    )
    beta: Positive = Field(
        default=1.0,
        description="Largest norm of the displacement, relative to the norm of the word's state "
        "(MAG's beta_shift).",
    )
    dropout: Share = Field(
        default=0.5, description="Dropout on the shifted states (0.5 in MAG's training script)."
    )
    gate: Literal["relu", "sigmoid"] = Field(
        default="relu",
        description="Activation of the gate: relu (as in MAG) | sigmoid (only with context "
        "utterance).",
    )
    start: Literal["auto", "mag", "identity"] = Field(
        default="auto",
        description="The shift at the start of training. mag: layer norm and dropout of the "
        "shifted states, as in MAG, which initially disturbs a pretrained backbone. identity: no "
        "layer norm; dropout of the displacement, which is zero at first. auto: mag with context "
        "word, identity with context utterance, where it was better on validation.",
    )


class FramesConfig(Section):
    """``frames``"""

    dim: Annotated[int, Field(ge=1, le=4096)] = Field(
        default=64, description="Width of the encoded frames, a multiple of heads."
    )
    layers: Annotated[int, Field(ge=0, le=128)] = Field(
        default=1,
        description="Number of Transformer layers; with 0, frames are projected and positions "
        "added.",
    )
    heads: Annotated[int, Field(ge=1, le=4096)] = Field(
        default=4,
        description="Attention heads in these layers, and in the attention from words to frames.",
    )
    dropout: Share = Field(default=0.1, description="Dropout in these layers.")

    @model_validator(mode="after")
    def _heads_divide(self) -> "FramesConfig":
        if self.dim % self.heads:
            raise ValueError(
                f"{{key}}.dim is {self.dim}; expected a multiple of {{key}}.heads, here "
                f"{self.heads}"
            )
        return self


class ContrastiveConfig(Section):
    """``contrastive``"""

    pairs: Annotated[
        list[Pair] | None,
        Expected(
            "pairs of modalities, as in [[text, visual], [text, acoustic]], [] for none, or null"
        ),
    ] = Field(
        default=None,
        description="Pairs of modalities to align, such as [[text, visual], [visual, acoustic]]. "
        "null: text with each other modality. []: no alignment.",
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
    ] = Field(default=[0.01, 0.5], description="Bounds of the temperature.")
    text_state: Literal["fused", "verbal"] = Field(
        default="fused",
        description="The text state to align: fused (the pooled shifted text, see "
        "backbone.pooling) | verbal (mean of the word states before the shift).",
    )
    ema_targets: bool = Field(
        default=False,
        description="Whether the averaged copy (ema) computes the other side of each pair, as in "
        "MoCo and ALBEF.",
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

    enabled: bool = Field(default=True, description="Whether to average the weights.")
    decay: Share = Field(default=0.99, description="Weight of the previous average in each update.")
    warm_up: bool = Field(
        default=True,
        description="Whether to start with a smaller decay: min(decay, (1 + t) / (10 + t)) at "
        "update t.",
    )


class HeadConfig(Section):
    """``head``"""

    dropout: Share = Field(default=0.1, description="Dropout on the pooled text.")
    classes: Literal[2, 7] | None = Field(
        default=None,
        description="null: regression of a sentiment in [-3, 3]. 2 or 7: classification, which "
        "requires the loss sentiment_classification, as in\n"
        '  "model_config.cmsbert.losses=[{type: sentiment_classification, params: '
        '{label_smoothing: 0.1}}, {type: multimodal_contrastive}]"\n'
        "With 2 classes the scores are not sentiments; select the best checkpoint by "
        "training.early_stop.criteria=mosi/sentiment_acc2 training.early_stop.minimize=false.",
    )


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


def _known_params(loss: Any) -> Any:
    """Check the params of a loss of this package; other losses check their own."""
    if isinstance(loss, Mapping) and loss.get("type") in LOSSES:
        params = loss.get("params")
        schema = LOSSES[loss["type"]]
        found = problems(schema, {} if params is None else params, "{key}.params")
        if found:
            raise ValueError("; ".join(each.text for each in found))
    return loss


def _type(loss: str | Mapping[str, Any]) -> Any:
    return loss if isinstance(loss, str) else loss.get("type")


def _parameter(loss: str | Mapping[str, Any], name: str) -> Any:
    params = None if isinstance(loss, str) else loss.get("params")
    return (params or {}).get(name)


def _check_shared(targets: Mapping[str, Mapping[str, Target | None] | None]) -> None:
    """Raise a ValueError if two datasets define a target of the same name differently."""
    found: dict[str, tuple[str, Target]] = {}
    for dataset, each in targets.items():
        for name, target in named(each).items():
            other, known = found.setdefault(name, (dataset, target))
            if known != target:
                raise ValueError(
                    f"{{key}}.targets: {name} of {other} is {known.expected()}, and {name} of "
                    f"{dataset} is {target.expected()}; a target of one name has one head. Name "
                    f"one of them otherwise: dataset_config.{dataset}.targets"
                )


Loss = Annotated[str | dict[str, Any], AfterValidator(_known_params)]


class CMSBERTConfig(Section):
    """CMSBERT-CLR"""

    modalities: Annotated[
        Annotated[list[TextOrModality], Field(min_length=1)] | None,
        BeforeValidator(_split),
        Expected("a list such as [text, visual], or null"),
    ] = Field(
        default=None,
        description="The modalities to use, such as [text, visual]; text is always used. null: "
        "text and every modality in features of the datasets.",
    )
    features: Annotated[
        dict[str, dict[Modality, Width | None]] | None,
        Expected(
            "the width of each dataset's frames, as in {mosi: {visual: 47, acoustic: 74}}, or null"
        ),
    ] = Field(
        default=None,
        description="Width of each dataset's frames, {mosi: {visual: 47, acoustic: 74}}. null: "
        "dataset_config.<dataset>.features of the datasets in use.",
    )
    targets: TargetsOfDatasets | None = Field(
        default=None,
        description="What is predicted for each dataset, {mosi: {sentiment: {kind: regression, "
        "low: -3, high: 3}}}. Datasets that have a target of the same name share its head. null: "
        "dataset_config.<dataset>.targets of the datasets in use.",
    )
    backbone: BackboneConfig = Field(
        default=BackboneConfig(), description="The text encoder, a BERT [paper]."
    )
    shift: ShiftConfig = Field(
        default=ShiftConfig(), description="Context-driven modality shifting [paper]."
    )
    frames: FramesConfig = Field(default=FramesConfig(), description="The encoder of frames.")
    contrastive: ContrastiveConfig = Field(
        default=ContrastiveConfig(),
        description="Contrastive alignment of the modalities in a common space [paper]. The loss "
        "and its weight are set under losses.",
    )
    ema: EMAConfig = Field(
        default=EMAConfig(),
        description="Exponential moving average of the weights [paper]. The model uses the average "
        "in evaluation and prediction, and saves it.",
    )
    head: HeadConfig = Field(
        default=HeadConfig(), description="The prediction of the sentiment from the pooled text."
    )
    finetune_lr_multiplier: Annotated[
        float,
        Field(ge=0, le=1e6),
        Expected("a number, at least 0 (0 freezes the backbone)"),
    ] = Field(
        default=1.0,
        description="Learning rate of the pretrained backbone, as a multiple of "
        "optimizer.params.lr. 0 freezes it: no gradients, no optimizer state, no second copy in "
        "the average. Its dropout stays active.",
    )
    losses: Annotated[list[Loss], Expected("a list of losses")] = Field(
        default=[
            {"type": _REGRESSION, "params": {"kind": RegressionLoss().kind}},
            {
                "type": "multimodal_contrastive",
                "params": ContrastiveLoss().model_dump(include={"weight", "label_smoothing"}),
            },
        ],
        description="The losses, which are added. params of sentiment_regression: kind l1 | mse | "
        "smooth_l1. params of multimodal_contrastive: weight, and label_smoothing of its targets "
        "[paper: smoothing, but not its size]. If the datasets have other targets than one "
        "number, these defaults have one target_loss for each target instead of "
        "sentiment_regression; see losses.target_loss.",
    )

    def predicted(self, dataset: str) -> dict[str, Target]:
        """Return the targets of a dataset, the main one first; name -> target."""
        return named((self.targets or {}).get(dataset))

    def heads(self) -> dict[str, Target]:
        """Return the targets of all datasets, each once, the main one of the first dataset first.

        The network has one head for each of them.
        """
        found: dict[str, Target] = {}
        for dataset in self.targets or {"": None}:
            for name, target in self.predicted(dataset).items():
                found.setdefault(name, target)
        return found

    def losses_of_targets(self) -> list[str | dict[str, Any]]:
        """Return the losses: the default ones are adapted to the targets."""
        defaults: list[str | dict[str, Any]] = type(self).model_fields["losses"].default
        heads = self.heads()
        if self.losses != defaults or (len(heads) == 1 and main(heads)[1].kind == "regression"):
            return self.losses
        of_targets = [{"type": _TARGET, "params": {"target": name}} for name in heads]
        return [*of_targets, *(each for each in defaults if _type(each) != _REGRESSION)]

    def used(self, features: Mapping[str, Mapping[str, int | None]]) -> set[str]:
        """Return the modalities besides text that a model for these features has.

        Args:
            features: dataset -> modality -> width of its frames, 0 or None if it is left out.
        """
        named = {m for each in features.values() for m, width in each.items() if width}
        return named if self.modalities is None else named.intersection(self.modalities)

    def pairs(self, modalities: Collection[str]) -> list[list[str]]:
        """Return the pairs to align of a model with these modalities besides text."""
        if self.contrastive.pairs is None:
            return [["text", modality] for modality in modalities]
        used = {"text", *modalities}
        return [pair for pair in self.contrastive.pairs if used.issuperset(pair)]

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
                "{key}.contrastive.ema_targets is true, but {key}.ema.enabled is false; type "
                "{key}.ema.enabled=true"
            )
        _check_shared(self.targets or {})
        self._check_losses()
        return self

    def _check_losses(self) -> None:
        losses = self.losses_of_targets()
        types = [_type(loss) for loss in losses]
        heads = self.heads()
        first, target = main(heads)
        if self.head.classes and target != main(SENTIMENT)[1]:
            raise ValueError(
                f"{{key}}.head.classes is {self.head.classes}, which is for sentiment in [-3, 3], "
                f"and the main target {first} is {target.expected()}; type "
                "{key}.head.classes=null"
            )
        fitting, other = _REGRESSION, _CLASSIFICATION
        if self.head.classes:
            fitting, other = other, fitting
        if other in types:
            raise ValueError(
                f"{{key}}.head.classes is {self.head.classes}, but {other} cannot train it; type "
                f'"{{key}}.losses=[{{type: {fitting}}}, {{type: multimodal_contrastive}}]"'
            )
        if _REGRESSION in types:
            for dataset in self.targets or {}:
                name, target = main(self.predicted(dataset))
                if target.kind != "regression":
                    raise ValueError(
                        f"{{key}}.losses has {_REGRESSION}, which is for numbers, and the main "
                        f"target of {dataset}, {name}, is {target.expected()}; type "
                        f'"{{key}}.losses=[{{type: {_TARGET}}}, {{type: multimodal_contrastive}}]"'
                    )
        trained = [_parameter(each, "target") for each in losses if _type(each) == _TARGET]
        if twice := [each for each in trained if trained.count(each) > 1]:
            raise ValueError(
                f"{{key}}.losses has two target_loss for {twice[0] or 'the main target'}; "
                "expected one for each target"
            )
        unknown = [each for each in trained if each and each not in heads]
        if unknown and self.targets is not None:
            raise ValueError(
                f"{{key}}.losses has a target_loss for {unknown[0]!r}; expected one of "
                f"{', '.join(heads)}"
            )
