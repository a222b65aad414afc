"""``cmsbert predict`` with texts and files, and with invalid lines."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from small_predictor import made

from mmf_cmsbert.media.card import write_card
from mmf_cmsbert.modules.shifts import registry
from mmf_cmsbert.predictor.prediction_file import Journal


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "model"
    made().save_pretrained(folder)
    return folder


@pytest.fixture
def segments(tmp_path):
    """Write 120 lines, of which every tenth is invalid."""
    file = tmp_path / "segments.jsonl"
    lines = [json.dumps({"id": f"s{i}", "text": "good " * (1 + i % 9)}) for i in range(120)]
    lines[0::30] = ["{broken"] * 4
    lines[10::30] = [json.dumps({"id": f"empty{i}", "text": " "}) for i in range(4)]
    lines[20::30] = [json.dumps([i]) for i in range(4)]
    file.write_text("\n".join(lines))
    return file


def predictions(file):
    with open(file, newline="") as lines:
        return [(row["id"], float(row["prediction"])) for row in csv.DictReader(lines)]


def test_a_text_is_shown_on_its_scale(cmsbert, model):
    done = cmsbert("predict", model, "--text", "a very good film")
    assert done.exit_code == 0, done.output
    assert "-3" in done.stdout and "+3" in done.stdout and "a very good film" in done.stdout
    assert "there are no visual or acoustic frames" in done.stdout


def test_a_prediction_computes_on_the_free_cores(cmsbert, model, monkeypatch):
    from mmf_cmsbert.utils import torch_threads

    asked = []
    monkeypatch.setattr(torch_threads, "set_threads", lambda device: asked.append(device.type))
    done = cmsbert("predict", model, "--text", "a good film", "--device", "cpu")
    assert done.exit_code == 0 and asked == ["cpu"]


def test_bad_lines_are_named_and_the_others_are_predicted_in_order(cmsbert, model, segments):
    done = cmsbert("predict", model, "--input", segments, "--output", "scores.csv")
    assert done.exit_code == 2
    expected = [f"s{i}" for i in range(120) if i % 10]
    assert [name for name, _ in predictions("scores.csv")] == expected
    assert "line 1 is not JSON" in done.stderr and "12 segments could not be used" in done.stderr
    errors = Path("scores.csv.errors.txt").read_text().splitlines()
    assert len(errors) == 12 and all("segments.jsonl: line" in each for each in errors)


def test_interrupted_it_continues_to_the_same_file(cmsbert, model, segments, monkeypatch):
    cmsbert("predict", model, "--input", segments, "--output", "whole.csv", "--batch-size", 4)

    def stop(self, output):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "finish", stop)
        assert cmsbert(
            "predict", model, "--input", segments, "--output", "part.csv", "--batch-size", 4
        ).exit_code
    journal = Path("part.csv.part")
    with open(journal, "r+b") as file:
        file.truncate(journal.stat().st_size * 4 // 5)
    done = cmsbert("predict", model, "--input", segments, "--output", "part.csv", "--batch-size", 4)
    assert "continues after 64 segments" in done.stderr and done.exit_code == 2
    assert Path("part.csv").read_bytes() == Path("whole.csv").read_bytes()
    assert Path("part.csv.errors.txt").read_text() == Path("whole.csv.errors.txt").read_text()
    assert not journal.exists()


@pytest.mark.parametrize("name", ["list.csv", "list.tsv", "list.parquet"])
def test_other_lists_are_read(cmsbert, model, tmp_path, name):
    rows = [{"id": "a", "text": "good", "label": 1.5}, {"id": "b", "text": "bad", "label": -2.0}]
    file = tmp_path / name
    if name.endswith(".parquet"):
        import pyarrow as pa
        import pyarrow.parquet as parquet

        frames = [[[0.5] * 5] * 3, None]
        rows = [row | {"visual": each} for row, each in zip(rows, frames, strict=True)]
        parquet.write_table(pa.Table.from_pylist(rows), file)
    else:
        with open(file, "w", newline="") as lines:
            writer = csv.DictWriter(lines, rows[0], delimiter="\t" if "tsv" in name else ",")
            writer.writeheader()
            writer.writerows(rows)
    done = cmsbert("predict", model, "--input", file, "--output", "scores.jsonl")
    assert done.exit_code == 0, done.stderr
    found = list(map(json.loads, Path("scores.jsonl").read_text().splitlines()))
    assert [(row["id"], row["label"]) for row in found] == [("a", 1.5), ("b", -2.0)]


def write_own(file):
    """Write a list whose columns have names of their own."""
    rows = [
        {"key": "a", "said": "a good film", "opinion": 1.5},
        {"key": "b", "said": "bad", "opinion": -2},
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return ("--column", "id=key", "--column", "text=said", "--column", "label=opinion")


def test_a_list_of_ones_own_is_predicted_by_the_names_of_its_columns(cmsbert, model):
    columns = write_own(Path("own.jsonl"))
    typed = ("predict", model, "--input", "own.jsonl", "--output", "scores.csv")
    unnamed = cmsbert(*typed)
    assert unnamed.exit_code == 2 and "2 segments could not be used" in unnamed.stderr
    done = cmsbert(*typed, *columns)
    assert done.exit_code == 0, done.stderr
    usual = [{"id": "a", "text": "a good film"}, {"id": "b", "text": "bad"}]
    Path("usual.jsonl").write_text("\n".join(map(json.dumps, usual)))
    cmsbert("predict", model, "--input", "usual.jsonl", "--output", "usual.csv")
    assert predictions("scores.csv") == predictions("usual.csv")
    with open("scores.csv", newline="") as lines:
        assert [float(row["label"]) for row in csv.DictReader(lines)] == [1.5, -2]


def test_a_column_that_is_not_there_is_named_with_those_that_are(cmsbert, model):
    write_own(Path("own.jsonl"))
    typed = ("predict", model, "--input", "own.jsonl", "--output", "scores.csv")
    done = cmsbert(*typed, "--column", "text=spoken")
    assert done.exit_code == 2 and done.stderr.endswith(
        "own.jsonl: no column 'spoken', which --column names as that of text; expected one of key, "
        "said, opinion, as --column text=NAME\n"
    )
    done = cmsbert("predict", model, "--text", "good", "--column", "text=said")
    assert done.exit_code == 2 and "--column text=said names a column of --input" in done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "expected --text TEXT, or --output FILE with --input FILE or --media CLIP"),
        (["--input", "x.jsonl"], "--output FILE is missing"),
        (["--input", "x.jsonl", "--output", "x.xlsx"], "expected a name that ends in .csv"),
        (["--input", "none.jsonl", "--output", "x.csv"], "none.jsonl"),
        (["--text", "good", "--dataset", "mosei"], "trained on mosi"),
        (["--text", "good", "--device", "tpu9"], "--device is tpu9"),
    ],
)
def test_what_is_wrong_is_one_message(cmsbert, model, words, named):
    done = cmsbert("predict", model, *words)
    assert done.exit_code == 2 and named in done.stderr and "Traceback" not in done.output


def test_a_folder_without_a_model_is_named(cmsbert, tmp_path):
    done = cmsbert("predict", tmp_path, "--text", "good")
    assert done.exit_code == 2 and "holds no exported model" in done.stderr


def test_a_shift_of_a_users_package_is_registered_by_user_dir(
    cmsbert, model, tmp_path, monkeypatch
):
    folder, package = tmp_path / "model", tmp_path / "my_shifts"
    shutil.copytree(model, folder)
    config = json.loads((folder / "config.json").read_text())
    config["model"]["shift"]["context"] = "mine"
    config["shift_class"] = "my_shifts.Mine"
    (folder / "config.json").write_text(json.dumps(config))
    package.mkdir()
    (package / "__init__.py").write_text(
        "from mmf_cmsbert.modules.shifts.registry import register_shift\n"
        "from mmf_cmsbert.modules.shifts.utterance import UtteranceShift\n"
        "@register_shift('mine')\nclass Mine(UtteranceShift): pass\n"
    )
    monkeypatch.setattr(registry, "_shifts", dict(registry._shifts))
    done = cmsbert("predict", folder, "--text", "good")
    assert done.exit_code == 2 and "--user-dir FOLDER" in done.stderr
    assert "model.shift.context is 'mine', the shift my_shifts.Mine" in done.stderr
    done = cmsbert("predict", folder, "--text", "good", "--user-dir", package)
    assert done.exit_code == 0, done.stderr


def test_features_of_another_extractor_are_refused(cmsbert, tmp_path):
    card = {"acoustic": {"name": "librosa", "columns": ["a"], "versions": {"librosa": "1"}}}
    predictor = made()
    predictor.config.training["extractors"] = {"mosi": card}
    predictor.save_pretrained(tmp_path / "model")
    assert "- mosi, acoustic: librosa; librosa 1" in (tmp_path / "model/README.md").read_text()
    (tmp_path / "new").mkdir()
    (tmp_path / "new/segments.jsonl").write_text('{"id": "a", "text": "good"}')
    for name, status in (("librosa", 0), ("opensmile", 2)):
        write_card(tmp_path / "new", {"acoustic": card["acoustic"] | {"name": name}})
        for given in (tmp_path / "new", tmp_path / "new/segments.jsonl"):
            found = cmsbert(
                "predict", tmp_path / "model", "--input", given, "--output", tmp_path / "a.csv"
            )
            assert found.exit_code == status
    assert "another extractor than those of the model's training data" in found.stderr
