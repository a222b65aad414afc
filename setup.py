"""Packaging. The tools' settings are in pyproject.toml, the exact versions in requirements.txt."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
INIT = (HERE / "mmf_cmsbert" / "__init__.py").read_text(encoding="utf-8")

setup(
    name="mmf_cmsbert",
    version=re.search(r'^__version__ = "(.+)"', INIT, re.MULTILINE).group(1),
    description="Multimodal sentiment analysis for MMF: CMSBERT-CLR, CMU-MOSI and CMU-MOSEI",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="mmf_cmsbert developers",
    license="BSD-3-Clause",
    python_requires=">=3.10",
    packages=find_packages(include=["mmf_cmsbert", "mmf_cmsbert.*"]),
    # mmf_cmsbert/configs and mmf_cmsbert/projects are symlinks to the folders at the top, as in
    # MMF itself; a wheel or an sdist holds real files instead.
    package_data={
        "mmf_cmsbert": [
            "py.typed",
            "configs/**/*",
            "projects/**/*",
            "datasets/download/*.json",
            "datasets/readers/splits/*",
            "report/templates/*",
        ]
    },
    # MMF is not among these, though training with it needs it: its wheel is tagged for
    # CPython 3.6 to 3.8 and its pins (torch 1.5, demjson) install on no Python that we support, so
    # a requirement on it would make this package uninstallable. `cmsbert install-mmf` adds it.
    install_requires=[
        "torch>=2.6,<3",
        "transformers>=5,<6",
        "omegaconf>=2.4,<3",
        "numpy>=2,<3",
        "safetensors>=0.4.3",  # exported models
        "huggingface_hub>=1,<3",  # their cards, upload and download
        "datasets>=4",  # Hugging Face datasets as data, and as input of a predictor
        "h5py>=3.11",  # .csd files
        "pyarrow>=20",  # stores
        "filelock>=3.15",  # one download, one ablation into a folder at a time
        "typer>=0.20",  # the command cmsbert
        "rich>=13.7",
        "jinja2>=3.1",  # reports
        "pydantic>=2.11,<3",  # schemas of the configuration
        "scipy>=1.15",  # intervals and tests of comparisons
        "PyYAML>=6",
        # imported by MMF 1.0.0rc10
        "demjson3>=3.0.5",
        "GitPython>=3.1",
        "lmdb>=1.3",
        "pillow>=10",
        "requests>=2.28",
        "scikit-learn>=1.5",
        "tqdm>=4.60",
    ],
    extras_require={
        "experiments": ["matplotlib>=3.9", "optuna>=4.9"],  # plots of cmsbert ablate; cmsbert tune
        "postgresql": ["psycopg[binary]>=3.2"],  # cmsbert tune --storage postgresql://...
        "slurm": ["submitit>=1.5"],  # cmsbert ablate --engine slurm
        "ray": ["ray[default]>=2.40"],  # cmsbert ablate --engine ray
        "lightning": ["pytorch-lightning>=2.6"],  # training.trainer=lightning_cmsbert
        # training.trackers
        "tensorboard": ["tensorboard>=2.17"],
        "wandb": ["wandb>=0.19"],
        "mlflow": ["mlflow-skinny>=2.20"],
        # cmsbert features
        "media": [
            "av>=14",
            "faster-whisper>=1.1",
            "librosa>=0.10.2",
            "mediapipe>=0.10.14",  # --face mediapipe
            "opensmile>=2.5",  # --voice opensmile; a research licence
        ],
        "live": ["gradio>=6"],  # cmsbert live, beside media
        "test": ["pytest>=8", "pytest-xdist>=3.6"],
    },
    entry_points={
        "console_scripts": [
            "mmf_run = mmf_cmsbert.cli:mmf_run",
            "mmf_predict = mmf_cmsbert.cli:mmf_predict",
            "cmsbert = mmf_cmsbert.commands:main",
        ]
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
