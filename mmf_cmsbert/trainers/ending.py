"""The end of a run on a signal, or on the loss of one of its processes."""

from typing import Any

from mmf.common.registry import registry

from mmf_cmsbert.checkpoints import generators
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.console import signals
from mmf_cmsbert.trainers import lost_processes
from mmf_cmsbert.trainers.agreement import Agreement
from mmf_cmsbert.trainers.ranks import Ranks


class EndsOnSignals(TrainerSteps):
    """Saves a checkpoint and ends training after the current update when a signal arrives.

    A run resumed from this checkpoint ends with the same numbers as an uninterrupted one. With
    several processes, a signal to any of them is enough. Requires ``ranks``.
    """

    ranks: Ranks
    # States of the generators of each process, for a checkpoint between two evaluations
    generators_of_ranks: list[dict[str, Any]] | None = None

    def training_loop(self) -> None:
        self._agreement = Agreement(self.ranks)
        with (
            lost_processes.reported(),
            # Handlers for a run outside our commands: a notebook, or a process that MMF spawned
            signals.handled("mmf_run"),
            signals.deferred("ending after this update, with a checkpoint"),
        ):
            super().training_loop()
            # Twice, because each call returns the result of the one before.
            self._end_on_signal()
            self._end_on_signal()

    def finalize(self) -> None:
        with lost_processes.reported():
            super().finalize()

    def inference(self) -> None:
        with lost_processes.reported():
            super().inference()

    def after_update(self) -> None:
        super().after_update()
        self._end_on_signal()

    def _end_on_signal(self) -> None:
        # Messages outside the trainer read it; rc10 sets it, main does not.
        registry.register("num_updates", self.num_updates)
        number = self._agreement.reached(signals.received())
        if number is None:
            return
        signals.settled(number)
        if self.ranks.count > 1:
            self.generators_of_ranks = self.ranks.gather(generators.capture())
        self.checkpoint.save(self.num_updates, self.current_iteration, update_best=False)
        self.ranks.gather(None)  # wait until the first process has written it
        raise signals.Interrupted(number)
