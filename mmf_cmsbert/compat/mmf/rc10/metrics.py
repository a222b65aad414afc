"""Params of metrics, and F1 of samples with several labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmf.common.registry import registry
from mmf.modules.metrics import F1, Metrics
from torch import Tensor

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import ConfigError


@patch(
    "mmf.modules.metrics.F1",
    "rc10",
    why="It uses the largest of several labels. Of equal ones torch 1.5 returned the last, newer "
    "releases return the first.",
    remove_when="support for rc10 ends.",
)
def take_last_of_equals() -> None:
    original = F1.calculate

    def calculate(
        self: F1, sample_list: Any, model_output: Any, *args: Any, **kwargs: Any
    ) -> Tensor:
        expected = sample_list["targets"]
        if not self._multilabel and expected.dim() != 1:
            sample_list = {"targets": _last_largest(expected)}
        return original(self, sample_list, model_output, *args, **kwargs)

    F1.calculate = calculate


@patch(
    "mmf.modules.metrics.Metrics",
    "rc10",
    why="It drops the params of a metric, its key, and the datasets that it is limited to. Of two "
    "metrics of the same type, only the last is computed.",
    remove_when="support for rc10 ends.",
)
def honour_entries() -> None:
    original = Metrics.__call__

    def _init_metrics(self: Metrics, entries: Sequence[Any]) -> dict[str, Any]:
        self.required_params = {"dataset_name", "dataset_type"}
        metrics: dict[str, Any] = {}
        for entry in entries:
            name, key, params, datasets = _parts(entry)
            found = registry.get_metric_class(name)
            if found is None:
                raise ValueError(f"No metric named {name} registered to registry")
            if key in metrics:
                raise ConfigError(
                    f"evaluation.metrics: two metrics have the key {key}; set another for one of "
                    f"them, as in {{type: {name}, key: NAME, params: {{...}}}}"
                )
            metrics[key] = found(**params)
            metrics[key].name = key
            metrics[key].is_dataset_applicable = lambda each, own=datasets: not own or each in own
            self.required_params.update(metrics[key].required_params)
        return metrics

    def __call__(self: Metrics, sample_list: Any, *args: Any, **kwargs: Any) -> Any:
        everything = self.metrics
        name = sample_list.dataset_name
        self.metrics = {k: m for k, m in everything.items() if m.is_dataset_applicable(name)}
        try:
            return original(self, sample_list, *args, **kwargs)
        finally:
            self.metrics = everything

    Metrics._init_metrics, Metrics.__call__ = _init_metrics, __call__


def _parts(entry: Any) -> tuple[str, str, Mapping[str, Any], Sequence[str]]:
    """Return type, key, params and datasets of an entry of ``evaluation.metrics``."""
    if isinstance(entry, str):
        return entry, entry, {}, ()
    if not isinstance(entry, Mapping) or "type" not in entry:
        raise ConfigError(
            f"evaluation.metrics: found {entry!r}; expected a name, or {{type: NAME, key: KEY, "
            "params: {...}}"
        )
    name = str(entry["type"])
    key = str(entry.get("key") or name)
    return name, key, entry.get("params") or {}, tuple(entry.get("datasets") or ())


def _last_largest(values: Tensor) -> Tensor:
    """Return the index of the last largest value: `(batch, classes)` to `(batch,)`."""
    return values.size(-1) - 1 - values.flip(-1).argmax(dim=-1)
