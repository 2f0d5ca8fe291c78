"""What an attempt leaves for the next one."""

from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

from filmgate.engines.diffusers.checkpoint import Kept, fingerprint, read_checkpoint, write_checkpoint
from filmgate.engines.diffusers.sampling import Sampling, denoise

STEPS = 8


def unipc() -> UniPCMultistepScheduler:
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    scheduler.set_timesteps(STEPS)
    return scheduler


def euler() -> FlowMatchEulerDiscreteScheduler:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(STEPS)
    scheduler.set_begin_index(0)
    return scheduler


def predict(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    return torch.sin(latents * 3) + timestep / 1000


NOISE = torch.randn(1, 4, 2, 3, 3, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("scheduler", [unipc, euler])
@pytest.mark.parametrize("step", range(1, STEPS))
def test_sampling_goes_on_from_a_file_as_if_it_had_never_stopped(scheduler, step: int, tmp_path: Path) -> None:
    states: list[Sampling] = []
    whole = denoise(scheduler(), predict, NOISE, lambda state, _: states.append(state))
    write_checkpoint(tmp_path / "kept", "job", Kept((), states[step - 1]))

    kept = read_checkpoint(tmp_path / "kept", "job")

    assert kept is not None
    again = denoise(scheduler(), predict, NOISE, lambda *_: None, kept.sampling)
    assert torch.equal(again, whole)


def test_finished_segments_come_back_in_order(tmp_path: Path) -> None:
    done = (torch.ones(2), torch.zeros(3))

    write_checkpoint(tmp_path / "kept", "job", Kept(done))
    kept = read_checkpoint(tmp_path / "kept", "job")

    assert kept is not None
    assert kept.sampling is None
    assert [tensor.tolist() for tensor in kept.done] == [tensor.tolist() for tensor in done]


def test_the_checkpoint_of_another_job_is_not_taken_up(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "kept", "job", Kept((torch.ones(2),)))

    assert read_checkpoint(tmp_path / "kept", "other job") is None


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_checkpoint_counts_as_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(content)

    assert read_checkpoint(tmp_path / "kept", "job") is None


def test_no_checkpoint_is_none() -> None:
    assert read_checkpoint(None, "job") is None


def test_a_fingerprint_depends_on_facts_and_pictures(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"one")
    first = fingerprint({"seed": 1}, (picture,))

    other_fact = fingerprint({"seed": 2}, (picture,))
    picture.write_bytes(b"two")
    other_picture = fingerprint({"seed": 1}, (picture,))

    assert len({first, other_fact, other_picture}) == 3
