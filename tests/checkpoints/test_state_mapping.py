"""Parts of a checkpoint are copied into a model."""

import pytest
import torch

from mmf_cmsbert.checkpoints.state_mapping import check_mapping, copy_mapped
from mmf_cmsbert.errors import ConfigError


def state(**shapes):
    names = {name.replace("__", "."): shape for name, shape in shapes.items()}
    return {name: torch.randn(shape) for name, shape in names.items()}


@pytest.fixture
def own():
    return state(network__backbone__a=(2, 3), network__head__weight=(7, 3), temperature__log=())


@pytest.fixture
def kept():
    return state(network__backbone__a=(2, 3), network__head__weight=(1, 3), temperature__log=())


def test_a_part_is_copied_and_the_rest_stays(own, kept):
    before = own["network.head.weight"].clone()
    result = copy_mapped(own, kept, {"network.backbone": "network.backbone"})
    assert result.copied == {"network.backbone.a": "network.backbone.a"}
    assert torch.equal(own["network.backbone.a"], kept["network.backbone.a"])
    assert torch.equal(own["network.head.weight"], before)


def test_parts_go_by_other_names_and_single_tensors_by_theirs(own):
    kept = state(bert__a=(2, 3), scale=())
    copy_mapped(own, kept, {"network.backbone": "bert", "temperature.log": "scale"})
    assert torch.equal(own["network.backbone.a"], kept["bert.a"])
    assert torch.equal(own["temperature.log"], kept["scale"])


def test_a_part_may_stand_in_the_middle_of_a_name_as_in_mmf(own, kept):
    copy_mapped(own, kept, {"backbone": "backbone"})
    assert torch.equal(own["network.backbone.a"], kept["network.backbone.a"])


def test_tensors_of_another_shape_are_skipped_and_named(own, kept):
    before = own["network.head.weight"].clone()
    result = copy_mapped(own, kept, {"network": "network"})
    assert torch.equal(own["network.head.weight"], before)
    assert str(result) == (
        "Copying 1 tensors; 1 skipped because of another shape: "
        "network.head.weight ((7, 3) here, (1, 3) there)"
    )


def test_what_belongs_to_the_data_is_left_alone(own, kept):
    result = copy_mapped(own, kept, {"network": "network"}, untouched={"network.head.weight"})
    assert not result.other_shape


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"network.bakbone": "network.backbone"}, "This model has no part 'network.bakbone'"),
        (
            {"network.backbone": "bert"},
            "The checkpoint has no part 'bert'; it has network.backbone",
        ),
        ({"network.backbone": "network.head"}, "names of the tensors differ"),
        ({"network.head": "network.head"}, "copies nothing.*7, 3"),
        ({"network.backbone": None}, "expected parts of this model"),
        (["network"], "expected parts of this model"),
    ],
)
def test_a_mapping_that_fits_nothing_is_refused(own, kept, mapping, message):
    with pytest.raises(ConfigError, match=message):
        copy_mapped(own, kept, mapping)


def test_an_empty_mapping_is_a_mapping():
    check_mapping({})
