"""Explanations agree with the shifts."""

import pytest
import torch

from mmf_cmsbert.modules.network_input import NetworkInput, Rows
from mmf_cmsbert.modules.packing import Padding
from mmf_cmsbert.modules.shifts import Shift, UtteranceShift, WordShift

DIM, WIDTH, WORDS = 8, 4, 4


def batch(frames=WORDS):
    """Return two segments of four words; the last piece of the second is padding."""
    torch.manual_seed(2)
    given = {m: torch.randn(2, frames, WIDTH) for m in ("visual", "acoustic")}
    masks = {m: torch.ones(2, frames, dtype=torch.bool) for m in given}
    return torch.randn(2, WORDS, DIM), NetworkInput(
        input_ids=torch.ones(2, WORDS, dtype=torch.long),
        input_mask=torch.tensor([[1] * 4, [1, 1, 1, 0]]),
        word_index=torch.tensor([[0, 1, 2, 3], [0, 1, 2, -1]]),
        frames=given,
        frame_masks=masks,
        rows={m: Rows.of_padded(each, masks[m]) for m, each in given.items()},
    )


def made(kind, **arguments):
    torch.manual_seed(1)
    widths = {"visual": {"mosi": WIDTH}, "acoustic": {"mosi": WIDTH}}
    first = (DIM, widths) if kind is WordShift else (DIM, WIDTH, tuple(widths))
    shift = kind(*first, dropout=0.0, start="identity", **arguments)
    for parameter in shift.parameters():  # the identity would not shift
        torch.nn.init.normal_(parameter)
    return shift.eval()


@pytest.mark.parametrize("kind", [UtteranceShift, WordShift])
@pytest.mark.parametrize("beta", [0.1, 100.0])
def test_the_size_is_how_far_a_word_moved_in_lengths_of_its_state(kind, beta):
    shift, (states, inputs) = made(kind, beta=beta), batch()
    found = shift.explain_batch(states, inputs, "mosi")
    moved = (shift.shift_batch(states, inputs, "mosi") - states).norm(dim=-1)
    expected = moved / states.norm(dim=-1) * inputs.input_mask
    torch.testing.assert_close(found.size, expected, rtol=1e-4, atol=1e-6)
    assert found.size.amax() <= beta + 1e-5


@pytest.mark.parametrize("kind", [UtteranceShift, WordShift])
def test_a_modality_alone_makes_the_whole_shift_and_a_missing_one_none(kind):
    shift, (states, inputs) = made(kind), batch()
    inputs.frame_masks["visual"][0] = False
    found = shift.explain_batch(states, inputs, "mosi")
    for each in (found.sizes["visual"], found.gates["visual"], found.attention["visual"]):
        assert (each[0] == 0).all() and (each[1, :3] > 0).any()
    torch.testing.assert_close(found.sizes["acoustic"][0], found.size[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", [UtteranceShift, WordShift])
def test_the_attention_of_a_word_sums_to_one_and_that_of_padding_is_zero(kind):
    shift, (states, inputs) = made(kind), batch()
    attention = shift.explain_batch(states, inputs, "mosi").attention["acoustic"]
    assert attention.shape == (2, WORDS, WORDS)
    torch.testing.assert_close(attention.sum(-1), inputs.input_mask.float())


def test_each_word_of_mag_reads_its_own_frame():
    shift, (states, inputs) = made(WordShift), batch()
    attention = shift.explain_batch(states, inputs, "mosi").attention["visual"]
    torch.testing.assert_close(attention[0], torch.eye(WORDS))


def test_the_attention_of_cms_is_that_of_its_explanation():
    shift, (states, inputs) = made(UtteranceShift), batch(frames=7)
    inputs.frame_masks["visual"][1, 5:] = False
    attention, mask = shift.contexts["visual"], inputs.frame_masks["visual"]
    answer, shares = attention.explain(states, inputs.encoded["visual"], mask)
    words = Padding(inputs.input_mask)
    expected = words.pad(attention(words.pack(states), words, inputs.rows["visual"]))
    torch.testing.assert_close(answer, expected)
    assert (shares[1, :, 5:] == 0).all() and (shares[:, :, :5] > 0).all()


def test_a_shift_that_explains_nothing_more_still_has_a_size():
    class Louder(Shift):
        def shift_batch(self, states, batch, dataset):
            return 1.5 * states

    states, inputs = batch()
    found = Louder(DIM).explain_batch(states, inputs, "mosi")
    torch.testing.assert_close(found.size, 0.5 * inputs.input_mask)
    assert not found.sizes and not found.attention
