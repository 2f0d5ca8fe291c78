"""What must follow where one input of a request is another."""

from collections.abc import Callable

from tests.torch.service import MadeClip

__all__ = [
    "Check",
    "effect",
    "enlarged",
    "film_look",
    "larger_weights",
    "longer_and_slower",
    "more_steps",
    "not_rewritten",
    "nothing_screened",
    "other_frames",
    "other_seed",
]

Check = Callable[[MadeClip, MadeClip], None]
"""Of the request's clip, and of the clip without its change."""


def other_frames(made: MadeClip, base: MadeClip) -> None:
    assert made.frames_sha256 != base.frames_sha256


def other_seed(made: MadeClip, base: MadeClip) -> None:
    assert (made.result["seed"], base.result["seed"]) == (2, 1)
    other_frames(made, base)


def more_steps(made: MadeClip, base: MadeClip) -> None:
    assert (made.details["steps"], base.details["steps"]) == (3, 2)
    other_frames(made, base)


def film_look(made: MadeClip, base: MadeClip) -> None:
    assert (made.details["adapters"], base.details["adapters"]) == (["film:0.8"], [])
    assert made.result["actual_prompt"] == f"film look. {base.result['actual_prompt']}"
    other_frames(made, base)


def longer_and_slower(made: MadeClip, base: MadeClip) -> None:
    assert (made.clip.video_s, base.clip.video_s) == (12.5, 5.0625)


def larger_weights(made: MadeClip, base: MadeClip) -> None:
    assert (made.details["weights"], base.details["weights"]) == ("wan2.1-i2v-14b-720p", "wan2.1-i2v-14b-480p")


def nothing_screened(made: MadeClip, base: MadeClip) -> None:
    assert made.warns("nothing was screened")
    assert not base.warns("nothing was screened")


def not_rewritten(made: MadeClip, base: MadeClip) -> None:
    assert base.warns("no language model to rewrite it")
    assert not made.warns("no language model to rewrite it")


def enlarged(made: MadeClip, _: MadeClip) -> None:
    assert made.warns(f"resized to {made.clip.width}×{made.clip.height}")


def effect(made: MadeClip, base: MadeClip) -> None:
    assert (made.details["weights"], base.details["weights"]) == ("wan2.1-i2v-14b-480p", "wan2.2-i2v-a14b")
    assert made.warns("exists for these weights only")
    assert made.result["actual_prompt"] != base.result["actual_prompt"]
    other_frames(made, base)
