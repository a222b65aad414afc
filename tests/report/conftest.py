"""Fixtures for tests of the report: the folder of a run, and its report."""

import json

import numpy as np
import pytest
from reported_runs import long_segment, segments, write_run

HOSTILE = [
    "<script>alert(1)</script> and </script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)> <!-- ]]> & \"quoted\" 'text' {{ 7 * 7 }}",
    "\u2028 \u202e reversed \U0001f600 $x^2$",
]


@pytest.fixture(scope="session")
def hostile():
    """Segments whose texts are markup, which a report must show as text."""
    return HOSTILE


@pytest.fixture(scope="session")
def run(tmp_path_factory, hostile):
    """The folder of a finished run."""
    return write_run(tmp_path_factory.mktemp("runs") / "first", segments(60, hostile))


@pytest.fixture(scope="session")
def page(run):
    """Its report, a file."""
    from mmf_cmsbert import report

    return report.write(run, pictures=False)


@pytest.fixture(scope="session")
def page_of_mosei(run, tmp_path_factory):
    """A report of as many segments as MOSEI's test split has, without a model."""
    from mmf_cmsbert.report import heat, run_page, vectors
    from mmf_cmsbert.report.collected import Collected, Part
    from mmf_cmsbert.report.collecting import RunReport

    scored = heat.with_some_heat([long_segment(i) for i in range(4659)], heat.BYTES)
    rows = np.random.default_rng(0).normal(size=(3, len(scored), 8)).astype(np.float32)
    named = dict(zip(("text", "visual", "acoustic"), map(dict, map(enumerate, rows)), strict=True))
    found = vectors.embeddings(named, named, len(scored))
    part = Part(dataset="mosei", split="test", counts={}, segments=scored, embeddings=found)
    record = json.loads((run / "run.json").read_text())
    whole = RunReport(run, record, [], Collected(identity="", parts=[part]))
    file = tmp_path_factory.mktemp("mosei") / "report.html"
    file.write_text(run_page.render(whole, run_page.charts(whole)), encoding="utf-8")
    return file
