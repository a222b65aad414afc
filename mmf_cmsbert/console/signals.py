"""Signals that end a command, with the exit status that a shell gives: 128 + the signal's number.

During imports a signal ends the process at once. While a command runs it raises
:class:`Interrupted`, so that what was begun is cleaned up. In a block of :func:`deferred`, such as
training, it only leaves a note, which :func:`received` returns; the block ends by itself where that
costs nothing. A second signal, or 20 s without an end, do not wait for that.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread, current_thread, main_thread
from typing import Any

# Those with which users, shells and schedulers (Slurm's --signal, LSF, SGE) ask a program to end.
ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")
    if hasattr(signal, name)
)
# Whoever sends the others has time to wait.
_URGENT = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
# Slurm and Kubernetes kill 30 s after SIGTERM.
LIMIT = 20.0
# A terminal and torchrun, or `timeout`, send the same one twice at the same moment.
_ONE_REQUEST = 2.0


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end.

    Args:
        number: the signal.
    """

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status for it."""
        return 128 + self.number


class _Command:
    """What signals do to the command that this process runs."""

    def __init__(self, name: str):
        self.name = name
        self.what_to_do: Callable[[int], None] = self.end
        self.plan = ""
        self.limit = LIMIT
        self.received: int | None = None
        self.last_words: list[Callable[[Interrupted], Any]] = []
        self.settled = Event()
        self.before: dict[int, Any] = {}
        self._when = -_ONE_REQUEST
        self._pipe: tuple[int, int] | None = None

    def install(self) -> None:
        for number in ENDING:
            handler = signal.getsignal(number)
            # nohup, or a shell's &, has it ignored
            if handler is not signal.SIG_IGN:
                self.before[number] = signal.signal(number, lambda n, _: self.arrived(n))

    def restore(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if self._pipe is not None:
            signal.set_wakeup_fd(-1)
            os.close(self._pipe[1])

    def arrived(self, number: int) -> None:
        now = time.monotonic()
        if now - self._when < _ONE_REQUEST:
            return
        again, self.received, self._when = self.received is not None, number, now
        if again and self.what_to_do == self.end:  # it has been said
            os._exit(128 + number)
        if again and self.what_to_do == self.note:
            raise Interrupted(number)
        self.what_to_do(number)

    def end(self, number: int, why: str = "") -> None:
        """End the process now."""
        for say in self.last_words:
            with suppress(Exception):
                say(Interrupted(number))
        if number != signal.SIGPIPE:
            _write(f"{self.name}: interrupted by {signal.Signals(number).name}{why}")
        os._exit(128 + number)

    def throw(self, number: int) -> None:
        raise Interrupted(number)

    def note(self, number: int) -> None:
        if number != signal.SIGPIPE and is_first_process():
            name = signal.Signals(number).name
            _write(f"{self.name}: {name} received; {self.plan} (send it again to end now)")

    def watch(self) -> None:
        """Have a thread see to it that the process ends, also where it waits for other ones.

        Python runs its handlers in the main thread, which in a call of a C++ library (a collective
        operation of torch) is not reached; the number written to a pipe is read by the thread.
        """
        if self._pipe is not None:
            return
        self._pipe = os.pipe()
        os.set_blocking(self._pipe[1], False)
        before = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        if before != -1:  # someone else's, as in a notebook
            signal.set_wakeup_fd(before)
        Thread(target=self._watch, args=(self._pipe[0],), daemon=True).start()

    def _watch(self, pipe: int) -> None:
        while number := os.read(pipe, 1):
            if number[0] not in _URGENT or self.settled.wait(self.limit) or _command is not self:
                continue
            self.end(number[0], f"; it did not come to an end in {self.limit:.0f} s")
        os.close(pipe)


_command: _Command | None = None


def install(name: str) -> None:
    """Handle signals from now on, for the rest of the process; each one ends it at once."""
    global _command
    if _command is None and current_thread() is main_thread():
        _command = _Command(name)
        _command.install()


@contextmanager
def handled(name: str) -> Iterator[None]:
    """Handle the signals of this block, if :func:`install` does not do so already.

    A signal that ended the block does to the process what it did before, if there was nobody who
    made an exit of it.
    """
    global _command
    own = _command is None
    install(name)
    try:
        yield
    except Interrupted as interrupted:
        if not own:
            raise
        _forget()
        os.kill(os.getpid(), interrupted.number)
        raise
    finally:
        if own:
            _forget()


@contextmanager
def raised(limit: float | None = None) -> Iterator[None]:
    """Have a signal raise :class:`Interrupted` in this block.

    Args:
        limit: seconds in which the process has to end then, if the signal is an urgent one; 20 if
            None.
    """
    if _command is not None and limit is not None:
        _command.limit = limit
    with _doing("throw"):
        yield


@contextmanager
def deferred(plan: str) -> Iterator[None]:
    """Have a signal do nothing in this block but be :func:`received`.

    Args:
        plan: what the block does then, for the user.

    Raises:
        Interrupted: at the end of the block, if there was one.
    """
    with _doing("note", plan):
        yield
    if (number := received()) is not None:
        raise Interrupted(number)


@contextmanager
def _doing(what: str, plan: str = "") -> Iterator[None]:
    command = _command
    if command is None:
        yield
        return
    command.watch()
    before, command.plan = command.what_to_do, plan
    command.what_to_do = getattr(command, what)
    try:
        yield
    finally:
        command.what_to_do = before


def received() -> int | None:
    """The signal that asks this process to end."""
    return None if _command is None else _command.received


def arrived(number: int) -> None:
    """Do what the signal does, without one."""
    if _command is not None:
        _command.arrived(number)


def settled(number: int) -> None:
    """Lift the limit: what is left to do takes as long as it takes.

    Args:
        number: the signal that this process ends for, which another one may have received.
    """
    if _command is not None:
        _command.received = _command.received or number
        _command.settled.set()


def on_sudden_end(say: Callable[[Interrupted], Any]) -> None:
    """Have ``say`` called if the command has to be ended from outside its main thread."""
    if _command is not None:
        _command.last_words.append(say)


def is_first_process() -> bool:
    """Whether this process speaks for a run, as far as the environment says."""
    rank = os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or "0"
    others = (os.environ.get(name) or "0" for name in ("LOCAL_RANK", "NODE_RANK"))
    return rank == "0" and all(other == "0" for other in others)


def _write(line: str) -> None:
    with suppress(OSError):
        os.write(2, f"{line}\n".encode())


def _forget() -> None:
    global _command
    command, _command = _command, None
    if command is not None:
        command.restore()


def _after_fork() -> None:
    """A forked process (a DataLoader's worker) is not the command: signals end it as ever."""
    global _command
    command, _command = _command, None
    if command is not None:
        signal.set_wakeup_fd(-1)
        for number, handler in command.before.items():
            signal.signal(number, handler)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
