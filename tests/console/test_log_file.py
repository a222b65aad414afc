"""A log file that cannot be written is reported once."""

import resource

from mmf_cmsbert.console.log_file import LogFile


def test_lines_are_appended(tmp_path):
    (tmp_path / "log").write_text("first\n")
    log = LogFile(tmp_path / "log")
    log.write("second ü \ud800\n")
    assert (tmp_path / "log").read_text() == "first\nsecond ü \\ud800\n"
    log.close()


def test_a_full_disk_is_reported_once(tmp_path, capsys):
    log = LogFile(tmp_path / "log")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        for _ in range(10):
            log.write("x" * 50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert capsys.readouterr().err.count("cannot be written") == 1
    assert (tmp_path / "log").stat().st_size == 100
    log.close()
