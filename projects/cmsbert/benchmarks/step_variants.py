"""The variants of a training step that step.py compares, from the reference to ours."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from time import perf_counter, process_time

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.losses.contrastive import multimodal_contrastive
from mmf_cmsbert.modules.backbone import encoder_layers, load_backbone
from mmf_cmsbert.modules.network import SentimentNetwork
from mmf_cmsbert.modules.packed_backbone import ATTENTION as PACKED
from mmf_cmsbert.modules.precision import Precision
from mmf_cmsbert.modules.weight_average import WeightAverage

# Word pieces that the reference code pads every segment to.
PADDED = 50
WIDTHS = {"visual": {"mosi": 47}, "acoustic": {"mosi": 74}}
# Speed does not depend on the weights: these are random.
BACKBONES = {
    "base": {"model_type": "bert"},  # transformers' defaults are BERT-base
    "minilm": {
        "model_type": "bert",
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "intermediate_size": 1536,
    },
}
NETWORKS = {
    # MAG: words are shifted by their own frames, without a frame encoder.
    "mag": {"shift": {"context": "word"}, "frames": {"layers": 0}},
    "text": {"shift": {"context": "none"}},
    "cms": {"shift": {"context": "utterance"}},
}


@dataclass(frozen=True)
class Variant:
    """One way to compute a step.

    Attributes:
        network: one of :data:`NETWORKS`.
        padded: whether all segments are padded to 50 word pieces, not to the batch's longest.
        attention: transformers' ``eager`` or ``sdpa``, or our packed one, without padding.
        length_groups: ``backbone.length_groups``.
        fused: whether AdamW is fused; otherwise it loops over the weights, as in transformers.
        ema: whether the weights are averaged.
        precision: ``training.precision``, which also selects the library for matrix products; None
            keeps torch's defaults.
        compiled: whether torch.compile compiles the layers of the backbone.
    """

    network: str = "cms"
    padded: bool = False
    attention: str = PACKED
    length_groups: int | str = "auto"
    fused: bool = True
    ema: bool = False
    precision: str | None = "fp32"
    compiled: bool = False


REFERENCE, ALL, ALL_BF16 = "reference", "CMS + CLR, EMA", "CMS + CLR, EMA, bf16"
VARIANTS = {
    REFERENCE: Variant("mag", True, "eager", 1, False, precision=None),
    "cut to the longest": Variant("mag", False, "eager", 1, False, precision=None),
    "SDPA": Variant("mag", False, "sdpa", 1, False, precision=None),
    "fused AdamW": Variant("mag", False, "sdpa", 1, precision=None),
    "length groups": Variant("mag", False, "sdpa", "auto", precision=None),
    "packed": Variant("mag", length_groups="packed", precision=None),
    "oneDNN": Variant("mag", length_groups="packed"),
    "text only": Variant("text"),
    "CMS + CLR": Variant("cms"),
    ALL: Variant("cms", ema=True),
    ALL_BF16: Variant("cms", ema=True, precision="bf16"),
}
# Measured only if they are named: compiling takes minutes, and the last one is for a GPU.
MORE = {
    f"{ALL}, compiled": Variant("cms", ema=True, compiled=True),
    f"{ALL_BF16}, compiled": Variant("cms", ema=True, precision="bf16", compiled=True),
    # Without padding on a GPU too, where "auto" pads.
    f"{ALL_BF16}, packed": Variant("cms", length_groups="packed", ema=True, precision="bf16"),
}
PARTS = ("forward", "backward", "update", "average")


class Workbench:
    """Networks that share one backbone, and their training steps.

    Args:
        backbone: a name in :data:`BACKBONES`, or a folder with a ``config.json``.
        device: torch device, ``cpu`` or ``cuda``.
        clock: ``wall``, or ``cpu`` for the processor time of this process.
    """

    def __init__(self, backbone: str, device: str = "cpu", clock: str = "wall"):
        torch.manual_seed(1)
        self.device = torch.device(device)
        self._clock = {"wall": perf_counter, "cpu": process_time}[clock]
        self.backbone = load_backbone(from_config=BACKBONES.get(backbone, backbone))
        self._networks: dict[str, SentimentNetwork] = {}
        self._optimizers: dict[tuple[str, bool], torch.optim.AdamW] = {}
        self._averages: dict[str, WeightAverage] = {}

    def batch(self, lengths: Sequence[int], padded: bool, seed: int = 0) -> dict:
        """Return random words and frames for segments of these lengths, one frame per word."""
        random = torch.Generator().manual_seed(seed)
        pieces = torch.tensor(lengths)
        width = PADDED if padded else max(lengths)
        at = torch.arange(width)
        mask, words = at < pieces[:, None], pieces[:, None] - 2
        # Without [CLS] and [SEP]. Drawn at full width, so that padding changes no value.
        shape = (len(lengths), PADDED)
        ids = torch.randint(self.backbone.config.vocab_size, shape, generator=random)[:, :width]
        frame_mask = at < words
        frames = {
            modality: torch.randn(*shape, each["mosi"], generator=random)[:, :width]
            * frame_mask.unsqueeze(-1)
            for modality, each in WIDTHS.items()
        }
        inputs = {
            "input_ids": ids * mask,
            "input_mask": mask.long(),
            "word_index": torch.where((at > 0) & (at <= words), at - 1, -1),
        }
        targets = torch.rand(len(lengths), 1, generator=random) * 6 - 3
        on_device = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        return on_device | {
            "frames": {m: each.to(self.device) for m, each in frames.items()},
            "frame_masks": {m: frame_mask.to(self.device) for m in frames},
            "targets": targets.to(self.device),
        }

    def train(self, variant: Variant, batch: Mapping) -> dict[str, float]:
        """Make one step; return seconds of each of :data:`PARTS`, and share of ``padding``."""
        network, optimizer = self._network(variant).train(), self._optimizer(variant)
        average = self._average(variant)
        times = [self._now()]
        with self._products(variant):
            with self._counted() as pieces, self._autocast(variant):
                loss = self._loss(network, variant, batch)
            times.append(self._now())
            loss.backward()
        times.append(self._now())
        if variant.network != "mag":  # our recipes clip gradients, MAG's script does not
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        times.append(self._now())
        if average is not None:
            average.update_parameters(network)
        times.append(self._now())
        found = {part: b - a for part, a, b in zip(PARTS, times, times[1:], strict=False)}
        return found | {"padding": 1 - int(batch["input_mask"].sum()) / sum(pieces)}

    def evaluate(self, variant: Variant, batches: Sequence[Mapping]) -> float:
        """Return the seconds for all batches."""
        network = self._network(variant).eval()
        context = torch.no_grad() if variant.padded else torch.inference_mode()
        begun = self._now()
        with context, self._products(variant), self._autocast(variant):
            for batch in batches:
                _compute(network, batch)
        return self._now() - begun

    def gpu_share(self, variant: Variant, batch: Mapping) -> float:
        """Return the share of a step's time in which the GPU computes; one stream, no overlap."""
        with profile(activities=[ProfilerActivity.CUDA]) as profiled:
            begun = self._now()
            self.train(variant, batch)
            seconds = self._now() - begun
        kernels = sum(event.self_device_time_total for event in profiled.key_averages())
        return kernels / 1e6 / seconds

    def _products(self, variant: Variant) -> AbstractContextManager:
        if variant.precision is None:
            return nullcontext()
        return Precision(variant.precision).products(self.device, self.backbone)

    def _autocast(self, variant: Variant) -> AbstractContextManager:
        return Precision(variant.precision or "fp32").autocast(self.device)

    @contextmanager
    def _counted(self) -> Iterator[list[int]]:
        """Yield a list that collects the number of word pieces, with padding, of each encoding."""
        counts: list[int] = []
        handle = self.backbone.embeddings.register_forward_hook(
            lambda _module, _inputs, output: counts.append(output.shape[:-1].numel())
        )
        try:
            yield counts
        finally:
            handle.remove()

    def _network(self, variant: Variant) -> SentimentNetwork:
        name = variant.network
        if name not in self._networks:
            network = SentimentNetwork(self.backbone, WIDTHS, CMSBERTConfig(**NETWORKS[name]))
            self._networks[name] = network.to(self.device)
        network = self._networks[name]
        backbone = network.settings.backbone.model_copy(
            update={"length_groups": variant.length_groups}
        )
        network.settings = network.settings.model_copy(update={"backbone": backbone})
        self.backbone.set_attn_implementation(variant.attention)
        for layer in encoder_layers(self.backbone):
            layer._compiled_call_impl = None
            if variant.compiled:
                layer.compile(dynamic=True)
        return network

    def _optimizer(self, variant: Variant) -> torch.optim.AdamW:
        key = variant.network, variant.fused
        if key not in self._optimizers:
            # Weights that do not affect the loss of this network get no gradient and no update.
            self._optimizers[key] = torch.optim.AdamW(
                self._networks[variant.network].parameters(),
                lr=1e-5,
                weight_decay=0.01,
                fused=variant.fused,
                foreach=False if not variant.fused else None,
            )
        return self._optimizers[key]

    def _average(self, variant: Variant) -> WeightAverage | None:
        if variant.ema and variant.network not in self._averages:
            network = self._networks[variant.network]
            self._averages[variant.network] = WeightAverage(network, 0.99)
        return self._averages[variant.network] if variant.ema else None

    def _loss(self, network: SentimentNetwork, variant: Variant, batch: Mapping) -> Tensor:
        output, targets = _compute(network, batch), batch["targets"]
        if variant.network == "mag":
            return F.mse_loss(output.logits, targets)
        loss = F.l1_loss(output.logits, targets)
        if variant.network == "cms":
            pairs = [("text", "visual"), ("text", "acoustic")]
            loss = loss + 0.1 * multimodal_contrastive(
                output.embeddings, pairs, 0.07, 0.1, output.present
            )
        return loss

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self._clock()


def _compute(network: SentimentNetwork, batch: Mapping):
    inputs = {name: value for name, value in batch.items() if name != "targets"}
    return network(**inputs, dataset="mosi")
