import json

import pytest
from reported_runs import MAE, segments, write_run
from typer.testing import CliRunner

from mmf_cmsbert.commands import app
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.robustness import curves


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "run")


def typed(*words):
    return CliRunner().invoke(app, ["robustness", *map(str, words)], catch_exceptions=False)


def test_without_damage_the_error_is_that_of_the_run_and_all_damage_gives_text_alone(run):
    predictor, split = curves.opened(run, "test")
    found = curves.measure(run, predictor, split, ["segments"], [0.0, 1.0], draws=2)
    assert [each.modality for each in found] == ["visual", "acoustic", "all"]
    recorded = json.loads((run / "run.json").read_text())["test"][MAE]
    assert found[0].errors[0].value == pytest.approx(recorded, abs=1e-5)
    texts = [type(s)(s.id, s.video, s.words, {}, s.label) for s in segments()]
    alone = [abs(p.score - p.label) for p in predictor(texts)]
    assert found[2].errors[1].value == pytest.approx(sum(alone) / len(alone), abs=1e-5)
    assert found[2].errors[1].low is not None, "two draws have an interval"
    both = found[2].errors
    assert found[2].added == pytest.approx((both[1].value - both[0].value) / 2)


def test_the_command_writes_curves_of_several_runs(run, tmp_path):
    other = write_run(tmp_path / "other", shift=0.5)
    words = [run, other, "--split", "test", "--damage", "frames", "--level", 1, "--draws", 1]
    ended = typed(*words, "--output", tmp_path / "out")
    assert ended.exit_code == 0 and "lost frames" in ended.stdout
    found = json.loads((tmp_path / "out" / "robustness.json").read_text())
    assert (found["split"], found["segments"], found["format"]) == ("test", 12, 1)
    assert {each["run"] for each in found["curves"]} == {str(run), str(other)}
    assert found["curves"][0]["levels"] == [0.0, 1.0]


def test_runs_of_other_segments_and_levels_without_meaning_are_refused(run, tmp_path):
    other = write_run(tmp_path / "other", found=segments(seed=3))
    for words, message in (
        ([other, "--split", "test", "--damage", "shift"], "has other segments than"),
        (["--level", 2], "a share is at most 1"),
        (["--level", 0], "--level 0 alone"),
        (["--damage", "dust"], "--damage dust: expected one of frames, segments"),
    ):
        ended = typed(run, *words)
        assert ended.exit_code == 2 and message in ended.output


def test_segments_without_frames_are_refused(tmp_path):
    bare = [type(s)(s.id, s.video, s.words, {}, s.label) for s in segments()]
    run = write_run(tmp_path / "run", found=bare)
    predictor, split = curves.opened(run, "test")
    with pytest.raises(DataError, match="the segments have none"):
        curves.measure(run, predictor, split)
