"""Clips of espeak-ng's voice under a real face, with the sentiment of what is said."""

import csv
import shutil
import subprocess
from pathlib import Path

SENTENCES = (
    ("I really loved this film, it was wonderful.", 2.6, "train"),
    ("This was a terrible and boring film.", -2.4, "train"),
    ("The actors are great and the music is beautiful.", 2.2, "train"),
    ("I hated every minute of it.", -2.8, "train"),
    ("It is a very good story with a happy end.", 1.8, "train"),
    ("The plot makes no sense and the end is awful.", -2.0, "train"),
    ("What a great surprise, I enjoyed it a lot.", 2.4, "val"),
    ("Do not waste your money on this bad film.", -2.2, "val"),
    ("A lovely film that I recommend to everyone.", 2.5, "test"),
    ("I was disappointed, it is worse than the first one.", -1.8, "test"),
)


def missing() -> str | None:
    """Name a program that is needed and not there."""
    programs = ("espeak-ng", "ffmpeg")
    return next((each for each in programs if shutil.which(each) is None), None)


def write(folder: Path, face: Path) -> Path:
    """Write a clip for each sentence, and ``labels.csv``; returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, (sentence, label, split) in enumerate(SENTENCES):
        speech, clip = folder / f"clip_{i}.speech", folder / f"clip_{i}.mp4"
        pitch, speed = str(30 + 8 * (i % 5)), str(130 + 5 * (i % 4))
        subprocess.run(
            ["espeak-ng", "-v", "en-us", "-p", pitch, "-s", speed, "-w", speech, sentence],
            check=True,
        )
        put_under(face, speech, clip)
        speech.unlink()
        rows.append({"clip": clip.name, "label": label, "split": split})
    table = folder / "labels.csv"
    with open(table, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return table


def put_under(pictures: Path, sound: Path, clip: Path) -> None:
    """Write a clip with the pictures, repeated as needed, and the sound."""
    inputs = ["-stream_loop", "-1", "-i", pictures, "-i", sound, "-map", "0:v", "-map", "1:a"]
    codecs = ["-shortest", "-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *inputs, *codecs, clip], check=True)
