"""Training on datasets of the library ``datasets``, in the shapes in which people have them."""

import numpy as np
import pytest
from loopback_hub import REPOSITORY, Hub, serving
from media_files import sine, wav
from real_commands import Started, recipe
from written_layouts import make_segments

import mmf_cmsbert
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.registration import mmf_installed

datasets = pytest.importorskip("datasets", reason="makes what is trained on")

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from mmf_cmsbert.datasets.readers.reading import read_files  # noqa: E402
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


def with_arrays(corpus):
    """The same with frames of the type ``Array2D``."""
    arrays = {m: datasets.Array2D((None, width), "float32") for m, width in WIDTHS.items()}
    return corpus.cast(datasets.Features(corpus["train"].features | arrays))


def write_parquet(corpus, folder):
    for split, rows in with_arrays(corpus).items():
        rows.to_parquet(folder / f"{split}.parquet")


def write_words(corpus, folder):
    for split, rows in corpus.items():
        rows.select_columns(["words", "label"]).to_json(folder / f"{split}.jsonl")


def write_texts(corpus, folder):
    for split, rows in corpus.items():
        texts = [" ".join(words) for words in rows["words"]]
        rows.select_columns(["label"]).add_column("sentence", texts).to_csv(folder / f"{split}.csv")


def write_sound(corpus, folder):
    features = {
        "words": datasets.List(datasets.Value("string")),
        "label": datasets.Value("float64"),
    }
    types = datasets.Features(features | {"sound": datasets.Audio()}).arrow_schema
    for split, rows in corpus.items():
        sound = [{"bytes": wav(sine(0.5 + n / 20)), "path": None} for n in range(len(rows))]
        columns = {"words": rows["words"][:], "label": rows["label"][:], "sound": sound}
        pq.write_table(pa.Table.from_pydict(columns, schema=types), folder / f"{split}.parquet")


FILES = {
    "Parquet with Array2D": (write_parquet, WIDTHS, []),
    "JSON Lines of words": (write_words, {}, []),
    "CSV of text": (write_texts, {}, ["dataset_config.mosi.columns.text=sentence"]),
    "Audio": (write_sound, {"acoustic": "SOUND"}, ["dataset_config.mosi.voice=librosa"]),
}


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Train for two updates; the run."""
    monkeypatch.chdir(tmp_path)
    file = recipe(tmp_path, max_updates=2, evaluation_interval=2, batch_size=8)

    def trained(overrides=(), features=WIDTHS, **given):
        words = [f"env.data_dir={tmp_path}/data", *overrides]
        chosen = dict.fromkeys(WIDTHS, "null") | features
        words += [f"dataset_config.mosi.features.{m}={width}" for m, width in chosen.items()]
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


@pytest.mark.slow
@pytest.mark.parametrize("shape", FILES)
def test_files_of_the_shapes_that_people_have(corpus, train, tmp_path, shape):
    write, features, overrides = FILES[shape]
    if shape == "Audio":
        pytest.importorskip("av", reason="decodes sound with PyAV, of the extra [media]")
        pytest.importorskip("librosa", reason="extracts frames from sound")
        from mmf_cmsbert.media.voice import voice_named

        features = {"acoustic": len(voice_named("librosa").columns)}
    (tmp_path / "files").mkdir()
    write(corpus, tmp_path / "files")
    run = train([f"dataset_config.mosi.source={tmp_path}/files", *overrides], features)
    print(shape, run.scores)
    if features == WIDTHS:  # nothing is lost, so the scores are those of the objects
        again = train(data=corpus, overwrite=True)
        assert run.scores == again.scores


@pytest.mark.slow
def test_a_dataset_that_is_streamed_from_the_hub(corpus, train, tmp_path, monkeypatch):
    """The command, in a process of its own: the library reads the hub's address when imported."""
    write_parquet(corpus, tmp_path)
    files = {
        f"data/{split}.parquet": (tmp_path / f"{split}.parquet").read_bytes() for split in SPLITS
    }
    words = [f"dataset_config.mosi.features.{m}={width}" for m, width in WIDTHS.items()]
    words += [f"dataset_config.mosi.source=hf://{REPOSITORY}", "dataset_config.mosi.streaming=true"]
    file = recipe(tmp_path, max_updates=2, evaluation_interval=2, batch_size=8)
    with serving(Hub(files)) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        command = ["mmf_run", f"config={file}", *words, "env.save_dir=run"]
        status, out, err = Started(command, tmp_path / "streamed").ended()
    assert status == 0, out + err
    run = mmf_cmsbert.Run(tmp_path / "streamed" / "run")
    print("streaming", run.scores)
    assert run.scores == train(data=corpus).scores
    assert not [each for each in (tmp_path / "cache").rglob("*") if each.suffix == ".parquet"]


@pytest.mark.parametrize("shape", FILES)
def test_a_column_that_is_not_there_is_named_with_those_that_are(corpus, tmp_path, shape):
    FILES[shape][0](corpus, tmp_path)
    file = next(tmp_path.glob("train.*"))
    with pytest.raises(
        DataError, match=r"columns\.text is 'said', which is no column; The columns are"
    ):
        list(read_files([file], "train", "datasets", columns={"text": "said"}))
