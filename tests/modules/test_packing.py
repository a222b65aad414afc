"""Packing and unpacking of padded groups of segments."""

import torch

from mmf_cmsbert.modules.backbone import load_backbone
from mmf_cmsbert.modules.packing import Packing, allow_packing, packs

MASKS = [torch.tensor([[1, 1, 0], [1, 1, 1]]), torch.tensor([[1, 1, 1, 1, 0]])]


def test_a_row_holds_the_pieces_of_all_groups_and_nothing_else():
    packing = Packing(MASKS)
    groups = [torch.tensor([[1, 2, 0], [3, 4, 5]]), torch.tensor([[6, 7, 8, 9, 0]])]
    assert packing.pack(groups).tolist() == [[1, 2, 3, 4, 5, 6, 7, 8, 9]]
    assert packing.positions().tolist() == [[0, 1, 0, 1, 2, 0, 1, 2, 3]]


def test_unpacked_every_piece_is_where_it_was():
    packing = Packing(MASKS)
    groups = [torch.randn(2, 3, 4), torch.randn(1, 5, 4)]
    again = packing.unpack(packing.pack(groups))
    for before, after, mask in zip(groups, again, MASKS, strict=True):
        assert after.shape == before.shape
        assert torch.equal(after[mask.bool()], before[mask.bool()])


def test_the_first_piece_of_every_segment_group_by_group():
    packing = Packing(MASKS)
    assert packing.firsts(torch.tensor([[1, 2, 3, 4, 5, 6, 7, 8, 9]])).tolist() == [[1, 3, 6]]
    assert [part.tolist() for part in packing.split(torch.tensor([1, 3, 6]))] == [[1, 3], [6]]


def test_a_backbone_that_can_pack_still_takes_padded_batches():
    config = {"model_type": "bert", "vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 2}
    config |= {"num_attention_heads": 2, "intermediate_size": 32}
    backbone = load_backbone(from_config=config).eval()
    ids, mask = torch.randint(30, (2, 3)), MASKS[0]
    before = backbone(input_ids=ids, attention_mask=mask).last_hidden_state
    allow_packing(backbone)
    assert packs(backbone)
    after = backbone(input_ids=ids, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(after[mask.bool()], before[mask.bool()])


def test_a_backbone_with_positions_of_its_own_is_not_packed():
    config = {"model_type": "roberta", "vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 1}
    config |= {"num_attention_heads": 2, "intermediate_size": 32}
    backbone = load_backbone(from_config=config)
    allow_packing(backbone)
    assert not packs(backbone)


def test_a_backbone_that_is_given_another_attention_no_longer_packs():
    config = {"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1}
    backbone = load_backbone(from_config=config | {"num_attention_heads": 2})
    allow_packing(backbone)
    backbone.set_attn_implementation("eager")
    assert not packs(backbone)
