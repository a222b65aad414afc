"""Messages for a checkpoint whose run has nothing left to train."""

from pathlib import Path


def reached_limit(
    updates: int, epochs: int, max_updates: float | None, max_epochs: float | None
) -> str | None:
    """Return key and value of the limit that a loaded run has already reached, or None.

    Args:
        updates: how many were made.
        epochs: how many were completed.
        max_updates: ``training.max_updates``.
        max_epochs: ``training.max_epochs``.
    """
    for key, done, most in (("updates", updates, max_updates), ("epochs", epochs, max_epochs)):
        if most is not None and done >= most:
            return f"training.max_{key}={most}"
    return None


def other_run(file: str | Path, updates: int, limit: str) -> str:
    """Return the message for another run's checkpoint with nothing left to train."""
    return (
        f"checkpoint.resume_file={file} continues a run that has made {updates} updates, and "
        f"{limit} is reached: nothing would be trained. Type a larger {_key(limit)} to continue "
        "it; checkpoint.reset.all=true to train its weights as a new run; "
        'checkpoint.resume_pretrained=true "checkpoint.pretrained_state_mapping='
        '{network: network}" to begin a new run with parts of them; or run_type=test to score it'
    )


def own_run(updates: int, limit: str) -> str:
    """Return the message for a run that is resumed after its end."""
    return (
        f"checkpoint.resume: the run has made its {updates} updates ({limit}): nothing is left to "
        f"train, and its best checkpoint is scored. To train on, type a larger {_key(limit)}"
    )


def _key(limit: str) -> str:
    return limit.partition("=")[0]
