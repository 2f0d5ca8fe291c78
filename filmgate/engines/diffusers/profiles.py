"""The speed profiles: what each changes of the library's own maths, in declarations and in sentences.

`exact` is what the others are measured against. A profile names what it would like; whether the device and the
installed parts can do it is found out when a model is loaded (`tuned.tune`), which says what runs in the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from filmgate.domain.errors import StartupError

__all__ = ["BALANCED", "CACHED", "EXACT", "FAST", "PROFILES", "Profile", "find_profile"]

_ATTENTION = ("fa3", "cudnn", "flash", "sdpa")
_ATTENTION_8_BIT = ("fa3-fp8", *_ATTENTION)


@dataclass(frozen=True, slots=True)
class Profile:
    """How models are run. `changes` are the differences to `exact`, a sentence each.

    `distilled`: few steps with a distilled adapter and without guidance, so a negative prompt has no effect and the
    result says so. `attention` are kernels, the first that runs is used; none keeps the library's. `step_cache` is the
    relative change of the first block's output below which a step reuses the step before, 0 for never. `tf32` lets
    leftover float32 products round their factors to 10 bits.
    """

    name: str
    changes: tuple[str, ...] = ()
    distilled: bool = False
    attention: tuple[str, ...] = ()
    fp8_linears: bool = False
    fused: bool = False
    tuned_vae: bool = False
    step_cache: float = 0.0
    tf32: bool = False


_TUNED_CHANGES = (
    "The linear layers of the transformer's blocks multiply 8-bit numbers (e4m3), scaled by row.",
    "Norms, modulation, gates and rotary embedding are computed in fused kernels where Triton is there.",
    "The VAE keeps no state and works in bfloat16 on a CUDA device.",
    "Leftover float32 products use TF32.",
)
_ATTENTION_CHANGE = "Attention uses the fastest 16-bit kernel that runs: FlashAttention 3, cuDNN, or torch's flash."
_ATTENTION_8_BIT_CHANGE = (
    "Self-attention uses FlashAttention 3 in 8 bits where it runs, else the fastest 16-bit kernel."
)

EXACT = Profile("exact")
BALANCED = Profile(
    "balanced",
    changes=(_ATTENTION_CHANGE, *_TUNED_CHANGES),
    attention=_ATTENTION,
    fp8_linears=True,
    fused=True,
    tuned_vae=True,
    tf32=True,
)
CACHED = Profile(
    "balanced-cached",
    changes=(
        *BALANCED.changes,
        "A step that changes the first block's output by less than 8 % reuses the step before; "
        "a request that is resumed after a crash may end in other frames.",
    ),
    attention=_ATTENTION,
    fp8_linears=True,
    fused=True,
    tuned_vae=True,
    step_cache=0.08,
    tf32=True,
)
FAST = Profile(
    "fast",
    changes=(
        "Few steps with a distilled adapter, and no guidance: a negative prompt has no effect, motion may be calmer.",
        _ATTENTION_8_BIT_CHANGE,
        *_TUNED_CHANGES,
    ),
    distilled=True,
    attention=_ATTENTION_8_BIT,
    fp8_linears=True,
    fused=True,
    tuned_vae=True,
    tf32=True,
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (EXACT, BALANCED, CACHED, FAST)}
)


def find_profile(name: str) -> Profile:
    """The profile of this name. Raises StartupError (`profile_unknown`)."""
    if name not in PROFILES:
        raise StartupError(
            f"There is no speed profile {name}; set profile to one of {', '.join(PROFILES)}.", code="profile_unknown"
        )
    return PROFILES[name]
