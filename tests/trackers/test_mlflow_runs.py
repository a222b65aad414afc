"""MLflow without a server; skipped where it is not installed."""

import pytest

from mmf_cmsbert.trackers import TrackedRun, open_all

pytest.importorskip("mlflow", reason="MLflow is optional: pip install mlflow-skinny")


@pytest.mark.parametrize(("finished", "status"), [(True, "FINISHED"), (False, "FAILED")])
def test_values_and_configuration_are_in_the_folder_of_the_run(
    tmp_path, monkeypatch, finished, status
):
    from mlflow.tracking import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    config = {"training": {"seed": 3}, "text": "x" * 9000, "many": {str(i): i for i in range(250)}}
    (tracker,) = open_all(["mlflow"], TrackedRun("name", tmp_path, tmp_path, config))
    tracker.log({"model/alignment/text-visual/cosine": 0.5}, 30)
    tracker.log({"model/alignment/text-visual/cosine": 0.25}, 60)
    tracker.close(finished)
    client = MlflowClient((tmp_path / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("mmf_cmsbert").experiment_id
    (run,) = client.search_runs([experiment])
    assert (run.info.run_name, run.info.status) == ("name", status)
    assert run.data.params["training.seed"] == "3" and run.data.params["many.249"] == "249"
    history = client.get_metric_history(run.info.run_id, "model/alignment/text-visual/cosine")
    assert [(each.step, each.value) for each in history] == [(30, 0.5), (60, 0.25)]
