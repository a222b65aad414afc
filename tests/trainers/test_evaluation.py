"""Evaluation computes the metrics of each dataset over its whole split."""

import pytest
import torch

from mmf_cmsbert.errors import ConfigError, DataError

SIZES = {"toy_a": (10, 5, 6), "toy_b": (23, 9, 5), "toy_c": (6, 4, 3)}


def by_hand(trainer, loader):
    """Return mean absolute and mean squared error of each dataset, computed without MMF."""
    trainer.model.eval()
    result = {}
    for dataset in loader.datasets:
        with torch.no_grad():
            error = trainer.model.layers(dataset.x) - dataset.y
        result[dataset.name] = (error.abs().mean().item(), error.square().mean().item())
    trainer.model.train()
    return result


@pytest.mark.parametrize("datasets", [["toy_b"], ["toy_a", "toy_b", "toy_c"]])
def test_metrics_and_losses_of_each_dataset(toy, tmp_path, datasets):
    trainer = toy.trainer(tmp_path, dataset=",".join(datasets), sizes=SIZES)
    for _ in range(3):  # rc10 returned nothing from the second time on
        report, meter = trainer.evaluate(trainer.val_loader)
        means = {name: value.global_avg for name, value in meter.meters.items()}
        expected, samples = {}, sum(SIZES[name][1] for name in datasets)
        for name, (error, square) in by_hand(trainer, trainer.val_loader).items():
            expected[f"val/{name}/toy_error"] = error
            expected[f"val/{name}/square"] = square
            total = expected.get("val/total_loss", 0)
            expected["val/total_loss"] = total + square * SIZES[name][1] / samples
        assert means == pytest.approx(expected, rel=1e-5)
        assert sorted(report.dataset_name.split(",")) == sorted(datasets)
        assert set(report.metrics) == {f"val/{name}/toy_error" for name in datasets}
        assert trainer.model.training


def test_early_stopping_on_any_of_the_datasets(toy, tmp_path):
    options = ["training.early_stop.criteria=toy_b/toy_error"]
    run = toy.run(tmp_path, *options, dataset="toy_a,toy_b", sizes=SIZES)
    best = run.trainer.early_stopping.best_monitored_value
    logged = [v["val/toy_b/toy_error"] for v in run.trainer.writer.progress if "val_time" in v]
    assert len(logged) == 3
    assert f"{best:.4f}" == min(logged, key=float)
    assert {"test/toy_a/toy_error", "test/toy_b/toy_error"} <= set(run.metrics)


def test_a_single_batch(toy, tmp_path):
    trainer = toy.trainer(tmp_path)
    report, _ = trainer.evaluate(trainer.val_loader, single_batch=True)
    assert report.batch_size == 4


def test_a_metric_without_what_it_needs_says_so(toy, tmp_path):
    trainer = toy.trainer(tmp_path)
    trainer.metrics.metrics["toy_error"].required_params = ["scores", "boxes"]
    with pytest.raises(ConfigError, match=r"toy_error needs boxes.*toy_a \(val\).*scores"):
        trainer.evaluate(trainer.val_loader)


def test_an_evaluation_without_batches_says_so(toy, tmp_path):
    trainer = toy.trainer(tmp_path, "run_type=train", sizes={"toy_a": (5, 5, 0)})
    with pytest.raises(DataError, match="no sample in the test split of toy_a"):
        trainer.evaluate(trainer.test_loader)
    with pytest.raises(DataError, match="no sample in the test split of toy_a"):
        trainer.predict("test")


@pytest.mark.main("rc10's report has the first batch's loss")
def test_the_report_has_the_sum_of_the_batches_losses(toy, tmp_path):
    trainer = toy.trainer(tmp_path, "training.batch_size=1")
    report, _ = trainer.evaluation_loop("val")
    (found,) = report.losses.values()
    trainer.model.eval()
    each = [trainer.model(batch)["losses"].values() for batch in trainer.val_loader]
    torch.testing.assert_close(found, sum(loss for losses in each for loss in losses))
