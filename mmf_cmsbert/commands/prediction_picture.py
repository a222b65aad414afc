"""A prediction as a picture in the terminal."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from mmf_cmsbert.config.schemas.targets import RegressionTarget

if TYPE_CHECKING:
    from mmf_cmsbert.datasets.answers import Answer
    from mmf_cmsbert.predictor import Prediction, SentimentPredictor

_WIDTH = 31  # of a scale, in characters
_SHADES = ((0.05, "default"), (0.2, "yellow"), (0.5, "dark_orange"), (1e9, "bold red"))


def show(prediction: "Prediction", predictor: "SentimentPredictor") -> None:
    """Print each answer, and the words coloured by how far they were shifted.

    A number is shown on its scale, classes and labels with their probabilities.
    """
    console = Console(highlight=False)
    first = prediction.target
    if isinstance(first, RegressionTarget):
        _show_scale(console, prediction, first)
    for number, (name, answer) in enumerate(prediction.answers.items()):
        if number == 0 and isinstance(first, RegressionTarget):
            continue
        _show_answer(console, name, answer)
    if prediction.explanation is None:
        return
    words = Text()
    for each in prediction.explanation.words:
        style = "dim" if each.shift is None else _shade(each.shift)
        words.append(each.word, style).append(" ")
    console.print(words)
    if not any(each.shift for each in prediction.explanation.words):
        modalities = " or ".join(predictor.config.widths(predictor.dataset)) or "voice or face"
        console.print(f"Words are not shifted: there are no {modalities} frames.", style="dim")


def _show_scale(console: Console, prediction: "Prediction", target: RegressionTarget) -> None:
    low, high = target.low, target.high
    at = round((prediction.sentiment - low) / (high - low) * (_WIDTH - 1))
    signed = low < 0 < high
    ends = (f"{low:+g}", f"{high:+g}") if signed else (f"{low:g}", f"{high:g}")
    scale = Text(f"{ends[0]} " + "·" * at + "█" + "·" * (_WIDTH - 1 - at) + f" {ends[1]}")
    colour = "default" if not signed else "red" if prediction.sentiment < 0 else "green"
    scale.stylize(colour, len(ends[0]) + 1 + at, len(ends[0]) + 2 + at)
    console.print(scale)
    number = f"{prediction.sentiment:{'+' * signed}.2f}"
    word = f"  {prediction.class2}" if signed else ""
    console.print(Text.assemble((number, f"bold {colour}"), word))


def _show_answer(console: Console, name: str, answer: "Answer") -> None:
    value = answer.value
    if isinstance(value, float):
        console.print(Text.assemble(f"{name}: ", (f"{value:.2f}", "bold")))
        return
    shown = value if isinstance(value, str) else ", ".join(value) or "none"
    console.print(Text.assemble(f"{name}: ", (shown, "bold")))
    width = max(map(len, answer.probabilities))
    for label, share in sorted(answer.probabilities.items(), key=lambda each: -each[1]):
        bar = "█" * round(share * _WIDTH)
        console.print(Text(f"  {label:<{width}} {share:4.0%} {bar}"))


def _shade(size: float) -> str:
    return next(style for limit, style in _SHADES if size < limit)
