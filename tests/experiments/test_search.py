import resource
from contextlib import contextmanager

import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.search import TrialFailed, open_study, search, tried, writing
from mmf_cmsbert.experiments.space import Dimension
from mmf_cmsbert.files import WriteError

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
    whole = run(tmp_path / "whole.db", 14)  # more than the ten that TPE draws uniformly

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


@contextmanager
def limited(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 500, 60_000, 110_000])
def test_a_database_that_cannot_be_begun_is_not_there(tmp_path, size):
    file = tmp_path / "study.db"
    with limited(size), pytest.raises(WriteError, match=r"study\.db cannot be written: .* full"):
        open_study(file, True, {"a": 1})
    assert list(tmp_path.iterdir()) == []
    assert len(tried(run(file, 2))) == 2


def test_on_a_full_disk_a_search_ends_and_continues_later(tmp_path):
    long = [Dimension("long", choices=("a" * 2000, "b" * 2000))]

    def evaluate(number, values):
        return float(number)

    whole = open_study(tmp_path / "whole.db", True, {"a": 1})
    search(whole, long, 4, 1, evaluate)
    file = tmp_path / "study.db"
    study = open_study(file, True, {"a": 1})
    size = file.stat().st_size + 8192  # one trial takes more than a page of 4096 bytes
    match = r"study\.db cannot be written: .* full"
    with limited(size), pytest.raises(WriteError, match=match), writing(file):
        search(study, long, 4, 1, evaluate)
    assert 0 < len(tried(study)) < 4
    continued = open_study(file, True, {"a": 1})
    search(continued, long, 4, 1, evaluate)
    assert values_of(continued) == values_of(whole)


def test_a_damaged_database_is_named(tmp_path):
    file = tmp_path / "study.db"
    file.write_bytes(b"no database" * 100)
    with pytest.raises(ConfigError, match=r"study\.db is damaged \(file is not a database\)"):
        open_study(file, True, {"a": 1})


def test_a_study_is_not_mixed_with_another(tmp_path):
    open_study(tmp_path / "study.db", True, {"a": 1, "b": 2})
    with pytest.raises(ConfigError, match="other values of b; type --output"):
        open_study(tmp_path / "study.db", True, {"a": 1, "b": 3})
