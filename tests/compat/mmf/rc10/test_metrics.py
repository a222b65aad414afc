import pytest
import torch

pytestmark = pytest.mark.rc10("main takes all labels of a sample")


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        # classes 2, 1 against 2, 0: f1 of 0 for classes 0 and 1, of 1 for class 2
        ([[0, 1, 1], [0, 1, 0]], 1 / 3),
        ([[0, 0, 1], [0, 1, 0]], 1 / 3),
        ([2, 1], 1 / 3),
    ],
)
def test_the_last_of_several_labels_counts(mmf, targets, expected):
    from mmf.modules.metrics import MultiLabelMacroF1

    scores = torch.tensor([[0.1, 0.2, 0.9], [0.9, 0.2, 0.1]])
    sample = {"targets": torch.tensor(targets)}
    found = MultiLabelMacroF1().calculate(sample, {"scores": scores})
    assert found.item() == pytest.approx(expected)
