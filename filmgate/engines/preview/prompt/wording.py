"""What a prompt says of framing, the operator's hand and the look of the picture, as tables of bounded patterns."""

import re
from dataclasses import dataclass
from typing import Literal

from filmgate.domain.shots import Span

__all__ = ["Found", "Framing", "NamedFraming", "Wording", "read_wording"]

Framing = Literal["wide", "medium", "close_up", "extreme_close_up", "side", "low_angle", "high_angle"]


def _any_case(pattern: str) -> re.Pattern[str]:
    # ASCII: a word boundary also between Latin and Chinese letters, and no exotic look-alikes of letters.
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


FRAMINGS: tuple[tuple[re.Pattern[str], Framing], ...] = (
    (
        _any_case(r"\b(?:extreme[- ]close[- ]?ups?|macro (?:shot|view|close[- ]?up))\b|大特写|极特写"),
        "extreme_close_up",
    ),
    (_any_case(r"\bclose[- ]?ups?\b|\bclose (?:shot|framing)\b|\bface fills\b|(?<![大极])特写|近景"), "close_up"),
    (_any_case(r"\b(?:medium|mid|waist|cowboy)[- ](?:two[- ])?(?:shot|framing|view)\b|中景"), "medium"),
    (
        _any_case(
            r"\b(?:wide|wider|establishing|long|full|panoramic)[- ](?:shot|angle|view|framing)\b|全景|远景|大景|广角"
        ),
        "wide",
    ),
    (
        _any_case(
            r"\b(?:side|reverse)[- ](?:angle|view|shot|profile)\b|\bover[- ]the[- ]shoulder\b|\bin profile\b|侧面|侧拍"
        ),
        "side",
    ),
    (_any_case(r"\blow[- ]angle\b|\bworm'?s[- ]eye\b|低角度|仰拍|仰视"), "low_angle"),
    (_any_case(r"\bhigh[- ]angle\b|\boverhead (?:shot|view)\b|\bbird'?s[- ]eye\b|高角度|俯拍|俯视|鸟瞰"), "high_angle"),
)

STEADY = _any_case(
    r"\b(?:steadicam|gimbal|stabili[sz]ed|on a tripod|steady camera|smooth camera|shake[- ]free)\b"
    r"|\b(?:no|without|avoid) (?:any )?(?:camera )?(?:shak(?:e|ing)|jitter|hand-?held)\b"
    r"|稳定器|平稳的镜头|不要晃动|无晃动"
)
SHAKY = _any_case(
    r"\b(?:shaky|shaking|jittery|unsteady) (?:camera|cam|footage|shot)\b|\bcamera (?:shakes?|shaking)\b|镜头晃动"
)
HANDHELD_SLIGHTLY = _any_case(r"\b(?:slight|subtle|gentle|light|soft)(?:ly)? hand[- ]?held\b|轻微手持")
HANDHELD = _any_case(r"\bhand[- ]?held\b|手持")
SHAKE = _any_case(r"\b(?:shak(?:y|e|es|ing)|jitter(?:y|ing)?|unsteady|hand[- ]?held|camera wobble)\b|晃动|抖动|手持")
GRAINY = _any_case(r"\b(?:film )?grain(?:y)?\b|\b(?:8|16|35) ?mm(?: film)?\b|\bold film\b|\bvhs\b|颗粒|胶片")
CLEAN = _any_case(r"\b(?:no|without) (?:film )?grain\b|无颗粒")
SHARP = _any_case(
    r"\b(?:sharp focus|tack[- ]sharp|crisp|ultra[- ]detailed|highly detailed|high detail|[48]k|hdr|uhd)\b"
    r"|高清|超清|清晰"
)
BREATHING = _any_case(r"\b(?:breath(?:e|es|ing)|chest rises)\b|呼吸")
NOISE = _any_case(r"\b(?:film )?grain(?:y)?\b|\bnois[ey]\b|颗粒|噪点")
POOR = _any_case(
    r"\b(?:blurry|blurred|blur|(?:low|worst|bad|poor)[- ]quality|low[- ]res(?:olution)?|out[- ]of[- ]focus|pixelated"
    r"|jpeg artifacts)\b|模糊|低质量|低分辨率|最差质量"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where the text says it."""

    value: float
    span: Span


@dataclass(frozen=True, slots=True)
class NamedFraming:
    """A framing and where the text names it."""

    framing: Framing
    span: Span


@dataclass(frozen=True, slots=True)
class Wording:
    """What one passage says apart from its moves; None or False where it says nothing.

    `poor`, `noise` and `shake` are complaints: they count in a negative prompt.
    """

    framing: NamedFraming | None
    hand: Found | None
    grain: Found | None
    sharpen: Found | None
    breathing: Span | None
    poor: bool
    noise: bool
    shake: bool


def read_wording(text: str, span: Span) -> Wording:
    """Everything that these tables know of text[start:end]; of several framings the one named first."""
    named = [
        NamedFraming(framing, found.span())
        for pattern, framing in FRAMINGS
        if (found := pattern.search(text, *span)) is not None
    ]
    breath = BREATHING.search(text, *span)
    return Wording(
        framing=min(named, key=lambda one: one.span[0], default=None),
        hand=_first(text, span, (STEADY, 0.0), (SHAKY, 2.4), (HANDHELD_SLIGHTLY, 1.0), (HANDHELD, 1.8)),
        grain=_first(text, span, (CLEAN, 0.0), (GRAINY, 0.14)),
        sharpen=_first(text, span, (SHARP, 0.35)),
        breathing=breath.span() if breath else None,
        poor=POOR.search(text, *span) is not None,
        noise=NOISE.search(text, *span) is not None,
        shake=SHAKE.search(text, *span) is not None,
    )


def _first(text: str, span: Span, *rules: tuple[re.Pattern[str], float]) -> Found | None:
    """The value of the first rule, in the order given, that the text obeys."""
    for pattern, value in rules:
        found = pattern.search(text, *span)
        if found is not None:
            return Found(value, found.span())
    return None
