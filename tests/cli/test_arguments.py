"""Options of mmf_run and mmf_predict, and unknown options."""

import pytest

from mmf_cmsbert.cli.arguments import parse
from mmf_cmsbert.errors import ConfigError


def test_options_stand_anywhere_among_keys_and_values():
    found = parse("mmf_run", ["config=a.yaml", "--verbose", "-co", "{}", "x=1", "--local_rank=2"])
    assert found.words == ("config=a.yaml", "x=1")
    assert (found.verbose, found.config_override, found.local_rank) == (True, "{}", 2)
    assert found.help_config is None and not found.print_config


def test_values_may_be_negative_numbers():
    assert parse("mmf_run", ["training.seed", "-1"]).words == ("training.seed", "-1")


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (["--help-config"], ()),
        (["--help-config", "training"], ("training",)),
        (["--help-config=training"], ("training",)),
        (["training", "--help-config"], ("training",)),
        (["--help-config", "training", "env"], ("training", "env")),
    ],
)
def test_keys_to_explain(typed, keys):
    assert parse("mmf_run", typed).help_config == keys


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--verbos", "--verbos is no option. Did you mean --verbose?"),
        ("--print_config", "Did you mean --print-config?"),
        ("--config-override={}", "Did you mean --config_override?"),
        ("--training.seed=2", "type training.seed=2"),
        ("--zzz", "--zzz is no option; mmf_run --help"),
        ("--local_rank=x", "local_rank"),
        ("-co", "expected one argument"),
    ],
)
def test_unknown_options_are_refused_with_what_was_meant(word, message):
    with pytest.raises(ConfigError) as refused:
        parse("mmf_run", ["config=a.yaml", word])
    assert message in str(refused.value)
