"""``cmsbert data new`` writes a definition that the other commands read."""

import json

import pytest
import yaml

from mmf_cmsbert.config import definitions


@pytest.fixture(autouse=True)
def nothing_defined(monkeypatch):
    """What a test defines is forgotten after it."""
    monkeypatch.setenv("MMF_CMSBERT_DATASETS", "{}")
    for name, empty in {"_defined": {}, "_stamps": {}, "_user_dirs": [], "_observers": []}.items():
        monkeypatch.setattr(definitions, name, empty)


@pytest.fixture
def jokes(tmp_path):
    """Records by id with columns of their own names, as the text part of MUStARD has them."""
    said = "I would not miss it for the world"
    rows = {
        f"{i // 2}_{i}": {
            "utterance": said,
            "speaker": "ANN",
            "context": ["Hi."],
            "sarcasm": i % 3 == 0,
        }
        for i in range(60)
    }
    file = tmp_path / "jokes.json"
    file.write_text(json.dumps(rows))
    return file


def test_the_definition_says_what_was_found_and_what_to_type(cmsbert, jokes, tmp_path):
    result = cmsbert("data", "new", "jokes", "--source", jokes, "--layout", "folder")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "working" / "datasets" / "jokes.yaml").read_text()
    assert len(text.splitlines()) <= 25 and text.startswith("# 60 segments of 60 videos")
    assert "yes 20" in text and "no 40" in text
    assert yaml.safe_load(text)["dataset_config"]["jokes"] == {
        "source": str(jokes),
        "layout": "folder",
        "columns": {"text": "utterance", "label": "sarcasm"},
        "split": {"seed": 1, "val": 0.1, "test": 0.2, "by": "video"},
        "features": {},
        "targets": {"sarcasm": {"kind": "classes", "names": ["no", "yes"]}},
    }
    assert "mmf_run config=projects/cmsbert/own.yaml dataset=jokes" in result.stdout


def test_inspect_and_convert_read_it_as_it_is_defined(cmsbert, jokes):
    cmsbert("data", "new", "jokes", "--source", jokes, "--layout", "folder")
    inspected = cmsbert("data", "inspect", jokes, "--dataset", "jokes", "--json", "-")
    assert inspected.exit_code == 0, inspected.output
    report = json.loads(inspected.stdout)
    assert report["splits"]["test"]["labels"]["classes"] == {"no": 40, "yes": 20}
    converted = cmsbert("data", "convert", jokes, "--dataset", "jokes")
    assert converted.exit_code == 0, converted.output
    counts = [line for line in converted.stdout.splitlines() if " segments, " in line]
    assert [line.split(":")[0] for line in counts] == ["train", "val", "test"]
    assert sum(int(line.split()[1]) for line in counts) == 60
    assert "mmf_run config=projects/cmsbert/own.yaml dataset=jokes" in converted.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("jokes",), "datasets/jokes.yaml exists and is not replaced; edit it, or move it away"),
        (("mosi",), "mosi is a dataset of this package; choose another name"),
        (("my-data",), "'my-data' cannot name a dataset; expected letters, digits, underscores"),
        (("more", "--column", "text=said"), "no column 'said', which is named as that of text"),
    ],
)
def test_what_cannot_be_written_is_refused(cmsbert, jokes, tmp_path, words, message):
    cmsbert("data", "new", "jokes", "--source", jokes, "--layout", "folder")
    result = cmsbert("data", "new", *words, "--source", jokes, "--layout", "folder")
    assert result.exit_code == 2 and message in result.stderr
    files = [file.name for file in (tmp_path / "working" / "datasets").iterdir()]
    assert files == ["jokes.yaml"]


def test_inspection_says_that_a_run_divides_the_segments(cmsbert, jokes):
    cmsbert("data", "new", "jokes", "--source", jokes, "--layout", "folder")
    told = cmsbert("data", "inspect", jokes, "--dataset", "jokes").stderr
    assert "a run divides the segments by dataset_config.jokes.split" in told
    assert "type --split" not in told
    assert "type --split" in cmsbert("data", "inspect", jokes, "--layout", "folder").stderr
