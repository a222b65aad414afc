import io

import pytest
from made_up_runs import FakeEngine, FakeRun
from rich.console import Console

from mmf_cmsbert.experiments import plot
from mmf_cmsbert.experiments.ablation import ablate

MAE = "mosi/sentiment_mae"


@pytest.fixture(autouse=True)
def no_plot(monkeypatch):
    monkeypatch.setattr(plot, "can_plot", lambda: False)


class Runs:
    """Starts fake runs and records them; runs of ``failing`` recipes fail."""

    def __init__(self, failing=()):
        self.begun, self.failing = [], failing

    def __call__(self, job, slot):
        self.begun.append(job.label)
        if job.recipe in self.failing:
            return FakeRun(job, status=1, says="ValueError: no\n")
        test = {MAE: {"a": 1.0, "b": 2.0}[job.recipe] + job.seed / 10}
        for name in ("best.ckpt", "current.ckpt", "cmsbert_final.pth"):
            (job.folder).mkdir(parents=True, exist_ok=True)
            (job.folder / name).touch()
        (job.folder / "model").mkdir()
        (job.folder / "model" / "config.json").write_text('{"library_name": "mmf_cmsbert"}')
        return FakeRun(job, test=test)


def run(jobs, output, start, **options):
    console = Console(width=100, record=True, file=io.StringIO())
    finished = ablate(jobs, output, FakeEngine(start, 2), console, ["cmsbert", "ablate"], **options)
    return finished, console.export_text()


def test_everything_runs_once_and_is_compared(planned, tmp_path):
    jobs = planned(["a", "b"], seeds=2)
    runs = Runs()
    finished, printed = run(jobs, tmp_path, runs)
    assert finished and sorted(runs.begun) == sorted(job.label for job in jobs)
    assert "a          2  1.150 ± 0.071" in printed and "+1.000" in printed
    assert "matplotlib is not installed" in printed
    assert (tmp_path / "results.csv").is_file() and (tmp_path / "results.md").is_file()
    again = Runs()
    finished, printed = run(jobs, tmp_path, again)
    assert finished and again.begun == []
    assert "4 of 4 runs are already done" in printed and "1.150 ± 0.071" in printed


def test_more_seeds_run_only_those_that_are_new(planned, tmp_path):
    run(planned(["a", "b"], seeds=1), tmp_path, Runs())
    runs = Runs()
    run(planned(["a", "b"], seeds=2), tmp_path, runs)
    assert sorted(runs.begun) == ["a seed 2", "b seed 2"]


def test_other_options_run_everything_again_and_say_why(planned, tmp_path):
    run(planned(["a"]), tmp_path, Runs())
    runs = Runs()
    jobs = planned(["a"], options=["optimizer.params.lr=1"])
    _, printed = run(jobs, tmp_path, runs)
    assert runs.begun == ["a seed 1"]
    assert "a seed 1 starts again: words.optimizer.params.lr was None and is 1" in printed


def test_failures_are_told_at_the_end_and_alone_run_again(planned, tmp_path):
    jobs = planned(["a", "b"], seeds=2)
    finished, printed = run(jobs, tmp_path, Runs(failing=("b",)))
    assert not finished
    assert "2 of 4 runs failed" in printed
    assert "b seed 1: ValueError: no" in printed and str(jobs[1].log) in printed
    assert "a          2  1.150 ± 0.071" in printed, "what there is is shown"
    runs = Runs()
    finished, _ = run(jobs, tmp_path, runs)
    assert finished and sorted(runs.begun) == ["b seed 1", "b seed 2"]


def test_an_interruption_says_how_to_go_on(planned, tmp_path):
    jobs = planned(["a"], seeds=3)
    console = Console(width=100, record=True, file=io.StringIO())
    runs = Runs()

    def start(job, slot):
        if job.seed == 3:
            raise KeyboardInterrupt
        return runs(job, slot)

    with pytest.raises(KeyboardInterrupt):
        ablate(jobs, tmp_path, FakeEngine(start), console, [])
    assert "2 of 3 runs are done. The same command resumes." in console.export_text()


@pytest.mark.parametrize("keep", [False, True])
def test_checkpoints_of_finished_runs_stay_only_where_they_are_wanted(planned, tmp_path, keep):
    jobs = planned(["a"])
    run(jobs, tmp_path, Runs(), keep_weights=keep)
    assert (jobs[0].folder / "best.ckpt").exists() is keep
    assert (jobs[0].folder / "cmsbert_final.pth").exists() is keep
    assert (jobs[0].folder / "model").exists() is keep
    assert (jobs[0].folder / "run.json").exists()
