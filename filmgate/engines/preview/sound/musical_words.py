"""What prompts say of music: that there shall be some, what plays it, in which mood and how fast."""

import re

from filmgate.engines.preview.sound.music import Instrument, Mood
from filmgate.engines.preview.sound.vocabulary import Pattern, any_case

__all__ = ["BEATS_PER_MINUTE", "DRUM", "INSTRUMENTS", "MOODS", "MUSIC", "PACES"]

MUSIC = any_case(
    r"\b(?:music(?:al)?|soundtrack|melod(?:y|ies)|song plays|(?:musical|orchestral|film) score|bgm|tune|orchestra(?:l)?"
    r"|symphony|jazz|lo-?fi|groove|danc(?:es?|ing|ers?)|ballad|waltz)\b",
    "音乐|配乐|旋律|乐曲|伴奏|交响|爵士|曲子|跳舞|舞蹈|起舞",
)
INSTRUMENTS: tuple[tuple[Pattern, Instrument], ...] = (
    (any_case(r"\b(?:piano|pianist|music box|xylophone|keyboard melody)\b", "钢琴|八音盒"), "struck"),
    (
        any_case(r"\b(?:guitars?|harp|ukulele|banjo|plucked|bass line|double bass|lute)\b", "吉他|竖琴|古筝|琵琶|古琴"),
        "plucked",
    ),
)
"""Words that ask for music, and how its notes are made then."""
DRUM = any_case(
    r"\b(?:drums?|drumming|drumbeats?|percussion|taiko|(?:heavy|strong|driving) beats?)\b", "鼓声|鼓点|打鼓|战鼓|击鼓"
)

MOODS: tuple[tuple[Pattern, Mood], ...] = (
    (
        any_case(
            r"\b(?:ominous|eerie|sinister|horror|spooky|creepy|suspense(?:ful)?|haunting|haunted|menacing|nightmar\w{1,4}"
            r"|mysterious|dark (?:mood|tone|atmosphere|music|ambien\w{2,3}|fantasy))\b",
            "阴森|恐怖|悬疑|诡异|紧张|神秘|惊悚|压抑",
        ),
        "dark",
    ),
    (
        any_case(
            r"\b(?:sad|sadly|sadness|melanchol(?:y|ic)|sorrow(?:ful)?|lonely|loneliness|mournful|grie(?:f|ving)|tearful|heartbroken"
            r"|wistful|somber)\b",
            "悲伤|忧伤|忧郁|孤独|哀伤|伤感|凄凉|落寞",
        ),
        "sad",
    ),
    (
        any_case(
            r"\b(?:epic|heroic|majestic|triumphant|grandiose|awe-?inspiring|legendary|monumental|victorious)\b",
            "史诗|壮丽|宏大|震撼|磅礴|英雄|雄伟|恢弘",
        ),
        "epic",
    ),
    (
        any_case(
            r"\b(?:cheerful|happy|happily|joy(?:ful|ous)?|playful|upbeat|festive|comedic|whimsical|celebrat\w{1,5}|lively|fun|funny)\b",
            "欢快|快乐|开心|愉快|活泼|喜庆|俏皮|欢乐|可爱",
        ),
        "cheerful",
    ),
    (
        any_case(
            r"\b(?:calm|peaceful|serene|serenity|tranquil|soothing|relax(?:ed|ing)|dreamy|intimate|tender|nostalgic|cozy|cosy|romantic"
            r"|contemplative|meditative|ethereal)\b",
            "宁静|平静|温柔|舒缓|祥和|梦幻|温馨|浪漫|安宁|静谧|怀旧",
        ),
        "calm",
    ),
)
PACES: tuple[tuple[Pattern, float], ...] = (
    (
        any_case(
            r"\b(?:fast|quick|up)[- ]?(?:paced|tempo)\b"
            r"|\b(?:fast|lively|energetic|driving) (?:music|beat|rhythm|tune)\b",
            "快节奏|节奏(?:欢快|明快|快)",
        ),
        1.3,
    ),
    (
        any_case(
            r"\b(?:slow|down)[- ]?(?:paced|tempo)\b|\bslow (?:music|beat|rhythm|tune|melody|piano)\b",
            "慢节奏|节奏(?:缓慢|舒缓|慢)",
        ),
        0.8,
    ),
)
BEATS_PER_MINUTE = re.compile(r"\b(\d{2,3}) ?bpm\b", re.IGNORECASE | re.ASCII)
