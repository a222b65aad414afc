"""Numbers that no machine can follow are one message, before anything is allocated."""

import pytest

from mmf_cmsbert.config import ranges
from mmf_cmsbert.errors import ConfigError


def nested(key, value):
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def test_every_range_refuses_what_is_beyond_and_takes_its_ends():
    for pattern, (least, most) in ranges.RANGES.items():
        key = pattern.replace("*", "mosi")
        for value in (least, most):
            ranges.check(nested(key, value))
        for value in (least - 1, most + 1, 10**20, -(10**20), float("nan"), float("inf")):
            with pytest.raises(ConfigError, match=rf"{key} is .* expected a number from {least} "):
                ranges.check(nested(key, value))


def test_what_is_no_number_and_unknown_keys_pass():
    ranges.check({"training": {"seed": "one", "batch_size": None, "own": 10**20, "x": True}})


def test_the_file_is_named():
    with pytest.raises(ConfigError, match="^a.yaml: training.batch_size is 0;"):
        ranges.check({"training": {"batch_size": 0}}, "a.yaml")
