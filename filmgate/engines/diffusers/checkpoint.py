"""What a job keeps every few steps, so that another attempt goes on from there and ends in the same frames.

One safetensors file: the latents of the segments that are done, the state of the one under way, and a fingerprint of
everything that the frames depend on. A file of another job, another version or other weights is not taken up.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from filmgate.engines.diffusers.sampling import Sampling

__all__ = ["Kept", "fingerprint", "read_checkpoint", "write_checkpoint"]


@dataclass(frozen=True, slots=True)
class Kept:
    """`done` are the latents of the finished segments in order, `sampling` is the state of the next one."""

    done: tuple[torch.Tensor, ...] = ()
    sampling: Sampling | None = None


def fingerprint(facts: dict[str, Any], pictures: tuple[Path, ...]) -> str:
    """The sha256 of all that the frames depend on: plain facts and the bytes of the input pictures."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for picture in pictures:
        digest.update(picture.read_bytes())
    return digest.hexdigest()


def write_checkpoint(path: Path, job: str, kept: Kept) -> None:
    """Writes `kept` for the job with this fingerprint."""
    tensors = {f"done.{place}": latents for place, latents in enumerate(kept.done)}
    said: dict[str, Any] = {"done": len(kept.done)}
    if kept.sampling is not None:
        tensors["latents"] = kept.sampling.latents
        tensors |= {f"scheduler.{name}": tensor for name, tensor in kept.sampling.tensors.items()}
        said |= {"step": kept.sampling.step, "numbers": kept.sampling.numbers}
    # Tensors of a scheduler may share memory, which the format does not hold.
    save_file(
        {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()},
        path,
        metadata={"job": job, "state": json.dumps(said)},
    )


def read_checkpoint(path: Path | None, job: str) -> Kept | None:
    """What an earlier attempt at this very job kept; None when there is nothing that fits it."""
    if path is None:
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("job") != job:
                return None
            said = json.loads(metadata["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    done = tuple(tensors[f"done.{place}"] for place in range(said["done"]))
    if "step" not in said:
        return Kept(done)
    carried = {
        name.removeprefix("scheduler."): tensor for name, tensor in tensors.items() if name.startswith("scheduler.")
    }
    return Kept(done, Sampling(said["step"], tensors["latents"], carried, said["numbers"]))
