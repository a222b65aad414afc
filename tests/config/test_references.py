"""References that cannot be resolved, or expand without limit, are refused in one message."""

import time

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config import references
from mmf_cmsbert.errors import ConfigError

_GROWING = {"a0": "x" * 100} | {f"a{n + 1}": f"${{a{n}}}" * 10 for n in range(12)}
_WRONG = {
    "itself": ({"a": "${a}"}, "a refers to itself: a -> a;"),
    "circle": ({"s": {"a": "${s.b}", "b": "x ${s.a}"}}, "s.a -> s.b -> s.a"),
    "relative circle": ({"s": {"a": "${.b}", "b": "${..s.a}"}}, "s.a -> s.b -> s.a"),
    "its own section": ({"s": {"t": {"a": "${s}"}}}, "s refers to itself"),
    "a list's item": ({"s": ["${s[1]}", "${s.0}"]}, "s.0 -> s.1 -> s.0"),
    "growing": (_GROWING, "more than 1,000,000 characters"),
    "a long chain": ({f"a{n}": f"${{a{n + 1}}}" for n in range(500)}, "in a row"),
    "no such resolver": ({"s": {"a": "${shell:rm}"}}, "s.a is .* there is no resolver shell"),
    "no such key": ({"s": {"a": "${nowhere.at.all}"}}, "s.a cannot be resolved"),
}


@pytest.mark.parametrize("name", _WRONG)
def test_a_reference_that_cannot_be_resolved_is_one_message_at_once(name):
    content, expected = _WRONG[name]
    began = time.perf_counter()
    with pytest.raises(ConfigError, match=expected) as caught:
        references.check(OmegaConf.create(content))
    assert time.perf_counter() - began < 2
    assert "\n" not in str(caught.value)


def test_references_that_can_be_resolved_pass():
    content = {
        "training": {
            "max_updates": 9,
            "interval": "${training.max_updates}",
            "same": "${.interval}",
        },
        "twice": ["${training}", "${training}", "\\${left alone}", "${training.${key}}"],
        "key": "max_updates",
        "tail": "${twice[0].max_updates}",
    }
    references.check(OmegaConf.create(content))


def test_the_origin_of_a_value_is_the_key_at_the_end_of_its_references():
    content = {
        "a": {"b": "${c.d}"},
        "c": {"d": "${.e}", "e": "/nope"},
        "f": "${c.e}/x",
        "g": "${g}",
    }
    config = OmegaConf.create(content)
    assert references.origin(config, "a.b") == "c.e"
    assert references.origin(config, "c.e") == "c.e"
    assert references.origin(config, "f") == "f", "only a part of it is from elsewhere"
    assert references.origin(config, "none.there") == "none.there"
    assert references.origin(config, "g") == "g"
