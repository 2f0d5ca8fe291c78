"""The size at which a model renders, where it cannot render the promised one. Exact integers, as in domain/sizes.py."""

from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

__all__ = ["render_size"]

Size = tuple[int, int]


def render_size(target_width: int, target_height: int, max_area_px: int, multiple: int) -> Size:
    """Width and height: the target's if the model can, else multiples of `multiple` of at most `max_area_px` pixels.

    Of the sizes next to the scaled-down target the one with the nearest aspect, of equals the larger one. Raises
    ValueError when not even `multiple` × `multiple` pixels are allowed.
    """
    if max_area_px < multiple * multiple:
        raise ValueError(f"{multiple} × {multiple} pixels are more than the area of {max_area_px}")
    fits = target_width * target_height <= max_area_px
    if fits and target_width % multiple == 0 and target_height % multiple == 0:
        return target_width, target_height
    turned = ((width, height) for height, width in _sizes(target_height, target_width, max_area_px, multiple))
    sizes = [*_sizes(target_width, target_height, max_area_px, multiple), *turned]
    aspect = Fraction(target_width, target_height)

    def worth(size: Size) -> tuple[Fraction, int, int]:
        stretch = Fraction(*size) / aspect
        return min(stretch, 1 / stretch), size[0] * size[1], max(size)

    return max(sizes, key=worth)


def _sizes(first: int, second: int, max_area_px: int, multiple: int) -> Iterator[Size]:
    """Two sizes whose first side is next to that of the target, scaled down to the area, and whose second one fits."""
    most_blocks = max_area_px // (multiple * multiple)
    below = min(first, isqrt(max_area_px * first // second)) // multiple
    for blocks in (below, below + 1):
        first_blocks = min(max(1, blocks), most_blocks)
        # Rounded to the nearest: 2 * x + 1 over 2.
        second_blocks = (2 * first_blocks * second + first) // (2 * first)
        yield multiple * first_blocks, multiple * min(max(1, second_blocks), most_blocks // first_blocks)
