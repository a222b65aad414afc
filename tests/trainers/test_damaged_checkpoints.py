"""A damaged checkpoint causes one message with every trainer, and is not changed."""

import re

import pytest
import torch

from mmf_cmsbert.errors import UserError

TRAINERS = {"MMF's": (), "Lightning's": ("training.trainer=lightning_cmsbert",)}
_written = {}


# What reads a file and its entries is the same for both trainers.
OFTEN = pytest.mark.parametrize(
    "trainer",
    [
        pytest.param(options, id=name, marks=[pytest.mark.slow] * (name != "MMF's"))
        for name, options in TRAINERS.items()
    ],
)
BOTH = pytest.mark.parametrize("trainer", TRAINERS.values(), ids=TRAINERS)


@pytest.fixture
def current(toy, trainer, tmp_path, tmp_path_factory):
    """The checkpoint of an interrupted run of the trainer."""
    if trainer not in _written:
        folder = tmp_path_factory.mktemp("interrupted")
        toy.run(folder, *trainer, interrupt=("train", 6))
        _written[trainer] = (folder / "save" / "current.ckpt").read_bytes()
    (tmp_path / "save").mkdir()
    file = tmp_path / "save" / "current.ckpt"
    file.write_bytes(_written[trainer])
    return file


def flipped(content):
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


BYTES = {
    "empty": lambda content: b"",
    "cut at its beginning": lambda content: content[:1000],
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut at its end": lambda content: content[:-1],
    "a bit flipped": flipped,
    "something behind it": lambda content: content + b"more",
    "text": lambda content: b"no checkpoint\n" * 100,
    "zeros": lambda content: bytes(len(content)),
}


@OFTEN
@pytest.mark.parametrize("option", ["checkpoint.resume=True", "checkpoint.resume_file={}"])
@pytest.mark.parametrize("change", BYTES.values(), ids=BYTES)
def test_a_damaged_file(toy, trainer, current, tmp_path, change, option):
    content = change(current.read_bytes())
    current.write_bytes(content)
    with pytest.raises(
        UserError, match=r"current\.ckpt is damaged or is not a checkpoint"
    ) as error:
        toy.trainer(tmp_path, *trainer, option.format(current))
    assert "\n" not in str(error.value)
    assert current.read_bytes() == content


@BOTH
@pytest.mark.parametrize("option", ["checkpoint.resume=True", "checkpoint.resume_file={}"])
def test_the_weights_of_another_model(toy, trainer, current, tmp_path, option):
    contents = torch.load(current, weights_only=True)
    contents["model"] = {f"other.{name}": each for name, each in contents["model"].items()}
    torch.save(contents, current)
    with pytest.raises(UserError, match=r"does not fit this model.* weights of the model are not"):
        toy.trainer(tmp_path, *trainer, option.format(current))


@OFTEN
@pytest.mark.parametrize("option", ["checkpoint.resume=True", "checkpoint.resume_file={}"])
@pytest.mark.parametrize(
    "contents", [[torch.ones(2)], 3, "text"], ids=["a list", "a number", "text"]
)
def test_contents_that_are_no_dict(toy, trainer, current, tmp_path, option, contents):
    torch.save(contents, current)
    with pytest.raises(UserError, match=r"current\.ckpt cannot be used: expected a dict"):
        toy.trainer(tmp_path, *trainer, option.format(current))


def damage(file, key, value):
    """Set an entry of a checkpoint by its dotted key; None removes it."""
    whole = torch.load(file, weights_only=True)
    *path, last = key.split("/")
    section = whole
    for name in path:
        section = section[int(name) if name.isdigit() else name]
    if value is None:
        del section[int(last) if last.isdigit() else last]
    else:
        section[int(last) if last.isdigit() else last] = value
    torch.save(whole, file)


DAMAGES = [
    ("model", [1, 2], "expected weights by name"),
    ("model/layers.0.weight", "text", "found layers.0.weight of type str"),
    ("model/layers.0.weight", torch.full((8, 4), float("nan")), "NaN or infinite"),
    ("model/layers.0.weight", torch.full((8, 4), float("inf")), "NaN or infinite"),
    ("model/layers.0.weight", torch.ones(5, 5), "does not fit"),
    ("model/layers.0.weight", None, "1 weights of the model are not in it: layers.0.weight"),
    ("model/other", torch.ones(2), "1 of its weights are not in the model: other"),
    ("optimizer", [], "optimizer should be dict"),
    ("optimizer/state/0/exp_avg", torch.ones(2), "optimizer state exp_avg is"),
    ("optimizer/state/0/exp_avg", "text", "exp_avg"),
    ("optimizer/state/0/step", "text", "does not fit"),
    ("optimizer/param_groups/0/params", [0], "does not fit"),
    ("optimizer/param_groups/0/lr", "text", "param_groups[0].lr should be"),
    ("num_updates", "six", "num_updates should be int"),
    ("best_metric_value", "low", "best_metric_value should be"),
    ("config", ["x"], "config should be dict"),
    ("resume", [], "resume should be dict"),
    ("resume/num_updates", "six", "resume.num_updates should be int, found str"),
    ("resume/num_updates", None, "does not fit"),
    ("resume/meter", 3, "does not fit"),
    ("resume/generators", None, "does not fit"),
    ("resume/generators", {"torch": 3}, "does not fit"),
    ("resume/epoch", 3, "does not fit"),
    ("resume/epoch", {"streams": 5}, "does not fit"),
    ("resume/lr_scheduler", {"last_epoch": "x"}, "resume.lr_scheduler.last_epoch"),
    ("resume/parameter_groups", 3, "does not fit"),
]


@OFTEN
@pytest.mark.parametrize(("key", "value", "message"), DAMAGES)
def test_a_damaged_entry_is_one_clear_error(toy, trainer, current, tmp_path, key, value, message):
    damage(current, key, value)
    with pytest.raises(UserError, match=re.escape(message)) as raised:
        toy.trainer(tmp_path, *trainer, "checkpoint.resume=True").train()
    assert str(current) in str(raised.value)


@BOTH
def test_a_damaged_entry_of_a_trainers_own_is_one_clear_error(toy, trainer, current, tmp_path):
    """The entry that is loaded last, after the trainer has begun to take over the others."""
    damage(current, "resume/epoch", {"streams": 5})
    with pytest.raises(UserError, match="does not fit"):
        toy.trainer(tmp_path, *trainer, "checkpoint.resume=True").train()
