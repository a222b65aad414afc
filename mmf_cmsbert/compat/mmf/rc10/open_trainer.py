"""MMF 1.0.0rc10's trainer for another training loop."""

from typing import Any

from mmf.common.registry import registry
from mmf.utils.general import clip_gradients
from torch import Tensor

from mmf_cmsbert.compat.mmf.rc10.trainer import Trainer


class OpenTrainer(Trainer):
    """A trainer whose training loop is replaced; see `mmf.main.open_trainer`."""

    def _set_device(self) -> None:
        self.set_device()
        self.distributed = False  # MMF must not wrap the model
        registry.register("global_device", self.device)
        registry.register("current_device", self.device)

    def parallelize_model(self) -> None:
        pass

    def training_loop(self) -> None:
        self.make_updates(*self.resume_training())
        if self.train_loader.epoch is not None:
            self.train_loader.epoch.close()

    def loss(self, batch: Any) -> Tensor:
        self.current_iteration += 1
        self.report = self._forward_pass(batch)
        return self._extract_loss(self.report)

    def clip(self) -> None:
        if self.should_clip_gradients:
            clip_gradients(self.model, self.num_updates, self.tb_writer, self.config)

    def updated(self) -> bool:
        self._run_scheduler()
        self.num_updates += 1
        return self._logistics(self.report)
