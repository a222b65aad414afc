"""What the definition of a new dataset says is what its files hold."""

import json

import numpy as np
import pytest

from mmf_cmsbert.datasets.inspection.proposal import propose, target_of
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.errors import DataError


def records(folder, **rows):
    file = folder / "talks.json"
    file.write_text(json.dumps(rows))
    return file


def test_records_by_id_with_columns_of_other_names(tmp_path):
    rows = {
        f"1_{i}": {
            "remark": "so it is a joke",
            "speaker": "ann",
            "context": ["x"],
            "joke": i > 1,
        }
        for i in range(5)
    }
    found = propose(find_source([records(tmp_path, **rows)]), "auto", {})
    assert found.columns == {"text": "remark", "label": "joke"}
    assert found.segments == {"test": 5} and not found.named_splits
    assert (found.widths, found.longest, found.labels) == ({}, 5, {True: 3, False: 2})


def test_splits_widths_and_missing_frames(tmp_path):
    rows = [
        {"id": f"c{i}", "text": "a b", "label": i, "split": s}
        for i, s in enumerate(("dev", "train"))
    ]
    (tmp_path / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "gaze").mkdir()
    np.save(tmp_path / "gaze" / "c0.npy", np.ones((2, 3), np.float32))
    found = propose(find_source([tmp_path]), "auto", {})
    assert found.segments == {"train": 1, "val": 1} and found.named_splits
    assert (found.widths, found.missing) == ({"gaze": 3}, {"gaze": 1})


def test_columns_that_cannot_be_guessed_are_listed(tmp_path):
    file = records(tmp_path, a={"said": "one two three", "heard": "four five six", "joke": True})
    with pytest.raises(
        DataError, match="Its columns are id, said, heard, joke; name those of text"
    ):
        propose(find_source([file]), "auto", {})
    assert propose(find_source([file]), "auto", {"text": "said"}).segments == {"test": 1}


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        ([True, False], {"kind": "classes", "names": ["no", "yes"]}),
        ([1, 0, 0], {"kind": "classes", "names": ["no", "yes"]}),
        ([0, 1, 2], {"kind": "classes", "names": ["class 0", "class 1", "class 2"]}),
        (["joy", "anger", "joy"], {"kind": "classes", "names": ["anger", "joy"]}),
        ([("joy", "fear"), ()], {"kind": "multilabel", "names": ["fear", "joy"]}),
        ([-0.4, 0.9], {"kind": "regression", "low": -1.0, "high": 1.0}),
        ([-2.5, 1], {"kind": "regression", "low": -3.0, "high": 3.0}),
        ([1.5, 9, None], {"kind": "regression", "low": 1.5, "high": 9.0}),
        (["1.5", "9"], {"kind": "regression", "low": 1.5, "high": 9.0}),
        ([None], None),
    ],
)
def test_the_target_follows_from_the_labels(labels, target):
    assert target_of(dict.fromkeys(labels, 1)) == target
