"""A prediction as a picture in the terminal."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import Prediction, SentimentPredictor

_WIDTH = 31  # of the scale from -3 to 3, in characters
_SHADES = ((0.05, "default"), (0.2, "yellow"), (0.5, "dark_orange"), (1e9, "bold red"))


def show(prediction: "Prediction", predictor: "SentimentPredictor") -> None:
    """Print the sentiment on its scale, and the words coloured by how far they were shifted."""
    console = Console(highlight=False)
    at = round((prediction.sentiment + 3) / 6 * (_WIDTH - 1))
    scale = Text("-3 " + "·" * at + "█" + "·" * (_WIDTH - 1 - at) + " +3")
    colour = "red" if prediction.score < 0 else "green"
    scale.stylize(colour, 3 + at, 4 + at)
    console.print(scale)
    number = f"{prediction.sentiment:+.2f}"
    console.print(Text.assemble((number, f"bold {colour}"), f"  {prediction.class2}"))
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


def _shade(size: float) -> str:
    return next(style for limit, style in _SHADES if size < limit)
