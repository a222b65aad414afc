"""Fixtures for all tests: no network, no files in the user's folders, real data if available."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typed_commands import TypedCommands

# Set here instead of in a fixture: transformers and MMF read these once, when they are imported,
# and commands started by tests inherit them.
SCRATCH = Path(tempfile.mkdtemp(prefix="mmf_cmsbert_tests_"))
os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_HOME=str(SCRATCH / "huggingface"),
    MMF_CACHE_DIR=str(SCRATCH / "mmf"),
    MMF_DATA_DIR=str(SCRATCH / "data"),
    MMF_SAVE_DIR=str(SCRATCH / "save"),
    TOKENIZERS_PARALLELISM="false",
)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the threads of torch, which reads their number when it is imported.

    The models are so small that more threads would be slower. Workers of pytest-xdist inherit what
    the process that starts them has set, so that one decides.
    """
    shared = config.getoption("numprocesses", None) or "PYTEST_XDIST_WORKER" in os.environ
    os.environ.setdefault("OMP_NUM_THREADS", "1" if shared else "2")


def pytest_unconfigure() -> None:
    shutil.rmtree(SCRATCH, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests for the line of MMF that is not installed."""
    for item in items:
        for mark in [*item.iter_markers("rc10"), *item.iter_markers("main")]:
            from mmf_cmsbert.compat.mmf import line as mmf_line

            if mmf_line.is_main() != (mark.name == "main"):
                item.add_marker(pytest.mark.skip(reason=f"MMF {mark.name} alone: {mark.args[0]}"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository with real MOSI segments."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"reads real MOSI segments, and there is no {folder}")
    return folder


@pytest.fixture(scope="session")
def typed_commands() -> Iterator[TypedCommands]:
    """Type a command in a folder: ``typed_commands.run("mmf_run", words, folder)``."""
    commands = TypedCommands()
    yield commands
    commands.close()


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with four cores, of which three are free, and a user who sets no threads."""
    import torch

    from mmf_cmsbert.utils import threads, torch_threads

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    monkeypatch.setattr(torch_threads, "_DEFAULT", 4)
    monkeypatch.setattr(threads, "usable_cores", lambda: 4)
    monkeypatch.setattr(threads, "free_cores", lambda: 3.0)
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)
