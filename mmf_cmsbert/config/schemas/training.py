"""Sections of MMF: keys that this package adds, and ranges of some of MMF's keys.

Classes whose names begin with ``Own`` contain the keys that this package adds, with defaults. The
other classes also contain keys of MMF; their default here is None, and MMF's default applies.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mmf_cmsbert.config.schemas.section import Expected, OpenSection, Section
from mmf_cmsbert.config.schemas.values import Switch

_Count = Annotated[int, Field(ge=1, le=10**9)]
_Batch = Annotated[int, Field(ge=1, le=2**16)]
Precision = Literal["fp32", "tf32", "bf16", "fp16"]
# Names of Lightning -> names of training.precision.
_LIGHTNING_PRECISIONS = {"32": "fp32", "bf16": "bf16", "16": "fp16"}
UPDATES, EPOCHS = "max_updates", "max_epochs"
_RUN_TYPES = ("train", "val", "test", "inference", "predict")


def _as_general(value: Any) -> Any:
    return None if value is None else _LIGHTNING_PRECISIONS.get(str(value), value)


# A reference that is resolved before the section is validated.
_PROGRESS_BAR: Any = "${training.progress_bar}"


class LightningConfig(Section):
    """``training.lightning``"""

    precision: Annotated[
        Literal["fp32", "bf16", "fp16"] | None,
        BeforeValidator(_as_general),
        Expected("32, bf16 or 16, or null"),
    ] = Field(
        default=None,
        description="32, bf16 or 16, for this trainer only. null: training.precision applies.",
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
        description="Processes on this machine, one per GPU: a number, a list of GPUs, or auto for "
        "all GPUs. Each batch of batch_size samples is divided among them.",
    )
    num_nodes: Annotated[int, Field(ge=1, le=4096)] = Field(
        default=1,
        description="Number of machines. Start the same command on each, by torchrun, by Slurm, or "
        "with MASTER_ADDR, MASTER_PORT and NODE_RANK in the environment.",
    )
    strategy: Literal["auto", "ddp"] = Field(
        default="auto", description="auto (ddp for several processes) | ddp (always)."
    )
    progress_bar: Switch = Field(
        default=_PROGRESS_BAR,
        description="Progress bars, for this trainer only: auto, true or false.",
    )


class WandbConfig(OpenSection):
    """``training.wandb``"""

    enabled: bool = Field(default=False, description="The same as wandb in training.trackers.")
    entity: str | None = Field(default=None, description="User or team that the run belongs to.")
    project: str | None = Field(
        default="mmf",
        description="Project of the run. Other keys are arguments of wandb.init as well.",
    )


class OwnTraining(Section):
    """``training``"""

    precision: Precision = Field(
        default="fp32",
        description="Precision of the forward and backward pass: fp32 | bf16 (autocast, CPU or "
        "GPU) | tf32 (GPU) | fp16 (autocast with loss scaling, GPU). Weights, their average, "
        "scores, losses and metrics are always fp32.",
    )
    progress_bar: Switch = Field(
        default="auto",
        description="Progress bars with updates, loss, learning rate, remaining time and "
        "validation scores: auto (on a terminal only) | true | false.",
    )
    verbose: bool = Field(
        default=False,
        description="Whether the console shows MMF's whole log, with the model's layers; --verbose "
        "sets it. Otherwise a terminal shows a summary, and a file MMF's lines without the layers. "
        "The log file in env.save_dir has everything in any case.",
    )
    detect_anomaly: bool = Field(
        default=False,
        description="Whether to use autograd's anomaly detection, which reports the operation that "
        "causes a NaN gradient. Several times slower.",
    )
    update_frequency: _Batch | None = Field(
        default=1,
        description="Number of batches whose gradients are accumulated for an update, for every "
        "trainer. For losses that are means, the gradients equal those of one large batch. "
        "multimodal_contrastive compares only segments of the same batch.",
    )
    max_grad_l2_norm: Annotated[float, Field(ge=0, le=10**9)] | None = Field(
        default=None,
        description="Largest norm of the gradients, to which they are clipped if "
        "training.clip_gradients is true.",
    )
    stdout_capture: bool | None = Field(
        default=True,
        description="Whether rc10 hides its log from the terminal. Main ignores this key and "
        "always shows the log.",
    )
    report: bool = Field(
        default=False,
        description="Whether a finished run writes its report to report.html in env.save_dir, as "
        "cmsbert report does: scores, curves, errors and each test segment.",
    )
    trackers: list[Literal["tensorboard", "wandb", "mlflow"]] = Field(
        default=[],
        description="Experiment trackers: tensorboard, wandb, mlflow. Each gets losses, learning "
        "rates, metrics, and what the model says of itself.",
    )
    wandb: WandbConfig = Field(default=WandbConfig(), description="For Weights & Biases.")
    lightning: LightningConfig = Field(
        default=LightningConfig(),
        description="Settings for training.trainer=lightning_cmsbert, which trains with "
        "pytorch-lightning.",
    )


class EarlyStop(Section):
    """``training.early_stop``"""

    patience: Annotated[int, Field(ge=0, le=10**9)] | None = Field(
        default=None,
        description="Number of updates without a better validation after which training stops. "
        "null: those of five epochs.",
    )


class Training(OwnTraining):
    """``training``"""

    seed: Annotated[int, Field(ge=-1, le=2**32 - 1)] | None = Field(
        default=None,
        description="Seed of all random numbers. Runs with the same seed on the same machine are "
        "identical. -1: a random seed.",
    )
    batch_size: _Batch | None = Field(
        default=None, description="Number of segments in a forward pass."
    )
    max_updates: _Count | None = Field(
        default=None, description="Updates of a run. null if training.max_epochs is set."
    )
    max_epochs: _Count | None = Field(
        default=None,
        description="Epochs of a run. null if training.max_updates is set.",
    )
    log_interval: _Count | None = Field(
        default=None,
        description="Number of updates between two lines of the log. null: those of an epoch.",
    )
    evaluation_interval: _Count | None = Field(
        default=None,
        description="Number of updates between two validations. null: those of an epoch.",
    )
    checkpoint_interval: _Count | None = Field(
        default=None,
        description="Number of updates between two checkpoints, in addition to those of each "
        "validation.",
    )
    num_workers: Annotated[int, Field(ge=0, le=256)] | None = Field(
        default=None, description="Number of processes that load data."
    )
    early_stop: EarlyStop = Field(default=EarlyStop(), description="Early stopping.")

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
        description="Precision of validation, test and predictions; values as for "
        "training.precision.",
    )


class Evaluation(OwnEvaluation):
    """``evaluation``"""

    predict_file_format: Literal["csv", "json"] | None = Field(
        default=None, description="Format of the file that mmf_predict writes."
    )


class OwnCheckpoint(Section):
    """``checkpoint``"""

    max_to_keep: Annotated[int, Field(ge=-1, le=10**9)] | None = Field(
        default=-1,
        description="Number of snapshots models/model_N.ckpt to keep, the newest ones, in addition "
        "to best.ckpt and current.ckpt: -1 all, 0 none.",
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
        description="Whether a run may replace an earlier one in env.save_dir. If false, a folder "
        "with a run is refused.",
    )


class OptimizerParams(OpenSection):
    """``optimizer.params``"""

    lr: Annotated[float, Field(ge=0, le=1e3)] | None = Field(
        default=None, description="Learning rate."
    )


class Optimizer(Section):
    """``optimizer``"""

    type: Any = Field(default=None, description="Name of an optimizer of torch.optim or of MMF.")
    params: OptimizerParams = Field(
        default=OptimizerParams(), description="Arguments of the optimizer."
    )


class SchedulerParams(OpenSection):
    """``scheduler.params``"""


class Scheduler(Section):
    """``scheduler``"""

    type: Any = Field(default=None, description="Registered name of a learning rate schedule.")
    params: SchedulerParams = Field(
        default=SchedulerParams(), description="Arguments of the schedule."
    )


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
        description="The parts of a run: some of train, val, test, inference and predict.",
    )


# Keys that this package adds to MMF's configuration.
OWN: dict[str, type[Section]] = {
    "env": OwnEnv,
    "training": OwnTraining,
    "evaluation": OwnEvaluation,
    "checkpoint": OwnCheckpoint,
}
# Sections of MMF with keys that are checked.
OF_MMF: dict[str, type[Section]] = OWN | {
    "training": Training,
    "evaluation": Evaluation,
    "optimizer": Optimizer,
    "scheduler": Scheduler,
}
