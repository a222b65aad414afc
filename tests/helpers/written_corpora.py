"""Small corpora written in the layouts in which the field's corpora circulate."""

import csv
import json
import pickle

import h5py
import numpy as np
from written_layouts import make_segments

SENTENCES = ("oh no", "what is it", "you look so sad", "nothing", "I am fine really", "good")
# Dialogues of IEMOCAP's sessions: the first two are in COSMIC's list for validation.
IEMOCAP = {
    "train": ["Ses01F_impro01", "Ses01F_impro02", "Ses02M_script01_1"],
    "val": ["Ses01M_impro01", "Ses04F_script02_1"],
    "test": ["Ses05F_impro01", "Ses05M_impro03"],
}
MELD = {"train": [0, 1, 1038], "val": [1039, 1152], "test": [1153, 1432]}


def dialogues(names, seed=0, widths=(100, 512), classes=6):
    """Ids, speakers, emotions, vectors of text, voice and face, and sentences by dialogue."""
    generator = np.random.default_rng(seed)
    parts = [{} for _ in range(7)]
    for number, name in enumerate(names):
        count = 2 + number % 4
        vectors = [generator.normal(size=(count, w)).astype(np.float32) for w in (20, *widths)]
        values = (
            [f"{name}_{i:03}" for i in range(count)],
            ["M" if i % 2 else "F" for i in range(count)],
            [(number + i) % classes for i in range(count)],
            vectors[0],
            list(vectors[1]),
            vectors[2],
            [SENTENCES[(number + i) % len(SENTENCES)] for i in range(count)],
        )
        for part, value in zip(parts, values, strict=True):
            part[name] = value
    return parts


def iemocap_pickle(folder, protocol=2):
    """DialogueRNN's file: nine parts, no list for validation, and the lists are sets."""
    names = [*IEMOCAP["train"], *IEMOCAP["val"], *IEMOCAP["test"]]
    lists = {*IEMOCAP["train"], *IEMOCAP["val"]}, set(IEMOCAP["test"])
    return pickled(folder / "IEMOCAP_features.pkl", (*dialogues(names), *lists), protocol)


def meld_pickle(folder, visual=True):
    """The file of DialogueRNN, or with visual features of MMGCN; dialogues are numbers."""
    names = [*MELD["train"], *MELD["val"], *MELD["test"]]
    parts = dialogues(names, widths=(300, 342), classes=7)
    parts[0] = {name: list(range(len(each))) for name, each in parts[0].items()}
    parts[1] = {name: [[i, 1 - i] for i in range(len(each))] for name, each in parts[1].items()}
    sentiment = {name: [each % 3 for each in emotions] for name, emotions in parts[2].items()}
    if not visual:
        del parts[5]
    lists = [*MELD["train"], *MELD["val"]], MELD["test"]
    return pickled(folder / "MELD_features_raw1.pkl", (*parts, *lists, sentiment))


def cosmic_pickle(folder):
    """COSMIC's file of IEMOCAP without features: a list of six parts, with all three lists."""
    names = [*IEMOCAP["train"], *IEMOCAP["val"], *IEMOCAP["test"]]
    _, speakers, emotions, *_, sentences = dialogues(names)
    lists = IEMOCAP["train"], IEMOCAP["test"], IEMOCAP["val"]
    return pickled(folder / "iemocap.pkl", [speakers, emotions, sentences, *lists])


def pickled(path, content, protocol=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol))
    return path


MELD_COLUMNS = (
    *("Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID"),
    *("Season", "Episode", "StartTime", "EndTime"),
)
MELD_EMOTIONS = ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")


def meld_tables(folder, count=6, acoustic=9):
    """MELD's three tables, with quoted commas and times, and its acoustic vectors."""
    vectors, generator = [], np.random.default_rng(3)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("train", "dev", "test"):
        vectors.append({})
        with open(folder / f"{name}_sent_emo.csv", "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(MELD_COLUMNS)
            for i in range(count):
                dialogue, utterance = divmod(i, 3)
                emotion = MELD_EMOTIONS[i % 7]
                sentiment = ("neutral", "positive", "negative")[i % 3]
                text = f"{name}, {SENTENCES[i % len(SENTENCES)]}"
                times = f"0:00:{10 + i},500", f"00:00:{11 + i},750"
                table.writerow(
                    (i + 1, text, "Joey", emotion, sentiment, dialogue, utterance, 8, 21, *times)
                )
                vectors[-1][f"{dialogue}_{utterance}"] = generator.normal(size=acoustic)
    if acoustic:
        pickled(folder / "audio_embeddings_feature_selection_emotion.pkl", tuple(vectors))
    return folder


def mustard_json(folder, count=30, features=True):
    """MUStARD's object by id, its folds, and acoustic (9, frames) and visual (frames, 12)."""
    generator, rows, voices = np.random.default_rng(4), {}, {}
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        rows[f"1_{i}"] = {
            "utterance": f"{SENTENCES[i % len(SENTENCES)]}, right?",
            "speaker": "SHELDON",
            "context": [f"turn {j} of {i}" for j in range(i % 3 + 1)],
            "context_speakers": ["LEONARD"] * (i % 3 + 1),
            "show": "FRIENDS" if i % 3 == 0 else "BBT",
            "sarcasm": i % 2 == 0,
        }
        voices[f"1_{i}"] = generator.normal(size=(9, 4 + i % 3))
    (folder / "sarcasm_data.json").write_text(json.dumps(rows, indent=1))
    positions = np.arange(count)
    folds = [(positions[positions % 5 != k], positions[positions % 5 == k]) for k in range(5)]
    pickled(folder / "split_indices.p", folds, 2)
    if features:
        pickled(folder / "audio_features.p", voices)
        hdf5 = folder / "features" / "utterances_final" / "resnet_pool5.hdf5"
        hdf5.parent.mkdir(parents=True)
        with h5py.File(hdf5, "w") as file:
            for name in rows:
                file[name] = generator.normal(size=(5, 12)).astype(np.float32)
    return folder


def urfunny_pickles(folder, count=12, version=2, widths=(11, 7)):
    """UR-FUNNY's pickles: word-aligned features of punchline and context."""
    generator, names = np.random.default_rng(5), list(range(1, count + 1))
    vocabulary = sorted({word for each in SENTENCES for word in each.split()})
    text, frames = {}, ({}, {})
    for name in names:
        sentences = [SENTENCES[(name + j) % len(SENTENCES)] for j in range(1 + name % 3)]
        indices = [[vocabulary.index(word) for word in each.split()] for each in sentences]
        text[name] = {
            "punchline_embedding_indexes": indices[-1],
            "context_embedding_indexes": indices[:-1],
        }
        if version == 2:
            text[name] |= {
                "punchline_sentence": sentences[-1],
                "context_sentences": sentences[:-1],
                "punchline_intervals": [[i, i + 1] for i in range(len(indices[-1]))],
            }
        for by_id, width in zip(frames, widths, strict=True):
            features = [generator.normal(size=(len(each), width)) for each in indices]
            by_id[name] = {
                "punchline_features": features[-1],
                "context_features": features[:-1],
            }
    folds = {"train": names[: count // 2], "dev": names[count // 2 : -3], "test": names[-3:]}
    files = {
        "data_folds": folds,
        "humor_label_sdk": {name: name % 2 for name in names},
        "openface_features_sdk": frames[0],
        "covarep_features_sdk": frames[1],
    }
    if version == 2:
        files["language_sdk"] = text
    else:
        files |= {"word_embedding_indexes_sdk": text, "word_list": vocabulary}
    for name, content in files.items():
        pickled(folder / f"{name}.pkl", content)
    return folder


def sims_pickle(folder, counts=(8, 4, 4), widths=(9, 6)):
    """MMSA's file of CH-SIMS: Chinese text, labels in [-1, 1], one more for each modality."""
    generator = np.random.default_rng(6)
    texts = ("我很高兴", "这部电影太差了。", "还可以吧,OK", "2020年最好的电影!")
    content = {}
    for name, count in zip(("train", "valid", "test"), counts, strict=True):
        lengths = generator.integers(2, 9, (2, count))
        fields = {
            "raw_text": np.array([texts[i % len(texts)] for i in range(count)]),
            "id": np.array([f"video_{i // 2:04}$_${name}{i:04}" for i in range(count)]),
            "text_bert": np.zeros((count, 3, 39), np.float32),
            "annotations": ["Neutral"] * count,
            "classification_labels": np.ones(count),
            "audio_lengths": lengths[0].tolist(),
            "vision_lengths": lengths[1].tolist(),
        }
        for suffix in ("", "_T", "_A", "_V"):
            labels = generator.integers(-5, 6, count) / 5
            fields[f"regression_labels{suffix}"] = labels.astype(np.float32)
        for modality, width in zip(("vision", "audio"), widths, strict=True):
            fields[modality] = generator.normal(size=(count, 8, width)).astype(np.float32)
        content[name] = fields
    return pickled(folder / "unaligned_39.pkl", content)


def mosei_pickles(folder, widths=(9, 6)):
    """MISA's pickles of CMU-MOSEI, whose labels are sentiment and six emotions."""
    for seed, (split, name) in enumerate((("train", "train"), ("val", "dev"), ("test", "test"))):
        generator = np.random.default_rng(seed)
        entries = []
        for segment in make_segments(generator, split, count=8, widths=widths):
            emotions = generator.integers(0, 3, 6) / 3
            label = np.array([[segment.label, *emotions]], np.float32)
            words = np.zeros(len(segment.words), np.int64), *segment.frames.values()
            entries.append(((*words, list(segment.words)), label, segment.id))
        pickled(folder / f"{name}.pkl", entries)
    return folder
