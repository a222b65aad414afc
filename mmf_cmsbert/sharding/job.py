"""A job of an engine that makes several shards."""

from dataclasses import dataclass
from pathlib import Path

from mmf_cmsbert.sharding import work
from mmf_cmsbert.sharding.plan import FOLDER, Plan, read_plan


@dataclass(frozen=True)
class ShardJob:
    """A job; a :class:`~mmf_cmsbert.experiments.engines.engine.Task`.

    Attributes:
        output: the folder of results.
        number: its number in the plan.
        shards: the outputs of its shards.
        weight: number of its shards that are not done.
    """

    output: Path
    number: int
    shards: tuple[str, ...]
    weight: int

    @property
    def label(self) -> str:
        first, *_, last = (*self.shards[:1], *self.shards)
        return f"job {self.number} ({first}{f' to {last}' if last != first else ''})"

    @property
    def folder(self) -> Path:
        return self.output / FOLDER / "jobs" / f"{self.number:04}"

    @property
    def log(self) -> Path:
        return self.folder / "output.log"

    @property
    def words(self) -> tuple[str, ...]:
        return str(self.output.resolve()), str(self.number)

    @property
    def entry(self) -> str:
        return work.ENTRY

    def recorded_error(self) -> None:
        return None  # errors are recorded by shard

    def missing(self) -> str | None:
        if left := sum(each.result is None for each in self._plan().of_job(self.number)):
            return f"ended without the results of {left} shards"
        return None

    def result(self) -> str:
        shards = self._plan().of_job(self.number)
        rows = sum(each.result["rows"] for each in shards if each.result)
        return f"{len(shards)} shards, {rows:,} rows"

    def _plan(self) -> Plan:
        plan = read_plan(self.output)
        assert plan is not None, self.output
        return plan.with_results()[0]
