"""The note in a job's folder of where it was queued, so that the same command finds it again."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.experiments.engines.engine import Task
from mmf_cmsbert.files import read_json, replace_text

NAME, FORMAT = "queued.json", 1
_LARGEST = 1 << 22


@dataclass(frozen=True)
class Submission:
    """A job in a queue.

    Attributes:
        engine: ``slurm`` or ``ray``.
        id: its number or name in the queue.
        where: what else finds it: the folder of submitit's files, or the address of Ray.
        words: the words of its command line.
    """

    engine: str
    id: str
    where: str
    words: tuple[str, ...]

    def write(self, job: Task) -> None:
        """Write the note into the job's folder."""
        job.folder.mkdir(parents=True, exist_ok=True)
        content = {"format": FORMAT} | asdict(self)
        replace_text(job.folder / NAME, json.dumps(content, indent=1) + "\n")


def find(job: Task) -> Submission | None:
    """Read the note in a job's folder; None if there is none, or none that can be read."""
    try:
        content = read_json(job.folder / NAME, _LARGEST)
        if content.pop("format") != FORMAT:
            return None
        return Submission(**content | {"words": tuple(content["words"])})
    except (DataError, OSError, ValueError, LookupError, TypeError):
        return None


def check_words(found: Submission, words: Sequence[str], cancel: str) -> None:
    """Refuse a job whose folder belongs to a queued job with other words.

    Raises:
        ConfigError: the words differ.
    """
    if tuple(words) != found.words:
        changed = sorted(set(words) ^ set(found.words))
        raise ConfigError(
            f"job {found.id} of {found.engine} is queued or runs in the same folder with other "
            f"words ({', '.join(changed[:3])}); wait until it has ended, or cancel it: {cancel}"
        )
