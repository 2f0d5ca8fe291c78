"""Profiles through the engine's own path, from installed weights to frames."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.catalog import installed
from filmgate.engines.diffusers.profiles import BALANCED, EXACT, Profile
from filmgate.engines.diffusers.residency import Budget, Residency
from filmgate.engines.diffusers.suite import Suite
from filmgate.engines.diffusers.wan import Segment, WanModel
from filmgate.engines.diffusers.watch import Watch
from filmgate.engines.diffusers.weights.convert import convert_set
from tests.torch.reports import Notebook

CPU = torch.device("cpu")
SETS = ("wan2.1-i2v-14b-480p", "wan2.2-i2v-a14b", "wan2.2-ti2v-5b")


def frames(weights: Path, name: str, profile: Profile, picture: Picture) -> Picture:
    model = WanModel(Suite(installed(weights, name), Residency(CPU, Budget(10**9, 10**9)), CPU, profile))
    wanted = Segment("a boat drifts by", "blurry", picture[:32, :64], 9, 3, (5.0, 4.0), 3.0, 11)
    watch = Watch(Notebook(), CPU)
    latents = model.denoise(wanted, model.encode(wanted, watch), watch, lambda *_: None)
    return model.decode(latents, watch)


@pytest.mark.parametrize("name", SETS)
def test_without_8_bits_the_tuned_path_makes_the_library_s_frames(
    name: str, tiny_weights: Path, picture: Picture
) -> None:
    expected = frames(tiny_weights, name, EXACT, picture)

    made = frames(tiny_weights, name, replace(BALANCED, fp8_linears=False), picture)

    assert np.abs(made.astype(int) - expected).max() <= 1


def test_weights_stored_in_8_bits_make_the_same_frames_in_every_profile(
    tiny_weights: Path, picture: Picture, tmp_path: Path
) -> None:
    convert_set(tiny_weights, "wan2.2-i2v-a14b", "fp8", tmp_path, lambda *_: None)

    as_stored = frames(tmp_path, "wan2.2-i2v-a14b", EXACT, picture)
    tuned = frames(tmp_path, "wan2.2-i2v-a14b", BALANCED, picture)

    assert np.abs(tuned.astype(int) - as_stored).max() <= 1
