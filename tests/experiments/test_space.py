import pytest

from mmf_cmsbert import paths
from mmf_cmsbert.config import overrides, words
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments import space
from mmf_cmsbert.experiments.space import Dimension


def read(tmp_path, text):
    (tmp_path / "space.yaml").write_text(text)
    return space.read(tmp_path / "space.yaml")


def test_ranges_and_choices(tmp_path):
    found = read(
        tmp_path,
        "optimizer.params.lr: {low: 1e-5, high: 1e-3, log: true}\n"
        "a.layer: {low: 0, high: 6}\n"
        "a.pairs: [[], [[text, visual]]]\n",
    )
    assert found == [
        Dimension("optimizer.params.lr", 1e-5, 1e-3, True),
        Dimension("a.layer", 0, 6),
        Dimension("a.pairs", choices=([], [["text", "visual"]])),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no keys to search over"),
        ("- 1\n", "expected a configuration with keys and values"),
        ("a: [", "space.yaml: not YAML"),
        ("a: 3\n", "a: found 3; expected {low"),
        ("a: []\n", "a: found"),
        ("a: {low: 1}\n", "a: found"),
        ("a: {low: 1, high: 2, step: 3}\n", "a: found"),
        ("a: {low: 2, high: 1}\n", "expected low < high"),
        ("a: {low: x, high: 1}\n", "low is 'x'; expected a number"),
        ("a: {low: true, high: 2}\n", "low is True; expected a number"),
        ("a: {low: 0, high: 1, log: true}\n", "expected more than 0"),
        ("a: {low: 1, high: 2, log: 3}\n", "log is 3; expected true or false"),
        ("a: [1, 1]\n", "lists a choice twice"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused_with_its_key(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize("value", [1e-05, 3, "mean", True, None, [], [["text", "visual"]]])
def test_a_value_reaches_mmf_run_as_it_was(value):
    option = overrides.parse([space.word("key", value)])["key"]
    assert words.value_of(option) == value


def test_the_shipped_spaces_can_be_read():
    files = sorted((paths.PACKAGE / "projects" / "cmsbert" / "tuning").glob("*.yaml"))
    assert files and all(space.read(file) for file in files)
