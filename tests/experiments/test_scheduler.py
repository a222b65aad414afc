import pytest
from made_up_runs import FakeEngine, FakeRun, Silent, write_record

from mmf_cmsbert.experiments.scheduler import run_all


def test_no_more_run_at_once_than_there_are_slots_and_each_slot_holds_one(planned):
    jobs = planned(["a", "b", "c"], seeds=2)
    running, most, order = {}, [], []

    class Run(FakeRun):
        def poll(self):
            status = super().poll()
            if status is not None:
                del running[self.slot]
            return status

    def start(job, slot):
        assert slot not in running
        order.append(job.label)
        run = Run(job, looks=1 + len(order) % 3)
        run.slot = slot
        running[slot] = run
        most.append(len(running))
        return run

    outcomes = run_all(jobs, FakeEngine(start, 2), Silent(), pause=0)
    assert max(most) == 2
    assert order == [job.label for job in jobs], "begun seed by seed, as planned"
    assert {o.job.label for o in outcomes} == set(order)
    assert all(o.error is None for o in outcomes)


def test_a_failed_run_does_not_stop_the_others_and_its_message_is_kept(planned):
    jobs = planned(["a", "b", "c"])

    def start(job, slot):
        if job.recipe == "b":
            return FakeRun(job, status=2, says="a line\nmmf_run: error: no data file\n  there\n")
        return FakeRun(job)

    watcher = Silent()
    outcomes = run_all(jobs, FakeEngine(start, 1), watcher, pause=0)
    assert [o.error for o in outcomes] == [None, "no data file", None]
    assert ("ended", "b seed 1", "no data file") in watcher.told


def test_where_the_log_could_not_be_written_the_record_says_why(planned):
    (job,) = planned(["a"])

    def start(job, slot):
        run = FakeRun(job, status=2, says="(text): Linear(")
        write_record(job.folder, job.config, "failed", error="WriteError: no space is left")
        return run

    (outcome,) = run_all([job], FakeEngine(start, 1), Silent(), pause=0)
    assert outcome.error == "WriteError: no space is left"


@pytest.mark.parametrize(
    ("status", "says", "error"),
    [
        (1, "Traceback:\n  File\nRuntimeError: nan\n\n", "RuntimeError: nan"),
        (1, "", "ended with status 1 and no output"),
        (-9, "progress: 1/2", "killed by SIGKILL"),
    ],
)
def test_why_a_run_failed(planned, status, says, error):
    (job,) = planned(["a"])
    (outcome,) = run_all(
        [job],
        FakeEngine(lambda job, slot: FakeRun(job, status=status, says=says)),
        Silent(),
        pause=0,
    )
    assert outcome.error == error


def test_a_run_that_ends_well_without_its_record_has_failed(planned):
    (job,) = planned(["a"])

    class Forgetful(FakeRun):
        def poll(self):
            return 0

    (outcome,) = run_all([job], FakeEngine(lambda job, slot: Forgetful(job)), Silent(), pause=0)
    assert "without a finished run.json" in outcome.error


def test_progress_is_passed_on_while_a_run_runs(planned):
    watcher = Silent()
    run_all(planned(["a"]), FakeEngine(lambda job, slot: FakeRun(job, looks=2)), watcher, pause=0)
    assert ("progressed", "a seed 1", 5, 10) in watcher.told


def test_an_interruption_stops_what_runs_and_begins_nothing_more(planned):
    begun = []

    class Interrupted(FakeRun):
        def poll(self):
            if len(begun) == 2:
                raise KeyboardInterrupt
            return None

    def start(job, slot):
        begun.append(Interrupted(job))
        return begun[-1]

    with pytest.raises(KeyboardInterrupt):
        run_all(planned(["a", "b", "c"]), FakeEngine(start, 2), Silent(), pause=0)
    assert len(begun) == 2 and all(run.stopped for run in begun)


def test_an_engine_that_queues_runs_is_given_all_of_them_first(planned):
    told = []

    class Queueing(FakeEngine):
        def prepare(self, jobs):
            told.append([job.label for job in jobs])

    def start(job, slot):
        told.append(job.label)
        return FakeRun(job)

    run_all(planned(["a", "b"]), Queueing(start, None), Silent(), pause=0)
    assert told == [["a seed 1", "b seed 1"], "a seed 1", "b seed 1"]
