"""Signals that end a command, with the exit status that a shell gives: 128 + the signal's number.

During imports a signal ends the process at once. While a command runs it raises
:class:`Interrupted`, so that the command can clean up. In a block of :func:`deferred`, such as
training, it is only recorded for :func:`received`, and the block ends where nothing is lost. A
second signal, or 20 s without an end, end the process sooner.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread, current_thread, main_thread
from typing import Any

# The signals by which users, shells and schedulers (Slurm's --signal, LSF, SGE) end a program.
ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")
    if hasattr(signal, name)
)
# Senders of the other signals can wait.
_URGENT = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
# Slurm and Kubernetes kill 30 s after SIGTERM.
LIMIT = 20.0
# A terminal and torchrun, or `timeout`, send the same signal twice at the same time.
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
        """The exit status."""
        return 128 + self.number


class _Command:
    """The reaction to signals of the command in this process."""

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
            # ignored under nohup, or with a shell's &
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
        if again and self.what_to_do == self.end:  # the message was already printed
            os._exit(128 + number)
        if again and self.what_to_do == self.note:
            raise Interrupted(number)
        self.what_to_do(number)

    def end(self, number: int, why: str = "") -> None:
        """End the process at once."""
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
        """Start a thread that ends the process after the limit, even if it waits for others.

        Python runs signal handlers in the main thread, which is blocked during calls of C++
        libraries (collective operations of torch). The thread reads signal numbers from a pipe.
        """
        if self._pipe is not None:
            return
        self._pipe = os.pipe()
        os.set_blocking(self._pipe[1], False)
        before = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        if before != -1:  # set by other code, as in a notebook
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
    """Handle signals for the rest of the process; each one ends it at once."""
    global _command
    if _command is None and current_thread() is main_thread():
        _command = _Command(name)
        _command.install()


@contextmanager
def handled(name: str) -> Iterator[None]:
    """Handle signals in this block, unless :func:`install` already does.

    If a signal ends the block and no code turns it into an exit status, the signal is sent again
    with the earlier handlers.
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
    """Make signals raise :class:`Interrupted` in this block.

    Args:
        limit: seconds until the process must have ended after an urgent signal; None for 20.
    """
    if _command is not None and limit is not None:
        _command.limit = limit
    with _doing("throw"):
        yield


@contextmanager
def deferred(plan: str) -> Iterator[None]:
    """Only record signals in this block, for :func:`received`.

    Args:
        plan: the reaction of the block, for the message to the user.

    Raises:
        Interrupted: at the end of the block, after a signal.
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
    """Return the signal that asks this process to end, or None."""
    return None if _command is None else _command.received


def arrived(number: int) -> None:
    """React as to a signal that was received."""
    if _command is not None:
        _command.arrived(number)


def settled(number: int) -> None:
    """Remove the time limit for the rest of the work.

    Args:
        number: the signal that ends this process; another process may have received it.
    """
    if _command is not None:
        _command.received = _command.received or number
        _command.settled.set()


def on_sudden_end(say: Callable[[Interrupted], Any]) -> None:
    """Register ``say``, to be called if the command is ended from outside its main thread."""
    if _command is not None:
        _command.last_words.append(say)


def is_first_process() -> bool:
    """Return whether this is the first process of a run, according to the environment."""
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
    """Restore the default signal handling in a forked process, such as a DataLoader's worker."""
    global _command
    command, _command = _command, None
    if command is not None:
        signal.set_wakeup_fd(-1)
        for number, handler in command.before.items():
            signal.signal(number, handler)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
