"""What the engine knows of one picture: two layers with depth, on a canvas larger than the frame.

The canvas is the frame plus a ring on each side. The plate covers all of it: the scene without its subject, imagined
where the subject stood and in the ring. The subject is a layer of its own in front. Disparities are 0 (farthest) to
about 1 (nearest) on a grid of a quarter of the canvas's resolution; they are smooth, so no layer ever tears.
"""

from dataclasses import dataclass

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.nets import Face
from filmgate.engines.preview.pixels import Layer, Plane

__all__ = ["GRID_STEP", "RING_SHARE", "Box", "Canvas", "Scene", "Subject"]

GRID_STEP = 4
RING_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre_x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def centre_y(self) -> float:
        return (self.top + self.bottom) / 2

    def shifted(self, x: float, y: float) -> "Box":
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)


@dataclass(frozen=True, slots=True)
class Canvas:
    """The frame and its ring, in pixels."""

    frame_width: int
    frame_height: int
    ring_x: int
    ring_y: int

    @classmethod
    def around(cls, frame_width: int, frame_height: int) -> "Canvas":
        ring_x, ring_y = (max(1, round(side * RING_SHARE / GRID_STEP)) for side in (frame_width, frame_height))
        return cls(frame_width, frame_height, ring_x * GRID_STEP, ring_y * GRID_STEP)

    @property
    def width(self) -> int:
        return self.frame_width + 2 * self.ring_x

    @property
    def height(self) -> int:
        return self.frame_height + 2 * self.ring_y

    @property
    def grid_size(self) -> tuple[int, int]:
        """Width and height of the quarter-resolution grid."""
        return max(1, self.width // GRID_STEP), max(1, self.height // GRID_STEP)

    @property
    def frame(self) -> tuple[slice, slice]:
        """The frame's rows and columns within the canvas."""
        return (
            slice(self.ring_y, self.ring_y + self.frame_height),
            slice(self.ring_x, self.ring_x + self.frame_width),
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject's layer (canvas-sized RGBA, premultiplied), its disparity on the grid, its depth and its box.

    `box` is in canvas pixels and reaches into the ring where the subject is cut by the frame.
    """

    layer: Layer
    disparity: Plane
    nearness: float
    box: Box


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture, analysed. `picture` is the frame exactly as given; `faces` are in frame pixels, largest first."""

    canvas: Canvas
    picture: Picture
    plate: Picture
    plate_disparity: Plane
    subject: Subject | None
    faces: tuple[Face, ...]

    @property
    def focus(self) -> Box:
        """What a camera would look at, in frame pixels: the subject's part within the frame, else the middle."""
        width, height = self.canvas.frame_width, self.canvas.frame_height
        if self.subject is None:
            return Box(width / 3, height / 3, width * 2 / 3, height * 2 / 3)
        box = self.subject.box.shifted(-self.canvas.ring_x, -self.canvas.ring_y)
        return Box(max(0.0, box.left), max(0.0, box.top), min(width, box.right), min(height, box.bottom))

    @property
    def nearness(self) -> float:
        """The disparity that an orbit turns around."""
        return 0.5 if self.subject is None else self.subject.nearness

    @property
    def may_breathe(self) -> bool:
        """Whether the subject looks like a living thing: it has a face, or is a portrait cut by the lower edge.

        A cup or a tower that swells would look like rubber.
        """
        return self.subject is not None and (bool(self.faces) or self.subject.box.bottom >= self.canvas.height)
