"""The synthetic corpus."""

import json
import pickle

import numpy as np
import pytest
from transformers import AutoConfig, AutoTokenizer

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.synthetic import is_synthetic, make_split, write_split
from mmf_cmsbert.datasets.synthetic_text import OPINIONS, vocabulary
from mmf_cmsbert.datasets.validation import the_segments, usable
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.paths import PACKAGE

WIDTHS = {"visual": 47, "acoustic": 74}
SETTINGS = {"seed": 1, "train": 300, "val": 20, "test": 30}
DEMO = PACKAGE / "projects" / "cmsbert" / "demo"
OPINION = {word: value for value, words in OPINIONS.items() for word in words}


@pytest.fixture(scope="module")
def train():
    return make_split("train", SETTINGS, WIDTHS)


def opinion_of(words):
    (at,) = (i for i, word in enumerate(words) if word in OPINION)
    return at, OPINION[words[at]]


def rising(frames):
    """Return the frames in which three neighbouring columns have outliers."""
    triples = np.minimum(np.minimum(frames[:, :-2], frames[:, 1:-1]), frames[:, 2:])
    return np.flatnonzero(triples.max(1) > 1.2)


def test_the_same_seed_gives_the_same_corpus(train):
    assert pickle.dumps(make_split("train", SETTINGS, WIDTHS)) == pickle.dumps(train)
    other = make_split("train", SETTINGS | {"seed": 2}, WIDTHS)
    assert pickle.dumps(other) != pickle.dumps(train)


def test_a_split_does_not_depend_on_the_size_of_another():
    smaller = make_split("val", SETTINGS | {"train": 3}, WIDTHS)
    assert pickle.dumps(smaller) == pickle.dumps(make_split("val", SETTINGS, WIDTHS))


def test_sentences_have_5_to_25_words_and_one_opinion(train):
    for (_ids, _visual, _acoustic, words), _label, _name in train:
        assert 5 <= len(words) <= 25
        assert all(word.isalpha() and word.islower() for word in words)
        opinion_of(words)


def test_labels_look_like_those_of_mosi(train):
    labels = np.array([label.item() for _, label, _ in train])
    assert np.abs(labels).max() <= 3
    assert np.allclose(labels * 5, np.round(labels * 5), atol=1e-4)
    assert abs(labels.mean()) < 0.3
    assert 1.2 < labels.std() < 1.8


def test_words_explain_about_a_third_of_the_sentiment(train):
    labels = np.array([label.item() for _, label, _ in train])
    opinions = np.array([opinion_of(entry[3])[1] for entry, _, _ in train])
    assert 0.2 < np.corrcoef(labels, opinions)[0, 1] ** 2 < 0.45


def test_every_column_is_centred_so_its_mean_carries_nothing(train):
    for (_, visual, acoustic, _), _, _ in train:
        assert np.abs(visual.mean(0)).max() < 1e-5
        assert np.abs(acoustic.mean(0)).max() < 1e-5


def test_the_pattern_of_face_and_voice_is_never_on_the_opinion_word(train):
    seen = 0
    for (_, visual, acoustic, words), _, _ in train:
        at, _value = opinion_of(words)
        for frames in (visual, acoustic):
            seen += len(rising(frames)) > 0
            assert at not in rising(frames)
    assert seen > len(train)  # four out of five segments have one in each modality


def test_videos_have_several_segments_and_stay_in_one_split():
    videos = {}
    for split in ("train", "val", "test"):
        names = [name for _, _, name in make_split(split, SETTINGS, WIDTHS)]
        assert len(names) == SETTINGS[split] == len(set(names))
        assert all(name.startswith("synthetic-") for name in names)
        videos[split] = {name.split("[")[0] for name in names}
        assert len(videos[split]) < len(names) / 2
    assert not videos["train"] & videos["val"] | videos["val"] & videos["test"]


def test_a_modality_that_is_not_used_is_left_out():
    entries = make_split("val", SETTINGS, {"visual": None, "acoustic": 74})
    for (_, visual, acoustic, words), _, _ in entries:
        assert visual.shape == (len(words), 0)
        assert acoustic.shape == (len(words), 74)


def test_what_is_written_reads_back_as_a_valid_misa_file(tmp_path):
    path = tmp_path / "new" / "train.pkl"
    assert write_split(path, "train", SETTINGS, WIDTHS)
    segments = usable(read_files([path], "train", "misa"), WIDTHS, str(path), "", labelled=True)
    assert len(list(the_segments(segments))) == 300
    assert is_synthetic(path)
    note = json.loads((tmp_path / "new" / "train.pkl.synthetic.json").read_text())
    assert note["synthetic"] is True
    assert (note["seed"], note["segments"], note["split"]) == (1, 300, "train")
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_it_is_written_again_only_when_its_settings_change(tmp_path):
    path = tmp_path / "val.pkl"
    assert write_split(path, "val", SETTINGS, WIDTHS)
    before = path.read_bytes()
    assert not write_split(path, "val", SETTINGS | {"train": 5}, WIDTHS)
    for changed in (SETTINGS | {"seed": 2}, SETTINGS | {"val": 7}):
        assert write_split(path, "val", changed, WIDTHS)
        assert path.read_bytes() != before
        assert is_synthetic(path)
    assert write_split(path, "val", SETTINGS, WIDTHS | {"visual": 35})


def test_data_of_somebody_else_is_never_overwritten(tmp_path):
    path = tmp_path / "train.pkl"
    path.write_bytes(b"real data")
    with pytest.raises(DataError, match=r"train.pkl exists and is not part of .* is not replaced"):
        write_split(path, "train", SETTINGS, WIDTHS)
    assert path.read_bytes() == b"real data"

    path.unlink()
    write_split(path, "train", SETTINGS, WIDTHS)
    path.write_bytes(b"real data put in its place")
    assert not is_synthetic(path)
    with pytest.raises(DataError):
        write_split(path, "train", SETTINGS | {"seed": 2}, WIDTHS)
    assert path.read_bytes() == b"real data put in its place"


@pytest.mark.parametrize("width", [1, 19])
def test_features_too_narrow_for_the_patterns(width, tmp_path):
    with pytest.raises(ConfigError, match=f"visual.* {width} .*at least 20"):
        write_split(tmp_path / "x.pkl", "train", SETTINGS, {"visual": width, "acoustic": 74})
    assert not list(tmp_path.iterdir())


def test_the_shipped_vocabulary_has_every_word_of_the_corpus(train):
    tokenizer = AutoTokenizer.from_pretrained(DEMO, local_files_only=True)
    known = tokenizer.get_vocab()
    assert tokenizer.is_fast
    assert set(vocabulary()) <= set(known)
    assert {word for entry, _, _ in train for word in entry[3]} <= set(vocabulary())
    text = ["The", "QUIZZICAL", "fox's", "4th"]
    pieces = tokenizer(text, is_split_into_words=True)["input_ids"]
    assert tokenizer.unk_token_id not in pieces


def test_the_shipped_config_fits_the_vocabulary():
    config = AutoConfig.from_pretrained(DEMO, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(DEMO, local_files_only=True)
    assert config.vocab_size == len(tokenizer)
    assert config.max_position_embeddings >= tokenizer.model_max_length
    assert config.pad_token_id == tokenizer.pad_token_id
