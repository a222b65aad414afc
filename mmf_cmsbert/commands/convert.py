"""``cmsbert data convert``: convert every split of a corpus, and print results and next command."""

import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.datasets.readers.source import Source
from mmf_cmsbert.datasets.segment import SPLITS, in_order
from mmf_cmsbert.datasets.stores.manifest import NAME as MANIFEST
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.datasets.writers import hugging_face, mag, misa
from mmf_cmsbert.datasets.writers.aligned import Written
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import write_error
from mmf_cmsbert.sharding.conversion import message_of
from mmf_cmsbert.utils.unfinished import scratch_folder

_SHOWN = 10
ByFile = Callable[[Path], dict[str, StoredSegments]]


def convert_source(
    source: Source,
    settings: ConversionSettings,
    to: str,
    output: Path,
    vectors: Path | None = None,
    by_file: "ByFile | None" = None,
) -> None:
    """Convert every split and print the results.

    Args:
        source: the corpus.
        settings: how to convert segments; ``labelled`` is set here, by the split.
        to: ``store``, ``datasets``, ``misa`` or ``mag``.
        output: the folder to write.
        vectors: a file of word vectors for ``misa``, or None.
        by_file: converts the corpus file by file into a folder of stores; None to convert it in one
            piece.

    Raises:
        DataError: a segment cannot be used, or a file cannot be written. No partial files are
            left; complete splits stay.
    """
    try:
        if to == "store":
            stores = by_file(output) if by_file else _stores(source, settings, output)
            _print_splits(stores)
            files: dict[str, Path] = dict.fromkeys(stores, output)
        else:
            with _scratch(output, to, settings.corpus) as scratch:
                kept = output / ".stores"  # so that the same command continues
                stores = by_file(kept) if by_file else _stores(source, settings, scratch)
                written = _write(to, scratch, stores, settings.corpus, vectors)
                for name in _names(to, settings.corpus):
                    if (scratch / name).exists():
                        os.replace(scratch / name, output / name)
                files = {split: output / path.name for split, path in written.files.items()}
                files = dict.fromkeys(stores, output) if to == "datasets" else files
                _print_splits(stores)
                _print_notes(written, stores)
                shutil.rmtree(kept, ignore_errors=True)
        print(f"Written to {output}")
        _print_next(stores, settings, files)
    except DataError as error:
        raise DataError(message_of(error, settings.corpus)) from error


def _write(
    to: str,
    folder: Path,
    stores: Mapping[str, StoredSegments],
    corpus: str,
    vectors: Path | None,
) -> Written:
    if to == "datasets":
        hugging_face.write_dataset(folder, stores, _widths(stores), corpus)
        return Written()
    if to == "misa":
        return misa.write_misa(folder, stores, _widths(stores), vectors)
    return mag.write_mag(folder, stores, _widths(stores), corpus)


def _stores(
    source: Source, settings: ConversionSettings, folder: Path
) -> dict[str, StoredSegments]:
    stores = {}
    for split, files in source.files.items():
        others = [file for other, each in source.files.items() if other != split for file in each]
        needs = replace(settings, labelled=split != "test")
        stores[split] = convert(files, split, needs, folder / split, others)
    return stores


def _widths(stores: Mapping[str, StoredSegments]) -> dict[str, int]:
    """Map each modality to its width, which must be equal in all splits that have it."""
    widths: dict[str, int] = {}
    for modality in in_order(m for store in stores.values() for m in store.manifest.widths):
        found = {
            split: store.manifest.widths[modality]
            for split, store in stores.items()
            if modality in store.manifest.widths
        }
        if len(set(found.values())) > 1:
            raise DataError(
                f"{modality} frames have different widths in the splits: "
                f"{', '.join(f'{split} {width}' for split, width in found.items())}; expected the "
                "splits of one corpus"
            )
        if found:
            widths[modality] = next(iter(found.values()))
    return widths


def _names(to: str, corpus: str) -> tuple[str, ...]:
    """Return the names of the files of a layout."""
    if to == "datasets":
        return hugging_face.FILES
    return misa.FILES if to == "misa" else (f"{corpus}.pkl",)


@contextmanager
def _scratch(output: Path, to: str, corpus: str) -> Iterator[Path]:
    """Yield a temporary folder in ``output``; remove it at the end, and ``output`` if empty."""
    taken = [output / name for name in _names(to, corpus) if (output / name).exists()]
    if taken:
        raise DataError(f"{taken[0]} already exists; move it away, or name another --output")
    new = [folder for folder in (output, *output.parents) if not folder.exists()]
    try:
        output.mkdir(parents=True, exist_ok=True)
        with scratch_folder(output) as scratch:
            yield scratch
    except OSError as error:
        raise write_error(error, output) or DataError(
            f"{output}: cannot be written ({error.strerror or error})"
        ) from error
    finally:
        for folder in new:
            with suppress(OSError):  # not empty
                folder.rmdir()


def _print_splits(stores: Mapping[str, StoredSegments]) -> None:
    for split, store in stores.items():
        found = store.manifest
        longest = ", ".join(f"{found.longest[name]} {name}" for name in found.longest)
        print(
            f"{split}: {found.segments} segments, {found.labels} with a label; maximum lengths: "
            f"{longest}; {len(found.skipped)} skipped"
        )
        for modality, missing in found.missing.items():
            if 0 < missing < found.segments:
                print(f"  {missing} have no {modality} frames")
        for why in found.skipped[:_SHOWN]:
            print(f"  skipped: {why}")
        if len(found.skipped) > _SHOWN:
            print(f"  and {len(found.skipped) - _SHOWN} more, all in {store.folder / MANIFEST}")
    widths = _widths(stores)
    print(f"Widths: {', '.join(f'{m} {width}' for m, width in widths.items()) or 'no frames'}")


def _print_notes(written: Written, stores: Mapping[str, StoredSegments]) -> None:
    for modality, count in written.filled.items():
        print(
            f"{count} segments without {modality} frames got zeros: this layout has no way to mark "
            "missing frames."
        )
    for split, count in written.unlabelled.items():
        print(f"{split}: {count} of {len(stores[split])} segments have no label; NaN was written.")
    for note in written.notes:
        print(note)


def _print_next(
    stores: Mapping[str, StoredSegments], settings: ConversionSettings, files: Mapping[str, Path]
) -> None:
    from mmf_cmsbert.config.shipped import dataset_section

    dataset, widths, defaults = settings.corpus, _widths(stores), dataset_section(settings.corpus)
    shared = set(files.values())
    # If there is one file for each split, they are in one folder.
    options = [f"source={shared.pop() if len(shared) == 1 else next(iter(shared)).parent}"]
    options += [
        f"features.{modality}={widths.get(modality, 'null')}"
        for modality in in_order([*widths, *defaults["features"]])
        if widths.get(modality) != defaults["features"].get(modality)
    ]
    longest = max(
        (s.manifest.longest.get(m, 0) for s in stores.values() for m in widths), default=0
    )
    if longest > defaults["max_frames"]:
        options.append(f"max_frames={longest}")
    missing = [split for split in SPLITS if split not in stores]
    if list(stores) == ["test"]:
        print("Predict its segments:")
    elif missing:
        print(f"There is no {' and no '.join(missing)} split; add it to the source, as [A, B]:")
    else:
        print("Train on it:")
    print(_command("mmf_predict" if list(stores) == ["test"] else "mmf_run", dataset, options))


def _command(program: str, dataset: str, options: Sequence[str]) -> str:
    typed = [shlex.quote(f"dataset_config.{dataset}.{option}") for option in options]
    from mmf_cmsbert.experiments import recipe

    config = recipe.of_dataset(dataset)
    named = f" dataset={dataset}" if config == recipe.OF_ANY else ""
    return " \\\n    ".join([f"{program} config={config}{named}", *typed])
