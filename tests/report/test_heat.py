"""Heat maps as text, and the choice of segments."""

import numpy as np
import pytest

from mmf_cmsbert.report.heat import COLUMNS, DIGITS, chosen, heat_map


def decoded(found):
    return [
        [DIGITS.index(digit) / 63 * found.largest for digit in row] if row else None
        for row in found.rows
    ]


def test_the_shares_of_frames_come_back():
    attention = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]], np.float32)
    found = heat_map([*attention, None])
    assert (found.frames, found.start) == (3, None)
    *rows, cut = decoded(found)
    assert np.allclose(rows, attention, atol=0.7 / 63) and cut is None


def test_many_frames_are_added_up():
    attention = np.full((1, 300), 1 / 300)
    found = heat_map(attention)
    (row,) = decoded(found)
    assert len(row) == COLUMNS and found.frames == 300
    assert sum(row) == pytest.approx(1, abs=0.1)


def test_times_are_those_of_the_segment():
    found = heat_map([np.ones(4) / 4], np.array([2.25, 2.75, 3.25, 3.75]))
    assert (found.start, found.end) == (2.0, 4.0)


def test_without_frames_there_is_none():
    assert heat_map([None, np.empty(0)]) is None


def test_the_largest_errors_and_an_even_spread_are_chosen():
    errors = np.arange(100, dtype=float)
    kept = chosen(errors, [10] * 100, budget=200)
    assert len(kept) == 20 and {99, 98, 97, 96, 95} <= kept
    assert sum(i < 50 for i in kept) >= 4
    assert chosen(errors, [0] * 100, 50) == set() and len(chosen(errors, [1] * 100, 999)) == 100
