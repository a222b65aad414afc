"""The sections of MMF: keys that this package adds to them, and ranges of some that MMF has.

The classes whose names begin with ``Own`` hold what MMF lacks and this package reads, with the
defaults. The others add keys of MMF, whose defaults (here null) are MMF's.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mmf_cmsbert.config.schemas.section import Expected, OpenSection, Section
from mmf_cmsbert.config.schemas.values import Switch

_Count = Annotated[int, Field(ge=1, le=10**9)]
_Batch = Annotated[int, Field(ge=1, le=2**16)]
Precision = Literal["fp32", "tf32", "bf16", "fp16"]
# Those of Lightning -> those of training.precision.
_LIGHTNING_PRECISIONS = {"32": "fp32", "bf16": "bf16", "16": "fp16"}
UPDATES, EPOCHS = "max_updates", "max_epochs"
_RUN_TYPES = ("train", "val", "test", "inference", "predict")


def _as_general(value: Any) -> Any:
    return None if value is None else _LIGHTNING_PRECISIONS.get(str(value), value)


# A reference, which is replaced by its value before the section is read.
_PROGRESS_BAR: Any = "${training.progress_bar}"


class LightningConfig(Section):
    """``training.lightning``"""

    precision: Annotated[
        Literal["fp32", "bf16", "fp16"] | None,
        BeforeValidator(_as_general),
        Expected("32, bf16 or 16, or null"),
    ] = Field(
        default=None,
        description="null: that of training.precision. 32, bf16 or 16, for this trainer only.",
    )
    accumulate_grad_batches: _Batch = Field(
        default=1, description="The same as training.update_frequency, for this trainer only."
    )
    devices: Annotated[
        Literal["auto"]
        | Annotated[int, Field(ge=1, le=1024)]
        | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)],
        Expected("a number, a list of GPUs as in [0, 1], or auto"),
    ] = Field(
        default="auto",
        description="Processes on this machine, one a GPU: a number, a list of GPUs, or auto for "
        "all GPUs. They share each batch: batch_size is that of all together.",
    )
    num_nodes: Annotated[int, Field(ge=1, le=4096)] = Field(
        default=1,
        description="Machines; the same command is started on each, by torchrun, Slurm, or with "
        "MASTER_ADDR, MASTER_PORT and NODE_RANK in the environment.",
    )
    strategy: Literal["auto", "ddp"] = Field(
        default="auto", description="auto, or ddp also where there is one process."
    )
    progress_bar: Switch = Field(
        default=_PROGRESS_BAR,
        description="Progress bars of this trainer only: auto, true or false.",
    )


class OwnTraining(Section):
    """``training``"""

    precision: Precision = Field(
        default="fp32",
        description="Of forward and backward pass: fp32; bf16, in bfloat16 where that does no harm "
        "(autocast), also on a CPU; on a GPU tf32, or fp16 with a scaled loss. Weights, their "
        "average, scores, losses and metrics are fp32 in each of them.",
    )
    progress_bar: Switch = Field(
        default="auto",
        description="Bars with updates, loss, learning rate, time left and the validation. auto: "
        "on a terminal, and plain lines elsewhere; true or false.",
    )
    detect_anomaly: bool = Field(
        default=False,
        description="Run under autograd's anomaly detection, which names the operation behind a "
        "NaN gradient. Several times slower.",
    )
    update_frequency: _Batch | None = Field(
        default=1,
        description="Batches whose gradients make one update, under every trainer: the gradients "
        "of one large batch for losses that are means. multimodal_contrastive compares the "
        "segments of each batch only.",
    )
    max_grad_l2_norm: Annotated[float, Field(ge=0, le=10**9)] | None = Field(
        default=None,
        description="Largest norm of all gradients together; longer ones are cut to it. Only with "
        "training.clip_gradients.",
    )
    stdout_capture: bool | None = Field(
        default=True,
        description="Whether rc10 hides its log from the terminal; main does not read it, and "
        "never hides the log.",
    )
    lightning: LightningConfig = Field(
        default=LightningConfig(),
        description="For training.trainer=lightning_cmsbert, which makes the updates with "
        "pytorch-lightning.",
    )


class EarlyStop(Section):
    """``training.early_stop``"""

    patience: Annotated[int, Field(ge=0, le=10**9)] | None = Field(
        default=None, description="Updates without a better validation after which a run ends."
    )


class Training(OwnTraining):
    """``training``"""

    seed: Annotated[int, Field(ge=-1, le=2**32 - 1)] | None = Field(
        default=None,
        description="The same seed gives the same numbers on one machine. -1 draws one.",
    )
    batch_size: _Batch | None = Field(default=None, description="Segments of one forward pass.")
    max_updates: _Count | None = Field(
        default=None, description="Updates of a run. null where training.max_epochs is set."
    )
    max_epochs: _Count | None = Field(
        default=None,
        description="Passes over the data of a run. null where training.max_updates is set.",
    )
    log_interval: _Count | None = Field(
        default=None, description="Updates between two lines of the log."
    )
    evaluation_interval: _Count | None = Field(
        default=None, description="Updates between two validations."
    )
    checkpoint_interval: _Count | None = Field(
        default=None,
        description="Updates between two checkpoints besides those of each validation.",
    )
    num_workers: Annotated[int, Field(ge=0, le=256)] | None = Field(
        default=None, description="Processes that read data."
    )
    early_stop: EarlyStop = Field(
        default=EarlyStop(), description="When a run ends before its length."
    )

    @model_validator(mode="after")
    def _has_a_length(self) -> "Training":
        if self.max_updates is None and self.max_epochs is None:
            raise ValueError(
                "training.max_updates and training.max_epochs are both null; type "
                "training.max_updates=NUMBER or training.max_epochs=NUMBER"
            )
        return self


class OwnEvaluation(Section):
    """``evaluation``"""

    precision: Precision = Field(
        default="fp32",
        description="Of validation, test and predictions; the same values as training.precision.",
    )


class OwnCheckpoint(Section):
    """``checkpoint``"""

    max_to_keep: Annotated[int, Field(ge=-1, le=10**9)] | None = Field(
        default=-1,
        description="Besides best.ckpt and current.ckpt, keep this many of models/model_N.ckpt, "
        "the newest ones: -1 all of them, 0 none.",
    )
    export: bool = Field(
        default=True,
        description="Whether a finished run of cmsbert writes its best model to the folder model "
        "in env.save_dir, as cmsbert export does.",
    )


class OwnEnv(Section):
    """``env``"""

    overwrite: bool = Field(
        default=False,
        description="Whether a run replaces an earlier one in env.save_dir; otherwise such a "
        "folder is refused.",
    )


class OptimizerParams(OpenSection):
    """``optimizer.params``"""

    lr: Annotated[float, Field(ge=0, le=1e3)] | None = Field(
        default=None, description="Learning rate."
    )


class Optimizer(Section):
    """``optimizer``"""

    type: Any = Field(default=None, description="An optimizer of torch.optim or of MMF.")
    params: OptimizerParams = Field(default=OptimizerParams(), description="Its arguments.")


class SchedulerParams(OpenSection):
    """``scheduler.params``"""


class Scheduler(Section):
    """``scheduler``"""

    type: Any = Field(default=None, description="A schedule of the learning rate, by MMF's name.")
    params: SchedulerParams = Field(default=SchedulerParams(), description="Its arguments.")


def _parts(run_type: str) -> str:
    if any(part not in _RUN_TYPES for part in run_type.replace("+", "_").split("_")):
        raise ValueError(
            f"{{key}} is {run_type!r}; expected some of {', '.join(_RUN_TYPES)}, as in "
            "{key}=train_inference"
        )
    return run_type


class RunConfig(Section):
    """The top level"""

    run_type: Annotated[str, AfterValidator(_parts)] = Field(
        default="train_inference",
        description="What a run does: some of train, val, test, inference and predict.",
    )


# What this package adds to MMF's configuration.
OWN: dict[str, type[Section]] = {
    "env": OwnEnv,
    "training": OwnTraining,
    "evaluation": OwnEvaluation,
    "checkpoint": OwnCheckpoint,
}
# Sections of MMF whose keys, or some of them, are known.
OF_MMF: dict[str, type[Section]] = OWN | {
    "training": Training,
    "optimizer": Optimizer,
    "scheduler": Scheduler,
}
