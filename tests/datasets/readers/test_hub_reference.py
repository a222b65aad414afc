"""Datasets of the hub, against a hub on this machine that also misbehaves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from loopback_hub import COMMIT, REPOSITORY, Hub, serving
from written_layouts import SPLITS, make_segments

from mmf_cmsbert.datasets.readers import hub_reference
from mmf_cmsbert.datasets.readers.hub_reference import HubAddress
from mmf_cmsbert.errors import DataError

pytest.importorskip("datasets", reason="reads and writes Hugging Face datasets")

# The libraries read the hub's address when they are imported, so a process of its own asks.
ASKS = f"""
import json, sys
sys.path[:0] = {[str(Path(__file__).parents[2] / "helpers")]!r}
from pathlib import Path
from mmf_cmsbert.datasets.readers.hub_reference import located
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.segment import checksum
from mmf_cmsbert.datasets.writers.hub_upload import push
from mmf_cmsbert.errors import DataError
for line in sys.stdin:
    what, streaming = json.loads(line)
    try:
        if what.startswith("hf:"):
            files = find_source([located(Path(what), streaming)]).files
            found = {{s: [checksum(e) for e in read_files(each, s)] for s, each in files.items()}}
        else:
            found = push(Path(what), {REPOSITORY!r})
    except DataError as error:
        found = str(error)
    print("ANSWER", json.dumps(found), flush=True)
"""


class Client:
    """A process that reads datasets of a hub, with a cache of its own."""

    def __init__(self, address, cache, offline=False):
        environment = os.environ | {
            "HF_ENDPOINT": address,
            "HF_HOME": str(cache),
            "HF_HUB_OFFLINE": str(int(offline)),
            "HF_TOKEN": "hf_of_a_test",
        }
        self.cache = cache
        self.process = subprocess.Popen(
            [sys.executable, "-c", ASKS],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, what, streaming=False):
        print(json.dumps([str(what), streaming]), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith("ANSWER "):
                return json.loads(line.removeprefix("ANSWER "))
        raise AssertionError("no answer")

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A dataset as ``--to datasets`` writes it, and the checksums of its segments."""
    from mmf_cmsbert.datasets.conversion import write_split
    from mmf_cmsbert.datasets.segment import checksum
    from mmf_cmsbert.datasets.stores.store import StoredSegments
    from mmf_cmsbert.datasets.writers.hugging_face import write_dataset

    folder = tmp_path_factory.mktemp("hub")
    stores = {}
    for split in SPLITS:
        (folder / split).mkdir()
        segments = make_segments(np.random.default_rng(3), split)
        write_split(folder / split, split, iter(segments), sources=(), settings={})
        stores[split] = StoredSegments(folder / split)
    output = folder / "dataset"
    output.mkdir()
    write_dataset(output, stores, {"visual": 5, "acoustic": 4}, "mosi")
    return output, {split: [checksum(each) for each in store] for split, store in stores.items()}


@pytest.fixture(scope="module")
def hub(written):
    folder = written[0]
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    hub = Hub(files)
    with serving(hub) as hub.address:
        yield hub


@pytest.fixture(scope="module")
def client(hub, tmp_path_factory):
    client = Client(hub.address, tmp_path_factory.mktemp("cache"))
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _no_fault(request):
    yield
    if "hub" in request.fixturenames:
        request.getfixturevalue("hub").fault = None


@pytest.mark.parametrize(
    "typed, expected",
    [
        ("hf://a/b", HubAddress("a/b")),
        ("hf:/a/b", HubAddress("a/b")),  # as pathlib writes it
        ("hf://a/b@v1", HubAddress("a/b", "v1")),
        ("hf://a/b@refs/pr/3:small", HubAddress("a/b", "refs/pr/3", "small")),
        ("hf://a/b:small", HubAddress("a/b", "main", "small")),
    ],
)
def test_an_address_has_a_repository_a_revision_and_a_configuration(typed, expected):
    assert hub_reference.parse(typed) == expected


@pytest.mark.parametrize("typed", ["hf://a", "hf://", "hf://a/b/c", "hf://a b/c"])
def test_another_form_is_refused_and_the_form_is_shown(typed):
    with pytest.raises(DataError, match=r"expected hf://OWNER/NAME\[@REVISION\]\[:CONFIG\]"):
        hub_reference.parse(typed)


def test_a_dataset_is_streamed_or_downloaded_and_what_is_not_there_is_named(hub, client, written):
    assert client.ask(f"hf://{REPOSITORY}", streaming=True) == written[1]
    assert list(client.cache.rglob("*.parquet")) == []
    hub.fault = "busy"
    assert "too many requests; wait some minutes" in client.ask(f"hf://{REPOSITORY}")
    hub.fault = None
    assert client.ask(f"hf://{REPOSITORY}") == written[1]
    assert "the hub has no such dataset" in client.ask("hf://owner/other")
    assert "it has no revision 'v9'" in client.ask(f"hf://{REPOSITORY}@v9")
    assert "'small' not found. Available: ['default']" in client.ask(f"hf://{REPOSITORY}:small")


@pytest.mark.slow  # the library repeats a download that fails, with pauses
def test_damaged_downloads_are_refused_and_offline_the_cache_is_used(hub, written, tmp_path):
    client = Client(hub.address, tmp_path)
    hub.fault = "cut"
    assert "peer closed connection" in client.ask(f"hf://{REPOSITORY}")
    hub.fault = "checksum"
    assert "another SHA-256 than the hub states" in client.ask(f"hf://{REPOSITORY}")
    hub.fault = None
    assert client.ask(f"hf://{REPOSITORY}") == written[1]
    client.close()
    asked = len(hub.asked)
    offline = Client(hub.address, tmp_path, offline=True)
    assert offline.ask(f"hf://{REPOSITORY}") == written[1]
    assert "not downloaded yet, and HF_HUB_OFFLINE is set" in offline.ask("hf://owner/other")
    offline.close()
    assert len(hub.asked) == asked
    unreachable = Client("http://127.0.0.1:1", tmp_path)
    assert unreachable.ask(f"hf://{REPOSITORY}") == written[1]
    assert "cannot be read from the hub" in unreachable.ask("hf://owner/other")
    unreachable.close()


def test_the_card_and_all_files_are_pushed_with_the_users_token(hub, client, written):
    folder, _ = written
    assert client.ask(folder).endswith(f"/datasets/{REPOSITORY}")
    files = [line["value"]["path"] for line in hub.commits[-1] if line["key"] == "file"]
    assert sorted(files) == sorted(hub.files)
    assert hub.token == "Bearer hf_of_a_test"


def test_a_reference_names_the_commit_and_changes_only_with_it(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: False)
    monkeypatch.setattr(hub_reference, "_commit", lambda address: COMMIT)
    address = HubAddress("a/b", streaming=True)
    file = hub_reference.reference(address)
    assert hub_reference.read(file) == HubAddress("a/b", COMMIT, streaming=True)
    before = file.stat().st_mtime_ns
    hub_reference.reference.cache_clear()
    assert hub_reference.reference(address) == file and file.stat().st_mtime_ns == before


@pytest.mark.parametrize("text", ["", "[]", '{"format": 9}', '{"format": 1, "other": 2}'])
def test_a_damaged_reference_is_named(tmp_path, text):
    file = tmp_path / f"x{hub_reference.SUFFIX}"
    file.write_text(text)
    with pytest.raises(DataError, match=r"x\.hub\.json: no reference to a dataset"):
        hub_reference.read(file)
