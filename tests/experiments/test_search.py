import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.search import TrialFailed, open_study, search, tried
from mmf_cmsbert.experiments.space import Dimension

pytest.importorskip("optuna", reason="a search needs Optuna, which is optional")

SPACE = [
    Dimension("x", -1.0, 1.0),
    Dimension("n", 1, 4),
    Dimension("kind", choices=("a", ["b", "c"])),
]


def score(number, values):
    return values["x"] ** 2 + values["n"] + (values["kind"] == "a")


def values_of(study):
    return [trial.user_attrs["values"] for trial in tried(study)]


def run(file, trials, evaluate=score, seed=1):
    study = open_study(file, True, {"a": 1})
    search(study, SPACE, trials, seed, evaluate)
    return study


def test_a_search_finds_the_better_end_of_a_space(tmp_path):
    study = run(tmp_path / "study.db", 16)
    best = study.best_trial.user_attrs["values"]
    assert best["n"] == 1 and best["kind"] == ["b", "c"] and abs(best["x"]) < 0.5


def test_a_seed_draws_the_same_and_another_seed_does_not(tmp_path):
    first, second, other = (
        values_of(run(tmp_path / f"{i}.db", 4, seed=seed)) for i, seed in enumerate((1, 1, 2))
    )
    assert first == second != other


def test_interrupted_anywhere_a_search_goes_on_as_if_it_had_not_been(tmp_path):
    whole = run(tmp_path / "whole.db", 14)  # beyond the ten that TPE draws evenly

    def interrupted(number, values):
        if number in (3, 11) and number not in seen:
            seen.add(number)
            raise KeyboardInterrupt
        return score(number, values)

    seen = set()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "parts.db", 14, interrupted)
    assert values_of(run(tmp_path / "parts.db", 14, interrupted)) == values_of(whole)


def test_a_killed_search_leaves_no_trial_that_runs(tmp_path):
    open_study(tmp_path / "study.db", True, {"a": 1}).ask()
    study = run(tmp_path / "study.db", 2)
    assert len(tried(study)) == 2


def test_trials_of_an_earlier_call_count(tmp_path):
    run(tmp_path / "study.db", 3)
    numbers = []
    run(tmp_path / "study.db", 5, lambda number, values: numbers.append(number) or 1.0)
    assert numbers == [3, 4]


def test_a_failed_setting_is_kept_as_such_and_others_are_tried(tmp_path):
    def evaluate(number, values):
        if number == 1:
            raise TrialFailed("nan")
        return score(number, values)

    study = run(tmp_path / "study.db", 4, evaluate)
    assert [t.user_attrs.get("error") for t in tried(study)] == [None, "nan", None, None]


def test_where_everything_fails_the_search_ends_with_the_reason(tmp_path):
    def evaluate(number, values):
        raise TrialFailed("no data file")

    with pytest.raises(ConfigError, match="first 3 settings all failed.*no data file"):
        run(tmp_path / "study.db", 10, evaluate)


def test_a_study_is_not_mixed_with_another(tmp_path):
    open_study(tmp_path / "study.db", True, {"a": 1, "b": 2})
    with pytest.raises(ConfigError, match="other values of b; type --output"):
        open_study(tmp_path / "study.db", True, {"a": 1, "b": 3})
