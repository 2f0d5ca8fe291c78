"""One installed set of weights in use: its parts on the device when they are needed, embeddings kept."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.adapters import Adapter, fused
from filmgate.engines.diffusers.catalog import Installed
from filmgate.engines.diffusers.library import pipeline_with
from filmgate.engines.diffusers.loading import load_module, load_scheduler
from filmgate.engines.diffusers.profiles import Profile
from filmgate.engines.diffusers.residency import PartKey, Residency
from filmgate.engines.diffusers.tuned.linear import use_16_bit_linears
from filmgate.engines.diffusers.tuned.tune import tune

__all__ = ["Suite"]

_EXACT_PARTS = {"wan": ("vae", "image_encoder"), "qwen-edit": ()}
"""What runs in float32 whatever the rest does, as the models' authors have it."""
_EXPERTS = ("transformer", "transformer_2")
_EMBEDDINGS_KEPT = 32
"""Of 4 MB each with the real text encoder. Negative prompts hardly ever change."""


class Suite:
    """The parts of one set. `dtype` is None for what suits the device: bfloat16 on a card, float32 on a CPU.

    `lean` is whether the VAE works in tiles, which takes less memory.
    """

    def __init__(
        self,
        installed: Installed,
        residency: Residency,
        device: torch.device,
        profile: Profile,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.installed = installed
        self.device = device
        self.dtype = dtype or (torch.bfloat16 if device.type == "cuda" else torch.float32)
        self.lean = False
        self.ran: dict[str, tuple[str, ...]] = {}
        """What the profile came to for each part that was loaded, in words."""
        self._profile = profile
        self._residency = residency
        self._embeddings: OrderedDict[str, torch.Tensor] = OrderedDict()

    @contextmanager
    def use(self, part: str) -> Iterator[Any]:
        """The module of this name, on the device at least until the block ends."""
        key: PartKey = (str(self.installed.folder.parent), self.installed.weights.name, part)
        with self._residency.use(key, lambda: self._load(part)) as module:
            if part == "vae":
                module.use_tiling = self.lean
            yield module

    def _load(self, part: str) -> nn.Module:
        exact = part in _EXACT_PARTS[self.installed.weights.kind]
        module = load_module(self.installed, part, torch.float32 if exact else self.dtype)
        if self._profile.distilled and part in _EXPERTS:
            module = self._distilled(module, _EXPERTS.index(part))
        self.ran[part] = tune({part: module}, self._profile, self.device)
        return module

    def _distilled(self, transformer: nn.Module, expert: int) -> nn.Module:
        """The transformer with the adapter that lets it do with a few steps."""
        pack = self.installed.weights.distilled
        if pack is None:
            raise EngineFailure(
                f"No distilled adapter is known for {self.installed.weights.title}.", code="profile_unsupported"
            )
        files = pack.paths(self.installed.folder.parent)
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise EngineFailure(
                f"The profile {self._profile.name} needs {', '.join(missing)} in the folder loras of the weights: "
                f"run `filmgate weights pull {self.installed.weights.name} --distilled`, "
                f"which gets it from {pack.repository}.",
                code="weights_missing",
            )
        # An adapter cannot be added to 8-bit numbers; those profiles that want them convert the sum.
        use_16_bit_linears(transformer)
        pipeline = pipeline_with(self.installed.weights.kind, transformer=transformer)
        return fused(pipeline, Adapter("distilled", files), expert)

    def scheduler(self, **changes: Any) -> Any:
        return load_scheduler(self.installed, **changes)

    def embedding(self, text: str, embed: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The text's embedding, made by `embed` unless it is remembered."""
        if text not in self._embeddings:
            self._embeddings[text] = embed().cpu()
            if len(self._embeddings) > _EMBEDDINGS_KEPT:
                self._embeddings.popitem(last=False)
        self._embeddings.move_to_end(text)
        return self._embeddings[text].to(self.device)
