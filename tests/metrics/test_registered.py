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

from mmf_cmsbert.config.schemas.targets import ClassesTarget, MultilabelTarget, RegressionTarget
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.metrics import METRICS, SIMS_METRICS
from mmf_cmsbert.metrics import registered as registered_metrics

LABELS = torch.tensor([[-3.0], [1.6], [1.0], [0.0], [0.0], [2.5]])
PREDICTIONS = torch.tensor([[-3.6], [2.0], [-0.5], [0.5], [-0.2], [1.5]])


def make_report(predictions, labels, dataset="mosi", **further):
    batch = SampleList()
    batch.add_field("targets", labels)
    output = {"scores": predictions}
    for name, (scores, own) in further.items():
        batch.add_field(f"targets_{name}", own)
        output[f"scores_{name}"] = scores
    batch.dataset_name, batch.dataset_type = dataset, "val"
    return Report(batch, output)


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
    assert all(issubclass(cls, registered_metrics.TargetMetric) for cls in classes)
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


EMOTION = ClassesTarget(kind="classes", names=["neutral", "joy"])
EMOTIONS = MultilabelTarget(kind="multilabel", names=["happy", "sad"])


@pytest.fixture(autouse=True)
def undefined():
    """Forget the targets that a dataset of an earlier test has registered."""
    for name in ("mosi_targets", "mosei_targets"):
        registry.unregister(name)


@pytest.fixture
def defined():
    """Define the targets of a dataset, as its builder does."""

    def define(**targets):
        registry.register("corpus_targets", targets)

    yield define
    registry.unregister("corpus_targets")


def metrics_of(text):
    return Metrics(OmegaConf.create(text))


def test_params_and_keys_name_a_target_and_one_of_its_labels_on_both_lines(defined):
    defined(sentiment=RegressionTarget(), emotions=EMOTIONS)
    metrics = metrics_of(
        "[sentiment_mae, {type: multilabel_accuracy, params: {target: emotions}}, {type: "
        "multilabel_accuracy, key: accuracy_sad, params: {target: emotions, label: sad}}]"
    )
    logits = torch.tensor([[1.0, -1.0]] * 6)
    labels = torch.tensor([[1.0, 0.0]] * 3 + [[0.0, 0.0]] * 2 + [[0.0, 1.0]])
    report = make_report(PREDICTIONS, LABELS, "corpus", emotions=(logits, labels))
    values = metrics(report, report)
    assert {name.removeprefix("val/corpus/"): value.item() for name, value in values.items()} == {
        "sentiment_mae": pytest.approx(METRICS["sentiment_mae"](PREDICTIONS, LABELS)),
        "multilabel_accuracy": pytest.approx((3 / 6 + 5 / 6) / 2),
        "accuracy_sad": pytest.approx(5 / 6),
    }
    assert {"scores_emotions", "targets_emotions"} <= metrics.required_params


def test_a_metric_of_some_datasets_is_not_computed_for_others_on_both_lines(defined):
    metrics = metrics_of("[sentiment_mae, {type: class_accuracy, datasets: [corpus]}]")
    assert list(metrics(report := make_report(PREDICTIONS, LABELS), report)) == [
        "val/mosi/sentiment_mae"
    ]


def test_limits_come_from_the_target(defined):
    defined(arousal=RegressionTarget(low=1, high=5))
    report = make_report(torch.tensor([0.2, 3.4, 9.0]), torch.tensor([1.0, 4.0, 5.0]), "corpus")
    metrics = metrics_of("[regression_accuracy, regression_mae]")
    values = [value.item() for value in metrics(report, report).values()]
    assert values == pytest.approx([2 / 3, (0.8 + 0.6 + 4) / 3])


@pytest.mark.parametrize(
    ("metric", "target", "message"),
    [
        ("sentiment_mae", EMOTION, "of kind regression, and main is of kind classes; expected one"),
        ("class_accuracy", EMOTIONS, "of kind classes, and main is of kind multilabel"),
        ("sentiment_acc7", RegressionTarget(low=-1, high=1), r"in \[-3, 3\], and those of main"),
        ("sims_acc2", RegressionTarget(), r"defined for labels in \[-1, 1\], and those of main"),
        ("sentiment_acc2", RegressionTarget(low=1, high=5), "separates negative from positive"),
    ],
)
def test_a_metric_that_does_not_fit_the_target_is_refused(defined, metric, target, message):
    defined(main=target)
    report = make_report(PREDICTIONS, LABELS, "corpus")
    with pytest.raises(ConfigError, match=message):
        metrics_of([metric])(report, report)


def test_an_unknown_label_is_refused(defined):
    defined(emotions=EMOTIONS)
    report = make_report(torch.zeros(2, 2), torch.zeros(2, 2), "corpus")
    with pytest.raises(ConfigError, match="label is 'angry'; expected one of happy, sad"):
        metrics_of("[{type: multilabel_f1, params: {label: angry}}]")(report, report)


@pytest.mark.rc10("on main, MMF's own message")
def test_two_metrics_of_one_key_are_refused():
    with pytest.raises(ConfigError, match="two metrics have the key class_accuracy; set another"):
        metrics_of("[class_accuracy, {type: class_accuracy, params: {target: emotion}}]")


def test_a_response_is_the_slope_on_the_labels_of_another_target_on_both_lines(defined):
    defined(sentiment=RegressionTarget(), cue=RegressionTarget())
    cues = torch.tensor([[-1.0], [0.0], [2.0], [5.0], [1.0], [0.5]])
    report = make_report(0.3 * cues + 1, LABELS, "corpus", cue=(cues, cues))
    metrics = metrics_of("[{type: regression_response, key: followed, params: {of: cue}}]")
    (value,) = metrics(report, report).values()
    assert value.item() == pytest.approx(0.3)
