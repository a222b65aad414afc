"""Output of the commands that do not start MMF."""

import subprocess
import sys

import pytest
import yaml

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


@pytest.mark.parametrize("command", ["mmf_run", "mmf_predict"])
@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_are_printed(monkeypatch, capsys, command, option):
    monkeypatch.setattr("sys.argv", [command, option, "config=projects/cmsbert/demo.yaml"])
    getattr(cli, command)()
    printed = capsys.readouterr().out
    assert "mmf_cmsbert 0." in printed if option == "--version" else f"usage: {command}" in printed


@pytest.mark.parametrize("option", ["--help", "--version", "--verbos"])
def test_they_answer_before_anything_slow_is_imported(option):
    program = (
        "import sys; from mmf_cmsbert.cli import mmf_run\n"
        "try: mmf_run()\n"
        "except SystemExit: pass\n"
        "slow = {'torch', 'mmf', 'omegaconf', 'pydantic', 'numpy', 'transformers'}\n"
        "sys.exit(str(slow & set(sys.modules)) if slow & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", program, option], check=True, stdout=subprocess.DEVNULL)


def test_the_printed_configuration_is_resolved_and_gives_the_same_one(
    monkeypatch, capsys, tmp_path
):
    pytest.importorskip("mmf")

    def printed(*words):
        folder = tmp_path / "not made"
        typed = ["mmf_run", "--print-config", *words, f"env.save_dir={folder}"]
        monkeypatch.setattr("sys.argv", typed)
        cli.mmf_run()
        assert not folder.exists()
        return capsys.readouterr().out

    monkeypatch.setenv("SECRET", "xyzzy")
    monkeypatch.delenv("MMF_SAVE_DIR")
    words = ("training.seed=7", "training.experiment_name=${oc.env:SECRET}")
    first = printed("config=projects/cmsbert/demo.yaml", *words)
    config = yaml.safe_load(first)
    assert config["training"]["seed"] == 7 and config["model"] == "cmsbert"
    assert config["scheduler"]["params"]["num_training_steps"] == 600, "a reference"
    assert "xyzzy" not in first
    file = tmp_path / "printed.yaml"
    file.write_text(first)
    assert yaml.safe_load(printed(f"config={file}")) == config
