import pytest

from mmf_cmsbert.report.chart import axis


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 5e-6, 1e-5], ["0", "5e-6", "1e-5"]),  # learning rates
        ([1.2844, 1.2851], ["1.2844", "1.2846", "1.2848", "1.2850"]),  # of a narrow range
        ([0.01234, 0.01239], ["1.234e-2", "1.236e-2", "1.238e-2"]),
        ([-3, 3], ["\N{MINUS SIGN}2", "0", "2"]),
        ([1e6, 1.2e6], ["1e6", "1.05e6", "1.1e6", "1.15e6", "1.2e6"]),
    ],
)
def test_ticks_have_the_digits_that_tell_them_apart(values, shown):
    assert [text for _, text in axis("x", values).ticks] == shown
