"""The metrics, built and called by MMF's evaluation."""

import pytest
import torch

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.common.registry import registry
from mmf.common.report import Report
from mmf.common.sample import SampleList
from mmf.modules.metrics import Metrics
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.metrics import METRICS, SIMS_METRICS
from mmf_cmsbert.metrics import registered as registered_metrics

LABELS = torch.tensor([[-3.0], [1.6], [1.0], [0.0], [0.0], [2.5]])
PREDICTIONS = torch.tensor([[-3.6], [2.0], [-0.5], [0.5], [-0.2], [1.5]])


def make_report(predictions, labels):
    batch = SampleList()
    batch.add_field("targets", labels)
    batch.dataset_name, batch.dataset_type = "mosi", "val"
    return Report(batch, {"scores": predictions})


def test_mmf_names_all_eight_by_split_and_dataset():
    metrics = Metrics(OmegaConf.create(list(METRICS)))
    report = make_report(PREDICTIONS, LABELS)
    values = metrics(report, report)
    assert set(values) == {f"val/mosi/{name}" for name in METRICS}
    for name, metric in METRICS.items():
        value = values[f"val/mosi/{name}"]
        assert value.shape == (1,)
        assert value.item() == pytest.approx(metric(PREDICTIONS, LABELS), abs=1e-6)


def test_batches_that_mmf_joins_are_scored_as_one_split():
    metrics = Metrics(OmegaConf.create(list(METRICS)))
    report = make_report(PREDICTIONS[:4], LABELS[:4])
    rest = make_report(PREDICTIONS[4:], LABELS[4:])
    for field in metrics.required_params & {"scores", "targets"}:
        report[field] = torch.cat([report[field], rest[field]])
    whole = make_report(PREDICTIONS, LABELS)
    assert metrics(report, report) == metrics(whole, whole)


def test_each_name_is_a_class_of_its_own():
    classes = {registry.get_metric_class(name) for name in METRICS}
    assert len(classes) == len(METRICS) == 8
    assert all(issubclass(cls, registered_metrics.SentimentMetric) for cls in classes)
    assert registry.get_metric_class("sentiment_f1")().name == "sentiment_f1"


def test_scores_of_seven_classes_are_refused_by_name():
    metrics = Metrics(["sentiment_mae"])
    report = make_report(torch.zeros(6, 7), LABELS)
    with pytest.raises(ConfigError, match=r"sentiment_mae: predictions have shape \(6, 7\)"):
        metrics(report, report)


def test_the_metrics_of_ch_sims_are_found_by_name():
    metrics = Metrics(OmegaConf.create(list(SIMS_METRICS)))
    report = make_report(PREDICTIONS / 3, LABELS / 3)
    values = metrics(report, report)
    for name, metric in SIMS_METRICS.items():
        expected = metric(PREDICTIONS / 3, LABELS / 3)
        assert values[f"val/mosi/{name}"].item() == pytest.approx(expected, abs=1e-6)
