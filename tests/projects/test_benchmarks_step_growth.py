"""Growth of a training step, and the memory of long segments."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "projects/cmsbert/benchmarks"


@pytest.fixture
def growth(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import step_growth

    return step_growth


def test_an_exponent_is_the_slope_between_logarithms(growth):
    assert growth.exponent([10, 20, 40], [3.0, 12.0, 48.0]) == pytest.approx(2.0)
    assert growth.exponent([10, 20], [5.0, 5.0]) == pytest.approx(0.0)


def test_the_first_segment_may_have_another_number_of_frames(growth):
    inputs = growth.batch(30, 3, 5, 4, 9)
    assert inputs["input_ids"].shape == (3, 5)
    assert inputs["frame_masks"]["visual"].sum(1).tolist() == [9, 4, 4]
    assert inputs["frames"]["acoustic"].shape == (3, 9, 74)


def test_the_table_has_the_exponents_of_a_size_against_the_one_before(growth):
    measured = {
        "frames": [
            {"size": [48, 15, 100, None], "seconds": [1.0, 1.5, 1.0], "peak": 1e9},
            {"size": [48, 15, 200, None], "seconds": [2.0], "peak": 4e9},
        ]
    }
    *_, first, second = growth.table("minilm", measured).splitlines()
    assert first.split() == ["frames", "48", "15", "100", "-", "1.00", "s", "1.00", "GB"]
    assert second.split()[-2:] == ["1.00", "2.00"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "most"), [((16, 510, 20), 3e9), ((48, 15, 4000), 4e9)], ids=["pieces", "frames"]
)
def test_long_segments_train_in_the_memory_that_is_stated(size, most):
    call = [sys.executable, BENCHMARKS / "step_growth.py", "--repeats", "1", "--step"]
    ended = subprocess.run(
        [*call, *map(str, size)], check=True, stdout=subprocess.PIPE, timeout=3000
    )
    assert json.loads(ended.stdout)["peak"] < most
