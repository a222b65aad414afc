"""max_updates and max_epochs: the last one set has precedence, and setting both is refused."""

import pytest

from mmf_cmsbert.config import run_length
from mmf_cmsbert.errors import ConfigError


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"max_epochs": 3}, {"max_epochs": 3, "max_updates": None}),
        ({"max_updates": 9}, {"max_updates": 9, "max_epochs": None}),
        ({"max_updates": None, "max_epochs": 3}, {"max_updates": None, "max_epochs": 3}),
        ({"max_updates": None}, {"max_updates": None}),
        ({"seed": 1}, {"seed": 1}),
    ],
)
def test_one_key_of_a_file_switches_the_other_one_off(given, expected):
    assert run_length.settled({"training": given}, "a.yaml") == {"training": expected}


def test_both_keys_of_a_file_are_refused():
    with pytest.raises(ConfigError, match="a.yaml sets max_updates: 9 and max_epochs: 3"):
        run_length.settled({"training": {"max_updates": 9, "max_epochs": 3}}, "a.yaml")


@pytest.mark.parametrize(
    "options, override, expected",
    [
        ({"training.max_epochs": 3}, {}, {"training.max_updates": None}),
        ({"training.max_updates": 3}, {}, {"training.max_epochs": None}),
        (
            {"training.max_updates": None, "training.max_epochs": 3},
            {},
            {"training.max_updates": None},
        ),
        ({}, {"training": {"max_epochs": 3}}, {"training.max_updates": None}),
        # typed options have precedence over --config_override
        (
            {"training.max_updates": 9},
            {"training": {"max_epochs": 3}},
            {"training.max_epochs": None},
        ),
        ({}, {}, {}),
    ],
)
def test_what_is_typed_switches_off_what_files_say(options, override, expected):
    off = run_length.typed(options, override)
    given = {key: value for key, value in options.items() if value is None}
    assert off | given == expected


def test_both_keys_typed_are_refused():
    both = {"training.max_updates": 9, "training.max_epochs": 3}
    with pytest.raises(ConfigError, match="training.max_updates=9 and training.max_epochs=3"):
        run_length.typed(both, {})


@pytest.mark.parametrize(
    "epochs, batches, frequency, expected", [(40, 1, 1, 40), (3, 27, 1, 81), (3, 7, 2, 12)]
)
def test_updates_of_so_many_epochs(epochs, batches, frequency, expected):
    assert run_length.updates(epochs, batches, frequency) == expected
