"""Runs the `mmf_run` of the given words for step.py --peer: each step when it is ordered.

    python run_worker.py KEY=VALUE ...

Reading a batch, forward pass, backward pass, update, average, schedule and log are those of the
run. The order to finish makes the remaining updates, and all that ends a run: validation,
checkpoint, test, export, report.
"""

import sys

import pace


def main(words):
    orders = pace.Orders()
    import torch

    from mmf_cmsbert import cli
    from mmf_cmsbert.registration import register

    register()
    from mmf.common.registry import registry

    import mmf_cmsbert.trainers.registered  # noqa: F401

    trainer = registry.get_trainer_class("base_trainer") or registry.get_trainer_class("mmf")
    paced_trainer(trainer, orders, torch)
    orders.answers["versions"] = lambda: {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    sys.argv[:] = ["mmf_run", *words]
    cli.mmf_run()
    orders.answer(**pace.peak_memory())


def paced_trainer(trainer, orders, torch):
    """Make the trainer read the batches of an update only when a step is ordered."""
    original = trainer.batch_groups

    def batch_groups(self):
        clock = pace.clock_of(torch, torch.device(self.device))

        def evaluate():
            begun = clock()
            report, _ = self.evaluate(self.val_loader)
            return {"seconds": clock() - begun, "segments": report.batch_size}

        orders.answers["evaluate"] = evaluate
        if not hasattr(self, "pace"):
            self.pace = pace.Pace(orders, segments, clock)
        return self.pace(original(self))

    trainer.batch_groups = batch_groups


def segments(group):
    """Return the number of segments in the batches of an update."""
    return sum(len(batch["segment_id"]) for batch in group)


if __name__ == "__main__":
    main(sys.argv[1:])
