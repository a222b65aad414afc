"""``cmsbert data``: arguments, output and exit status."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import written_layouts
from written_layouts import SPLITS, make_segments

import mmf_cmsbert
from mmf_cmsbert.commands import layout_option
from mmf_cmsbert.datasets.download import download
from mmf_cmsbert.datasets.inspection import inspection
from mmf_cmsbert.datasets.readers import registry


@pytest.fixture
def corpus(tmp_path):
    segments = {s: make_segments(np.random.default_rng(4), s, widths=(5, 74)) for s in SPLITS}
    written_layouts.write_misa(tmp_path / "corpus", segments)
    return tmp_path / "corpus"


def test_inspect_prints_tables_and_what_to_look_at(cmsbert, corpus):
    result = cmsbert("data", "inspect", corpus)
    assert result.exit_code == 0
    for title in ("Layout: misa", "Segments", "Labels, rounded", "Words and frames", "Frames"):
        assert title in result.stdout
    assert "What to check\n- " in result.stdout
    assert not result.stderr


def test_inspect_fails_where_a_split_cannot_be_read_and_still_reports(cmsbert, corpus):
    (corpus / "dev.pkl").write_bytes(b"damaged")
    result = cmsbert("data", "inspect", corpus)
    assert result.exit_code == 2
    assert "Segments" in result.stdout and "the val split cannot be read" in result.stdout
    assert result.stderr.startswith("cmsbert data inspect: error: a split cannot be read: val: ")
    assert cmsbert("data", "inspect", corpus, "--split", "train").exit_code == 0


def test_the_options_that_an_inspection_names_are_those_of_the_command_it_names(cmsbert, tmp_path):
    row = {"id": "a", "split": "train"}
    (tmp_path / "segments.jsonl").write_text(json.dumps(row))
    found = cmsbert("data", "inspect", tmp_path).stdout
    assert "(cmsbert data convert --skip-invalid skips them)" in found
    assert "--skip-invalid" in cmsbert("data", "convert", "--help").stdout


def test_conversion_names_media_that_it_leaves_out(cmsbert, corpus):
    (corpus / "one.wav").write_bytes(b"RIFF")
    result = cmsbert("data", "convert", corpus, "--dataset", "mosi")
    assert result.exit_code == 0
    assert "1 media file is not read (one.wav): only features are read" in result.stderr


def test_inspect_writes_json(cmsbert, corpus):
    printed = cmsbert("data", "inspect", corpus, "--json", "-", "--dataset", "mosi")
    report = json.loads(printed.stdout)
    assert report["dataset"] == "mosi"
    assert report["splits"]["train"]["segments"] == 6
    beside = cmsbert("data", "inspect", corpus, "--json", "report.json", "--split", "val")
    assert "Segments" in beside.stdout
    assert list(json.loads(Path("report.json").read_text())["splits"]) == ["val"]
    assert [file.name for file in Path.cwd().iterdir()] == ["report.json"]


def test_ids_that_look_like_markup_are_printed_as_they_are(cmsbert, tmp_path):
    rows = [{"id": "[bold]a[/bold]", "text": "one :smile: two", "split": "train"}]
    (tmp_path / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)).replace("/", ""))
    assert "[bold]a[bold]" in cmsbert("data", "inspect", tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("inspect", "nowhere"), "nowhere: there is no such file or folder"),
        (("inspect", "."), "no corpus in this folder"),
        (("convert", "nowhere", "--dataset", "mosi"), "nowhere: there is no such file"),
        (("convert", ".", "--dataset", "mosi", "--max-frames", "0"), "--max-frames 0: expected"),
        (("download", "mosi", "--feature", "glove"), "'glove': no published feature"),
    ],
)
def test_what_can_be_mended_is_one_line_with_the_commands_name(cmsbert, words, message):
    result = cmsbert("data", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"cmsbert data {words[0]}: error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1 and not result.stdout


def test_words_that_are_no_options_end_with_what_is_expected(cmsbert):
    result = cmsbert("data", "convert", ".", "--dataset", "moso")
    assert result.exit_code == 2
    assert "Did you mean mosi?" in result.stderr


def test_ctrl_c_ends_with_a_line_and_its_status(cmsbert, corpus, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(inspection, "read_files", interrupted)
    result = cmsbert("data", "inspect", corpus)
    assert result.exit_code == 130
    assert result.stderr == "cmsbert data inspect: interrupted by SIGINT\n"


def test_a_download_goes_to_a_folder_of_the_corpus_and_says_what_is_next(cmsbert, monkeypatch):
    asked = []
    monkeypatch.setattr(download, "download", lambda *words, **more: asked.append((words, more)))
    typed = ("--feature", "labels", "--mirror", "http://m", "--max-hours", 2, "--max-gigabytes", 3)
    result = cmsbert("data", "download", "mosei", *typed)
    folder = Path.cwd() / "mosei-csd"
    [(words, more)] = asked
    limits = more.pop("limits")
    assert (words, more) == (("mosei", folder), {"features": ["labels"], "mirror": "http://m"})
    assert (limits.hours, limits.gigabytes) == (2, 3)
    assert f"cmsbert data convert {folder} --dataset mosei" in result.stdout


def test_every_layout_can_be_named():
    for name in ("auto", "misa", "mag", "mmsa", "csd", "folder", "store"):
        assert layout_option.layout_name(name) == name
        assert name in layout_option.OWN_LAYOUTS.split("|")
    assert set(layout_option.OWN_LAYOUTS.split("|")) == set(registry.choices())


def test_an_unknown_layout_is_refused_with_the_names_of_all(cmsbert, corpus):
    result = cmsbert("data", "inspect", corpus, "--layout", "msa")
    assert result.exit_code == 2
    message = " ".join(result.stderr.replace("│", " ").split())
    assert "'msa' is not one of auto, misa, mag, conversations, mmsa, csd, folder" in message


def test_a_package_of_the_users_that_is_not_there(cmsbert, corpus):
    result = cmsbert("data", "inspect", corpus, "--user-dir", "nowhere")
    assert result.exit_code == 2
    assert result.stderr == (
        "cmsbert data inspect: error: --user-dir nowhere: expected a folder with an __init__.py in "
        "it\n"
    )


def test_the_command_needs_neither_mmf_nor_torch(corpus):
    """The console script `cmsbert` does not import MMF, which takes seconds."""
    script = (
        "import sys; sys.argv = ['cmsbert', 'data', 'inspect', sys.argv[1]]\n"
        "import atexit\n"
        "heavy = {'mmf', 'torch', 'transformers'}\n"
        "atexit.register(lambda: print('loaded', sorted(heavy & set(sys.modules))))\n"
        "from mmf_cmsbert.commands import main\n"
        "main()\n"
    )
    root = Path(mmf_cmsbert.__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", script, str(corpus)], capture_output=True, text=True, cwd=root
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("loaded []\n")
