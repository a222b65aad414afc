"""``cmsbert report`` as a user types it."""

from reported_runs import write_run

from mmf_cmsbert.report import png
from mmf_cmsbert.utils import torch_threads


def test_it_says_where_the_report_is(cmsbert, tmp_path, monkeypatch):
    monkeypatch.setattr(png, "draw", lambda chart: b"a picture")
    asked = []
    monkeypatch.setattr(torch_threads, "set_threads", lambda: asked.append("free cores"))
    run = write_run(tmp_path / "run")
    ended = cmsbert("report", run, "--output", "a report.html")
    assert ended.exit_code == 0, ended.output
    assert "a report.html: 0." in ended.output and str(run / "report") in ended.output
    assert (run / "report" / "losses.png").read_bytes() == b"a picture"
    assert asked == ["free cores"]


def test_what_is_no_run_is_one_line_and_status_2(cmsbert):
    ended = cmsbert("report", "nowhere")
    assert ended.exit_code == 2 and "nowhere: there is no such folder" in ended.output
