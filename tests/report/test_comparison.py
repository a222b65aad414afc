"""Several runs side by side, with paired differences on the same segments."""

import json
import shutil

import numpy as np
import pytest
from reported_runs import segments, write_run
from scipy import stats

from mmf_cmsbert import report
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.report.comparison import differences


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs on the same segments; the second predicts 20 too much."""
    folder = tmp_path_factory.mktemp("several")
    names = ("first", "second", "other/third")
    return [
        write_run(folder / name, shift=shift) for name, shift in zip(names, (0, 20, 0), strict=True)
    ]


def scores_of(run):
    kept = json.loads((run / "report" / "segments.json").read_text())
    return {s["id"]: (s["label"], s["score"]) for s in kept["parts"][0]["segments"]}


def test_scores_curves_and_paired_differences_are_side_by_side(runs, tmp_path):
    page = report.write(runs, tmp_path / "new" / "all.html", pictures=False)
    text = page.read_text()
    first, second = map(scores_of, runs[:2])
    apart = [abs(second[i][1] - second[i][0]) - abs(first[i][1] - first[i][0]) for i in first]
    assert f"{np.mean(apart):+.3f}".replace("-", "\u2212") in text
    low, high = stats.t.interval(0.95, len(apart) - 1, np.mean(apart), stats.sem(apart))
    assert f"{low:+.3f} to {high:+.3f}".replace("-", "\u2212") in text
    for shown in ("3 runs", "other/third", "Validation MAE (lower is better)", "errs more"):
        assert shown in text, shown
    assert "unclear" in text  # the third run is the first one again


def test_runs_link_to_their_own_reports(runs, tmp_path):
    report.write(runs[0], pictures=False)
    text = report.write(runs[:2], runs[0].parent / "two.html", pictures=False).read_text()
    assert '<a href="first/report.html">first</a>' in text and "second/report.html" not in text


def test_other_test_data_is_refused_in_one_message(runs, tmp_path):
    other = write_run(tmp_path / "other", segments(9, seed=1))
    with pytest.raises(ConfigError, match="of 12 and 9 segments 0 are the same"):
        report.write([runs[0], other], tmp_path / "all.html")
    assert not (tmp_path / "all.html").exists()


def test_another_split_or_unknown_segments_are_refused(runs, tmp_path):
    unscored = write_run(tmp_path / "unknown")
    shutil.rmtree(unscored / "model")
    with pytest.raises(ConfigError, match="its segments are not known"):
        report.write([runs[0], unscored], tmp_path / "all.html")


def test_no_run_and_a_folder_as_output_are_refused(runs, tmp_path):
    with pytest.raises(ConfigError, match="no run is named"):
        report.write([])
    with pytest.raises(ConfigError, match="is a folder; type a file"):
        report.write(runs, tmp_path)


def test_differences_by_hand():
    labels = [0.0, 1.0, None, -1.0]
    scores = np.array([[1.0, 0.0], [1.0, 2.0], [5.0, 9.0], [-1.0, -1.0]])
    (found,) = differences(labels, scores)  # of absolute errors: -1, +1, 0
    assert (found.mean, found.count, found.better) == (0.0, 3, pytest.approx(1 / 3))
    assert not found.clear
    assert differences([None, None], scores[:2]) == [None]
