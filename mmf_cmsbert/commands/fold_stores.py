"""``cmsbert data folds``: write each fold as stores, with a recipe that trains on them."""

import shlex
from dataclasses import replace
from itertools import chain
from pathlib import Path

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert, write_split
from mmf_cmsbert.datasets.folds import leave_videos_out
from mmf_cmsbert.datasets.readers.source import Source
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.datasets.stores.store import StoredSegments, replaced_folder
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.experiments import recipe
from mmf_cmsbert.files import write_error
from mmf_cmsbert.utils.unfinished import scratch_folder


def write_folds(
    source: Source, settings: ConversionSettings, folds: int, base: Path, output: Path
) -> None:
    """Write ``fold_N/{train,val,test}`` and ``fold_N.yaml``, and print what to type next.

    Args:
        source: the corpus; its splits are combined.
        settings: how to convert segments.
        folds: number of folds.
        base: the recipe that each fold's recipe includes.
        output: the folder to write.

    Raises:
        ConfigError: there are too few videos for so many folds.
        DataError: a segment cannot be used, or a file cannot be written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with scratch_folder(output) as scratch:
            stores = _stores(source, replace(settings, labelled=True), scratch)
            segments = _segments(stores)
            parts = leave_videos_out([segment.video for segment in segments], folds)
            origin = {
                "sources": [each for store in stores for each in store.manifest.sources],
                "synthetic": any(store.manifest.synthetic for store in stores),
            }
            # A run compares these with its own keys.
            kept = {
                name: value for name in ("context", "fold") if (value := getattr(settings, name))
            }
            recipes = []
            for number, part in enumerate(parts, 1):
                folder = output / f"fold_{number}"
                for split, chosen in part.items():
                    with replaced_folder(folder / split) as unfinished:
                        made_with = {"video_fold": number, "video_folds": folds, **kept}
                        write_split(
                            unfinished,
                            split,
                            (segments[i] for i in chosen),
                            settings=made_with,
                            **origin,
                        )
                recipes.append(_recipe(folder, settings.corpus, base))
    except OSError as error:
        raise write_error(error, output) or DataError(
            f"{output}: cannot be written ({error.strerror or error})"
        ) from error
    for file, part in zip(recipes, parts, strict=True):
        videos = dict.fromkeys(segments[i].video for i in part["test"])
        sizes = "/".join(str(len(part[split])) for split in part)
        print(f"{file}: {sizes} segments to train, validate and test on; tests {', '.join(videos)}")
    bases = " ".join(f"--base {shlex.quote(str(file))}" for file in recipes)
    print(f"Each is a recipe. Run all of them:\n  cmsbert ablate cms_clr mag {bases}")


def _stores(source: Source, settings: ConversionSettings, scratch: Path) -> list[StoredSegments]:
    stores = []
    for split, files in source.files.items():
        others = [file for other, each in source.files.items() if other != split for file in each]
        stores.append(convert(files, split, settings, scratch / split, others))
    return stores


def _segments(stores: list[StoredSegments]) -> list[Segment]:
    """Read the segments of all stores into one list."""
    segments: dict[str, Segment] = {}
    for segment in chain.from_iterable(stores):
        if segment.id in segments:
            raise DataError(f"segment {segment.id} is in two splits; type --split to use only one")
        segments[segment.id] = segment
    return list(segments.values())


def _recipe(folder: Path, corpus: str, base: Path) -> Path:
    return recipe.write(
        folder.with_suffix(".yaml"),
        f"{base.name} with the videos of {folder.name} to train, validate and test on.",
        base,
        # The folds replace whichever of these keys the base uses.
        {
            "dataset": corpus,
            "dataset_config": {
                corpus: {
                    "source": None,
                    "layout": "auto",
                    "split": None,
                    "synthetic": None,
                    "annotations": {s: [str(folder)] for s in SPLITS},
                }
            },
        },
    )
