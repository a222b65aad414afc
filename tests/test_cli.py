"""What the commands print where they do not start MMF."""

import pytest

from mmf_cmsbert import cli


@pytest.mark.parametrize("text", ["nonsense{", "[1]"])
def test_an_override_that_is_no_json_object_is_refused(monkeypatch, capsys, text):
    monkeypatch.setattr("sys.argv", ["mmf_run", "-co", text, "config=projects/cmsbert/demo.yaml"])
    with pytest.raises(SystemExit) as ended:
        cli.mmf_run()
    assert ended.value.code == 2
    assert "JSON" in capsys.readouterr().err


def test_an_error_ends_the_command_with_one_line_and_a_status(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mmf_run", "config=nowhere.yaml"])
    with pytest.raises(SystemExit) as ended:
        cli.mmf_run()
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("mmf_run: error: config=nowhere.yaml") and printed.count("\n") == 1


def test_help_shows_the_recipes_command(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mmf_run", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli.mmf_run()
    assert ended.value.code == 0
    assert "mmf_run config=projects/cmsbert/mosi.yaml" in capsys.readouterr().out
