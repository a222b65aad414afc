r"""What the frames say about the cue: the posterior given the true generator, and its bound.

With unit noise, the projections ``s = X p`` of the frames on the pattern are sufficient. For given
loadings ``L`` the model is linear and Gaussian: with ``M = I + L' L`` and ``b = L' s``, cue and
reference have the posterior mean ``inv(M) b``, the covariance ``inv(M)``, and the evidence is
``exp(b' inv(M) b / 2) / sqrt(det M)`` up to a constant. The unknown place makes it a mixture over
the possible loadings.

The mean is the best predictor of the cue by squared error. Because the cue is independent of the
words and of the label in the corpus, the smallest mean squared error of ``label + strength * z``
is that of the label given the words, plus ``strength ** 2`` times the mean posterior variance; for
a predictor without frames it is that of the label plus ``strength ** 2``.
"""

from dataclasses import dataclass

import numpy as np

from mmf_cmsbert.experiments.cues.placements import Loadings


@dataclass(frozen=True)
class Posterior:
    """Mean and variance of the cue given the frames."""

    mean: float
    variance: float


def posterior(loadings: Loadings, projections: np.ndarray) -> Posterior:
    """Return the posterior of the cue of one utterance.

    Args:
        loadings: the possible ones, ``(possibilities, modalities, frames, 2)``, equally likely.
        projections: of the frames on the pattern, ``(modalities, frames)``.
    """
    flat = loadings.reshape(len(loadings), -1, 2)
    precision = np.eye(2) + np.einsum("hsi,hsj->hij", flat, flat)
    b = np.einsum("hsi,s->hi", flat, projections.ravel())
    covariance = np.linalg.inv(precision)
    means = np.einsum("hij,hj->hi", covariance, b)
    evidence = np.einsum("hi,hi->h", b, means) / 2 - np.linalg.slogdet(precision)[1] / 2
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    mean = float(weights @ means[:, 0])
    second = float(weights @ (covariance[:, 0, 0] + means[:, 0] ** 2))
    return Posterior(mean, second - mean**2)


@dataclass(frozen=True)
class Bound:
    """The best that any predictor can do with the frames of a split.

    Attributes:
        variance: mean posterior variance of the cue: what remains of its variance, which is 1.
        response: slope of the posterior mean on the cue, over the split's segments; its expected
            value is ``1 - variance``.
    """

    variance: float
    response: float


def bound(posteriors: list[Posterior], cues: np.ndarray) -> Bound:
    """Return the bound of a split.

    Args:
        posteriors: of its segments.
        cues: their true cues, ``(segments,)``.
    """
    means = np.array([each.mean for each in posteriors])
    centred = cues - cues.mean()
    slope = float(centred @ means / (centred @ centred))
    return Bound(float(np.mean([each.variance for each in posteriors])), slope)
