"""Scores that are NaN or infinite end a run with an error instead of a file of NaN."""

import math
from typing import Any

import torch
from mmf.common.test_reporter import TestReporter

from mmf_cmsbert.compat.mmf.line import trainer_class
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import DataError

_SHOWN = 3


class ScoresNotFiniteError(DataError):
    """A model's scores for some samples are NaN or infinite."""


@patch(
    "mmf.common.test_reporter.TestReporter",
    why="Predictions that are NaN or infinite are written as if they were scores.",
    remove_when="MMF refuses to write them.",
)
def finite_predictions() -> None:
    def checking(original):
        def dump(self, filepath):
            broken = [row for row in self.report if not _is_finite(row)]
            if broken:
                names = ", ".join(str(row.get("id", "?")) for row in broken[:_SHOWN])
                raise ScoresNotFiniteError(
                    _message(f"{len(broken)} of {len(self.report)} samples ({names})")
                    + f" {filepath} was not written."
                )
            original(self, filepath)

        return dump

    TestReporter.csv_dump = checking(TestReporter.csv_dump)
    TestReporter.json_dump = checking(TestReporter.json_dump)


@patch(
    "mmf.trainers.base_trainer.BaseTrainer.evaluate",
    why="Metrics of scores that are NaN are compared and recorded as if they were numbers.",
    remove_when="MMF checks the scores that it computes metrics of.",
)
def finite_scores() -> None:
    trainer = trainer_class()
    original = trainer.evaluate

    def evaluate(self, *args, **kwargs):
        report, meter = original(self, *args, **kwargs)
        scores = report.get("scores")
        # Some models give answers that are ruled out a score of minus infinity.
        if isinstance(scores, torch.Tensor) and scores.is_floating_point():
            broken = int((scores.isnan() | scores.isposinf()).sum())
            if broken:
                where = f"{report.dataset_type} split of {report.dataset_name}"
                raise ScoresNotFiniteError(
                    _message(
                        f"{broken} of {scores.numel()} values, {where}, update {self.num_updates}"
                    )
                )
        return report, meter

    trainer.evaluate = evaluate


def _message(where: str) -> str:
    return (
        f"The model's scores are NaN or infinite ({where}). The weights are finite; "
        "look at the frames of these samples (cmsbert data inspect), and at training.precision."
    )


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
