"""Composed pictures, judged as pictures: sizes, who stands where, order, seeds, and pictures that are hard to use."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from filmgate.domain.errors import EngineFailure
from filmgate.encoding.picture import Picture, read_picture, scale_picture
from filmgate.engines.preview.compose import Composition, compose
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.pixels import Plane

SIZES = [(1024, 1024), (800, 1200), (1200, 800), (960, 1280), (1280, 960), (720, 1280), (1280, 720), (1344, 576)]
SMALL = (480, 360)


class RememberingNets(Nets):
    """The real networks; a picture that was looked at before is not looked at again. It saves half of the time here."""

    def __init__(self) -> None:
        super().__init__(threads=2)
        self._seen: dict[bytes, tuple[Plane, float]] = {}

    def saliency(self, picture: Picture) -> tuple[Plane, float]:
        name = sha256(repr(picture.shape).encode() + picture.tobytes()).digest()
        if name not in self._seen:
            self._seen[name] = super().saliency(picture)
        plane, peak = self._seen[name]
        return plane.copy(), peak


@cache
def nets() -> Nets:
    return RememberingNets()


@cache
def photograph(name: str) -> Picture:
    return read_picture(Path(skimage.__file__).parent / "data" / name)


def astronaut() -> Picture:
    return photograph("astronaut.png")


def coffee() -> Picture:
    return photograph("coffee.png")


def cat() -> Picture:
    return photograph("chelsea.png")


def rocket() -> Picture:
    return photograph("rocket.jpg")


def plain(colour: tuple[int, int, int]) -> Picture:
    return np.full((400, 500, 3), colour, np.uint8)


def composed(
    *images: Picture,
    prompt: str = "",
    negative: str = "",
    size: tuple[int, int] = SMALL,
    seed: int = 1,
    extend: bool = False,
) -> Composition:
    shares: list[float] = []
    return compose(
        images,
        prompt,
        negative_prompt=negative,
        width=size[0],
        height=size[1],
        seed=seed,
        extend=extend,
        nets=nets(),
        progress=shares.append,
    )


def likeness(picture: Picture, reference: Picture) -> float:
    """How alike the colours of two pictures are: correlation of their hue and saturation histograms."""
    histograms = []
    for one in (picture, reference):
        hsv = cv2.cvtColor(np.ascontiguousarray(one), cv2.COLOR_RGB2HSV)
        histograms.append(cv2.calcHist([hsv], [0, 1], None, [18, 8], [0, 180, 0, 256]))
    return float(cv2.compareHist(histograms[0], histograms[1], cv2.HISTCMP_CORREL))


def orange(picture: Picture) -> float:
    """The share of pixels in the colour of the astronaut's suit."""
    red, green, blue = (picture[..., band].astype(int) for band in range(3))
    return float(((red > 150) & (green > 50) & (green < 140) & (blue < 110) & (red > blue + 70)).mean())


def halves(picture: Picture) -> tuple[Picture, Picture]:
    middle = picture.shape[1] // 2
    return picture[:, :middle], picture[:, middle:]


def difference(first: Picture, second: Picture) -> float:
    return float(np.abs(first.astype(np.int16) - second.astype(np.int16)).mean())


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_has_exactly_the_published_size(size: tuple[int, int]) -> None:
    made = composed(rocket(), size=size)

    assert made.image.shape == (size[1], size[0], 3)
    assert made.image.dtype == np.uint8


def test_the_first_reference_stands_left_and_the_second_right() -> None:
    made = composed(astronaut(), rocket(), prompt="image 1 on the left, image 2 on the right", size=(640, 480))

    left, right = halves(made.image)

    assert likeness(left, astronaut()) > likeness(right, astronaut())
    assert likeness(right, rocket()) > likeness(left, rocket())
    assert made.applied == ("on the left", "on the right")
    assert made.ignored == ()


def test_sides_without_numbers_follow_the_order_of_the_references() -> None:
    straight = composed(astronaut(), cat(), prompt="On the left a woman, on the right a cat")
    turned = composed(astronaut(), cat(), prompt="On the right a woman, on the left a cat")

    assert likeness(halves(straight.image)[0], astronaut()) > likeness(halves(turned.image)[0], astronaut())
    assert likeness(halves(straight.image)[1], cat()) > likeness(halves(turned.image)[1], cat())


@pytest.mark.parametrize(
    "others", [(coffee,), (lambda: plain((40, 90, 160)),), (coffee, cat)], ids=["subject", "no subject", "three"]
)
def test_swapping_the_first_two_references_changes_the_picture(
    others: tuple[Callable[[], Picture], ...],
) -> None:
    rest = [other() for other in others]

    straight = composed(astronaut(), *rest)
    swapped = composed(rest[0], astronaut(), *rest[1:])

    assert difference(straight.image, swapped.image) > 5


def test_the_same_seed_makes_the_same_pixels_and_another_seed_another_set() -> None:
    first, again, other = (composed(astronaut(), coffee(), seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(first.image, again.image)
    assert 0.2 < difference(first.image, other.image) < 40


def test_the_named_background_fills_the_picture_behind_the_subject() -> None:
    sky = plain((30, 60, 200))

    made = composed(astronaut(), sky, prompt="Put the astronaut from image 1 into image 2")

    top_right = made.image[:60, -60:].reshape(-1, 3).mean(axis=0)
    assert np.abs(top_right - np.array([30, 60, 200])).max() < 6
    assert made.applied == ("into image 2",)
    assert orange(halves(made.image)[0]) > 1.3 * orange(halves(made.image)[1])


def test_a_reference_without_a_subject_becomes_the_background_by_itself() -> None:
    made = composed(plain((30, 160, 60)), astronaut())

    assert np.abs(made.image[:40, :40].reshape(-1, 3).mean(axis=0) - np.array([30, 160, 60])).max() < 6
    assert orange(halves(made.image)[1]) > 1.3 * orange(halves(made.image)[0])


def test_the_subject_of_the_background_is_painted_out_where_somebody_is_to_stand() -> None:
    made = composed(astronaut(), rocket(), prompt="image 2 as the background, image 1 in the centre")

    assert any("painted out" in warning for warning in made.warnings)


def test_subjects_cut_by_the_bottom_edge_sit_on_the_bottom_edge() -> None:
    made = composed(astronaut(), plain((20, 40, 230)), prompt="image 1 in the centre")

    bottom_row = made.image[-1].astype(int)
    assert (bottom_row[:, 2] < 150).mean() > 0.25


def test_subjects_with_feet_stand_on_the_base_line_with_a_shadow() -> None:
    ground = plain((200, 200, 200))

    made = composed(coffee(), ground, size=(600, 600))

    unlike = np.abs(made.image.astype(int) - 200).max(axis=2) > 60
    lowest = int(np.flatnonzero(unlike.any(axis=1))[-1])
    below = made.image[lowest + 2 : lowest + 8].mean(axis=2)
    assert 500 < lowest < 590
    assert float(below.min()) < 192
    assert float(made.image[-4:].mean()) > 190


def test_one_reference_without_a_word_on_composition_is_cropped_around_its_subject() -> None:
    wide = cv2.copyMakeBorder(coffee(), 0, 0, 700, 0, cv2.BORDER_REPLICATE)

    made = composed(np.asarray(wide, np.uint8), size=(360, 480))

    whole = scale_picture(coffee(), 720, 480)
    best = max(difference(made.image, whole[:, left : left + 360]) for left in (60, 120))
    assert likeness(made.image, coffee()) > 0.8
    assert best < 60


def test_a_new_background_is_painted_where_the_prompt_asks_for_one() -> None:
    made = composed(coffee(), prompt="replace the background with a starry space")

    assert made.applied == ("replace the background", "starry")
    assert float(made.image[:60, :60].mean()) < 50
    assert any("set was painted" in warning for warning in made.warnings)


def test_pictures_without_any_subject_stand_side_by_side() -> None:
    made = composed(plain((220, 30, 30)), plain((30, 30, 220)))

    assert np.abs(made.image[:, :200].mean(axis=(0, 1)) - np.array([220, 30, 30])).max() < 4
    assert np.abs(made.image[:, -200:].mean(axis=(0, 1)) - np.array([30, 30, 220])).max() < 4


def test_a_tiny_subject_is_used_or_left_out_but_never_fails() -> None:
    dot = plain((120, 120, 120))
    cv2.circle(dot, (250, 200), 16, (230, 40, 40), -1)

    made = composed(dot, astronaut(), prompt="image 1 on the left, image 2 on the right")

    assert made.image.shape == (360, 480, 3)
    assert likeness(halves(made.image)[1], astronaut()) > 0.1


def test_a_picture_smaller_than_the_size_is_enlarged_without_distortion() -> None:
    small = scale_picture(coffee(), 120, 80)

    made = composed(small, size=(720, 480))

    assert difference(made.image, scale_picture(coffee(), 720, 480)) < 12


@pytest.mark.parametrize(
    ("prompt", "measure"),
    [
        ("noir", lambda picture: float(np.ptp(picture.astype(int), axis=2).max()) == 0),
        ("a pencil sketch", lambda picture: float(picture.mean()) > 150),
        ("warm light", lambda picture: picture[..., 0].mean() > 1.5 * picture[..., 2].mean()),
        ("watercolour painting", lambda picture: float(cv2.Laplacian(picture, cv2.CV_32F).std()) < 40),
        ("cartoon", lambda picture: float(picture.min()) < 30),
        ("pixel art", lambda picture: np.array_equal(picture[0, 0], picture[1, 1])),
    ],
)
def test_named_looks_change_the_whole_picture(prompt: str, measure: Callable[[Picture], bool]) -> None:
    natural = composed(coffee())

    made = composed(coffee(), prompt=prompt)

    assert measure(made.image)
    assert difference(made.image, natural.image) > 3
    assert made.applied


def test_the_negative_prompt_takes_a_look_away() -> None:
    made = composed(coffee(), prompt="pencil sketch, warm light", negative="sketch, warm")

    assert made.applied == ()
    assert np.array_equal(made.image, composed(coffee()).image)


def test_what_cannot_be_made_is_ignored_openly() -> None:
    prompt = (
        "On the left sits a monster, and on the right sits another monster. The two of them are like radio hosts, "
        "wearing headphones and sitting in a recording studio, discussing a topic."
    )

    made = composed(astronaut(), coffee(), prompt=prompt)

    assert made.applied == ("On the left", "on the right", "studio")
    assert made.ignored == ("The two of them are like radio hosts", "wearing headphones", "discussing a topic")
    assert any("poses and interactions" in warning for warning in made.warnings)


def test_a_style_reference_a_missing_and_a_fourth_picture_are_named_in_warnings() -> None:
    style = composed(coffee(), rocket(), prompt="image 1 in the style of image 2, with image 5")
    many = composed(coffee(), plain((9, 9, 9)), plain((99, 9, 9)), plain((9, 99, 9)))

    assert likeness(style.image, coffee()) > 0.8
    assert any("style of image 2" in warning for warning in style.warnings)
    assert any("image 5" in warning for warning in style.warnings)
    assert any("first 3 of 4" in warning for warning in many.warnings)
    assert any("image 3" in warning for warning in many.warnings)


def test_the_finish_comes_with_extension_only() -> None:
    exact, extended = composed(coffee()), composed(coffee(), extend=True)

    assert float(extended.image[:20, :20].mean()) < float(exact.image[:20, :20].mean())
    assert difference(extended.image[150:210, 210:270], exact.image[150:210, 210:270]) < 2


def test_progress_rises_to_one_and_what_it_raises_ends_the_work() -> None:
    class Told(Exception):
        pass

    shares: list[float] = []

    def stop(share: float) -> None:
        shares.append(share)
        if share > 0.5:
            raise Told

    with pytest.raises(Told):
        compose(
            [coffee(), coffee()],
            "",
            negative_prompt="",
            width=64,
            height=64,
            seed=0,
            extend=False,
            nets=nets(),
            progress=stop,
        )
    assert shares == sorted(shares)


def test_no_picture_at_all_is_an_error_with_a_sentence() -> None:
    with pytest.raises(EngineFailure, match="at least one picture"):
        composed()
