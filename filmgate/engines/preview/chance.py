"""Chance from the seed alone: every use of it has a name, so adding one never changes what another draws."""

from zlib import crc32

import numpy as np
from numpy.random import Generator, SeedSequence

from filmgate.engines.preview.pixels import Plane

__all__ = ["generator", "wander"]


def generator(seed: int, name: str) -> Generator:
    """The random numbers of this seed for this use."""
    return np.random.default_rng(SeedSequence(seed, spawn_key=(crc32(name.encode()),)))


def wander(seed: int, name: str, times_s: Plane, period_s: float) -> Plane:
    """A smooth random walk around 0 with about unit deviation, sampled at `times_s`; one swing takes about `period_s`.

    Catmull-Rom spline through random knots: continuous in velocity, so a camera that follows it never jerks.
    """
    position = np.asarray(times_s, np.float32) / np.float32(period_s)
    knots = generator(seed, name).standard_normal(int(position.max(initial=0)) + 5).astype(np.float32)
    index = position.astype(np.intp)
    part = position - index
    before, here, after, beyond = (knots[index + offset] for offset in range(4))
    bend = part * (2 * before - 5 * here + 4 * after - beyond + part * (3 * (here - after) + beyond - before))
    return np.asarray(here + part * (after - before + bend) / 2, np.float32)
