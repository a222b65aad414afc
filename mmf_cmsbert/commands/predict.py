"""``cmsbert predict``: sentiment of a text or of many segments, with an exported model."""

import sys
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mmf_cmsbert.commands.column_options import named_columns
from mmf_cmsbert.commands.data_options import NamedColumns
from mmf_cmsbert.commands.engine_options import Place, with_place
from mmf_cmsbert.commands.media_options import (
    FaceModel,
    Jobs,
    MaxMinutes,
    Recogniser,
    Transcript,
)
from mmf_cmsbert.commands.user_dir_option import UserDir
from mmf_cmsbert.errors import ConfigError, SegmentError

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import SentimentPredictor

_SHOWN = 20  # errors; the others are in the file


@with_place
def predict(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A folder that cmsbert export wrote, or OWNER/NAME on the Hugging Face hub.",
            show_default=False,
        ),
    ],
    shards: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SHARD",
            help="Many files of segments, folders of them, or patterns: each becomes a file of "
            "predictions in the folder --output.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="A text to predict, shown in the terminal.")
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="Segments: .jsonl, .csv, .tsv or .parquet, a store, a folder with segments.jsonl "
            "and features, or any other layout that cmsbert data inspect reads.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="Predictions: a name in .csv, .jsonl or .parquet; for shards, a folder.",
        ),
    ] = None,
    format: Annotated[
        Literal["parquet", "csv", "jsonl"] | None,
        typer.Option(help="Of the predictions of shards.", show_default="parquet"),
    ] = None,
    media: Annotated[
        Path | None,
        typer.Option(
            metavar="CLIP|FOLDER|TABLE",
            help="Clips, whose features are extracted as those of the model's training data; see "
            "cmsbert features.",
        ),
    ] = None,
    recogniser: Recogniser = "faster_whisper",
    face_model: FaceModel = None,
    transcript: Transcript = None,
    jobs: Jobs = 1,
    max_minutes: MaxMinutes = 30.0,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option(help="The only split to predict.", show_default="all that there are"),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="For a model of several datasets: the one whose features these are."),
    ] = None,
    column: NamedColumns = None,
    batch_size: Annotated[
        int, typer.Option(min=1, max=65536, help="Segments that are computed together.")
    ] = 32,
    precision: Annotated[
        Literal["fp32", "tf32", "bf16", "fp16"],
        typer.Option(help="Of the network's products, as evaluation.precision of a run."),
    ] = "fp32",
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1 ...", show_default="a GPU if there is one")
    ] = None,
    user_dir: UserDir = None,
    *,
    place: Place,
) -> None:
    """Predict sentiment from -3 to 3, or what else the model was trained for.

    With --input, predictions are written in the order of the input. A segment that cannot be used
    is named, and the others are predicted; the exit status is then 2. Interrupted, the same command
    continues. With --media, each sentence is predicted; cmsbert report FILE shows the clips over
    time.

    Many files are shards: cmsbert predict MODEL parts/*.parquet --output scores --jobs 4. Each is
    predicted whole or not at all; the same command continues, and makes again what has changed.
    """
    if [text, input, media, shards or None].count(None) != 3:
        raise ConfigError(
            "expected --text TEXT, or --output FILE with --input FILE or --media CLIP, or --output "
            "FOLDER with SHARD...; one of them"
        )
    columns = named_columns(column)
    if shards:
        from mmf_cmsbert.commands.predict_shards import predict_shards

        if output is None:
            raise ConfigError(f"{shards[0]}: --output FOLDER is missing, as in --output scores")
        if place.engine == "local":  # jobs of another engine run where there may be a GPU
            _check_precision(precision, device)
        options: dict[str, Any] = {"dataset": dataset, "split": split, "batch_size": batch_size}
        options |= {"precision": precision, "columns": columns, "format": format or "parquet"}
        predict_shards(model, shards, output, options, device, user_dir, jobs, place)
        return
    if place.engine != "local" or format:
        option = f"--format {format}" if format else f"--engine {place.engine}"
        raise ConfigError(
            f"{option} is for shards; type cmsbert predict MODEL SHARD... --output FOLDER"
        )
    if columns and input is None:
        raise ConfigError(
            f"--column {'='.join(next(iter(columns.items())))} names a column of --input FILE or "
            "of SHARD, which is not typed; leave --column out"
        )
    if text is None and output is None:
        option = f"--input is {input}" if media is None else f"--media is {media}"
        raise ConfigError(f"{option}; --output FILE is missing, as in --output scores.csv")
    from mmf_cmsbert.predictor import prediction_file

    if output is not None:
        prediction_file.check_output(output)
    from mmf_cmsbert.predictor import SentimentPredictor
    from mmf_cmsbert.utils.torch_threads import set_threads

    predictor = SentimentPredictor(
        model, device=_device(device), dataset=dataset, precision=precision
    )
    set_threads(predictor.device)
    if text is not None:
        from mmf_cmsbert.commands.prediction_picture import show

        show(predictor(text, explain=True), predictor)
        return
    assert output is not None
    failed = 0
    if media is not None:
        from mmf_cmsbert.commands.clip_extraction import extract_clips
        from mmf_cmsbert.commands.clips import find_clips
        from mmf_cmsbert.commands.predict_media import features_for

        settings = features_for(predictor, recogniser, face_model, max_minutes, user_dir)
        input = output.with_suffix(".features")
        found = find_clips(media, None, transcript)
        failed = extract_clips(found, input, settings, jobs)
        if failed == len(found):
            raise typer.Exit(2)
    assert input is not None
    from mmf_cmsbert.config.schemas.targets import main
    from mmf_cmsbert.predictor.prediction import is_sentiment

    failed += _predict_file(predictor, input, output, split, batch_size, columns)
    if media is not None and is_sentiment(main(predictor.targets)[1]):  # what the page draws
        from mmf_cmsbert.report import clips

        clips.write(clips.file_of(output), clips.collect(predictor, input, model, batch_size))
        print(f"The clips over time: cmsbert report {output}")
    if failed:
        raise typer.Exit(2)


def _device(name: str | None) -> Any:
    import torch

    if name is None:
        return None
    try:
        torch.empty(0, device=(device := torch.device(name)))
        return device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"--device is {name}: {reason}. Type --device cpu") from error


def _check_precision(precision: str, device: str | None) -> None:
    """Raise a ConfigError if this machine has no such device, or it has no such precision."""
    import torch

    from mmf_cmsbert.modules.precision import Precision

    chosen = _device(device) or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    Precision.read("--precision", precision, chosen)


def _predict_file(
    predictor: "SentimentPredictor",
    given: Path,
    output: Path,
    split: str | None,
    batch_size: int,
    named: Mapping[str, str],
) -> int:
    """Write the predictions; return how many segments could not be used."""
    from tqdm import tqdm

    from mmf_cmsbert.predictor.prediction import columns
    from mmf_cmsbert.predictor.prediction_file import Journal
    from mmf_cmsbert.predictor.predictor import WINDOW
    from mmf_cmsbert.predictor.sources import extractors_of_input, read_segments
    from mmf_cmsbert.sharding.identity import identify

    predictor.check_extractors(extractors_of_input(given, split), str(given))
    made_with = {
        "model": predictor.fingerprint(),
        "input": [str(given.expanduser().absolute()), identify(given.expanduser()).content],
        "split": split,
        "dataset": predictor.dataset,
        "batch_size": batch_size,
        "device": str(predictor.device),
        "precision": predictor.precision.name,
        "columns": named,
    }
    journal = Journal(output, made_with, WINDOW * batch_size, columns(predictor.targets))
    if journal.done:
        print(f"{journal.file}: continues after {journal.done} segments", file=sys.stderr)
    widths = predictor.config.widths(predictor.dataset)
    segments = islice(
        read_segments(given, split, widths, predictor.label_targets, named),
        journal.done,
        None,
    )
    bar = tqdm(desc="predicting", unit=" segments", initial=journal.done, disable=None)
    shown = 0
    with bar:
        for each in journal.extend(predictor.stream(segments, batch_size)):
            bar.update()
            if isinstance(each, SegmentError) and (shown := shown + 1) <= _SHOWN:
                bar.write(f"cmsbert predict: error: {each}", file=sys.stderr)
    predicted, failed = journal.finish(output)
    print(f"{output}: {predicted} predictions")
    if failed:
        print(
            f"cmsbert predict: error: {failed} segments could not be used; each is named in "
            f"{output}.errors.txt",
            file=sys.stderr,
        )
    return failed
