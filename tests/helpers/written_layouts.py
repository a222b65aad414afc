"""Write the same segments in every layout."""

import csv
import json
import pickle
from dataclasses import replace

import h5py
import numpy as np

from mmf_cmsbert.datasets.readers.canonical import canonical_videos
from mmf_cmsbert.datasets.segment import Segment

SPLITS = ("train", "val", "test")


def make_segments(rng, split, count=6, widths=(5, 4), aligned=True):
    """Return synthetic segments of random words and frames; some words have rows of zeros."""
    segments = []
    for i in range(count):
        n = int(rng.integers(2, 8))
        words = tuple(rng.choice(["not", "great", "film", "really", "good", "bad"], n).tolist())
        frames = [rng.normal(size=(n, w)).astype(np.float32) for w in widths]
        frames[0][-1] = frames[1][-1] = 0.0  # no face and no voice at the last word
        if not aligned:
            shapes = zip((n + 3, n + 5), widths, strict=True)
            frames = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
        label = float(np.float32(round(rng.uniform(-3, 3) * 5) / 5))
        video = canonical_videos("mosi", split)[i // 3]
        start = 10.0 * (i % 3)
        segments.append(
            Segment(
                f"{video}[{i % 3}]",
                video,
                words,
                dict(zip(("visual", "acoustic"), frames, strict=True)),
                label,
                start,
                start + n,
            )
        )
    return segments


def with_frames(segment, **frames):
    """Return a segment with other frames of some modalities, None to remove one."""
    return replace(segment, frames=segment.frames | frames)


def write_misa(folder, corpus):
    files = {}
    for split, name in zip(SPLITS, ("train", "dev", "test"), strict=True):
        entries = [
            (
                (
                    np.zeros(len(s.words), np.int64),
                    s.frames["visual"],
                    s.frames["acoustic"],
                    list(s.words),
                ),
                np.array([[s.label]], np.float32),
                s.id,
            )
            for s in corpus[split]
        ]
        files[split] = _pickled(folder / f"{name}.pkl", entries)
    return files


def write_mag(folder, corpus):
    content = {
        name: [
            ((list(s.words), s.frames["visual"], s.frames["acoustic"]), s.label, s.id)
            for s in corpus[split]
        ]
        for split, name in zip(SPLITS, ("train", "dev", "test"), strict=True)
    }
    return dict.fromkeys(SPLITS, _pickled(folder / "mag.pkl", content))


def write_mmsa(folder, corpus, lengths):
    """With ``lengths``, as in unaligned files, padding is arbitrary; otherwise zeros."""
    content = {
        name: mmsa_split(corpus[split], lengths)
        for split, name in zip(SPLITS, ("train", "valid", "test"), strict=True)
    }
    return dict.fromkeys(SPLITS, _pickled(folder / f"mmsa_{lengths}.pkl", content))


def mmsa_split(segments, lengths):
    fields = {
        "raw_text": np.array([" ".join(s.words) for s in segments]),
        "id": np.array([s.id.replace("[", "$_$").rstrip("]") for s in segments]),
        "text_bert": np.zeros((len(segments), 3, 50), np.float32),
        "annotations": ["Neutral"] * len(segments),
        "regression_labels": np.array([s.label for s in segments], np.float32),
    }
    for modality, name in (("visual", "vision"), ("acoustic", "audio")):
        frames = [s.frames.get(modality) for s in segments]
        rows = max(map(len, frames)) + 4
        fill = -np.inf if lengths else 0.0
        padded = np.full((len(frames), rows, frames[0].shape[1]), fill, np.float32)
        for row, each in zip(padded, frames, strict=True):
            row[: len(each)] = each
            if lengths:
                row[len(each)] = 7.0  # beyond the stated length
        fields[name] = padded
        if lengths:
            fields[f"{name}_lengths"] = [len(each) for each in frames]
    return fields


def write_folder(folder, corpus, form="jsonl"):
    rows = []
    for split, segments in corpus.items():
        for s in segments:
            rows.append({"id": s.id, "text": " ".join(s.words), "label": s.label, "split": split})
            rows[-1] |= {"start": s.start, "end": s.end, "video": s.video}
            for modality, save in (("visual", np.save), ("acoustic", np.savez_compressed)):
                (folder / modality).mkdir(parents=True, exist_ok=True)
                save(folder / modality / s.id, s.frames.get(modality))
    if form == "jsonl":
        (folder / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    else:
        with open(folder / "segments.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return dict.fromkeys(SPLITS, folder)


def write_csd(folder, corpus, aligned=True):
    """Words of a second each with two equal frames, or frames spread over the segment; pauses and
    frames that belong to no segment between segments."""
    sequences = {name: {} for name in ("words", "FACET_4.1", "COVAREP", "Opinion Segment Labels")}
    for s in (s for segments in corpus.values() for s in segments):
        n = len(s.words)
        starts = s.start + np.arange(n)
        words = np.array([word.encode() for word in s.words], "S48")[:, None]
        rows = {"words": (words, np.stack((starts, starts + 1), 1))}
        rows["Opinion Segment Labels"] = np.array([[s.label]], np.float32), [[s.start, s.end]]
        for name, frames in (("FACET_4.1", s.frames["visual"]), ("COVAREP", s.frames["acoustic"])):
            frames = frames.repeat(2, 0) if aligned else frames
            edges = np.linspace(s.start, s.end, len(frames) + 1)
            at = np.stack((edges[:-1], edges[1:]), 1)
            outside = [[s.end + 0.2, s.end + 0.3]]
            rows[name] = np.vstack((frames, frames[:1])), np.vstack((at, outside))
        pause = np.array([["sp"]], "S48"), [[s.end + 0.1, s.end + 0.4]]
        rows["words"] = tuple(map(np.concatenate, zip(rows["words"], pause, strict=True)))
        for name, (features, intervals) in rows.items():
            kept = sequences[name].setdefault(s.video, [])
            kept.append((np.asarray(features), np.asarray(intervals)))
    folder.mkdir(parents=True, exist_ok=True)
    for name, videos in sequences.items():
        with h5py.File(folder / f"CMU_MOSI_{name.replace(' ', '_')}.csd", "w") as file:
            for video, parts in videos.items():
                # Only the order of labels matters; it is that of the segments.
                parts = parts if "Label" in name else parts[::-1]
                features, intervals = zip(*parts, strict=True)
                group = file.create_group(f"{name}/data/{video}")
                group.create_dataset("features", data=np.concatenate(features), compression="gzip")
                group.create_dataset("intervals", data=np.concatenate(intervals))
            file.create_group(f"{name}/metadata")
    return dict.fromkeys(SPLITS, folder)


def _pickled(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))
    return path
