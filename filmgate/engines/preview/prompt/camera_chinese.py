"""What Chinese says of a camera. No spaces and no inflection: patterns over the characters of one sentence.

Every pattern is bounded in length, so a sentence is read in time linear in its length.
"""

import re
from collections.abc import Mapping

from filmgate.engines.preview.moves import MoveKind
from filmgate.engines.preview.prompt.camera_english import Wish, bounded_strength
from filmgate.engines.preview.prompt.camera_words import Wanted

__all__ = ["read_chinese"]

HAN = re.compile(r"[\u4e00-\u9fff]")
CAMERA = re.compile("镜头|相机|摄像机|摄影机|机位|画面|运镜|视角")
NEGATION = re.compile("(?:不要|没有|无需|避免|禁止|不能|不|无|没).{0,2}$")
SLOW = re.compile("缓|慢|轻|微微|徐徐|渐渐")
FAST = re.compile("快|迅速|急|猛|剧烈")
ADVERB = "(?:缓缓|缓慢|慢慢|轻轻|微微|徐徐|渐渐|逐渐|快速|迅速|急速|稳定|平稳|地|的|地向|继续|开始){0,3}"

Pattern = re.Pattern[str]


def _patterns(table: Mapping[str, Wanted]) -> tuple[tuple[Pattern, Wanted], ...]:
    return tuple((re.compile(pattern), kind) for pattern, kind in table.items())


ALWAYS = _patterns(
    {
        "希区柯克(?:式)?变焦|滑动变焦|眩晕变焦": "dolly_zoom",
        "推镜头?|推近镜头|推轨": "push_in",
        "拉镜头?|拉远镜头": "pull_out",
        "跟拍|跟镜头?|跟随镜头|移镜头?|横移镜头": "truck_right",
        "环绕(?:镜头|拍摄|运镜)|绕拍": "orbit_left",
        "升镜头?|航拍|摇臂上升": "crane_up",
        "降镜头?|摇臂下降": "crane_down",
        "固定镜头|固定机位|静止镜头|定镜头|机位固定|固定视角": "static",
    }
)
WITH_CAMERA = _patterns(
    {
        f"(?:推进|推近|拉近|靠近|前进|前移|前推|向前{ADVERB}(?:推|移|进))": "push_in",
        f"(?:拉远|拉开|后退|后移|后拉|向后{ADVERB}(?:拉|移|退))": "pull_out",
        "放大|变焦推": "zoom_in",
        "缩小|变焦拉": "zoom_out",
        f"(?:向|往|朝)左{ADVERB}(?:摇|转)|左摇": "pan_left",
        f"(?:向|往|朝)右{ADVERB}(?:摇|转)|右摇": "pan_right",
        f"(?:向|往|朝)上{ADVERB}(?:摇|仰|抬)|上摇": "tilt_up",
        f"(?:向|往|朝)下{ADVERB}(?:摇|俯)|下摇": "tilt_down",
        f"(?:向|往|朝)左{ADVERB}(?:平移|移|滑)|左移": "truck_left",
        f"(?:向|往|朝)右{ADVERB}(?:平移|移|滑)|右移|平移|横移": "truck_right",
        f"(?:向|往|朝)左{ADVERB}(?:环绕|绕)": "orbit_left",
        f"(?:向|往|朝)右{ADVERB}(?:环绕|绕)": "orbit_right",
        "环绕|围绕|绕着": "orbit_left",
        "跟随|追随|跟着": "truck_right",
        f"(?:向|往|朝)上{ADVERB}(?:升|移)|上升|升起|升高": "crane_up",
        f"(?:向|往|朝)下{ADVERB}(?:降|移)|下降|降落|降低": "crane_down",
        "旋转|翻滚": "roll",
        "固定|静止|不动|保持不变|保持稳定": "static",
        "移动|运动|晃动": "any",
    }
)


def read_chinese(text: str, start: int, end: int) -> list[Wish]:
    """The moves that the Chinese sentence text[start:end] asks for or refuses, in order."""
    sentence = text[start:end]
    if HAN.search(sentence) is None:
        return []
    patterns = (*ALWAYS, *WITH_CAMERA) if CAMERA.search(sentence) else ALWAYS
    wishes = [
        _wish(sentence, found.start(), found.end(), kind, start)
        for pattern, kind in patterns
        for found in pattern.finditer(sentence)
    ]
    return _longest(sorted(wishes, key=lambda wish: (wish.span[0], -wish.span[1])))


def _wish(sentence: str, first: int, stop: int, kind: Wanted, offset: int) -> Wish:
    before, after = sentence[max(0, first - 6) : first], sentence[stop : stop + 4]
    nearby = before + sentence[first:stop] + after
    factor = 0.7 if SLOW.search(nearby) else 1.5 if FAST.search(nearby) else 1.0
    span = (offset + first, offset + stop)
    refused = NEGATION.search(before) is not None
    if refused and kind == "any":
        return Wish("static", 1.0, span)
    strength = 1.0 if kind == "static" else bounded_strength(factor)
    return Wish(_opposite_word(kind, before), strength, span, refused)


def _opposite_word(kind: Wanted, before: str) -> Wanted:
    """Set phrases name no side; the characters before them may: "向左跟拍"."""
    sides: Mapping[Wanted, MoveKind] = {"truck_right": "truck_left", "orbit_right": "orbit_left"}
    return sides.get(kind, kind) if before.endswith(("向左", "往左", "朝左")) else kind


def _longest(wishes: list[Wish]) -> list[Wish]:
    """Of patterns that overlap, the one that began first and says most."""
    kept: list[Wish] = []
    for wish in wishes:
        if not kept or wish.span[0] >= kept[-1].span[1]:
            kept.append(wish)
    return kept
