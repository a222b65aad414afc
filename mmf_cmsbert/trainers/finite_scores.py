"""Scores that are NaN or infinite end a run with an error."""

from typing import Any

import torch

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.errors import ScoresNotFiniteError


class RefusesBrokenScores(TrainerSteps):
    """Ends a run whose model gives scores that are NaN or infinite.

    MMF compares and records NaN metrics as if they were numbers.
    """

    def evaluate(self, loader: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Evaluate a split.

        Raises:
            ScoresNotFiniteError: scores are NaN or infinite.
        """
        report, meter = super().evaluate(loader, *args, **kwargs)
        scores = report.get("scores")
        # Minus infinity is allowed: some models give it to answers that they exclude.
        if isinstance(scores, torch.Tensor) and scores.is_floating_point():
            broken = int((scores.isnan() | scores.isposinf()).sum())
            if broken:
                raise ScoresNotFiniteError(
                    f"{broken} of {scores.numel()} values, {report.dataset_type} split of "
                    f"{report.dataset_name}, update {self.num_updates}"
                )
        return report, meter
