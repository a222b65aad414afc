"""Run ``mmf_run`` to its first update, and record when each phase ends.

    python startup_phases.py STARTED OUT KEY=VALUE ...

STARTED is `time.time()` in the calling process, OUT the JSON file to write.
"""

import sys
import time

PHASES = ("imports", "configuration", "data", "model", "first update")


class Clock:
    """Wall-clock and processor seconds at the end of each phase.

    Args:
        started: start of the process, `time.time()`.
    """

    def __init__(self, started: float):
        self.started = started
        self.ends: dict[str, tuple[float, float]] = {}

    def end(self, phase: str) -> None:
        """Record the end of a phase, the first time only."""
        now = time.time() - self.started, time.process_time()
        self.ends.setdefault(phase, now)

    def phases(self) -> dict[str, dict[str, float]]:
        """Map each phase to its duration: ``wall`` and ``cpu`` seconds."""
        found, before = {}, (0.0, 0.0)
        for phase in PHASES:
            wall, cpu = (now - then for now, then in zip(self.ends[phase], before, strict=True))
            found[phase] = {"wall": wall, "cpu": cpu}
            before = self.ends[phase]
        return found


def main(started: float, out: str) -> None:
    """Run the `mmf_run` of `sys.argv` until its first update."""
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

    from mmf_cmsbert.compat.mmf import line
    from mmf_cmsbert.registration import register

    register()
    trainer = line.part("trainer").Trainer

    def at(name: str, before: str | None = None, after: str | None = None) -> None:
        original = getattr(trainer, name)

        def noting(self, *args, **kwargs):
            if before:
                clock.end(before)
            result = original(self, *args, **kwargs)
            if after:
                clock.end(after)
            return result

        setattr(trainer, name, noting)

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
