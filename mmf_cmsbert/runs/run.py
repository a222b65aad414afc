"""A finished or interrupted run, by its folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmf_cmsbert.checkpoints import model_files
from mmf_cmsbert.records import record

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import SentimentPredictor


class Run:
    """A run of ``mmf_run`` or :func:`~mmf_cmsbert.runs.training.train`.

    >>> from mmf_cmsbert import Run
    >>> run = Run("save/synthetic_demo")
    >>> run.status, run.best_update
    ('finished', 30)
    >>> run.scores["test"]["mosi/sentiment_mae"]
    0.75
    >>> -3 <= run.predict("a very good film").sentiment <= 3
    True

    Args:
        folder: the run's ``env.save_dir``.

    Raises:
        DataError: there is no ``run.json`` in it, or it is damaged.

    Attributes:
        folder: the run's folder.
        record: the content of ``run.json`` when the run was opened: status, seed, hashes of code
            and data, versions, configuration, scores.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder).expanduser()
        self.record: dict[str, Any] = record.read(self.folder / record.NAME)

    @property
    def status(self) -> str:
        """``finished``, ``interrupted``, ``failed`` or ``running``."""
        return str(self.record["status"])

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """Split (``validation``, ``test``) -> metric -> value, of the best checkpoint.

        A split that was not scored is left out.
        """
        splits = ("validation", "test")
        return {split: dict(self.record[split]) for split in splits if self.record.get(split)}

    @property
    def best_update(self) -> int | None:
        """The update with the best validation; None where no validation gave a finite score."""
        best = self.record.get("best")
        return int(best["update"]) if best else None

    @property
    def model_folder(self) -> Path:
        """Where a finished run exports its model; see ``checkpoint.export``."""
        return self.folder / model_files.OF_RUN

    def predictor(self, **options: Any) -> SentimentPredictor:
        """The run's best model.

        Args:
            **options: ``device`` and ``dataset`` of :class:`.SentimentPredictor`.

        Raises:
            UserError: the run is not of model ``cmsbert``, or has neither an exported model nor a
                best checkpoint.
        """
        from mmf_cmsbert.predictor import SentimentPredictor
        from mmf_cmsbert.predictor.export import load_run

        if model_files.is_model(self.model_folder):
            return SentimentPredictor(self.model_folder, **options)
        best = load_run(self.folder)
        return SentimentPredictor.of(best.config, best.network, best.tokenizer, **options)

    def predict(self, given: Any, **options: Any) -> Any:
        """Predict with the run's best model, which is loaded once.

        Args:
            given: a segment or several, see :meth:`.SentimentPredictor.__call__`.
            **options: ``batch_size`` and ``explain``.

        Returns:
            A prediction for one segment, else a list.
        """
        return self._predictor(given, **options)

    def report(self, output: str | Path | None = None) -> Path:
        """Write the run's report, as ``cmsbert report`` does.

        Args:
            output: the file; by default ``report.html`` in the run's folder.

        Returns:
            The file.

        Raises:
            DataError: the run has not finished.
        """
        from mmf_cmsbert import report

        return report.write(self.folder, output)

    @cached_property
    def _predictor(self) -> SentimentPredictor:
        return self.predictor()

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}: {self.status}, best update {self.best_update})"
