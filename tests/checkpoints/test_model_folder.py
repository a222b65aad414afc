"""The exported folder: written atomically, read without MMF, refused when damaged."""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard
from small_predictor import made

from mmf_cmsbert.checkpoints.model_folder import find
from mmf_cmsbert.errors import DataError, UserError
from mmf_cmsbert.predictor import SentimentPredictor

SEGMENT = {"text": "a very good film", "visual": np.ones((3, 5), np.float32).tolist()}


@pytest.fixture
def predictor():
    return made()


@pytest.fixture
def folder(predictor, tmp_path):
    predictor.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_what_is_written_predicts_the_same_when_it_is_read(predictor, folder):
    read = SentimentPredictor.from_pretrained(folder, device="cpu")
    assert read(SEGMENT).score == predictor(SEGMENT).score
    assert read.fingerprint() == predictor.fingerprint()


def test_it_predicts_where_mmf_is_not_installed(predictor, folder):
    code = f"""
import importlib.machinery as machinery, sys
real = machinery.PathFinder.find_spec
def without_mmf(name, *rest, **more):
    return None if name.split(".")[0] in ("mmf", "mmf_cli") else real(name, *rest, **more)
machinery.PathFinder.find_spec = staticmethod(without_mmf)
from mmf_cmsbert import SentimentPredictor, registration
assert not registration.mmf_installed()
print(SentimentPredictor({str(folder)!r}, device="cpu")({SEGMENT!r}).score)
assert "mmf" not in sys.modules
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) == pytest.approx(predictor(SEGMENT).score, abs=1e-6)


def test_it_holds_no_pickle_and_each_tensor_once(predictor, folder):
    names = {each.name for each in folder.iterdir()}
    assert {"config.json", "model.safetensors", "README.md", "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl", ".ckpt"))]
    tensors = sum(t.numel() * t.element_size() for t in predictor.network.state_dict().values())
    size = (folder / "model.safetensors").stat().st_size
    assert tensors < size < tensors + 20_000


def test_the_card_has_the_metadata_of_the_hub(folder):
    card = ModelCard.load(folder / "README.md")
    assert card.data.library_name == "mmf_cmsbert"
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value) == ("mae", 0.75)
    metadata = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert metadata["model-index"][0]["results"][0]["dataset"]["type"] == "mosi"


def test_synthetic_data_is_called_synthetic(predictor, tmp_path):
    training = {"synthetic": ["mosi"], "test": {"mosi/sentiment_mae": 0.2}}
    predictor.config = predictor.config.model_copy(update={"training": training})
    predictor.save_pretrained(tmp_path / "demo")
    card = (tmp_path / "demo" / "README.md").read_text()
    assert "The training data is synthetic" in card and "synthetic corpus (mosi)" in card


def test_something_else_is_not_replaced_and_a_model_only_on_request(predictor, folder):
    with pytest.raises(UserError, match="--overwrite"):
        predictor.save_pretrained(folder)
    predictor.save_pretrained(folder, overwrite=True)
    other = folder.parent / "thesis"
    other.mkdir()
    (other / "chapter.tex").write_text("...")
    with pytest.raises(UserError, match="not an exported model"):
        predictor.save_pretrained(other, overwrite=True)
    assert (other / "chapter.tex").read_text() == "..."


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        ("config.json", b"{", "is no JSON"),
        ("config.json", b"[]", "not of a model of this package"),
        ("config.json", b'{"library_name": "mmf_cmsbert", "format": 99}', "format 99"),
        ("model.safetensors", b"junk", "is not the file that was exported"),
    ],
)
def test_a_damaged_folder_is_refused_by_the_files_name(folder, file, content, named):
    (folder / file).write_bytes(content)
    with pytest.raises(UserError, match=named) as error:
        SentimentPredictor(folder)
    assert file in str(error.value)


def test_a_wrong_value_in_the_configuration_is_named(folder):
    config = json.loads((folder / "config.json").read_text())
    config["model"]["shift"]["gate"] = "step"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        UserError, match="model.shift.gate is 'step'; expected one of relu, sigmoid"
    ):
        SentimentPredictor(folder)


def test_a_missing_folder_and_a_run_without_a_model_say_what_to_type(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        find(tmp_path / "nothing")
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(UserError, match="type cmsbert export"):
        find(tmp_path)


def test_a_run_is_named_by_its_folder(folder, tmp_path):
    assert find(tmp_path) == folder  # RUN/model


def test_each_flipped_bit_of_the_weights_is_noticed(folder):
    file = folder / "model.safetensors"
    content = file.read_bytes()
    for at in (3, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(DataError, match="not the file that was exported.* weights_sha256"):
            SentimentPredictor(folder, device="cpu")


def test_weights_without_a_hash_are_read_unverified(predictor, folder):
    """As of folders that were exported before there was one, or were changed on purpose."""
    file = folder / "config.json"
    config = json.loads(file.read_text())
    assert len(config.pop("weights_sha256")) == 64
    file.write_text(json.dumps(config))
    read = SentimentPredictor(folder, device="cpu")
    assert read.fingerprint() == predictor.fingerprint()
    for content, named in {
        b"junk": "is damaged",
        b"\x08\0\0\0\0\0\0\0{}      ": "does not fit",
    }.items():
        (folder / "model.safetensors").write_bytes(content)
        with pytest.raises(UserError, match=rf"model\.safetensors.* {named}"):
            SentimentPredictor(folder, device="cpu")
