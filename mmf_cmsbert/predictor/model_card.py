"""The model card of an exported model: ``README.md`` with the metadata of the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from mmf_cmsbert.checkpoints.model_folder import ModelConfig
from mmf_cmsbert.config.schemas.corpora import language, title
from mmf_cmsbert.config.schemas.targets import SENTIMENT, RegressionTarget, main
from mmf_cmsbert.media.card import described

# Our metric -> its type on the hub.
_TYPES = {
    "mae": "mae",
    "corr": "pearsonr",
    "acc7": "accuracy",
    "acc5": "accuracy",
    "acc2": "accuracy",
    "acc2_nonzero": "accuracy",
    "f1": "f1",
    "f1_nonzero": "f1",
    "regression_mae": "mae",
    "regression_corr": "pearsonr",
    "class_accuracy": "accuracy",
    "class_f1_weighted": "f1",
    "class_f1_macro": "f1",
    "class_recall_macro": "recall",
}
_PREFIX = "sentiment_"


def model_card(config: ModelConfig, name: str) -> str:
    """Return the card of a model.

    Args:
        config: the model's configuration, with the record of its training.
        name: the model's name, for its title.
    """
    backbone = config.model.backbone.name
    data = ModelCardData(
        language=_language(config),
        library_name=config.library_name,
        tags=[_task(config)[0], "multimodal", *sorted(config.datasets)],
        pipeline_tag="text-classification",
        base_model=None if _is_path(backbone) else backbone,
        model_name=name,
        eval_results=_results(config) or None,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_text(config, name)}"


def _is_path(backbone: str) -> bool:
    return (
        backbone.startswith((".", "~", "/")) or backbone.count("/") > 1 or Path(backbone).exists()
    )


def _results(config: ModelConfig) -> list[EvalResult]:
    test = config.training.get("test") or {}
    results = []
    for key, value in test.items():
        dataset, _, metric = key.partition("/")
        metric = metric.removeprefix(_PREFIX)
        if metric in _TYPES:
            results.append(
                EvalResult(
                    task_type="text-classification",
                    task_name=f"Multimodal {_task(config)[1]}",
                    dataset_type=dataset,
                    dataset_name=_title(config, dataset),
                    dataset_split="test",
                    metric_type=_TYPES[metric],
                    metric_name=metric,
                    metric_value=round(value, 4),
                )
            )
    return results


def _title(config: ModelConfig, dataset: str) -> str:
    if dataset in (config.training.get("synthetic") or ()):
        return f"synthetic corpus ({dataset})"
    return title(dataset)


def _language(config: ModelConfig) -> str | None:
    spoken = {language(dataset) for dataset in config.datasets}
    return spoken.pop() if len(spoken) == 1 else None


def _text(config: ModelConfig, name: str) -> str:
    parts = [
        f"# {name}",
        f"{_task(config)[2]} from words, face and voice: CMSBERT-CLR of `mmf_cmsbert`, a "
        "re-implementation of Kim & Kim (IJCNN 2022) from the paper's abstract.",
        "## Use",
        "```python\nfrom mmf_cmsbert import SentimentPredictor\n\n"
        'predictor = SentimentPredictor("FOLDER or OWNER/NAME")\n'
        f"{_call(config)}\n```",
        "## Output",
        _outputs(config),
        "## Input",
        _inputs(config),
        "## Training",
        _training(config),
    ]
    if test := config.training.get("test"):
        rows = [f"| {key} | {value:.4f} |" for key, value in sorted(test.items())]
        parts += ["## Scores on test", "\n".join(["| metric | value |", "| --- | --- |", *rows])]
    if config.training.get("synthetic"):
        parts.append(
            "**The training data is synthetic.** The scores say nothing about real speech."
        )
    parts.append(
        "## License\n\nNot stated. Data, backbone and extractors have licenses of their own."
    )
    return "\n\n".join(parts) + "\n"


def _task(config: ModelConfig) -> tuple[str, str, str]:
    """Return a tag, the task's name, and what is predicted, as a sentence begins."""
    heads = config.model.heads()
    if heads == SENTIMENT or any(name.startswith("sentiment") for name in heads):
        return "sentiment-analysis", "sentiment analysis", "Sentiment of spoken opinions"
    names = ", ".join(heads)
    return names.replace(", ", "-"), f"prediction of {names}", f"{names.capitalize()} of utterances"


def _call(config: ModelConfig) -> str:
    target = main(config.model.predicted(next(iter(config.datasets))))[1]
    if isinstance(target, RegressionTarget):
        return f'predictor("I loved it").sentiment  # from {target.low:g} to {target.high:g}'
    return 'predictor("I loved it").value  # probabilities: .answers'


def _outputs(config: ModelConfig) -> str:
    rows = ["| dataset | target | values |", "| --- | --- | --- |"]
    for dataset in config.datasets:
        for name, target in config.model.predicted(dataset).items():
            rows.append(f"| {dataset} | {name} | {target.expected()} |")
    return "\n".join(rows)


def _inputs(config: ModelConfig) -> str:
    rows = ["| dataset | modality | columns of a frame |", "| --- | --- | --- |"]
    for dataset in config.datasets:
        for modality, width in config.widths(dataset).items():
            rows.append(f"| {dataset} | {modality} | {width} |")
    cards = config.training.get("extractors") or {}
    known = "" if cards else ", which is not recorded"
    lines = [f"- {dataset}, {line}" for dataset, card in cards.items() for line in described(card)]
    return (
        f"Text, and frames `(frames, columns)` of the extractor of the training data{known}. Any "
        "modality but the text can be missing.\n\n"
        + "\n".join([*rows, *[""] * bool(lines), *lines])
    )


def _training(config: ModelConfig) -> str:
    training: dict[str, Any] = config.training
    rows = [f"- backbone: {config.model.backbone.name}"]
    for key in ("command", "seed", "best", "commit", "code_sha256", "data"):
        if training.get(key) is not None:
            rows.append(f"- {key}: `{training[key]}`")
    return "\n".join(rows)
