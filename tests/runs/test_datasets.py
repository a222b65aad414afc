"""Training on datasets of the library ``datasets``, in the shapes in which people have them."""

import numpy as np
import pytest
from real_commands import recipe
from written_layouts import make_segments

import mmf_cmsbert
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.registration import mmf_installed

datasets = pytest.importorskip("datasets", reason="makes what is trained on")

import pyarrow as pa  # noqa: E402

from mmf_cmsbert.datasets.stores.columns import record_batch, schema  # noqa: E402

pytestmark = pytest.mark.skipif(not mmf_installed(), reason="MMF is not installed")
WIDTHS = {"visual": 5, "acoustic": 4}
SPLITS = {"train": 24, "validation": 8, "test": 8}


@pytest.fixture(scope="module")
def corpus():
    """A ``DatasetDict`` with the columns of a store."""
    made = {}
    for number, (name, count) in enumerate(SPLITS.items()):
        split = "val" if name == "validation" else name
        segments = make_segments(np.random.default_rng(number), split, count, (5, 4))
        batch = record_batch(segments, schema(WIDTHS, checksums=False))
        made[name] = datasets.Dataset(pa.Table.from_batches([batch]))
    return datasets.DatasetDict(made)


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Train for two updates; the run."""
    monkeypatch.chdir(tmp_path)
    file = recipe(tmp_path, max_updates=2, evaluation_interval=2, batch_size=8)

    def trained(overrides=(), features=WIDTHS, **given):
        words = [f"env.data_dir={tmp_path}/data", *overrides]
        words += [f"dataset_config.mosi.features.{m}={width}" for m, width in features.items()]
        run = mmf_cmsbert.train(file, words, save_dir="save/run", **given)
        assert run.status == "finished" and set(run.scores) == {"validation", "test"}
        return run

    return trained


def test_a_dataset_dict_of_a_program(corpus, train, tmp_path):
    run = train(data=corpus)
    (folder,) = (tmp_path / "save").glob("data-*")
    assert f"dataset_config.mosi.source={folder}" in run.record["command"]
    assert list(run.record["data"]["mosi"]["train"]) == [str(folder / "train.arrow")]
    predicted = run.predict(corpus["test"])
    assert [each.id for each in predicted] == corpus["test"]["id"][:]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"dataset_config.mosi.source": "a"}, "source and data both name the data of the run"),
        ({"dataset": "mosi,mosei"}, "data is for one dataset, but the recipe trains on mosi and"),
    ],
)
def test_data_that_contradicts_the_overrides(corpus, tmp_path, overrides, message):
    with pytest.raises(ConfigError, match=message):
        mmf_cmsbert.train(recipe(tmp_path), overrides, data=corpus, save_dir=tmp_path / "run")
    assert [each.name for each in tmp_path.iterdir()] == ["small.yaml"]
