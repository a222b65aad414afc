"""One pass over a DataLoader, which can be resumed in the middle."""

from collections.abc import Iterator
from typing import Any

from mmf_cmsbert.checkpoints import generators


class BatchStream:
    """One pass over one DataLoader, opened at the first batch.

    Args:
        loader: the DataLoader.
        start: the generators' states when the pass began; None for a new pass.
        drawn: number of batches drawn so far.
        endless: whether another pass follows at the end.
    """

    def __init__(
        self,
        loader: Any,
        start: dict[str, Any] | None = None,
        drawn: int = 0,
        endless: bool = False,
    ):
        self.loader = loader
        self.start = start
        self.drawn = drawn
        self.endless = endless
        self._iterator: Iterator[Any] | None = None

    def __iter__(self) -> "BatchStream":
        return self

    def __next__(self) -> Any:
        iterator = self._open() if self._iterator is None else self._iterator
        try:
            batch = next(iterator)
        except StopIteration:
            if not self.endless or self.drawn == 0:
                raise
            self.start, self.drawn = None, 0
            batch = next(self._open())
        self.drawn += 1
        return batch

    def _open(self) -> Iterator[Any]:
        if self.start is None:
            self.start = generators.capture()
            self._iterator = iter(self.loader)
            return self._iterator
        # The order of the samples, and the seeds of worker processes, are drawn when a pass
        # begins. Going through it again from there gives the same order; what the model drew in
        # between does not matter to it.
        now = generators.capture()
        generators.restore(self.start)
        self._iterator = iterator = iter(self.loader)
        for _ in range(self.drawn):
            next(iterator)
        generators.restore(now)
        return iterator

    def position(self) -> dict[str, Any]:
        """Return the arguments of a BatchStream that resumes here, as plain values."""
        return {"start": self.start, "drawn": self.drawn}

    def close(self) -> None:
        """Release the DataLoader's iterator and workers, but keep the position."""
        self._iterator = None
