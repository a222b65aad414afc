"""``cmsbert export``: a run's model as one folder."""

from pathlib import Path
from typing import Annotated

import typer

from mmf_cmsbert.checkpoints import model_files
from mmf_cmsbert.commands.user_dir_option import UserDir
from mmf_cmsbert.errors import ConfigError


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The env.save_dir of a run.", show_default=False)
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to write the model.", show_default=False)
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Another checkpoint than the run's best.", show_default=False
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an exported model that is there.")
    ] = False,
    push: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME",
            help="Also upload it to the Hugging Face hub, with your own token (hf auth login).",
            show_default=False,
        ),
    ] = None,
    user_dir: UserDir = None,
) -> None:
    """Write a run's model to a folder that needs neither the run nor MMF.

    The folder holds the weights (safetensors; averaged ones where the run kept an average), the
    configuration, the tokenizer, and a model card with scores, seed and hashes of the data.
    """
    from mmf_cmsbert.predictor.export import load_run

    _check_not_its_own(run, folder, checkpoint)
    predictor = load_run(run, checkpoint)
    predictor.save_pretrained(folder, overwrite=overwrite)
    size = sum(each.stat().st_size for each in folder.iterdir() if each.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB")
    if push:
        print(predictor.push_to_hub(push))
    print(f'Predict with it: cmsbert predict {folder} --text "I loved it"')


def _check_not_its_own(run: Path, folder: Path, checkpoint: Path | None) -> None:
    """The checkpoints of a finished run rely on the weights in its own model's folder."""
    own = run / model_files.OF_RUN
    if checkpoint is not None and folder.expanduser().absolute() == own.expanduser().absolute():
        raise ConfigError(
            f"{folder} holds the best model of the run, on which its checkpoints rely; name "
            f"another folder for {checkpoint}"
        )
