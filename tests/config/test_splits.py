"""The splits that each kind of run reads."""

import pytest

from mmf_cmsbert.config.splits import needed_splits, trains


@pytest.mark.parametrize(
    ("run_type", "splits"),
    [
        ("train", ["train", "val"]),
        ("train_inference", ["train", "val", "test"]),
        ("train_val", ["train", "val"]),
        ("val", ["val"]),
        ("test", ["test"]),
        ("inference", ["test"]),
        ("predict", ["test"]),
        ("val_test", ["val", "test"]),
        ("val+inference", ["val", "test"]),
    ],
)
def test_a_run_reads_what_its_run_type_names(run_type, splits):
    assert needed_splits(run_type) == splits
    assert trains(run_type) is run_type.startswith("train")
