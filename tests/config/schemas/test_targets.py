"""Targets: kinds, limits, names, and what is refused."""

import pytest
from pydantic import Field

from mmf_cmsbert.config.schemas import targets as schema
from mmf_cmsbert.config.schemas.section import Section
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.errors import ConfigError


class Dataset(Section):
    targets: schema.Targets | None = Field(default=None, description="")


def targets(given):
    return schema.named(read(Dataset, {"targets": given}, "dataset_config.own").targets)


def test_without_targets_it_is_sentiment_from_minus_3_to_3():
    name, target = schema.main(targets(None))
    assert (name, target.kind, target.low, target.high) == ("sentiment", "regression", -3, 3)


def test_the_first_is_the_main_one_and_null_leaves_one_out():
    given = {
        "sentiment": None,
        "emotion": {"kind": "classes", "names": ["neutral", "joy"]},
        "emotions": {"kind": "multilabel", "names": ["happy", "sad", "anger"]},
        "arousal": {"low": 1, "high": 5},
    }
    found = targets(given)
    assert list(found) == ["emotion", "emotions", "arousal"]
    assert schema.main(found)[0] == "emotion"
    assert [each.outputs for each in found.values()] == [2, 3, 1]
    assert [each.kind for each in found.values()] == ["classes", "multilabel", "regression"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, "dataset_config.own.targets is 5; expected a section of targets"),
        ({}, "targets names no target; expected at least one"),
        ({"a": None}, "targets names no target"),
        ({"a": 3}, "targets.a is 3; expected a section"),
        ({"a": {"kind": "number"}}, "targets.a.kind is 'number'; expected one of regression, cl"),
        ({"a": {"kind": "classes"}}, "targets.a.names is None; expected the names of at least"),
        ({"a": {"kind": "classes", "names": ["x"]}}, "targets.a.names is ['x']; expected the"),
        ({"a": {"kind": "classes", "names": ["x", "X"]}}, "contains 'x' twice; expected distinct"),
        ({"a": {"kind": "multilabel", "names": []}}, "targets.a.names is []; expected the names"),
        ({"a": {"low": 1, "high": 1}}, "targets.a.low is 1 and dataset_config.own.targets.a.high"),
        ({"a": {"low": "x"}}, "targets.a.low is 'x'; expected a number"),
        ({"a": {"names": ["x", "y"]}}, "targets.a.names is not a known key"),
        ({"a b": {}}, "'a b' cannot name a target; expected a name of letters"),
        ({"text": {}}, "text is another field of a segment; expected a name such as sentiment_te"),
    ],
)
def test_a_wrong_target_is_named_with_its_key(given, message):
    with pytest.raises(ConfigError) as error:
        targets(given)
    assert message in str(error.value)
