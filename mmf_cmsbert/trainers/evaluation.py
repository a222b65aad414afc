"""Evaluation of several datasets: metrics of each one over its whole split."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from mmf.common.meter import Meter

from mmf_cmsbert.compat.mmf.splits import no_samples
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.errors import ConfigError, DataError


class EvaluatesEachDataset(TrainerSteps):
    """Evaluates each dataset of a split separately.

    rc10 merges the reports of all datasets and computes metrics once, under the name of the first;
    main reports the last dataset only. In both, a split without batches, or a metric whose field is
    absent, raises an error that does not name the cause.
    """

    def evaluate(
        self, loader: Any, use_tqdm: bool = False, single_batch: bool = False
    ) -> tuple[Any, Any]:
        """Compute losses and metrics of each dataset of a split.

        Args:
            loader: the split.
            use_tqdm: ignored; ``training.progress_bar`` controls the progress bar.
            single_batch: whether to evaluate one batch only.

        Returns:
            A report and a meter. With several datasets the report is that of the first, with the
            names and metrics of all.

        Raises:
            DataError: the split has no sample.
        """
        meter = Meter()
        reports: dict[str, Any] = {}
        # Dataset -> field -> its values in each batch, joined once: joining them batch by batch
        # would copy the earlier ones every time.
        values: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        split = getattr(loader, "dataset_type", "evaluation")  # some loaders of main lack it
        with self.evaluating():
            self.model.eval()
            for batch in self.with_progress(loader, split):
                report = self._forward_pass(batch)
                self._update_meter(report, meter)
                whole = reports.setdefault(report.dataset_name, report)
                if whole is not report:
                    whole.batch_size += report.batch_size
                    whole.losses = self.add_losses(whole.losses, report.losses)
                else:
                    _check_fields(self.metrics, report)
                for name in self.metrics.required_params:
                    if name in report:
                        values[report.dataset_name][name].append(report[name])
                if single_batch is True:
                    break
            if not reports:
                raise DataError(no_samples(loader))
            for dataset, report in reports.items():
                for name, parts in values[dataset].items():
                    report[name] = _joined(parts)
                report.metrics = self.metrics(report, report)
                self._update_meter(report, meter, eval_mode=True)
            self.model.train()

        first, *others = reports.values()
        for report in others:
            first.metrics.update(report.metrics)
        first.dataset_name = ",".join(reports)
        return first, meter


def _joined(parts: Sequence[Any]) -> Any:
    """Join the values of a field: tensors, lists, and those in a dict; of others return the first.

    A tensor without dimensions, such as a temperature, is the same in all batches.
    """
    if isinstance(parts[0], torch.Tensor):
        return torch.cat(list(parts)) if parts[0].dim() else parts[0]
    if isinstance(parts[0], Mapping):
        return {name: _joined([each[name] for each in parts]) for name in parts[0]}
    return list(chain.from_iterable(parts)) if isinstance(parts[0], list) else parts[0]


def _check_fields(metrics: Any, report: Any) -> None:
    for name, metric in metrics.metrics.items():
        # On main a metric can be limited to some of the datasets.
        if not getattr(metric, "is_dataset_applicable", lambda _: True)(report.dataset_name):
            continue
        missing = [field for field in metric.required_params if field not in report]
        if missing:
            raise ConfigError(
                f"evaluation.metrics: {name} needs {', '.join(missing)}, which is neither in "
                f"dataset {report.dataset_name} ({report.dataset_type}) nor in the model's output. "
                f"These fields are: {', '.join(report.fields())}. To predict data without targets, "
                "use mmf_predict."
            )
