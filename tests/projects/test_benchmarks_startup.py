"""The benchmark of a run's start runs, and its phases are those of the run."""

import json

import pytest
import startup
import startup_phases

PHASES = ["imports", "configuration", "data", "model", "first update"]


def measured(imports=None):
    phases = {name: {"wall": [2.0, 1.0, 4.0], "cpu": [1.0, 0.5, 0.6]} for name in PHASES}
    return {
        "words": ["config=my.yaml"],
        "phases": phases,
        "imports": imports or {"torch": 1_500_000, "numpy": 500_000},
        **{name: [{"wall": 0.3, "cpu": 0.2}] for name in startup._SHORT},
    }


def test_a_phase_takes_what_lies_between_two_ends():
    clock = startup_phases.Clock(0.0)
    clock.ends = {name: (i + 1.0, 0.5 * (i + 1)) for i, name in enumerate(PHASES)}
    assert clock.phases() == {name: {"wall": 1.0, "cpu": 0.5} for name in PHASES}
    clock.end("imports")  # it has ended
    assert clock.ends["imports"] == (1.0, 0.5)


def test_times_of_imports_are_added_up_by_library():
    log = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       100 |        100 |   torch._C\n"
        "import time:        50 |        150 | torch\n"
        "Overriding option\n"
        "import time:       200 |        200 | mmf.common\n"
    )
    assert list(startup.import_times(log).items()) == [("mmf", 200), ("torch", 150)]


def test_the_table_shows_medians_and_what_dominates():
    rows = startup.table(measured()).splitlines()
    assert any(row.split()[:3] == ["imports", "2.00", "s"] for row in rows)
    # The totals of the repeats are 10, 5 and 20 seconds.
    assert any("to the first update" in row and "10.00 s (5.00 to 20.00)" in row for row in rows)
    assert any(row.startswith("torch and a BERT alone") and "0.30 s" in row for row in rows)
    assert "of 2.0 s of imports (one run): torch 75%, numpy 25%" in rows


@pytest.mark.slow
def test_it_measures_each_start_in_a_process_of_its_own(tmp_path, capsys):
    out = tmp_path / "measured.json"
    startup.main(["--repeats", "1", "--out", str(out)])
    found = json.loads(out.read_text())
    assert list(found["phases"]) == PHASES
    assert all(min(each["cpu"]) > 0 for each in found["phases"].values())
    assert found["imports"]["torch"] > found["imports"]["numpy"]
    assert "to the first update" in capsys.readouterr().out
