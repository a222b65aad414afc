"""The extraction of clips for ``cmsbert features`` and ``cmsbert predict``, with its progress."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from mmf_cmsbert.media.card import read_card
from mmf_cmsbert.media.feature_folder import FeatureFolder
from mmf_cmsbert.media.jobs import Clip, Settings, extract_all
from mmf_cmsbert.utils.folder_lock import locked


def extract_clips(clips: Sequence[Clip], output: Path, settings: Settings, jobs: int) -> int:
    """Extract clips into a folder, with a line for each clip.

    Args:
        clips: the clips.
        output: the folder.
        settings: how to extract them.
        jobs: number of processes.

    Returns:
        How many failed; they are named on stderr.
    """
    extractors = settings.extractors()
    folder = FeatureFolder(output)
    if jobs > 1:  # the processes share the cores
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    failed = count = 0
    with locked(output, "cmsbert features", "--output FOLDER"):
        folder.begin(extractors.card(settings.picture_rate), (clip.name for clip in clips))
        for number, found in enumerate(
            extract_all(clips, folder, settings, extractors, jobs), start=1
        ):
            place = f"{number}/{len(clips)}"
            if found.error:
                failed += 1
                print(f"{place} failed: {found.error}", file=sys.stderr, flush=True)
                continue
            took = f"{found.length:.1f} s of clip in {found.seconds:.1f} s"
            how = took if found.seconds else "extracted before"
            print(f"{place} {found.clip.name}: {found.segments} segments, {how}", flush=True)
            for note in found.notes:
                print(f"  {found.clip.name} {note}")
        count = folder.finish(clip.name for clip in clips)
    print(f"{output}: {count} segments of {len(clips) - failed} clips")
    return failed


def print_next(output: Path) -> None:
    """Print the command that trains on a folder of features."""
    card = read_card(output)
    options = [f"dataset_config.mosi.source={shlex.quote(str(output))}"]
    for modality in ("visual", "acoustic"):
        found = card.get(modality)
        width = len(found["columns"]) if found else "null"
        options.append(f"dataset_config.mosi.features.{modality}={width}")
    print("Train on it: mmf_run config=projects/cmsbert/own_clips/own_clips.yaml", *options)
