"""The four networks of the preview engine behind one lock, run by OpenCV's own inference (no torch, no onnxruntime).

A network is read on first use: 50 to 100 ms each, and MI-GAN takes most of the engine's memory.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.domain.errors import StartupError
from filmgate.encoding.picture import Picture, resize_picture
from filmgate.engines.preview.pixels import Mask, Plane, resize_plane
from filmgate.engines.preview.weights import FOLDER, check_weights

__all__ = ["Face", "Nets"]

DEPTH_SIDE = 224
SALIENCY_SIDE = 320
INPAINT_SIDE = 512
FACE_LONG_SIDE = 640
FACE_SCORE = 0.7

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """A face in pixels of its picture: left, top, right, bottom, and how sure the detector is (0..1).

    `eyes` and `mouth` are two points (x, y) each, first the one on the picture's left; the mouth's are its corners.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float
    eyes: tuple[Spot, Spot] | None = None
    mouth: tuple[Spot, Spot] | None = None


class Nets:
    """Depth, saliency, in-painting and faces. Thread-safe: one network runs at a time.

    `threads` is how many CPU threads OpenCV may use in this process; 0 leaves its default. Raises WeightsInvalid when a
    weight file is absent or altered.
    """

    def __init__(self, *, threads: int = 0, folder: Path = FOLDER) -> None:
        if int(cv2.__version__.split(".")[0]) < 5:
            raise StartupError(
                f"The preview engine needs OpenCV 5 or newer, not {cv2.__version__}: upgrade opencv-python-headless."
            )
        check_weights(folder)
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: dict[str, cv2.dnn.Net] = {}
        if threads > 0:
            cv2.setNumThreads(threads)
        # OpenCV 5.0 warns on every face detector that its new inference has no other device than the CPU.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)

    def depth(self, picture: Picture) -> tuple[Plane, float]:
        """Disparity of every pixel (H×W, 0 = farthest, 1 = nearest, 2nd to 98th percentile stretched), and its trust.

        The network reads the picture and its mirror image; the mean of both cancels its lean to one side, and their
        correlation says how far it can be trusted (about 0.9 on most photographs, 0.6 on a night sky).
        """
        small = resize_picture(picture, DEPTH_SIDE, DEPTH_SIDE).astype(np.float32) / np.float32(255)
        mirrored = np.ascontiguousarray(small[:, ::-1])
        with self._lock:
            metres = self._run("fastdepth", _planes(small))[0, 0]
            metres_mirrored = self._run("fastdepth", _planes(mirrored))[0, 0, :, ::-1]
        # Below 0.3 m the network only guesses.
        first, second = np.reciprocal(np.maximum(metres, 0.3)), np.reciprocal(np.maximum(metres_mirrored, 0.3))
        disparity = (first + second) / 2
        low, high = (float(value) for value in np.percentile(disparity, (2, 98)))
        normal = np.clip((disparity - low) / (high - low + 1e-6), 0, 1).astype(np.float32)
        stretched = resize_plane(normal, picture.shape[1], picture.shape[0], cv2.INTER_CUBIC).clip(0, 1)
        return stretched, agreement(first, second)

    def saliency(self, picture: Picture) -> tuple[Plane, float]:
        """How much each pixel belongs to the subject (H×W, 0..1 stretched), and the raw peak: low if there is none."""
        small = resize_picture(picture, SALIENCY_SIDE, SALIENCY_SIDE).astype(np.float32)
        small = (small / max(1.0, float(small.max())) - IMAGENET_MEAN) / IMAGENET_DEVIATION
        with self._lock:
            raw = self._run("u2netp", _planes(small.astype(np.float32)))[0, 0]
        peak, floor = float(raw.max()), float(raw.min())
        stretched = ((raw - floor) / (peak - floor + 1e-6)).astype(np.float32)
        return resize_plane(stretched, picture.shape[1], picture.shape[0], cv2.INTER_CUBIC).clip(0, 1), peak

    def inpaint(self, picture: Picture, hole: Mask) -> Picture:
        """The picture with `hole` (H×W, True = unknown) imagined. Drawn at 512×512: blend only the hole from it."""
        height, width = hole.shape
        small = resize_picture(picture, INPAINT_SIDE, INPAINT_SIDE)
        small_hole = cv2.resize(hole.astype(np.uint8), (INPAINT_SIDE, INPAINT_SIDE), interpolation=cv2.INTER_NEAREST)
        known = np.where(small_hole > 0, 0, 255).astype(np.uint8)[None, None]
        with self._lock:
            net = self._net("migan")
            net.setInput(_planes(small), "image")
            net.setInput(known, "mask")
            drawn = np.clip(np.asarray(net.forward()), 0, 255)[0].transpose(1, 2, 0).astype(np.uint8)
        return resize_picture(np.ascontiguousarray(drawn), width, height, cv2.INTER_CUBIC)

    def faces(self, picture: Picture) -> tuple[Face, ...]:
        """The faces of the picture, largest first, in its own pixels."""
        height, width = picture.shape[:2]
        scale = min(1.0, FACE_LONG_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        bgr = np.ascontiguousarray(resize_picture(picture, *size)[..., ::-1])
        with self._lock:
            detector = cv2.FaceDetectorYN.create(str(self._folder / "yunet.onnx"), "", size, FACE_SCORE)
            _, rows = detector.detect(bgr)
        found = [] if rows is None else [_face(row / scale, float(row[-1])) for row in np.asarray(rows, np.float32)]
        return tuple(sorted(found, key=lambda face: (face.left - face.right) * (face.bottom - face.top)))

    def _net(self, name: str) -> cv2.dnn.Net:
        if name not in self._loaded:
            self._loaded[name] = cv2.dnn.readNetFromONNX(str(self._folder / f"{name}.onnx"))
        return self._loaded[name]

    def _run(self, name: str, blob: NDArray[Any]) -> NDArray[np.float32]:
        net = self._net(name)
        net.setInput(blob)
        return np.array(net.forward(), np.float32)


def agreement(first: Plane, second: Plane) -> float:
    """Correlation of two readings away from the border, where the network's padding shows; 0 for a flat one."""
    inner = (slice(DEPTH_SIDE // 10, -DEPTH_SIDE // 10), slice(DEPTH_SIDE // 10, -DEPTH_SIDE // 10))
    one, two = first[inner].ravel(), second[inner].ravel()
    if one.std() < 1e-6 or two.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])


def _planes(pixels: NDArray[Any]) -> NDArray[Any]:
    """H×W×C to the 1×C×H×W that the networks read."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def _face(row: NDArray[np.float32], score: float) -> Face:
    left, top, width, height = (float(value) for value in row[:4])
    eye, other_eye, _nose, corner, other_corner = ((float(x), float(y)) for x, y in row[4:14].reshape(5, 2))
    return Face(left, top, left + width, top + height, score, (eye, other_eye), (corner, other_corner))
