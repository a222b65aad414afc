"""The comparison with MAG-BERT's published code: steps in turn, the table, and clear errors."""

import json
import sys
from types import SimpleNamespace

import pace
import peer
import pytest
import step
from peer_table import peer_table
from step_variants import ALL, REFERENCE
from worker import Worker, WorkerError

_ECHO = """
import pace
orders = pace.Orders({"versions": lambda: {"torch": "1"}})
print("printed by a library")
paced = pace.Pace(orders, len)
while not paced.free:
    for batch in paced(["abc", "d"]):
        pass
orders.answer(memory=1)
"""


class Orders:
    """Orders that are known beforehand, with the answers that were given."""

    def __init__(self, *orders):
        self.left, self.answers = list(orders), []

    def wait(self, wanted):
        return self.left.pop(0)

    def answer(self, **values):
        self.answers.append(values)


def test_a_step_lasts_from_its_batch_to_the_request_for_the_next():
    orders, time = Orders(pace.STEP, pace.STEP, pace.STEP, pace.FINISH), iter(range(100))
    paced = pace.Pace(orders, len, clock=lambda: next(time))
    for batches in (["ab", "c"], ["def", "g", "h"]):
        for _ in paced(batches):
            next(time)  # the step
    # The third step includes the end of the first epoch, and no step is ordered twice for it.
    assert orders.answers == [{"seconds": 2, "segments": n} for n in (2, 1, 3)]
    assert paced.free and not orders.left


def _program(tmp_path, text):
    folder = str(pace.__file__).rpartition("/")[0]
    file = tmp_path / "program.py"
    file.write_text(f"import sys\nsys.path.insert(0, {folder!r})\n{text}")
    return Worker("a program", [sys.executable, str(file)], tmp_path, 1, "wall")


def test_a_program_answers_orders_whatever_it_prints(tmp_path):
    with _program(tmp_path, _ECHO) as worker:
        assert worker.first_update() > 0
        assert worker.ask("versions") == {"torch": "1"}
        assert worker.ask(pace.STEP)["segments"] == 1
        assert worker.ask(pace.STEP)["segments"] == 3  # of the next epoch
        assert worker.ask(pace.MEMORY)["memory"] > 1e6
        assert worker.ask(pace.FINISH) == {"memory": 1}
        with pytest.raises(WorkerError):
            worker.ask(pace.STEP)


def test_a_program_that_fails_is_reported_with_its_last_line(tmp_path):
    with (
        _program(tmp_path, "print('loading')\nraise ImportError('no transformers')") as worker,
        pytest.raises(WorkerError, match="^ImportError: no transformers$"),
    ):
        worker.ask(pace.STEP)


def _typed(tmp_path, *more):
    return ["--peer", str(tmp_path / "mag"), "--out", str(tmp_path / "out.json"), *more]


@pytest.mark.parametrize("checkout", [False, True])
def test_no_ratio_is_shown_if_the_published_code_cannot_run(checkout, tmp_path, capsys):
    (tmp_path / "mag").mkdir()
    expected = "has no multimodal_driver.py"
    if checkout:
        (tmp_path / "mag/multimodal_driver.py").touch()
        expected = "--data is None; expected MAG-BERT's pickle"
    with pytest.raises(SystemExit) as left:
        step.main(_typed(tmp_path))
    shown = capsys.readouterr()
    assert left.value.code == 2 and not shown.out and not (tmp_path / "out.json").exists()
    assert expected in shown.err and "No ratio was measured." in shown.err


def test_other_libraries_are_refused():
    comparison = SimpleNamespace(_given=SimpleNamespace(threads=2))
    peers = SimpleNamespace(ask=lambda order: {"torch": "1.4.0", "threads": 2})
    ours = SimpleNamespace(ask=lambda order: {"torch": "2.13.0", "threads": 2})
    with pytest.raises(peer.PeerError, match=r"torch 1\.4\.0.*torch==2\.13\.0"):
        peer.Comparison._check_versions(comparison, peers, ours)


@pytest.mark.parametrize("given", [0, 2])
def test_threads_have_to_be_equal_unless_each_side_chooses(given):
    comparison = SimpleNamespace(_given=SimpleNamespace(threads=given))
    peers = SimpleNamespace(ask=lambda order: {"torch": "2.13.0", "threads": 2})
    ours = SimpleNamespace(ask=lambda order: {"torch": "2.13.0", "threads": 1})
    if given:
        with pytest.raises(peer.PeerError, match="1 threads"):
            peer.Comparison._check_versions(comparison, peers, ours)
    else:
        peer.Comparison._check_versions(comparison, peers, ours)
    assert comparison.versions["threads"] == 2 and comparison.versions["threads_of_mmf_run"] == 1


def test_both_ratios_are_paired_by_round():
    measured = {
        "backbone": "base",
        "device": "cpu",
        "clock": "wall",
        "batch": 48,
        "versions": {
            "commit": "a1",
            "transformers": "3",
            "torch": "2",
            "python": "3",
            "threads": 2,
            "threads_of_mmf_run": 1,
        },
        "machine": {"processor": "a processor", "cores": 2},
        "load": {"before": 0.1, "after": 2.0},
        "runs": {
            ALL: {
                "passes": {
                    "step": {
                        peer.PEER: [0.4, 0.2, 0.2],
                        ALL: [0.1, 0.1, 0.05],
                        REFERENCE: [0.3, 0.5, 0.1],
                    },
                    "evaluation": {peer.PEER: [0.1, 0.1, 0.1], ALL: [0.05, 0.05, 0.1]},
                    peer.PREDICT: {peer.PEER: [0.1, 0.1, 0.2], peer.PREDICT: [0.02, 0.02, 0.05]},
                },
                "first_update": {peer.PEER: 6.4, ALL: 4.8},
                "memory": {peer.PEER: 5.03e9, ALL: 4.13e9},
            }
        },
    }
    rows = [" ".join(row.split()) for row in peer_table(measured).splitlines()]
    assert "a processor, 2 cores, 2 threads, mmf_run 1, load 0.1 to 2.0" in rows
    assert "step, mmf_run 10.0 4.00 (2.00 to 4.00)" in rows
    assert "mmf_run against the padded reference: 3.00 (2.00 to 5.00)" in rows
    assert "evaluation, mmf_run 20.0 2.00 (1.00 to 2.00)" in rows
    assert "cmsbert predict 50.0 5.00 (4.00 to 5.00)" in rows
    assert "first update after 4.8 s, theirs 6.4 s" in rows
    assert "peak memory of the whole run 4.13 GB, theirs 5.03 GB" in rows


def test_both_sides_get_the_same_sizes_and_vocabulary(tmp_path):
    demo = peer.PACKAGE / "projects/cmsbert/demo"
    config = json.loads((demo / "config.json").read_text())
    assert peer._backbone(str(demo))["hidden_size"] == config["hidden_size"]
    assert peer._backbone("base")["hidden_size"] == 768
    file = peer._vocabulary(str(demo), tmp_path)
    assert file.read_text() == (demo / "vocab.txt").read_text()
