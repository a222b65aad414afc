"""Datasets of the Hugging Face hub: their addresses, and files that refer to one revision.

An address is ``hf://OWNER/NAME[@REVISION][:CONFIG]``. A reference is a small JSON file with the
commit that a revision stands for, so that a store names exactly the data that it was made from.
"""

import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json, replace_text, sha256_of

SUFFIX = ".hub.json"
FORMAT = 1
_LARGEST = 1 << 16
# pathlib writes hf://a/b as hf:/a/b.
_ADDRESS = re.compile(
    r"hf:/{1,2}(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(@(?P<revision>[^:]+))?(:(?P<config>.+))?"
)


@dataclass(frozen=True)
class HubAddress:
    """A dataset of the hub.

    Attributes:
        repository: ``OWNER/NAME``.
        revision: a branch, a tag or a commit.
        config: one of the configurations of its card, or None for the default one.
        streaming: whether it is read from the hub row by row, instead of being downloaded first.
    """

    repository: str
    revision: str = "main"
    config: str | None = None
    streaming: bool = False

    def __str__(self) -> str:
        config = f":{self.config}" if self.config else ""
        return f"hf://{self.repository}@{self.revision}{config}"


def is_address(path: str | Path) -> bool:
    """Whether a path is meant as an address of the hub."""
    return str(path).startswith("hf:")


def is_reference(path: Path) -> bool:
    """Whether a path has the name of a reference."""
    return path.name.endswith(SUFFIX)


def parse(path: str | Path, streaming: bool = False) -> HubAddress:
    """Read an address.

    Raises:
        DataError: it has another form.
    """
    match = _ADDRESS.fullmatch(str(path))
    if match is None:
        raise DataError(f"{path}: expected hf://OWNER/NAME[@REVISION][:CONFIG]")
    return HubAddress(
        f"{match['owner']}/{match['name']}", match["revision"] or "main", match["config"], streaming
    )


def located(path: Path, streaming: bool = False) -> Path:
    """Return ``path``, or the reference to the dataset if it is an address.

    Raises:
        DataError: as for :func:`reference`.
    """
    return reference(parse(path, streaming)) if is_address(path) else path


@cache
def reference(address: HubAddress) -> Path:
    """Write the file that refers to an address's present commit, and download its data.

    Offline, or if the hub gives no answer, the commit that was downloaded last is used.

    Raises:
        DataError: the hub has no such dataset or cannot be reached, or a file is damaged.
    """
    from huggingface_hub import constants

    if constants.is_offline_mode():
        commit = _kept_commit(address)
        if commit is None:
            raise DataError(
                f"{address}: not downloaded yet, and HF_HUB_OFFLINE is set; unset it once, or name "
                "a folder with the data"
            )
    else:
        commit = _commit(address)
    fixed = HubAddress(address.repository, commit, address.config, address.streaming)
    owner, name = address.repository.split("/")
    how = "streamed" if address.streaming else "downloaded"
    config = re.sub(r"\W", "_", address.config or "default")
    file = Path(constants.HF_HOME) / "mmf_cmsbert"
    file /= f"{owner}--{name}--{config}--{commit[:12]}--{how}{SUFFIX}"
    text = json.dumps({"format": FORMAT} | asdict(fixed), indent=1) + "\n"
    # A new time would make stores look outdated.
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        if not address.streaming:
            _check(downloaded(fixed), fixed)
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(file, text)
    return file


def read(file: Path) -> HubAddress:
    """Read a reference.

    Raises:
        DataError: it is damaged.
    """
    try:
        content: dict[str, Any] = read_json(file, _LARGEST)
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        return HubAddress(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file}: no reference to a dataset ({error}); remove the file") from error


def _commit(address: HubAddress) -> str:
    from huggingface_hub import HfApi

    try:
        with _named_errors(address):  # plainer than those of a download
            commit = str(HfApi().dataset_info(address.repository, revision=address.revision).sha)
    except DataError as error:
        answered = getattr(error.__cause__, "response", None) is not None
        kept = None if answered or address.streaming else _kept_commit(address)
        if kept is None:
            raise
        return kept
    # By the revision: the library keeps which commit it stands for, for use offline.
    return commit if address.streaming else downloaded(address).name


def _kept_commit(address: HubAddress) -> str | None:
    """The commit that was downloaded last, or None."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            address.repository,
            repo_type="dataset",
            revision=address.revision,
            local_files_only=True,
        )
    except LocalEntryNotFoundError:
        return None
    return Path(folder).name


def _check(folder: Path, address: HubAddress) -> None:
    """Compare the files with the hashes that the hub states, which the library does not do.

    In the hub's cache a file is a link to one whose name is its hash: SHA-256 for large files, that
    of git for small ones.
    """
    wrong = []
    for file in sorted(folder.rglob("*")):
        content = file.resolve()
        if file.is_file() and len(content.name) == 64 and sha256_of(content) != content.name:
            content.unlink()
            file.unlink()
            wrong.append(str(file.relative_to(folder)))
    if wrong:
        raise DataError(
            f"{address}: {', '.join(wrong)} arrived with another SHA-256 than the hub states, and "
            "was removed; repeat the command to download it again"
        )


def downloaded(address: HubAddress) -> Path:
    """Return the folder with the files of a reference, which are downloaded unless they were.

    Raises:
        DataError: they cannot be downloaded.
    """
    from huggingface_hub import snapshot_download

    with _named_errors(address):
        folder = snapshot_download(
            address.repository,
            repo_type="dataset",
            revision=address.revision,
            ignore_patterns=["*.py"],  # no code of a dataset is ever run
        )
    return Path(folder)


class _named_errors:
    """Turn the errors of the hub's library into messages."""

    def __init__(self, address: HubAddress):
        self.address = address

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, Exception):
            raise DataError(f"{self.address}: {explain(error, self.address)}") from error


def explain(error: Exception, address: HubAddress) -> str:
    """Say what an error of the hub's library means, and what to do."""
    from huggingface_hub import errors

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.GatedRepoError):
        return "its owner must admit you first; ask on its page, then type hf auth login"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"it has no revision {address.revision!r}"
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            "the hub has no such dataset; check the name, and, if it is private, type hf auth login"
        )
    if status == 429:
        return "the hub answers that there were too many requests; wait some minutes"
    if status is not None:
        return f"the hub answers with status {status}; try again later"
    if isinstance(error, (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled)):
        return "it is not downloaded, and the hub cannot be reached"
    reason = " ".join(str(error).split())[:200]
    return f"cannot be read from the hub ({type(error).__name__}: {reason})"
