"""Evaluation over several datasets: metrics of each one over its whole split."""

from collections.abc import Iterable
from typing import Any

import torch
from mmf.common.meter import Meter

from mmf_cmsbert.compat.mmf.splits import no_samples
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.errors import ConfigError, DataError


class EvaluatesEachDataset(TrainerSteps):
    """Evaluates each dataset of a split by itself.

    rc10 joins the reports of all datasets and computes metrics once, under the name of the first;
    main reports the last dataset only. A split without batches, or a metric whose field is absent,
    ends in an error of Python's.
    """

    def evaluate(
        self, loader: Any, use_tqdm: bool = False, single_batch: bool = False
    ) -> tuple[Any, Any]:
        """Compute losses and metrics of each dataset of a split.

        Args:
            loader: the split.
            use_tqdm: MMF's; here ``training.progress_bar`` says whether batches are counted.
            single_batch: whether one batch is enough.

        Returns:
            A report and a meter. With several datasets the report is the first one's, under all
            names and with all metrics.

        Raises:
            DataError: the split has no sample.
        """
        meter = Meter()
        reports: dict[str, Any] = {}
        split = getattr(loader, "dataset_type", "evaluation")  # not of every loader on main
        with self.evaluating():
            self.model.eval()
            for batch in self.shown(loader, split):
                report = self._forward_pass(batch)
                self._update_meter(report, meter)
                whole = reports.setdefault(report.dataset_name, report)
                if whole is not report:
                    self._join(whole, report)
                else:
                    _check_fields(self.metrics, report)
                if single_batch is True:
                    break
            if not reports:
                raise DataError(no_samples(loader))
            for report in reports.values():
                report.metrics = self.metrics(report, report)
                self._update_meter(report, meter, eval_mode=True)
            self.model.train()

        first, *others = reports.values()
        for report in others:
            first.metrics.update(report.metrics)
        first.dataset_name = ",".join(reports)
        return first, meter

    def _join(self, whole: Any, part: Any) -> None:
        append(whole, part, self.metrics.required_params)
        whole.batch_size += part.batch_size
        whole.losses = self.add_losses(whole.losses, part.losses)


def append(whole: Any, part: Any, fields: Iterable[str]) -> None:
    """Append to a report the fields of another one that metrics need: tensors or lists."""
    for name in fields:
        if isinstance(whole.get(name), torch.Tensor):
            whole[name] = torch.cat((whole[name], part[name]))
        elif isinstance(whole.get(name), list):
            whole[name] = [*whole[name], *part[name]]


def _check_fields(metrics: Any, report: Any) -> None:
    for name, metric in metrics.metrics.items():
        # on main a metric may be meant for some of the datasets
        if not getattr(metric, "is_dataset_applicable", lambda _: True)(report.dataset_name):
            continue
        missing = [field for field in metric.required_params if field not in report]
        if missing:
            raise ConfigError(
                f"evaluation.metrics: {name} needs {', '.join(missing)}, which neither dataset "
                f"{report.dataset_name} ({report.dataset_type}) nor the model's output has. There "
                f"are: {', '.join(report.fields())}. Without targets, predict with mmf_predict."
            )
