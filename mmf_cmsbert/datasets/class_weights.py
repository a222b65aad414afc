"""Weights of classes and labels from their numbers of segments in a training split."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from torch import Tensor

from mmf_cmsbert.config.schemas.targets import ClassesTarget, RegressionTarget, Target, main
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.losses.targets import balanced_class_weights, balanced_positive_weights


def balanced_weights(
    segments: Iterable[Segment], targets: Mapping[str, Target]
) -> dict[str, Tensor]:
    """Return the weights of each target with classes or labels: name -> ``(outputs,)``.

    Args:
        segments: the training split, which is read once.
        targets: the targets of its dataset, the main one first.
    """
    wanted = {n: t for n, t in targets.items() if not isinstance(t, RegressionTarget)}
    counts = {name: np.zeros((2, t.outputs), np.int64) for name, t in wanted.items()}
    first = main(targets)[0]
    for segment in segments:
        for name, target in wanted.items():
            values = segment.values_of(name, name == first)
            if values is None:
                continue
            found = np.asarray(values)
            if isinstance(target, ClassesTarget):
                found = np.where(np.isnan(found), np.nan, np.arange(target.outputs) == found)
            counts[name] += np.stack([found == 1, ~np.isnan(found)])
    return {
        name: balanced_class_weights(counts[name][0].tolist())
        if isinstance(target, ClassesTarget)
        else balanced_positive_weights(*counts[name].tolist())
        for name, target in wanted.items()
    }


def in_words(weights: Mapping[str, Tensor], targets: Mapping[str, Target]) -> Iterator[str]:
    """Yield a sentence for each target: ``weights of emotion: neutral 0.5, joy 2``."""
    for name, each in weights.items():
        pairs = zip(targets[name].names, each.tolist(), strict=True)
        yield f"weights of {name}: {', '.join(f'{n} {weight:.3g}' for n, weight in pairs)}"
