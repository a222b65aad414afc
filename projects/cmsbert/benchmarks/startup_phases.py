"""One ``mmf_run``, which notes when its phases end and goes no further than its first update.

    python startup_phases.py STARTED OUT KEY=VALUE ...

STARTED is `time.time()` of whoever started it, OUT the JSON that it writes.
"""

import sys
import time

PHASES = ("imports", "configuration", "data", "model", "first update")


class Clock:
    """Seconds since the process was started and of the processor, at the end of each phase.

    Args:
        started: when it was started, `time.time()`.
    """

    def __init__(self, started: float):
        self.started = started
        self.ends: dict[str, tuple[float, float]] = {}

    def end(self, phase: str) -> None:
        """The phase ends now, if it has not ended before."""
        now = time.time() - self.started, time.process_time()
        self.ends.setdefault(phase, now)

    def phases(self) -> dict[str, dict[str, float]]:
        """Phase -> seconds that it took, of the wall's clock and of the processor's."""
        found, before = {}, (0.0, 0.0)
        for phase in PHASES:
            wall, cpu = (now - then for now, then in zip(self.ends[phase], before, strict=True))
            found[phase] = {"wall": wall, "cpu": cpu}
            before = self.ends[phase]
        return found


def main(started: float, out: str) -> None:
    """Run what `sys.argv` says until its first update."""
    clock = Clock(started)
    from mmf_cmsbert import cli

    clock.end("imports")
    _watch(clock)
    try:
        cli.mmf_run()
    except SystemExit:
        if "first update" not in clock.ends:
            raise
    import json

    with open(out, "w", encoding="utf-8") as file:
        json.dump(clock.phases(), file)


def _watch(clock: Clock) -> None:
    from torch.optim.optimizer import register_optimizer_step_post_hook

    from mmf_cmsbert.compat.mmf.line import trainer_class

    def at(name: str, before: str | None = None, after: str | None = None) -> None:
        original = getattr(trainer_class(), name)

        def noting(self, *args, **kwargs):
            if before:
                clock.end(before)
            result = original(self, *args, **kwargs)
            if after:
                clock.end(after)
            return result

        setattr(trainer_class(), name, noting)

    def updated(*_) -> None:
        clock.end("first update")
        sys.exit()

    at("load", before="configuration")
    at("load_datasets", after="data")
    at("training_loop", before="model")
    register_optimizer_step_post_hook(updated)


if __name__ == "__main__":
    started, out = sys.argv[1:3]
    sys.argv[:] = ["mmf_run", *sys.argv[3:]]
    main(float(started), out)
