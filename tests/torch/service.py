"""A real server that runs the open weights, tiny ones, and what becomes of requests to it."""

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from PIL import Image
from skimage import data

from filmgate.encoding.picture import Picture, read_picture
from tests.e2e.server import Server, finished
from tests.finished_file import FinishedClip, read_clip

__all__ = [
    "ASTRONAUT",
    "COFFEE",
    "OTHER_PHOTO",
    "PHOTO",
    "SERVED_S",
    "MadeClip",
    "MadePicture",
    "Service",
    "data_uri",
    "png",
    "serving",
]

SERVED_S = 110.0
"""How long a request may take where all cores are busy; less than a test may take."""


def png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "png")
    return stream.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


COFFEE = Image.fromarray(data.coffee())
"""600 × 400."""
ASTRONAUT = Image.fromarray(data.astronaut())
"""512 × 512."""
PHOTO, OTHER_PHOTO = (data_uri(png(picture), "image/png") for picture in (COFFEE, ASTRONAUT))


@dataclass(frozen=True)
class MadeClip:
    """A finished clip and what the server says of it. Of its frames every 25th is kept, if nothing else was said."""

    result: Mapping[str, Any]
    clip: FinishedClip
    frames_sha256: str

    @property
    def details(self) -> Mapping[str, Any]:
        return self.result["details"]

    def warns(self, words: str) -> bool:
        return any(words in warning for warning in self.result["warnings"])


@dataclass(frozen=True)
class MadePicture:
    """A finished picture and what the server says of it."""

    result: Mapping[str, Any]
    picture: Picture
    format: str

    def warns(self, words: str) -> bool:
        return any(words in warning for warning in self.result["warnings"])


class Service:
    """A running server, and a client of it. Equal requests with a seed are made once."""

    def __init__(self, server: Server, client: httpx2.Client, folder: Path) -> None:
        self.server = server
        self.client = client
        self._folder = folder
        self._clips: dict[str, MadeClip] = {}
        self._pictures: dict[str, MadePicture] = {}

    def submit(self, model_id: str, **inputs: Any) -> str:
        """The id of an accepted request."""
        reply = self.client.post(f"/v1/models/{model_id}", json=inputs)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["request_id"])

    def status(self, request_id: str) -> dict[str, Any]:
        return dict(self.client.get(f"/v1/requests/{request_id}/status").json())

    def result(self, request_id: str) -> dict[str, Any]:
        """How a request ended, once it has."""
        return finished(self.client, request_id, SERVED_S)

    def upload(self, name: str, content: bytes) -> str:
        """The URL of an uploaded file."""
        reply = self.client.post(f"/v1/files?name={name}", content=content)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["url"])

    def failure(self, model_id: str, **inputs: Any) -> tuple[str, str]:
        """Code and sentence of a request that fails."""
        result = self.result(self.submit(model_id, **inputs))
        assert result["status"] == "failed", result
        return result["error_info"]["error_type"], result["error"]

    def clip(self, model_id: str, **inputs: Any) -> MadeClip:
        key = json.dumps([model_id, inputs], sort_keys=True)
        if key not in self._clips:
            self._clips[key] = self.finished_clip(self.submit(model_id, **inputs))
        return self._clips[key]

    def picture(self, model_id: str, **inputs: Any) -> MadePicture:
        key = json.dumps([model_id, inputs], sort_keys=True)
        if key not in self._pictures:
            result, path = self._made(self.submit(model_id, **inputs), "image")
            with Image.open(path) as file:
                self._pictures[key] = MadePicture(result, read_picture(path), file.format or "")
        return self._pictures[key]

    def finished_clip(self, request_id: str, every: int = 25) -> MadeClip:
        result, path = self._made(request_id, "video")
        clip = read_clip(path, every)
        path.unlink()
        return MadeClip(result, clip, _sha256(clip))

    def _made(self, request_id: str, kind: str) -> tuple[dict[str, Any], Path]:
        result = self.result(request_id)
        assert result["status"] == "succeeded", result
        path = self._folder / request_id
        path.write_bytes(self.client.get(result["output"][kind]).raise_for_status().content)
        return result, path


def _sha256(clip: FinishedClip) -> str:
    """Of the kept frames."""
    digest = hashlib.sha256()
    for frame in clip.frames:
        if frame is not None:
            digest.update(np.ascontiguousarray(frame))
    return digest.hexdigest()


@contextmanager
def serving(folder: Path, weights: Path, **settings: str) -> Iterator[Service]:
    """A server in a folder of its own, with the engine `diffusers` on the CPU unless `settings` say otherwise."""
    chosen = {"engines": "diffusers", "weights": str(weights), "device": "cpu", **settings}
    server = Server(folder / "data", **chosen)
    downloads = folder / "downloads"
    downloads.mkdir()
    try:
        with server.start().client() as client:
            yield Service(server, client, downloads)
    except BaseException:
        server.kill()
        raise
    assert server.stop() == 0
