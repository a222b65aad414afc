"""The table of curves, in which every run has a name of its own."""

from mmf_cmsbert.robustness import writing
from mmf_cmsbert.robustness.curves import Curve
from mmf_cmsbert.utils.statistics import Estimate


def curve(run):
    errors = (Estimate(1.0, None, None), Estimate(1.5, None, None))
    return Curve(run, "noise", "all", (0.0, 1.0), errors, correlations=None)


def test_runs_are_named_by_the_end_of_their_path_that_tells_them_apart():
    assert writing.rows([curve("save/cms"), curve("save/mag")])[1][0] == "cms"
    runs = ["save/runs/cms/fold_1/seed_1", "save/runs/mag/fold_1/seed_1"]
    found = writing.rows([curve(run) for run in runs])
    assert [row[0] for row in found[1:]] == ["cms/fold_1/seed_1", "mag/fold_1/seed_1"]


def test_curves_of_one_run_have_one_name():
    assert set(writing.names([curve("save/cms"), curve("save/cms")]).values()) == {"cms"}
