"""A run that is asked to end by a signal, or that loses one of its processes."""

from typing import Any

from mmf.common.registry import registry

from mmf_cmsbert.checkpoints import generators
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.console import signals
from mmf_cmsbert.trainers import lost_processes
from mmf_cmsbert.trainers.agreement import Agreement
from mmf_cmsbert.trainers.ranks import Ranks


class EndsOnSignals(TrainerSteps):
    """Ends training after an update, with a checkpoint, where a signal asks for it.

    Resumed from it, the run ends with the numbers that it would have had without the signal. Of
    several processes one signal to any of them is enough. Requires ``ranks``.
    """

    ranks: Ranks
    # State of the generators of each process, for a checkpoint between two evaluations
    generators_of_ranks: list[dict[str, Any]] | None = None

    def training_loop(self) -> None:
        self._agreement = Agreement(self.ranks)
        with (
            lost_processes.named(),
            # Without a command of ours: a notebook, or a process that MMF spawned for a GPU
            signals.handled("mmf_run"),
            signals.deferred("ending after this update, with a checkpoint"),
        ):
            super().training_loop()
            # All processes learn here of what came after their last question.
            self._end_if_asked()
            self._end_if_asked()

    def finalize(self) -> None:
        with lost_processes.named():
            super().finalize()

    def inference(self) -> None:
        with lost_processes.named():
            super().inference()

    def after_update(self) -> None:
        super().after_update()
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        # For messages outside the trainer; of the two lines rc10 does so itself.
        registry.register("num_updates", self.num_updates)
        number = self._agreement.reached(signals.received())
        if number is None:
            return
        signals.settled(number)
        if self.ranks.count > 1:
            self.generators_of_ranks = self.ranks.gather(generators.capture())
        self.checkpoint.save(self.num_updates, self.current_iteration, update_best=False)
        self.ranks.gather(None)  # the first process has written it
        raise signals.Interrupted(number)
