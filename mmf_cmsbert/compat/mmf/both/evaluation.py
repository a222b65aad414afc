"""Evaluation over several datasets: metrics of each one over its whole split."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from mmf.common.meter import Meter
from mmf.common.test_reporter import TestReporter

from mmf_cmsbert.compat.mmf.both import precision
from mmf_cmsbert.compat.mmf.line import is_main, trainer_class
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import replaced_file
from mmf_cmsbert.trainers.run_checks import no_samples


@patch(
    "mmf.trainers.core.evaluation_loop",
    why="rc10 joins the reports of all datasets and computes metrics once, under the name of the "
    "first; main reports the last dataset only. A split without batches, or a metric whose field "
    "is absent, ends in an error of Python's.",
    remove_when="MMF evaluates each dataset of a split separately.",
)
def evaluate_each_dataset() -> None:
    trainer_class().evaluate = evaluate


@patch(
    "mmf.common.test_reporter.TestReporter",
    why="Predictions are written in place: an interrupted file holds half of them.",
    remove_when="MMF replaces files of predictions as a whole.",
)
def whole_files() -> None:
    original_csv_dump, original_json_dump = TestReporter.csv_dump, TestReporter.json_dump

    def csv_dump(self, filepath):
        if not self.report:
            raise DataError(
                f"Dataset {self.current_dataset.dataset_name} gave no predictions to write to "
                f"{filepath}: it has no format_for_prediction."
            )
        with replaced_file(Path(filepath)) as unfinished:
            original_csv_dump(self, str(unfinished))

    def json_dump(self, filepath):
        with replaced_file(Path(filepath)) as unfinished:
            original_json_dump(self, str(unfinished))

    TestReporter.csv_dump, TestReporter.json_dump = csv_dump, json_dump


def evaluate(self, loader: Any, use_tqdm: bool = False, single_batch: bool = False) -> tuple:
    """Compute losses and metrics of each dataset of a split.

    Args:
        loader: the split.
        use_tqdm: MMF's; here ``training.progress_bar`` says whether batches are counted.
        single_batch: whether one batch is enough.

    Returns:
        A report and a meter. With several datasets the report is the first one's, under all names
        and with all metrics.

    Raises:
        DataError: the split has no sample.
    """
    meter = Meter()
    reports = {}
    split = getattr(loader, "dataset_type", "evaluation")  # not of every loader on main
    with precision.evaluating(self):
        self.model.eval()
        for batch in self.progress.batches(loader, split):
            report = self._forward_pass(batch)
            self._update_meter(report, meter)
            whole = reports.setdefault(report.dataset_name, report)
            if whole is not report:
                _join(whole, report, self.metrics.required_params)
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


def _join(whole: Any, part: Any, fields: Iterable[str]) -> None:
    """Append the fields that metrics want, those of them that are tensors or lists."""
    for name in fields:
        if isinstance(whole.get(name), torch.Tensor):
            whole[name] = torch.cat((whole[name], part[name]))
        elif isinstance(whole.get(name), list):
            whole[name] = [*whole[name], *part[name]]
    whole.batch_size += part.batch_size
    if is_main():  # whose report has the sum of the batches' losses
        whole.losses = {k: v + part.losses.get(k, 0) for k, v in whole.losses.items()}


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
