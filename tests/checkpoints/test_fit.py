"""A checkpoint that does not fit a model is refused in one message."""

import pytest
import torch

from mmf_cmsbert.checkpoints import fit
from mmf_cmsbert.errors import ConfigError, UserError


@pytest.mark.parametrize("error", [ValueError("a\nb"), KeyError("a"), RuntimeError("a")])
def test_an_error_of_loading_names_the_file(error):
    message = rf"x\.ckpt does not fit .*{type(error).__name__}"
    with pytest.raises(UserError, match=message), fit.fitting("x.ckpt"):
        raise error


@pytest.mark.parametrize("error", [ConfigError("said already"), KeyboardInterrupt()])
def test_other_errors_stay(error):
    with pytest.raises(type(error)) as raised, fit.fitting("x.ckpt"):
        raise error
    assert raised.value is error


def test_names_that_agree_say_nothing():
    assert fit.check_names({"a", "b"}, {"a", "b", "x.position_ids"}, "x.ckpt", True) is None


def test_some_names_may_differ_where_training_begins():
    found = fit.check_names({"a", "b"}, {"a", "c"}, "x.ckpt", strictly=False)
    assert found == (
        "x.ckpt: 1 weights of the model are not in it: b; 1 of its weights are not in the model: c."
        " The others were loaded."
    )


@pytest.mark.parametrize(("found", "strictly"), [({"a", "c"}, True), ({"c"}, False)])
def test_names_that_differ_are_refused(found, strictly):
    with pytest.raises(UserError, match="1 of its weights are not in the model: c"):
        fit.check_names({"a", "b"}, found, "x.ckpt", strictly)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"exp_avg": torch.ones(3)}, r"exp_avg is \(3,\), its parameter \(2,\)"),
        ({"exp_avg": "text"}, "exp_avg is str"),
        ({"step": "text"}, "step is not a number"),
        ({"step": torch.ones(2)}, "step is not a number"),
    ],
)
def test_the_state_of_an_optimizer_has_the_shapes_of_the_weights(state, message):
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([weight])
    optimizer.state[weight] = {"step": torch.ones(()), "exp_avg": torch.ones(2)}
    fit.check_optimizer(optimizer, "x.ckpt")
    optimizer.state[weight].update(state)
    with pytest.raises(UserError, match=message):
        fit.check_optimizer(optimizer, "x.ckpt")
