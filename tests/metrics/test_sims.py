"""The scores of CH-SIMS against hand-worked cases and a second computation in numpy."""

import math

import numpy as np
import pytest
import torch

from mmf_cmsbert.metrics.sims import SIMS_METRICS, sims_class

EDGES = {
    2: (-1.01, 0.0, 1.01),
    3: (-1.01, -0.1, 0.1, 1.01),
    5: (-1.01, -0.7, -0.1, 0.1, 0.7, 1.01),
}


def in_classes(values, classes):
    """The class of each value by comparing it with the ends of all intervals."""
    edges = np.array(EDGES[classes], np.float32)
    return np.array(
        [next(i for i in range(classes) if edges[i] < v <= edges[i + 1]) for v in values]
    )


def reference(predictions, labels):
    """All scores with plain counts, without torch and scikit-learn."""
    predictions, labels = (
        np.clip(np.asarray(each, np.float32), -1, 1) for each in (predictions, labels)
    )
    found = {
        f"sims_acc{n}": (in_classes(predictions, n) == in_classes(labels, n)).mean() for n in EDGES
    }
    predicted, true = in_classes(predictions, 2), in_classes(labels, 2)
    f1 = 0.0
    for each in (0, 1):
        hits = ((predicted == each) & (true == each)).sum()
        either = (predicted == each).sum() + (true == each).sum()
        f1 += (true == each).mean() * (2 * hits / either if either else 0.0)
    weak = np.abs(labels) <= np.float32(0.4)
    errors = predictions.astype(float) - labels
    from_mean = labels.astype(float) - labels.astype(float).mean()
    return found | {
        "sims_f1": f1,
        "sims_acc2_weak": (predicted == true)[weak].mean(),
        "sims_mae": np.abs(errors).mean(),
        "sims_corr": np.corrcoef(predictions.astype(float), labels)[0, 1],
        "sims_r2": 1 - (errors**2).sum() / (from_mean**2).sum(),
    }


@pytest.mark.parametrize("seed", range(20))
def test_the_scores_equal_a_second_computation_in_numpy(seed):
    generator = np.random.default_rng(seed)
    # The corpus's labels are multiples of 0.2. Predictions lie on and off the cut points.
    labels = generator.integers(-5, 6, 60) / 5
    labels[0] = 0.2
    predictions = np.where(
        generator.random(60) < 0.5, generator.integers(-14, 15, 60) / 10, generator.normal(0, 1, 60)
    )
    found = {
        name: metric(torch.tensor(predictions).float(), torch.tensor(labels).float()[:, None])
        for name, metric in SIMS_METRICS.items()
    }
    assert found == pytest.approx(reference(predictions, labels), abs=1e-6)


@pytest.mark.parametrize(
    ("classes", "values", "expected"),
    [
        (2, [-1, -0.0, 0.0, 1e-7, 1], [0, 0, 0, 1, 1]),
        (3, [-0.1, -0.0999, 0.1, 0.1001], [0, 1, 1, 2]),
        (5, [-3, -0.7, -0.69, -0.1, 0.1, 0.7, 0.71, 3], [0, 0, 1, 1, 2, 3, 4, 4]),
    ],
)
def test_a_class_includes_its_upper_end_and_not_its_lower(classes, values, expected):
    assert sims_class(torch.tensor(values), classes).tolist() == expected
    assert sims_class(torch.tensor(values).double(), classes).tolist() == expected


def test_error_and_correlation_are_of_clipped_values():
    assert SIMS_METRICS["sims_mae"](torch.tensor([5.0, -1.0]), torch.tensor([1.0, -1.0])) == 0
    corr = SIMS_METRICS["sims_corr"](torch.tensor([5.0, 1.0, -1.0]), torch.tensor([1.0, 1.0, -1.0]))
    assert corr == pytest.approx(1)


def test_weak_sentiment_is_at_most_0_4_on_either_side():
    labels = torch.tensor([-0.4, 0.4, 0.6, -1.0])
    assert SIMS_METRICS["sims_acc2_weak"](torch.tensor([-1.0, -1.0, -1.0, 1.0]), labels) == 0.5
    assert math.isnan(SIMS_METRICS["sims_acc2_weak"](labels[2:], labels[2:]))


@pytest.mark.parametrize("name", SIMS_METRICS)
def test_unknown_labels_are_left_out_and_no_label_gives_nan(name):
    metric, nan = SIMS_METRICS[name], math.nan
    predictions, labels = torch.tensor([0.2, -0.3, 0.9]), torch.tensor([0.4, -0.2, 0.0])
    with_unknown = metric(torch.tensor([0.2, 0.7, -0.3, 0.9]), torch.tensor([0.4, nan, -0.2, 0.0]))
    assert with_unknown == metric(predictions, labels)
    assert math.isnan(metric(torch.zeros(2), torch.full((2,), nan)))


@pytest.mark.parametrize("name", SIMS_METRICS)
def test_a_prediction_of_nan_is_wrong_or_makes_the_score_nan(name):
    found = SIMS_METRICS[name](torch.tensor([0.4, math.nan, -0.2]), torch.tensor([0.4, 0.2, -0.2]))
    assert math.isnan(found) or found < 1


def test_another_number_of_classes_is_refused():
    with pytest.raises(ValueError, match="2, 3 or 5 classes, not 7"):
        sims_class(torch.zeros(1), 7)
