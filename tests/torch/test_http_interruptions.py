"""What disturbs a clip while it is made: kill -9 and cancels in the middle, with a checkpoint after every step."""

import io
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.server import wait_for
from tests.torch.service import PHOTO, SERVED_S, MadeClip, Service, serving

WAN_21 = "wan-ai/wan-2-1/image-to-video"
WAN_26 = "wan-ai/wan-2-6/flash/image-to-video"
SHORT: dict[str, Any] = {
    "prompt": "a boat drifts by", "image_url": PHOTO, "resolution": "480p", "seed": 1, "num_inference_steps": 2,
}  # fmt: skip
LONG = {**SHORT, "num_inference_steps": 100}
"""So many steps that there is a middle, even of tiny weights."""
CHAINED = {"prompt": "a boat drifts by", "img_url": PHOTO, "seed": 1, "duration": 15, "shot_type": "single"}
"""Three segments, each of which is decoded on its own."""
ENGINE = "filmgate.worker.child_main"


@pytest.fixture(scope="module")
def interrupted(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("interrupted"), tiny_weights, checkpoint_steps="1") as running:
        yield running


@dataclass(frozen=True)
class Watched:
    """A clip that nothing disturbed, and what its caller saw meanwhile."""

    made: MadeClip
    seen: list[dict[str, Any]]
    preview: bytes
    after: dict[str, Any]


@pytest.fixture(scope="module")
def undisturbed(interrupted: Service) -> Watched:
    request_id = interrupted.submit(WAN_21, **LONG)
    seen: list[dict[str, Any]] = []
    previews: list[bytes] = []

    def ended() -> bool:
        status = interrupted.status(request_id)
        if status["status"] == "in_progress":
            seen.append(status)
        if "preview" in status and not previews:
            shown = interrupted.client.get(status["preview"])
            # The next one may have taken its place in between.
            previews.extend([shown.content] if shown.status_code == 200 else [])
        return status["status"] == "completed"

    wait_for(ended, SERVED_S, "the end of the request")
    made = interrupted.finished_clip(request_id, every=1)
    return Watched(made, seen, previews[0], interrupted.status(request_id))


def test_its_status_tells_how_far_a_clip_is(undisturbed: Watched) -> None:
    fractions = [status["progress"] for status in undisturbed.seen]

    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 4
    assert {"denoising", "writing"} <= {status["stage"] for status in undisturbed.seen}
    assert all(status["eta_s"] >= 0 for status in undisturbed.seen if status["progress"])


def test_a_moving_preview_is_shown_until_the_clip_is_there(undisturbed: Watched) -> None:
    with Image.open(io.BytesIO(undisturbed.preview)) as preview:
        assert (preview.format, preview.width) == ("WEBP", 320)
        assert preview.n_frames > 5
    assert "preview" not in undisturbed.after


def in_stage(service: Service, request_id: str, stage: str, least: float = 0.0) -> None:
    """Returns once the request is seen there."""

    def is_there() -> bool:
        status = service.status(request_id)
        return status.get("stage") == stage and status["progress"] >= least

    wait_for(is_there, SERVED_S, f"the stage {stage}")


@pytest.mark.parametrize("victim", [ENGINE, "worker"])
def test_a_clip_goes_on_where_a_kill_9_left_it_and_ends_in_the_same_frames(
    victim: str, undisturbed: Watched, interrupted: Service
) -> None:
    request_id = interrupted.submit(WAN_21, **LONG)
    in_stage(interrupted, request_id, "denoising", 0.1)

    os.kill(interrupted.server.pid_of(victim), signal.SIGKILL)

    resumed = interrupted.finished_clip(request_id, every=1)
    assert 0 < resumed.details["metrics"]["resumed_steps"] < 100
    assert undisturbed.made.details["metrics"]["resumed_steps"] == 0
    assert resumed.frames_sha256 == undisturbed.made.frames_sha256


@pytest.mark.parametrize(
    ("model_id", "inputs", "stage"), [(WAN_21, LONG, "denoising"), (WAN_26, CHAINED, "decoding")], ids=lambda _: ""
)
def test_a_cancelled_clip_leaves_no_file_and_the_engine_as_it_was(
    model_id: str, inputs: dict[str, Any], stage: str, interrupted: Service
) -> None:
    before = interrupted.clip(WAN_21, **SHORT)
    engine = interrupted.server.pid_of(ENGINE)
    request_id = interrupted.submit(model_id, **inputs)
    in_stage(interrupted, request_id, stage)

    assert interrupted.client.post(f"/v1/requests/{request_id}/cancel?force=true").status_code == 202

    result = interrupted.result(request_id)
    assert (result["status"], "output" in result) == ("cancelled", False)
    after = interrupted.finished_clip(interrupted.submit(WAN_21, **SHORT))
    assert interrupted.server.pid_of(ENGINE) == engine
    assert after.frames_sha256 == before.frames_sha256
    assert not [path for path in interrupted.server.data.rglob("*") if request_id in str(path) and path.is_file()]
