"""A run that is asked to end by a signal, or that loses one of its processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmf_cmsbert.compat import mmf_rng
from mmf_cmsbert.console import signals
from mmf_cmsbert.errors import ProcessLost
from mmf_cmsbert.trainers.agreement import Agreement
from mmf_cmsbert.trainers.lost_processes import describe, is_lost_connection


class EndsOnSignals:
    """Goes in front of a trainer: a signal ends training after an update, with a checkpoint.

    Resumed from it, the run ends with the numbers that it would have had without the signal. Of
    several processes one signal to any of them is enough. Requires ``ranks``.
    """

    # State of the generators of each process, for a checkpoint between two evaluations
    generators_of_ranks: list[dict] | None = None

    def training_loop(self) -> None:
        self._agreement = Agreement(self.ranks)
        with (
            self._lost_process_named(),
            signals.deferred("ending after this update, with a checkpoint"),
        ):
            super().training_loop()

    def finalize(self) -> None:
        with self._lost_process_named():
            super().finalize()

    def inference(self) -> None:
        with self._lost_process_named():
            super().inference()

    # What the trainers of both lines do after an update, before its validation: rc10's ...
    def _try_snapshot(self) -> None:
        super()._try_snapshot()
        self._end_if_asked()

    # ... and main's
    def on_update_end(self, **kwargs: Any) -> None:
        super().on_update_end(**kwargs)
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        number = self._agreement.reached(signals.received())
        if number is None:
            return
        signals.settled()
        if self.ranks.count > 1:
            self.generators_of_ranks = self.ranks.gather(mmf_rng.capture())
        self.checkpoint.save(self.num_updates, self.current_iteration, update_best=False)
        self.ranks.gather(None)  # the first process has written it
        raise signals.Interrupted(number)

    @contextmanager
    def _lost_process_named(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if self.ranks.count == 1 or not is_lost_connection(error):
                raise
            if (number := signals.received()) is not None:
                raise signals.Interrupted(number) from None
            raise ProcessLost(describe(self.ranks, self.num_updates)) from None
