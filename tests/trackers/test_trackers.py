"""Which trackers there are, and what a run says where one is missing or cannot start."""

import pytest

from mmf_cmsbert import trackers
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trackers import TrackedRun


@pytest.mark.parametrize(
    ("name", "package"),
    [("tensorboard", "tensorboard"), ("wandb", "wandb"), ("mlflow", "mlflow-skinny")],
)
def test_a_missing_package_is_named_with_what_to_type(monkeypatch, name, package):
    monkeypatch.setattr(trackers, "find_spec", lambda module: None)
    with pytest.raises(ConfigError, match=f"{name} needs .* pip install {package}"):
        trackers.check([name])


def test_what_was_started_before_another_failed_is_closed(monkeypatch, tmp_path):
    closed = []

    class First:
        def __init__(self, run):
            pass

        def close(self, finished):
            closed.append(finished)

    class Second:
        def __init__(self, run):
            raise RuntimeError("no\nkey")

    names = {"tensorboard": ("a:First", "", ""), "wandb": ("a:Second", "", "")}
    monkeypatch.setattr(trackers, "_TRACKERS", names)
    owners = type("Module", (), {"First": First, "Second": Second})
    monkeypatch.setattr(trackers, "import_module", lambda name: owners)
    run = TrackedRun("x", tmp_path, tmp_path, {})
    with pytest.raises(ConfigError, match="wandb cannot be started: no key"):
        trackers.open_all(["tensorboard", "wandb"], run)
    assert closed == [False]
