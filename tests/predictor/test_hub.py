"""Models are pushed to a hub and read from it, or one message says why not."""

import json
import os
import subprocess
import sys

import pytest
from loopback_hub import REPOSITORY, Hub, serving
from small_predictor import made

PROGRAM = """
import json, sys
import huggingface_hub
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.predictor import SentimentPredictor
for what, name in json.loads(sys.argv[1]):
    try:
        if what == "address":
            huggingface_hub.constants.ENDPOINT = answer = name
        elif what == "push":
            answer = SentimentPredictor(sys.argv[2]).push_to_hub(name)
        else:
            answer = SentimentPredictor(name, device="cpu")("a good film").score
    except UserError as error:
        answer = f"refused: {error}"
    print("ANSWER", json.dumps(answer))
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "model"
    made().save_pretrained(folder)
    return folder


@pytest.fixture
def hub(model):
    hub = Hub({each.name: each.read_bytes() for each in model.iterdir()})
    with serving(hub) as hub.address:
        yield hub


def ask(hub, model, cache, *questions):
    """What a new process gets of the hub; the question "address" changes that of the hub."""
    environment = {"HF_ENDPOINT": hub.address, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "0"}
    environment |= {"HF_TOKEN": "hf_of_a_test", "HF_HUB_DISABLE_XET": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(questions), str(model)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    lines = [each for each in ended.stdout.splitlines() if each.startswith("ANSWER")]
    return [json.loads(line.removeprefix("ANSWER ")) for line in lines]


def test_a_model_is_read_and_pushed_or_one_message_says_why_not(hub, model, tmp_path):
    questions = [["read", REPOSITORY], ["read", "nobody/nothing"], ["push", REPOSITORY]]
    questions += [["address", "http://127.0.0.1:9"], ["push", REPOSITORY]]  # nobody answers there
    score, missing, pushed, _, unanswered = ask(hub, model, tmp_path, *questions)
    assert score == pytest.approx(made()("a good film").score, abs=1e-6)
    assert missing.startswith("refused: nobody/nothing is neither a folder nor a model that could")
    assert pushed.startswith("http")
    files = [line["value"]["path"] for line in hub.commits[-1] if line["key"] == "file"]
    assert {"config.json", "model.safetensors", "README.md", "tokenizer.json"} <= set(files)
    assert set(files) == set(hub.files) and hub.token == "Bearer hf_of_a_test"
    assert len(hub.commits) == 1 and unanswered.startswith("refused: ")
    assert "could not be uploaded to the Hugging Face hub" in unanswered
    assert "hf auth login" in unanswered


@pytest.mark.slow
def test_a_truncated_file_is_refused(hub, model, tmp_path):
    hub.fault = "cut"
    (answer,) = ask(hub, model, tmp_path, ["read", REPOSITORY])
    assert answer.startswith(f"refused: {REPOSITORY} is neither a folder nor a model that could")
