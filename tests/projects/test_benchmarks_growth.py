"""The benchmark of growth extrapolates by a line through its measurements."""

import growth


def test_the_model_is_the_line_through_the_measured_sizes():
    measured = {
        str(n): {"convert": {"segments": n, "cpu": 10 + n, "peak": 1e6, "bytes": 4000 * n}}
        for n in (1000, 2000, 4000)
    }
    cpu, peak, size = growth.model(measured, 10**6).splitlines()[1:]
    assert cpu.split()[2:] == ["10.0", "+", "n", "x", "1", "=", "277.78", "h"]
    assert peak.endswith("= 0.00 GB") and size.endswith("= 4.00 GB")


def test_one_size_is_no_line():
    one = {"1000": {"convert": {"segments": 1000, "seconds": 1, "cpu": 1, "peak": 1, "bytes": 1}}}
    assert len(growth.model(one, 10**6).splitlines()) == 1
    assert "1,000" in growth.table(one)
