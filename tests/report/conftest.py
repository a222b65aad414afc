"""Fixtures for tests of the report: the folder of a run, and its report."""

import pytest
from reported_runs import segments, write_run

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
