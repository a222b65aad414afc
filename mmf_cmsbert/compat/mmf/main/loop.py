"""Main's training loop for updates of several batches.

Main's own loop finishes the last update of an epoch one batch early and divides the loss of the
batch after it by zero, unless the epoch leaves a smaller group over. It weighs batches alike.
"""

from contextlib import nullcontext
from typing import Any

from mmf.common.registry import registry

from mmf_cmsbert.trainers.accumulation import groups, joined, of_metrics


def train_epochs(trainer: Any) -> None:
    """Make the updates that are left, each from the gradients of a group of batches."""
    stop = False
    while not stop and trainer.num_updates < trainer.max_updates:
        trainer.current_epoch += 1
        registry.register("current_epoch", trainer.current_epoch)
        trainer.dataset_loader.seed_sampler("train", trainer.current_epoch)
        for group in groups(trainer.train_loader, trainer.accumulated):
            _log(trainer, _update(trainer, group))
            stop = trainer._try_full_validation() or trainer.num_updates >= trainer.max_updates
            if stop:
                break


def _update(trainer: Any, group: list[Any]) -> Any:
    trainer._start_update()
    reports, shares = [], trainer.shares(group)
    for number, (batch, share) in enumerate(zip(group, shares, strict=True), 1):
        trainer.current_iteration += 1
        trainer.on_batch_start()
        trainer.profile("Batch load time")
        # Processes share the sum of the gradients, once.
        unshared = getattr(trainer.model, "no_sync", None) if number < len(group) else None
        with unshared() if unshared else nullcontext():
            report = trainer._forward(batch)
            if trainer.training_config.exit_on_nan_losses:
                trainer._check_nan_losses(report)
            loss = sum(each.mean() for each in report.losses.values())
            trainer._backward(loss * share)
        reports.append(report.detach())
        trainer.on_batch_end(report=reports[-1], meter=trainer.meter)
    trainer._finish_update()
    return joined(reports, shares, of_metrics(trainer))


def _log(trainer: Any, report: Any) -> None:
    due = trainer.num_updates % trainer.logistics_callback.log_interval == 0
    if due:
        if trainer.training_config.evaluate_metrics:
            report.metrics = trainer.metrics(report, report)
        trainer.meter.update_from_report(report)
    trainer.on_update_end(report=report, meter=trainer.meter, should_log=due)
