import cmath

import pytest
import torch


def test_fft_of_real_signals_is_the_half_spectrum_as_pairs():
    from mmf_cmsbert.compat.libraries.torch import irfft, rfft

    signal = [0.5, -1.0, 2.0, 3.0, 0.25]
    found = rfft(torch.tensor([signal], dtype=torch.float64), signal_ndim=1)
    assert found.shape == (1, 3, 2)
    for k in range(3):
        term = sum(x * cmath.exp(-2j * cmath.pi * k * n / 5) for n, x in enumerate(signal))
        assert found[0, k].tolist() == pytest.approx([term.real, term.imag])
    back = irfft(found, signal_ndim=1, signal_sizes=(5,))
    assert back[0].tolist() == pytest.approx(signal)


def test_compact_bilinear_pooling_is_the_convolution_of_two_sketches(mmf):
    from mmf.modules.fusions import CompactBilinearPooling

    torch.manual_seed(0)
    pooling = CompactBilinearPooling(6, 5, 7)
    x, y = torch.randn(2, 6), torch.randn(2, 5)
    a, b = x @ pooling.sketch1, y @ pooling.sketch2
    expected = torch.zeros(2, 7)
    for i in range(7):
        for j in range(7):
            expected[:, (i + j) % 7] += a[:, i] * b[:, j]
    torch.testing.assert_close(pooling(x, y), expected * 7)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to move tensors to")
def test_others_are_still_told_that_there_is_no_gpu(mmf):
    with pytest.raises((RuntimeError, AssertionError)):
        torch.ones(1).cuda()
