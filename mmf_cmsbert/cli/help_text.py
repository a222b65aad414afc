"""The text of ``mmf_run --help`` and ``mmf_predict --help``."""

from collections.abc import Mapping
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill, wrap

from mmf_cmsbert.paths import PACKAGE

_USES = {
    "mmf_run": """\
Train and test what a configuration describes, with MMF.

  mmf_run config=projects/cmsbert/demo.yaml
  mmf_run config=projects/cmsbert/mosi.yaml dataset_config.mosi.source=/data
  mmf_run config=projects/cmsbert/mosi.yaml checkpoint.resume=true""",
    "mmf_predict": """\
Write the predictions of a trained model for the test split, with MMF.

  mmf_predict env.save_dir=RUN
  mmf_predict env.save_dir=RUN evaluation.predict_file_format=json
  mmf_predict env.save_dir=RUN dataset_config.mosi.source=/data/new_clips""",
}
_TEXT = """\
usage: {prog} [OPTION ...] {source} [KEY=VALUE ...]

{uses}

{rules}

recipes:
{recipes}
  More of them: projects/cmsbert/ablations, projects/cmsbert/mixing.

sections of keys:
{sections}
  {prog} --help-config SECTION lists its keys: types, ranges, defaults.

options:
  -h, --help            show this text
  --help-config [KEY]   explain a key or a section; without KEY, list sections
  --print-config        print the resulting configuration as YAML, and end
  --verbose             also show MMF's log and the model's layers
  --version             show versions
  -co JSON, --config_override JSON
                        change the configuration by a JSON object
  --local_rank NUMBER   number of this process, set by torch's launcher"""
_RULES = """\
Any key of the configuration can be given as KEY=VALUE; the value is read as YAML. model=NAME and
dataset=NAME[,NAME] can be set in the file or here; a typed value takes precedence. The file is
looked up in the working folder, then among those shipped with mmf_cmsbert and with MMF."""
# Section of the configuration -> what its keys are about.
SECTIONS: Mapping[str, str] = {
    "model_config.cmsbert": "the model: backbone, shift, contrastive, ema, losses, modalities",
    "dataset_config.*": "source, layout, features, targets of mosi, mosei, sims, simsv2, "
    "mosei_emotions, meld, iemocap, urfunny, mustard",
    "losses.*": "params of target_loss, sentiment_regression, sentiment_classification, "
    "multimodal_contrastive",
    "processors.*": "params of word_pieces, frames_as_regions",
    "env": "folders: save_dir, data_dir, user_dir; overwrite",
    "training": "length, batch size, seed, precision, trainer, early stopping, logs",
    "evaluation": "metrics, precision, format of predictions",
    "checkpoint": "resume, start from other weights, what is kept",
    "optimizer": "type, lr, weight decay",
    "scheduler": "type, warm-up",
    "distributed": "processes that MMF starts",
}


def of(prog: str) -> str:
    """The help of a command, as wide as the terminal, up to 100 columns."""
    width = min(get_terminal_size().columns, 100)
    return _TEXT.format(
        prog=prog,
        source="env.save_dir=RUN" if prog == "mmf_predict" else "config=FILE",
        uses=_USES[prog],
        rules=fill(_RULES, width),
        recipes=_table(recipes(PACKAGE / "projects" / "cmsbert"), width),
        sections=_table(SECTIONS, width),
    )


def recipes(folder: Path) -> dict[str, str]:
    """The recipes in a folder of the package, each with the first line of its comment.

    A file whose comment has no command that starts it is not a recipe by itself.
    """
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        lines = file.read_text(encoding="utf-8").splitlines()
        comment = []
        for line in lines:
            if not line.startswith("#"):
                break
            comment.append(line.removeprefix("#").strip())
        if any(line.startswith("mmf_run ") for line in comment):
            found[str(file.relative_to(PACKAGE))] = comment[0]
    return found


def _table(rows: Mapping[str, str], width: int) -> str:
    """Two columns; a line that is too long continues below."""
    first = max(map(len, rows)) + 2
    lines = []
    for name, text in rows.items():
        for line in wrap(text, max(width - first - 2, 20)):
            lines.append(f"  {name:<{first}}{line}")
            name = ""
    return "\n".join(lines)
