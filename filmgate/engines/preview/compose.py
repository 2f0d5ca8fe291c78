"""One to three reference pictures and a prompt become one picture of an exact size.

A reference is the place (named as the background, or without a subject of its own) or its subject is cut out and set
into the place; where no picture is the place, a set is painted. One reference without a word on composition is only
cropped around its subject. What the prompt asks for beyond that is reported as ignored, never faked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.domain.errors import EngineFailure
from filmgate.domain.shots import Span
from filmgate.encoding.picture import Picture, scale_picture
from filmgate.engines.preview.backdrop import Backdrop, cover, painted_set, picture_backdrop, side_by_side
from filmgate.engines.preview.chance import generator
from filmgate.engines.preview.collage import Cutout, cut_out, lay_shadow, lay_subject
from filmgate.engines.preview.layout import Place, arrange, places_of
from filmgate.engines.preview.looks import finished, graded, sharpened, stylised
from filmgate.engines.preview.matte import Matte, subject_matte
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.plate import fill
from filmgate.engines.preview.prompt.arrangement import Arrangement, read_arrangement, report
from filmgate.engines.preview.prompt.wording import read_wording

__all__ = ["Composition", "compose"]

MOST_REFERENCES = 3
LONGEST_SIDE = 2048
"""References are worked on at no more than this: matte and cut-out gain nothing beyond it."""
FIRST_ALONE, LATER_ALONE = 0.37, 0.63
"""Where a lone subject stands in another picture: image 1 on the left third, a later image on the right one."""
IN_THE_WAY = 0.2
"""The share of the background's own subject that may be covered before it is painted out."""
NUDGE, RESIZE = 0.012, 0.02
SHARPEN = 0.18


@dataclass(frozen=True, slots=True)
class Composition:
    """The finished picture (H×W×3 uint8 RGB), the phrases that acted and those that did not, and what fell short."""

    image: Picture
    applied: tuple[str, ...]
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """One given picture; `number` counts from 1 as people do. No matte where none was needed."""

    number: int
    picture: Picture
    matte: Matte | None

    @property
    def has_subject(self) -> bool:
        return self.matte is not None and self.matte.found


@dataclass(frozen=True, slots=True)
class Task:
    """Everything that the steps below need."""

    wanted: Arrangement
    width: int
    height: int
    seed: int
    nets: Nets


@dataclass(frozen=True, slots=True)
class Stage:
    """A picture before its finish, the places in the prompt that shaped it, and what fell short."""

    picture: Picture
    used: tuple[Span, ...] = ()
    warnings: tuple[str, ...] = ()


def compose(
    images: Sequence[Picture],
    prompt: str,
    *,
    negative_prompt: str,
    width: int,
    height: int,
    seed: int,
    extend: bool,
    nets: Nets,
    progress: Callable[[float], None],
) -> Composition:
    """One picture of exactly `width` × `height` from RGB pictures of any size, in the order in which the prompt counts.

    `progress` is called between steps with the share done; what it raises ends the work. Raises EngineFailure when
    there is no picture at all.
    """
    if not images:
        raise EngineFailure("A composition needs at least one picture; this request has none.", code="input_missing")
    given = images[:MOST_REFERENCES]
    wanted = read_arrangement(prompt, len(given))
    task = Task(wanted, width, height, seed, nets)
    references = []
    for index, image in enumerate(given):
        picture = shrunk(image)
        needed = index not in (wanted.background, wanted.style_of)
        references.append(Reference(index + 1, picture, subject_matte(picture, nets) if needed else None))
        progress(0.1 + 0.5 * (index + 1) / len(given))
    stage = staged(references, task)
    progress(0.85)
    picture, used = in_its_look(stage.picture, wanted, read_arrangement(negative_prompt, len(given)), seed)
    if extend:
        picture = finished(picture)
    if read_wording(negative_prompt, (0, len(negative_prompt))).poor and wanted.look is None:
        picture = sharpened(picture, SHARPEN)
    progress(1.0)
    applied, ignored = report(prompt, [*stage.used, *used])
    warnings = [*stage.warnings, *unmet(wanted, len(images), ignored)]
    return Composition(picture, applied, ignored, tuple(warnings))


def shrunk(picture: Picture) -> Picture:
    longest = max(picture.shape[:2])
    if longest <= LONGEST_SIDE:
        return picture
    scale = LONGEST_SIDE / longest
    return scale_picture(picture, max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))


def staged(references: Sequence[Reference], task: Task) -> Stage:
    """The pictures brought together, in the one way that they and the prompt allow."""
    wanted = task.wanted
    usable = [reference for reference in references if reference.number - 1 != wanted.style_of] or list(references)
    if len(usable) == 1 and (wanted.new_background_span is None or not usable[0].has_subject):
        return cropped(usable[0], task)
    place = next((reference for reference in usable if reference.number - 1 == wanted.background), None)
    subjects = [reference for reference in usable if reference is not place and reference.has_subject]
    empty = [reference for reference in usable if reference is not place and not reference.has_subject]
    if place is None and not subjects:
        picture = side_by_side([reference.picture for reference in usable], task.width, task.height)
        return Stage(picture, (), ("No subject was found in any of the pictures, so they stand side by side.",))
    if place is None and empty:
        place = empty.pop(0)
    left_out = tuple(f"No subject was found in image {one.number}, so it was left out." for one in empty)
    if not subjects and place is not None:
        stage = cropped(place, task)
        return Stage(stage.picture, stage.used, left_out)
    stage = collage(subjects, place, len(references), task)
    return Stage(stage.picture, stage.used, (*stage.warnings, *left_out))


def cropped(reference: Reference, task: Task) -> Stage:
    """One picture, cut to the size around its subject."""
    height, width = reference.picture.shape[:2]
    focus = (0.5, 0.5)
    if reference.matte is not None and reference.matte.box is not None:
        left, top, right, bottom = reference.matte.box
        # A little above its middle: heads matter more than feet.
        focus = ((left + right) / 2 / width, (0.54 * top + 0.46 * bottom) / height)
    return Stage(cover(reference.picture, task.width, task.height, focus))


def collage(subjects: Sequence[Reference], place: Reference | None, given: int, task: Task) -> Stage:
    """The subjects cut out and set into the place, or into a painted set where there is none."""
    wanted = task.wanted
    cutouts = [cut_out(one.picture, one.matte) for one in subjects if one.matte is not None]
    if place is None:
        pictures = [one.picture for one in subjects]
        backdrop = painted_set(wanted.scene, pictures, task.width, task.height, task.seed)
    else:
        backdrop = picture_backdrop(place.picture, task.width, task.height)
    places, used = seated(subjects, cutouts, backdrop, given, task)
    warnings: list[str] = []
    if place is None:
        warnings.append("No picture serves as the background, so a plain set was painted.")
        used += [span for span in (wanted.scene_span, wanted.new_background_span) if span is not None]
    else:
        if wanted.background_span is not None:
            used.append(wanted.background_span)
        cleared = make_room(place, places, task)
        if cleared is not None:
            backdrop = picture_backdrop(cleared, task.width, task.height)
            warnings.append(f"The subject of image {place.number} was painted out to make room.")
    return Stage(assembled(backdrop, cutouts, places), tuple(used), tuple(warnings))


def seated(
    subjects: Sequence[Reference], cutouts: Sequence[Cutout], backdrop: Backdrop, given: int, task: Task
) -> tuple[list[Place], list[Span]]:
    """A place for every subject, and the places in the prompt that chose it."""
    spots = {subject.number - 1: at for at, subject in enumerate(subjects)}
    named = {spots[image]: (side, span) for image, side, span in task.wanted.sides if image in spots}
    unnamed = [at for at in range(len(subjects)) if at not in named]
    named |= dict(zip(unnamed, task.wanted.loose_sides, strict=False))
    lone = 0.5 if given == 1 else FIRST_ALONE if subjects[0].number == 1 else LATER_ALONE
    centres = places_of({at: side for at, (side, _) in named.items()}, len(subjects), lone=lone)
    random = generator(task.seed, "places")
    nudges = [(NUDGE * float(random.uniform(-1, 1)), RESIZE * float(random.uniform(-1, 1))) for _ in subjects]
    shapes = [cutout.shape for cutout in cutouts]
    places = arrange(shapes, centres, task.width, task.height, backdrop.base, nudges)
    return places, [span for _, span in named.values()]


def make_room(place: Reference, places: Sequence[Place], task: Task) -> Picture | None:
    """The place's picture without its own subject, if that stands where somebody is to stand; else None."""
    own = subject_matte(place.picture, task.nets)
    if not own.found:
        return None
    level = np.asarray(np.repeat((255 * own.alpha)[..., None], 3, axis=2), np.uint8)
    solid = cover(level, task.width, task.height)[..., 0] > 127
    covered = np.zeros_like(solid)
    for seat in places:
        covered[seat.top : seat.bottom, seat.left : seat.right] = True
    if (solid & covered).sum() <= IN_THE_WAY * solid.sum():
        return None
    side = max(5, place.picture.shape[1] // 40) | 1
    hole = cv2.dilate((own.alpha > 0.05).astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    return fill(place.picture, np.asarray(hole, np.bool_), task.nets)


def assembled(backdrop: Backdrop, cutouts: Sequence[Cutout], places: Sequence[Place]) -> Picture:
    """All subjects in the backdrop: first those that stand farther back, then those in the middle."""
    canvas = backdrop.picture.astype(np.float32)
    middle = canvas.shape[1] / 2
    pairs = sorted(
        zip(cutouts, places, strict=True),
        key=lambda pair: (pair[1].bottom, abs((pair[1].left + pair[1].right) / 2 - middle)),
    )
    for cutout, place in pairs:
        lay_shadow(canvas, cutout, place, backdrop)
    for cutout, place in pairs:
        lay_subject(canvas, cutout, place, backdrop)
    return np.asarray(canvas.clip(0, 255).round(), np.uint8)


def in_its_look(
    picture: Picture, wanted: Arrangement, refused: Arrangement, seed: int
) -> tuple[Picture, tuple[Span, ...]]:
    """The picture in the look and mood that the prompt names and the negative prompt does not."""
    used: list[Span] = []
    if wanted.look is not None and wanted.look_span is not None and wanted.look != refused.look:
        picture = stylised(picture, wanted.look, seed)
        used.append(wanted.look_span)
    if wanted.mood is not None and wanted.mood_span is not None and wanted.mood != refused.mood:
        picture = graded(picture, wanted.mood)
        used.append(wanted.mood_span)
    return picture, tuple(used)


def unmet(wanted: Arrangement, given: int, ignored: Sequence[str]) -> list[str]:
    """One sentence for everything that the prompt asks for and this engine cannot do."""
    sentences = []
    if given > MOST_REFERENCES:
        sentences.append(f"Only the first {MOST_REFERENCES} of {given} pictures were used.")
    sentences += [f"The prompt names image {image + 1}, but there is none." for image in wanted.missing]
    if wanted.style_of is not None:
        sentences.append(
            f"The style of image {wanted.style_of + 1} was not transferred: the preview engine has no weights for that."
        )
    if ignored:
        sentences.append(
            "Pictures are used as they are: new objects, poses and interactions that the prompt asks for were not made."
        )
    return sentences
