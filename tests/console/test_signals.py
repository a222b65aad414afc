import os
import signal

import pytest

from mmf_cmsbert.console import signals

WORK = """
    with console.command("mmf_run"):
        try:
            with signals.raised():
                print("ready", flush=True)
                time.sleep(60)
        except signals.Interrupted as interrupted:
            print("cleaned up")
            sys.exit(interrupted.status)
"""
UPDATES = """
    signals.LIMIT = {limit}
    with console.command("mmf_run"):
        try:
            with signals.raised(), signals.deferred("ending after this update"):
                print("ready", flush=True)
                until = time.monotonic() + 60
                while signals.received() is None and time.monotonic() < until:
                    time.sleep(0.01)
                {update}
        except signals.Interrupted as interrupted:
            sys.exit(interrupted.status)
"""


@pytest.mark.parametrize("number", signals.ENDING, ids=lambda number: number.name)
def test_during_imports_a_signal_ends_the_process_with_one_line(type_command, number):
    typed = type_command("""
        signals.install("mmf_run")
        print("ready", flush=True)
        time.sleep(60)
    """)
    status, out, err = typed.ready().send(number).ended()
    assert (status, out) == (128 + number, "")
    assert err == f"mmf_run: interrupted by {number.name}\n"


@pytest.mark.parametrize("number", signals.ENDING, ids=lambda number: number.name)
def test_during_work_it_raises(type_command, number):
    status, out, err = type_command(WORK).ready().send(number).ended()
    assert (status, out, err) == (128 + number, "cleaned up\n", "")


def test_during_an_update_it_waits_for_its_end(type_command):
    update = "time.sleep(0.2); print('updated', flush=True)"
    typed = type_command(UPDATES.format(limit=20, update=update))
    status, out, err = typed.ready().send(signal.SIGTERM).ended()
    assert (status, out) == (143, "updated\n")
    assert err == (
        "mmf_run: SIGTERM received; ending after this update (send it again to end now)\n"
    )


def test_the_same_request_sent_twice_is_one(type_command):
    update = "time.sleep(0.5); print('updated', flush=True)"
    typed = type_command(UPDATES.format(limit=20, update=update))
    status, out, _ = typed.ready().send(signal.SIGINT, signal.SIGTERM).ended()
    assert (status, out) == (130, "updated\n")


def test_a_second_request_ends_the_update(type_command):
    update = "signals._ONE_REQUEST = 0.1; time.sleep(60)"
    typed = type_command(UPDATES.format(limit=20, update=update)).ready()
    assert typed.send(signal.SIGTERM, signal.SIGTERM, pause=0.4).ended()[0] == 143


def test_an_update_that_does_not_end_is_ended_also_outside_python(type_command):
    typed = type_command(
        """
        import ctypes, signal
        signals.LIMIT = 0.3
        with console.command("mmf_run"):
            with signals.deferred("ending after this update"):
                signals.on_sudden_end(lambda interrupted: print("noted", interrupted, flush=True))
                print("ready", flush=True)
                # The main thread is in C code that no signal interrupts, as in a collective.
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
                ctypes.CDLL(None).sleep(60)
    """
    )
    status, out, err = typed.ready().send(signal.SIGTERM).ended()
    assert (status, out) == (143, "noted SIGTERM\n")
    assert "did not come to an end" in err


def test_no_limit_where_the_scheduler_waits(type_command):
    update = "time.sleep(1); print('updated', flush=True)"
    typed = type_command(UPDATES.format(limit=0.2, update=update))
    assert typed.ready().send(signal.SIGUSR1).ended()[:2] == (138, "updated\n")


def test_settled_work_takes_as_long_as_it_takes(type_command):
    update = "signals.settled(15); time.sleep(1); print('updated', flush=True)"
    typed = type_command(UPDATES.format(limit=0.2, update=update))
    assert typed.ready().send(signal.SIGTERM).ended()[:2] == (143, "updated\n")


def test_what_nohup_ignores_stays_ignored(type_command):
    typed = type_command(
        """
        import signal
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with console.command("mmf_run"), signals.raised():
            print("ready", flush=True)
            time.sleep(0.3)
            print("done")
    """
    )
    assert typed.ready().send(signal.SIGHUP).ended()[:2] == (0, "done\n")


def test_forked_workers_have_signals_as_before(type_command):
    typed = type_command(
        """
        import signal
        with console.command("mmf_run"), signals.raised():
            if (worker := os.fork()) == 0:
                time.sleep(60)
            time.sleep(0.2)
            os.kill(worker, signal.SIGTERM)
            print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
    """
    )
    assert typed.ended() == (0, "-15\n", "")


def test_without_a_command_nothing_is_handled():
    before = {number: signal.getsignal(number) for number in signals.ENDING}
    with signals.raised(), signals.deferred("ending"):
        assert signals.received() is None
        assert {number: signal.getsignal(number) for number in signals.ENDING} == before


def test_a_block_that_is_handled_gives_the_signal_back(request):
    before = signal.getsignal(signal.SIGTERM)
    # A shell's & ignores it for the processes that it starts.
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, ignored))
    with pytest.raises(KeyboardInterrupt), signals.handled("mmf_run"), signals.raised():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == before and signals.received() is None


@pytest.mark.parametrize(
    ("variables", "first"),
    [
        ({}, True),
        ({"LOCAL_RANK": "1"}, False),
        ({"RANK": "2", "LOCAL_RANK": "0"}, False),
        ({"SLURM_PROCID": "1"}, False),
        ({"RANK": "0", "LOCAL_RANK": "0", "SLURM_PROCID": "0"}, True),
    ],
)
def test_one_process_of_a_run_speaks(monkeypatch, variables, first):
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert signals.is_first_process() is first
