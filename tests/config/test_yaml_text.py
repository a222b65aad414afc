"""YAML files are read in bounded time and memory; errors are single messages."""

import time

import pytest

from mmf_cmsbert.config.yaml_text import MOST_BYTES, parse_yaml, read_yaml
from mmf_cmsbert.errors import ConfigError

_BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
_WRONG = {
    "alias bomb": (_BOMB, "after expanding aliases"),
    "alias within itself": ("a: &a [*a]\n", "contains it"),
    "deep in braces": ("a: " + "[" * 5_000 + "]" * 5_000, "levels deep"),
    "deep by indentation": (
        "".join(f"{' ' * depth}k:\n" for depth in range(300)),
        "levels deep",
    ),
    "many values": ("a: [" + "1," * 20_000 + "]", "more than 10,000"),
    "duplicate key": ("training:\n  seed: 1\n  seed: 2\n", "line 3"),
    "object": ("a: !!python/object/apply:os.system ['touch pwned']\n", "python/object"),
    "name": ("a: !!python/name:os.system\n", "python/name"),
    "own tag": ("a: !vault secret\n", "!vault"),
    "two documents": ("a: 1\n---\nb: 2\n", "document"),
    "tabs": ("a:\n\tb: 1\n", "line 2"),
    "a list": ("- a\n- b\n", "with keys and values"),
    "a number": ("3\n", "with keys and values"),
    "a sentence": ("root of the matter\n", "with keys and values"),
    "a key that is a list": ("? [1, 2]\n: 3\n", "not"),
    "half a reference": ("a: ${b\n", "not a configuration"),
    "undefined alias": ("a: *nowhere\n", "undefined alias"),
}


@pytest.mark.parametrize("name", _WRONG)
def test_what_is_no_configuration_is_one_message_at_once(name, tmp_path, monkeypatch):
    text, expected = _WRONG[name]
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "file.yaml"
    file.write_text(text)
    began = time.perf_counter()
    with pytest.raises(ConfigError, match=expected) as caught:
        read_yaml(file)
    assert time.perf_counter() - began < 2
    message = str(caught.value)
    assert message.startswith(str(file)) and "\n" not in message and len(message) < 600
    assert [path.name for path in tmp_path.iterdir()] == ["file.yaml"], "something was executed"


@pytest.mark.parametrize(
    "content, expected",
    [
        (bytes(range(256)), "not UTF-8"),
        (b"a: \x00\n", "not YAML"),
        (b"a" * (MOST_BYTES + 1), "larger than"),
    ],
)
def test_bytes_that_are_no_text_are_one_message(content, expected, tmp_path):
    file = tmp_path / "file.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=expected):
        read_yaml(file)


@pytest.mark.parametrize(
    "secret", ["password=hunter2\n- oh: [", "root:x:0:0:hunter2:/root:/bin/bash\n", "!hunter2 a"]
)
def test_a_file_that_is_not_named_yaml_is_not_quoted(secret, tmp_path):
    file = tmp_path / "shadow"
    file.write_text(secret)
    with pytest.raises(ConfigError) as caught:
        read_yaml(file)
    assert "hunter2" not in str(caught.value)


def test_a_folder_and_a_missing_file_are_one_message(tmp_path):
    with pytest.raises(ConfigError, match="folder"):
        read_yaml(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml")


def test_values_are_read_as_configurations_read_them(tmp_path):
    file = tmp_path / "file.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1e-5\nb: ${a}\nc: &c {d: [yes, null, 2020-01-01]}\ne: *c\n")
    again = {"d": [True, None, "2020-01-01"]}
    assert read_yaml(file) == {"a": 1e-5, "b": "${a}", "c": again, "e": again}
    assert parse_yaml("# nothing\n", "file.yaml") == {}
