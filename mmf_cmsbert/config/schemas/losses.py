"""``params`` of the losses of this package, in ``model_config.<model>.losses`` of any model."""

from typing import Annotated, Literal

from pydantic import Field

from mmf_cmsbert.config.schemas.section import Expected, Section
from mmf_cmsbert.config.schemas.values import AnyPair, Positive, Share


class RegressionLoss(Section):
    """``sentiment_regression``"""

    kind: Literal["l1", "mse", "smooth_l1"] = Field(
        default="l1",
        description="The loss: absolute error, squared error, or squared below 1 and absolute "
        "above.",
    )


class ClassificationLoss(Section):
    """``sentiment_classification``"""

    label_smoothing: Share = Field(
        default=0.0,
        description="Probability moved from the true class to all classes, equally divided.",
    )


class TargetLoss(Section):
    """``target_loss``"""

    target: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="The target to train, by its name in dataset_config.<dataset>.targets. null: "
        "the main target of the dataset.",
    )
    weight: Annotated[float, Field(ge=0)] = Field(
        default=1.0, description="Weight of the loss in the sum of losses."
    )
    kind: Literal["l1", "mse", "smooth_l1"] = Field(
        default="l1", description="The loss of a number, as in sentiment_regression."
    )
    label_smoothing: Share = Field(
        default=0.0,
        description="For classes and labels: probability moved from the true answer to all answers,"
        " equally divided.",
    )
    class_weights: Annotated[
        Literal["none", "balanced"] | Annotated[list[Annotated[float, Field(ge=0)]], Field()],
        Expected("none, balanced, or a list of numbers, one for each class"),
    ] = Field(
        default="none",
        description="Weights of the classes, or, of several labels, of having each one: none | "
        "balanced (inversely proportional to their numbers of segments in the training split; "
        "logged, and recorded in run.json) | a list of numbers, in the order of the names.",
    )


class ContrastiveLoss(Section):
    """``multimodal_contrastive``"""

    pairs: Annotated[
        list[AnyPair] | None,
        Field(min_length=1),
        Expected("null or a list such as [[text, visual], [text, acoustic]]"),
    ] = Field(
        default=None,
        description="Pairs of embeddings to align. null: the model's contrastive_pairs or, if it "
        "has none, text (without text, the first embedding) with each of the others.",
    )
    weight: Annotated[float, Field(ge=0)] = Field(
        default=0.1, description="Weight of the loss in the sum of losses."
    )
    label_smoothing: Share = Field(
        default=0.1,
        description="Probability moved from the positive to all candidates, equally divided.",
    )
    embeddings: Annotated[
        dict[str, str] | None, Expected("null or a section such as {text: <key of the output>}")
    ] = Field(
        default=None,
        description="Modality -> key of its embedding in the model's output, for models that were "
        "not written for this loss. null: the model's embeddings.",
    )
    temperature: Positive = Field(
        default=0.07,
        description="Temperature of the similarities, unless the model's output contains one.",
    )


# Registered name -> schema of its params.
LOSSES: dict[str, type[Section]] = {
    "sentiment_regression": RegressionLoss,
    "sentiment_classification": ClassificationLoss,
    "target_loss": TargetLoss,
    "multimodal_contrastive": ContrastiveLoss,
}
