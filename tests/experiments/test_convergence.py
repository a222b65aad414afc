import json

import pytest
from made_up_runs import write_record

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.experiments import convergence
from mmf_cmsbert.records.history import History, Validation

MAE = "mosi/sentiment_mae"


def run(folder, scores, name=MAE):
    write_record(folder, {"datasets": "mosi"})
    history = History(folder)
    for update, score in enumerate(scores, 1):
        history.append(Validation(update * 10, 1, {name: score}))
    return folder


@pytest.fixture
def experiment(tmp_path):
    for recipe, shift in (("ema", 0.0), ("no_ema", 0.2)):
        for seed in (1, 2):
            scores = [1.0, 0.6 + shift * seed, 0.5, None, 0.5 + shift]
            run(tmp_path / "runs" / recipe / f"seed_{seed}", scores)
    return tmp_path


def test_runs_of_an_experiment_are_summarised_by_recipe(experiment, tmp_path):
    found = convergence.curves([experiment], None)
    head, ema, no_ema = convergence.rows(found)
    regret = head.index("regret")
    assert ema[:2] == ["ema", "2"] and no_ema[:2] == ["no_ema", "2"]
    assert (ema[regret], no_ema[regret]) == ("0.000 ± 0.000", "0.200 ± 0.000")
    convergence.write(found, tmp_path / "found.json", "cmsbert convergence")
    kept = json.loads((tmp_path / "found.json").read_text())["runs"]
    assert len(kept) == 4 and kept[0]["figures"]["validations"] == 4, "None is left out"


def test_a_single_run_is_its_own_group(tmp_path):
    folder = run(tmp_path / "alone", [1.0, 0.5])
    assert convergence.rows(convergence.curves([folder], None))[1][:2] == ["alone", "1"]


def test_folders_without_runs_and_metrics_without_values_are_named(tmp_path):
    with pytest.raises(DataError, match="no run with a history.jsonl is in it"):
        convergence.curves([tmp_path], None)
    folder = run(tmp_path / "run", [1.0], name="mosi/other")
    with pytest.raises(DataError, match="no validation has a value of mosi/sentiment_mae; expected "
                       "one of mosi/other"):  # fmt: skip
        convergence.curves([folder], None)
