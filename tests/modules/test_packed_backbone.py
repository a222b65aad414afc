"""Backbones that take packed word pieces."""

import torch

from mmf_cmsbert.modules.backbone import load_backbone
from mmf_cmsbert.modules.packed_backbone import allow_packing, packs

CONFIG = {
    "model_type": "bert",
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


def test_a_backbone_that_can_pack_still_takes_padded_batches():
    backbone = load_backbone(from_config=CONFIG).eval()
    ids = torch.randint(30, (2, 3))
    before = backbone(input_ids=ids, attention_mask=MASK).last_hidden_state
    allow_packing(backbone)
    assert packs(backbone)
    after = backbone(input_ids=ids, attention_mask=MASK).last_hidden_state
    torch.testing.assert_close(after[MASK.bool()], before[MASK.bool()])


def test_a_backbone_with_positions_of_its_own_is_not_packed():
    backbone = load_backbone(from_config=CONFIG | {"model_type": "roberta"})
    allow_packing(backbone)
    assert not packs(backbone)


def test_a_backbone_that_is_given_another_attention_no_longer_packs():
    backbone = load_backbone(from_config=CONFIG)
    allow_packing(backbone)
    backbone.set_attn_implementation("eager")
    assert not packs(backbone)
