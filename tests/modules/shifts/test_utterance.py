"""CMS: what a word's shift depends on."""

import pytest
import torch

from mmf_cmsbert.modules.shifts.base import limit_displacement
from mmf_cmsbert.modules.shifts.utterance import UtteranceShift

DIM, FRAME_DIM = 8, 4


@pytest.fixture
def shift():
    torch.manual_seed(1)
    return UtteranceShift(DIM, FRAME_DIM, ("visual", "acoustic"), heads=2, dropout=0.0)


def batch(visual_frames=5, acoustic_frames=7):
    torch.manual_seed(2)
    states = torch.randn(2, 4, DIM)
    mask = torch.tensor([[True] * 4, [True, True, True, False]])
    frames = {
        "visual": torch.randn(2, visual_frames, FRAME_DIM),
        "acoustic": torch.randn(2, acoustic_frames, FRAME_DIM),
    }
    masks = {m: torch.ones(f.shape[:2], dtype=torch.bool) for m, f in frames.items()}
    return states, mask, frames, masks


def test_every_word_reads_every_frame_whatever_their_number(shift):
    states, mask, frames, masks = batch()
    before = shift(states, mask, frames, masks)
    frames["acoustic"][0, 6] += 5.0  # the last of seven frames, four words
    after = shift(states, mask, frames, masks)
    moved = (after - before).abs().amax(-1)
    assert (moved[0] > 0).all() and (moved[1] == 0).all()


def test_every_word_hears_what_the_whole_utterance_says(shift):
    states, mask, frames, masks = batch()
    before = shift(states, mask, frames, masks)
    states[0, 3] += 5.0
    after = shift(states, mask, frames, masks)
    assert ((after - before)[0, :3].abs().amax(-1) > 0).all()


def test_masked_frames_and_masked_pieces_change_nothing(shift):
    states, mask, frames, masks = batch()
    masks["visual"][0, 3:] = False
    before = shift(states, mask, frames, masks)
    frames["visual"][0, 3:] = 1e3
    states[1, 3] = 1e3  # padding of the second segment
    after = shift(states, mask, frames, masks)
    torch.testing.assert_close(after[0], before[0])
    torch.testing.assert_close(after[1, :3], before[1, :3])


def test_a_segment_without_a_modality_gets_exactly_no_shift_from_it(shift):
    states, mask, frames, masks = batch()
    masks["visual"][0] = False
    both = shift(states, mask, frames, masks)
    acoustic_only = shift(
        states, mask, {"acoustic": frames["acoustic"]}, {"acoustic": masks["acoustic"]}
    )
    assert torch.equal(both[0], acoustic_only[0])
    masks["acoustic"][0] = False
    assert torch.equal(shift(states, mask, frames, masks)[0], shift.norm(states[0]))


def test_a_missing_modality_leaves_gradients_finite(shift):
    states, mask, frames, masks = batch()
    states.requires_grad_()
    masks["visual"][:] = False
    masks["acoustic"][:] = False
    shift(states, mask, frames, masks).square().sum().backward()
    gradients = [states.grad, *(p.grad for p in shift.parameters() if p.grad is not None)]
    assert all(torch.isfinite(g).all() for g in gradients)


def test_the_displacement_is_never_longer_than_beta_states():
    states = torch.tensor([[[3.0, 4.0], [3.0, 4.0], [3.0, 4.0]]])  # length 5
    displacement = torch.tensor([[[0.0, 10.0], [0.0, 1.0], [0.0, 0.0]]])
    limited = limit_displacement(states, displacement, beta=0.5)
    # The limit is 2.5: 10 is reduced to 2.5; 1 and 0 are not changed.
    expected = torch.tensor([[[0.0, 2.5], [0.0, 1.0], [0.0, 0.0]]])
    torch.testing.assert_close(limited, expected, atol=1e-5, rtol=0)


def test_an_unknown_gate_is_refused():
    with pytest.raises(ValueError, match="gate is 'softmax'; expected one of relu, sigmoid"):
        UtteranceShift(DIM, FRAME_DIM, ("visual",), gate="softmax")


def test_with_the_identity_start_a_new_shift_leaves_every_word_as_it_is_even_in_training():
    torch.manual_seed(1)
    shift = UtteranceShift(DIM, FRAME_DIM, ("visual", "acoustic"), heads=2, start="identity")
    states, mask, frames, masks = batch()
    assert torch.equal(shift(states, mask, frames, masks), states)


def test_with_the_identity_start_the_frames_are_learned_from_the_first_step_on():
    torch.manual_seed(1)
    shift = UtteranceShift(DIM, FRAME_DIM, ("visual", "acoustic"), heads=2, start="identity").eval()
    inputs = batch()
    optimizer = torch.optim.SGD(shift.parameters(), lr=0.1)
    before = shift(*inputs)
    before.square().sum().backward()
    optimizer.step()
    after = shift(*inputs)
    assert (after - before).abs().amax(-1).min() > 0
    inputs[2]["acoustic"][0, 6] += 5.0
    assert not torch.allclose(shift(*inputs)[0], after[0])


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match="start is 'zero'; expected one of mag, identity"):
        UtteranceShift(DIM, FRAME_DIM, ("visual",), start="zero")
