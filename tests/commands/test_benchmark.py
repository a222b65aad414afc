"""What ``cmsbert benchmark`` refuses before anything is written, and how it computes."""

import pytest
from typer.testing import CliRunner

from mmf_cmsbert.commands import app
from mmf_cmsbert.experiments.cues import found_places
from mmf_cmsbert.utils import torch_threads


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--placement", "here"], "--placement here: expected one of own, other, spread"),
        (["--strength", "0"], "--strength 0 alone plants nothing; add one above 0"),
        (["--strength", "0.33333333"], "--strength 0.33333333: expected a number of at most six"),
        (["--strength", "0.00001"], "--strength 1e-05: expected a number of at most six"),
        (["--base", "no_such.yaml"], "no_such.yaml: there is no such file"),
        (["--size", "481"], "the training split has 480 usable segments"),
        (["no_such.csv"], "no_such.csv"),
        (["training.seed=3"], "training.seed cannot be set here"),
    ],
)
def test_what_cannot_be_run_is_named(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["benchmark", "cues", *words, "--output", str(tmp_path / "out")]
    ended = CliRunner().invoke(app, given, catch_exceptions=False)
    assert ended.exit_code == 2 and message in " ".join(ended.output.split()), ended.output
    assert not list((tmp_path / "out").rglob("run.json"))


def test_places_are_weighed_on_the_free_cores(monkeypatch):
    order = []
    monkeypatch.setattr(torch_threads, "set_threads", lambda: order.append("threads"))
    monkeypatch.setattr(found_places, "measure", lambda run, split: order.append("weights") or [])
    ended = CliRunner().invoke(app, ["benchmark", "places", "run"], catch_exceptions=False)
    assert ended.exit_code == 0 and order == ["threads", "weights"]
