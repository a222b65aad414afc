"""Report what is installed and what a run would find, in sections."""

import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import mmf_cmsbert
from mmf_cmsbert.compat.mmf import line as mmf_line
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.utils.threads import usable_cores

_REQUIRED = (
    "torch",
    "transformers",
    "omegaconf",
    "numpy",
    "pyarrow",
    "h5py",
    "scipy",
    "scikit-learn",
    "tokenizers",
    "huggingface_hub",
)
# package -> purpose, argument of pip install
_OPTIONAL = {
    "pytorch-lightning": ("training.trainer=lightning_cmsbert", "pytorch-lightning"),
    "matplotlib": ("plots of cmsbert ablate", "matplotlib"),
    "optuna": ("cmsbert tune", "optuna"),
    "tensorboard": ("training.trackers=[tensorboard]", "tensorboard"),
    "wandb": ("training.trackers=[wandb]", "wandb"),
    "mlflow-skinny": ("training.trackers=[mlflow]", "mlflow-skinny"),
    "av": ("cmsbert features", "av"),
    "faster-whisper": ("cmsbert features --recogniser", "faster-whisper"),
    "librosa": ("cmsbert features --voice librosa", "librosa"),
    "opensmile": ("cmsbert features --voice opensmile", "opensmile"),
    "mediapipe": ("cmsbert features --face mediapipe", "mediapipe"),
    "dlib-bin": ("cmsbert features --face dlib", "dlib-bin face-recognition-models"),
    "gradio": ("cmsbert live", "gradio"),
    "torchvision": ("MMF's models that read images", "torchvision"),
    "torchtext": ("MMF's pretrained word vectors", "--no-deps torchtext==0.6.0"),
    "demjson3": ("mmf_run --config_override", "demjson3"),
}


@dataclass
class ReportSection:
    """A table with a title.

    Attributes:
        title: the heading.
        columns: the table's column names.
        rows: its rows, with one cell for each column.
        problems: sentences below the table.
        fatal: whether the problems prevent a run.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    fatal: bool = False


def sections(options: Sequence[str]) -> Iterator[ReportSection]:
    """Yield all sections.

    Args:
        options: ``key=value`` words, as for mmf_run.
    """
    yield _machine()
    yield _libraries()
    yield _optional()
    mmf = _mmf()
    yield mmf
    if mmf.fatal:
        return
    yield _run(options)
    yield _patches()


def _machine() -> ReportSection:
    import torch

    from mmf_cmsbert.records.provenance import commit

    code = commit()
    revision = "no checkout" if code is None else code["hash"][:12]
    threads = torch.get_num_threads()
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return ReportSection(
        "Machine",
        ("what", "found"),
        [
            ("mmf_cmsbert", f"{mmf_cmsbert.__version__} ({revision})"),
            ("Python", f"{platform.python_version()}, {sys.executable}"),
            ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
            (
                "processors",
                f"{usable_cores()} usable, torch uses {threads} threads",
            ),
            ("GPU", ", ".join(gpus) or "none"),
        ],
    )


def _libraries() -> ReportSection:
    section = ReportSection("Libraries", ("library", "version"))
    for name in _REQUIRED:
        version = _version(name)
        section.rows.append((name, version or "missing"))
        if version is None:
            section.problems.append(f"{name} is missing; type: pip install -r requirements.txt")
            section.fatal = True
    return section


def _optional() -> ReportSection:
    section = ReportSection("Optional libraries", ("library", "version", "needed for", "install"))
    for name, (purpose, install) in _OPTIONAL.items():
        version = _version(name)
        section.rows.append(
            (name, version or "missing", purpose, "" if version else f"pip install {install}")
        )
    return section


def _mmf() -> ReportSection:
    section = ReportSection("MMF", ("what", "found"))
    spec = find_spec("mmf")
    if spec is None or spec.origin is None:
        section.problems.append("MMF is not installed; type: cmsbert install-mmf")
        section.fatal = True
        return section
    section.rows += [
        ("line", mmf_line.installed()),
        ("version", _version("mmf") or "unknown"),
        ("folder", str(Path(spec.origin).parent)),
    ]
    try:
        mmf_cmsbert.register()
        section.rows.append(("imports", "yes"))
    except Exception as error:  # of any library
        section.rows.append(("imports", "no"))
        section.problems.append(f"MMF cannot be imported ({type(error).__name__}: {error}).")
        section.fatal = True
    return section


def _run(options: Sequence[str]) -> ReportSection:
    from mmf_cmsbert.config import overrides
    from mmf_cmsbert.config.completion import complete

    section = ReportSection(f"Data and backbone of {' '.join(options)}", ("what", "found"))
    try:
        with redirect_stdout(StringIO()), warnings.catch_warnings():  # of MMF
            warnings.simplefilter("ignore")
            config = complete(overrides.parse(options)).resolved()
    except UserError as error:
        section.problems.append(str(error))
        return section
    datasets = config["datasets"]
    for dataset in datasets.split(",") if isinstance(datasets, str) else datasets:
        _add_data(section, dataset, config)
    backbone = config.get("model_config", {}).get("cmsbert", {}).get("backbone")
    if backbone is not None:
        section.rows.append(("backbone", _backbone(backbone["name"])))
    return section


def _add_data(section: ReportSection, dataset: str, config: dict[str, Any]) -> None:
    from mmf_cmsbert.config import definitions
    from mmf_cmsbert.datasets.segment import SPLITS
    from mmf_cmsbert.datasets.split_files import read_split_files

    schema = definitions.find(dataset)
    if schema is None:
        section.rows.append((dataset, "not checked: not a dataset of this package"))
        return
    given = config["dataset_config"][dataset]
    if given.get("synthetic"):
        section.rows.append((dataset, "synthetic, created when needed"))
        return
    for split in SPLITS:
        try:
            files = read_split_files(schema, dataset, given).of(split)
        except UserError as error:
            section.rows.append((f"{dataset}, {split}", "not found"))
            section.problems = section.problems or [str(error)]  # one says what to type
        else:
            section.rows.append((f"{dataset}, {split}", ", ".join(map(str, files))))


def _backbone(name: str) -> str:
    from transformers.utils.hub import cached_file

    from mmf_cmsbert import paths

    if folder := paths.find(name):
        return f"folder {folder}"
    try:
        file = cached_file(name, "config.json", local_files_only=True)
    except (OSError, ValueError):
        return f"{name} is not in the cache; it is downloaded from the Hugging Face hub"
    return f"{name}, in the cache: {Path(str(file)).parent}"


def _patches() -> ReportSection:
    from mmf_cmsbert.compat import patch

    return ReportSection(
        "Active patches of MMF and its libraries",
        ("target", "line", "why", "remove when"),
        [(each.target, each.line, each.why, each.remove_when) for each in patch.active()],
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
