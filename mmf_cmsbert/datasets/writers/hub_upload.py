"""Upload a written dataset to the Hugging Face hub, with the user's own token."""

from pathlib import Path

from mmf_cmsbert.datasets.readers.hub_reference import HubAddress, explain
from mmf_cmsbert.errors import DataError


def push(folder: Path, repository: str) -> str:
    """Upload the card and the Parquet files of a folder; the repository is made if it is new.

    Args:
        folder: written by :func:`.hugging_face.write_dataset`.
        repository: ``OWNER/NAME``.

    Returns:
        The address of the dataset's page.

    Raises:
        DataError: the hub refuses, or cannot be reached; the folder stays.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        page = api.create_repo(repository, repo_type="dataset", exist_ok=True, private=True)
        api.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=["README.md", "data/*.parquet"],
            commit_message="Segments, written by cmsbert data convert",
        )
    except Exception as error:  # the library documents few of its errors
        status = getattr(getattr(error, "response", None), "status_code", None)
        why = explain(error, HubAddress(repository))
        if status in (401, 403):
            why = "the hub does not accept the token; type hf auth login, or set HF_TOKEN"
        raise DataError(
            f"{folder} is written, but not uploaded to {repository}: {why}. To upload it later, "
            f"type hf upload {repository} {folder} --repo-type dataset"
        ) from error
    return str(page)
