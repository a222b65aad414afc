"""MAG against its published equations, computed element by element."""

import math

import torch

from mmf_cmsbert.modules.shifts.word import WordShift, frames_of_pieces

DIM, VISUAL, ACOUSTIC = 6, 3, 4


def linear(layer, vector):
    """Return W x + b, computed with loops."""
    weight, bias = layer.weight.tolist(), layer.bias.tolist()
    return [
        sum(w * x for w, x in zip(row, vector, strict=True)) + b
        for row, b in zip(weight, bias, strict=True)
    ]


def mag_word(shift, z, v, a, beta):
    """Equations 1 to 6 of Rahman et al. (ACL 2020) for one word, in plain Python floats."""
    h = [0.0] * DIM
    for modality, x in (("visual", v), ("acoustic", a)):
        gate = [max(0.0, g) for g in linear(shift.gates[modality].maps["mosi"], x + z)]
        value = linear(shift.values[modality].maps["mosi"], x)
        h = [total + g * w for total, g, w in zip(h, gate, value, strict=True)]
    norm = math.sqrt(sum(x * x for x in h)) or 1.0
    alpha = min(beta * math.sqrt(sum(x * x for x in z)) / (norm + 1e-6), 1.0)
    moved = [alpha * x + y for x, y in zip(h, z, strict=True)]
    mean = sum(moved) / DIM
    variance = sum((x - mean) ** 2 for x in moved) / DIM
    normed = [(x - mean) / math.sqrt(variance + shift.norm.eps) for x in moved]
    return [
        x * w + b
        for x, w, b in zip(
            normed, shift.norm.weight.tolist(), shift.norm.bias.tolist(), strict=True
        )
    ]


def make_shift(beta):
    torch.manual_seed(0)
    shift = WordShift(
        DIM, {"visual": {"mosi": VISUAL}, "acoustic": {"mosi": ACOUSTIC}}, beta=beta, dropout=0.0
    ).double()
    for parameter in shift.parameters():
        torch.nn.init.normal_(parameter)
    return shift


def test_equals_the_published_equations_for_every_word_and_beta():
    for beta in (0.01, 1.0, 100.0):  # the displacement limited always, sometimes, never
        shift = make_shift(beta)
        states = torch.randn(2, 5, DIM, dtype=torch.float64)
        rows = {
            "visual": torch.randn(2, 5, VISUAL, dtype=torch.float64),
            "acoustic": torch.randn(2, 5, ACOUSTIC, dtype=torch.float64),
        }
        rows["visual"][0, 0] = rows["acoustic"][0, 0] = 0.0  # as at [CLS]: biases shift it
        present = {m: torch.ones(2, dtype=torch.bool) for m in rows}
        shifted = shift(states, rows, present, "mosi")
        for b in range(2):
            for i in range(5):
                expected = mag_word(
                    shift,
                    states[b, i].tolist(),
                    rows["visual"][b, i].tolist(),
                    rows["acoustic"][b, i].tolist(),
                    beta,
                )
                torch.testing.assert_close(
                    shifted[b, i], torch.tensor(expected, dtype=torch.float64), atol=1e-9, rtol=0
                )


def test_a_segment_without_a_modality_gets_no_shift_from_it():
    shift = make_shift(1.0)
    states = torch.randn(2, 3, DIM, dtype=torch.float64)
    rows = {
        m: torch.randn(2, 3, w, dtype=torch.float64)
        for m, w in (("visual", VISUAL), ("acoustic", ACOUSTIC))
    }
    present = {"visual": torch.tensor([False, True]), "acoustic": torch.tensor([False, True])}
    shifted = shift(states, rows, present, "mosi")
    torch.testing.assert_close(shifted[0], shift.norm(states[0]))
    assert not torch.allclose(shifted[1], shift.norm(states[1]))


def test_word_pieces_copy_their_words_frame_and_specials_get_zeros():
    frames = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    word_index = torch.tensor([[-1, 0, 0, 1, -1]])  # [CLS] one one ##s two [SEP]
    expected = torch.tensor([[[0.0, 0.0], [1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]])
    assert torch.equal(frames_of_pieces(frames, word_index), expected)


def test_with_the_identity_start_a_new_shift_leaves_every_word_as_it_is_even_in_training():
    widths = {"visual": {"mosi": VISUAL, "mosei": 2}, "acoustic": {"mosi": ACOUSTIC}}
    shift = WordShift(DIM, widths, start="identity")
    states = torch.randn(2, 3, DIM)
    rows = {"visual": torch.randn(2, 3, VISUAL), "acoustic": torch.randn(2, 3, ACOUSTIC)}
    present = {m: torch.ones(2, dtype=torch.bool) for m in rows}
    assert torch.equal(shift(states, rows, present, "mosi"), states)
    shift(states, rows, present, "mosi").sum().backward()
    assert shift.values["visual"].maps["mosi"].weight.grad.abs().sum() > 0
