"""Fields that the network reads from batches of MMF's datasets."""

from types import SimpleNamespace

import pytest
import torch

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.models.batch_fields import batch_fields

PIECES = {"input_ids": torch.ones(2, 3).long(), "input_mask": torch.ones(2, 3).long()}


def batch(**fields):
    return {"dataset_name": "stock", **PIECES, **fields}


def test_our_own_fields_are_taken_as_they_are():
    fields = {
        "word_index": torch.zeros(2, 3).long(),
        "visual": torch.rand(2, 4, 5),
        "visual_mask": torch.ones(2, 4).bool(),
        "image_feature_0": torch.rand(2, 6, 5),
    }
    found = batch_fields(batch(**fields), ["visual"])
    assert found["word_index"] is fields["word_index"]
    assert found["frames"] == {"visual": fields["visual"]}
    assert found["frame_masks"] == {"visual": fields["visual_mask"]}


def test_regions_are_visual_frames_as_many_as_there_are():
    regions = torch.rand(2, 3, 5)
    info = SimpleNamespace(max_features=torch.tensor([1, 3]))
    found = batch_fields(batch(image_feature_0=regions, image_info_0=info), ["visual"])
    assert found["frames"]["visual"] is regions
    assert found["frame_masks"]["visual"].tolist() == [[True, False, False], [True] * 3]


def test_without_a_count_every_region_is_one():
    found = batch_fields(batch(image_feature_0=torch.rand(2, 3, 5)), ["visual"])
    assert found["frame_masks"]["visual"].all()


def test_a_piece_whose_word_is_unknown_belongs_to_none():
    assert (batch_fields(batch(), [])["word_index"] == -1).all()


@pytest.mark.parametrize(
    ("modality", "advice"),
    [("visual", "leave visual out of model_config.cmsbert.features.stock"), ("acoustic", "leave")],
)
def test_a_modality_that_the_batch_lacks(modality, advice):
    with pytest.raises(ConfigError, match=f"needs {modality} from dataset stock.*{advice}"):
        batch_fields(batch(), [modality])


def test_a_batch_without_word_pieces():
    with pytest.raises(ConfigError, match="needs input_ids from dataset stock.*bert_tokenizer"):
        batch_fields({"dataset_name": "stock", "text": torch.ones(2, 3)}, [])


def test_regions_belong_to_no_word():
    fields = batch(image_feature_0=torch.rand(2, 3, 5))
    with pytest.raises(ConfigError, match="needs word_index from .*shift.context=utterance"):
        batch_fields(fields, ["visual"], by_word=True)
    batch_fields(batch(), [], by_word=True)  # text without frames is not shifted
