"""How prompts say that a sound shall be: not at all, loud or faint, near or far, on which side, and when."""

import re

from filmgate.engines.preview.sound.vocabulary import any_case

__all__ = [
    "BARE_SILENCE",
    "FAINT",
    "FAR",
    "HUSH",
    "LATE",
    "LEFT",
    "LOUD",
    "NEGATION",
    "NEGATION_CHINESE",
    "RIGHT",
    "SILENCE",
    "SOUND_ITSELF",
]

SILENCE = any_case(
    r"\b(?:no|without(?: any)?|zero) (?:sounds?|audio|sound effects)\b(?! (?:of|from))"
    r"|\b(?:completely|totally|utterly|entirely|fully|dead) silent\b|\b(?:complete|total|absolute|utter|dead) silence\b"
    r"|\bsilent (?:video|clip|film|footage|movie)\b|\bsoundless\b"
    r"|\b(?:audio|sound|track|video|clip)(?: is)? (?:off|muted?)\b"
    r"|\bmuted? (?:the )?(?:audio|sound|track|video|clip)\b",
    "无声|静音|没有声音|不要声音|不需要声音|无音频|消音",
)
"""Words that ask for a silent track."""
BARE_SILENCE = any_case(r"\b(?:silent|silence|muted?|no noise)\b", "寂静无声")
"""Words that ask for it where they are a clause of their own: "a silent woman" is no silent clip."""
HUSH = any_case(
    r"\b(?:quiet|quietly|hushed|silent|silently|silence|stillness)\b",
    "安静|寂静|静静|悄悄|轻声|静悄悄",
)
"""Words that ask for less of everything."""
SOUND_ITSELF = any_case(r"\b(?:(?:any|all) )?(?:sounds?|audio|sound effects|soundtrack)\b", "声音|音频|音效")
"""As a clause of a negative prompt these ask for a silent track; "distorted sound" does not."""

LOUD = any_case(
    r"\b(?:loud(?:ly)?|heavy|heavily|hard|roaring|strong(?:ly)?|powerful|torrential|violent(?:ly)?|raging|howling|booming|deafening"
    r"|busy|bustling|fierce(?:ly)?|huge|massive)\b",
    "巨大|猛烈|强烈|响亮|剧烈|轰鸣|呼啸|汹涌|震耳",
)
FAINT = any_case(
    r"\b(?:soft(?:ly)?|gentle|gently|light(?:ly)?|quiet(?:ly)?|subtle|subtly|calm|faint(?:ly)?|slight(?:ly)?|low|slow(?:ly)?|tiny|small)\b",
    "轻轻|轻柔|微弱|淡淡|隐约|细微|缓缓|静静",
)
FAR = any_case(
    r"\b(?:distant(?:ly)?|far[- ](?:away|off)|in the (?:far )?distance|in the background|on the horizon|muffled)\b",
    "远处|远方|遥远|背景中|远远",
)
LEFT = any_case(r"\b(?:on|from|to|at) the left\b|\bleft side\b", "左边|左侧|左方")
RIGHT = any_case(r"\b(?:on|from|to|at) the right\b|\bright side\b", "右边|右侧|右方")
LATE = any_case(
    r"\b(?:then|suddenly|finally|eventually|later|at the end|towards the end|afterwards)\b",
    "然后|突然|最后|最终|忽然|接着",
)
NEGATION = any_case(r"\b(?:no|not|never|without|avoid|remove|don['’]?t|doesn['’]?t|isn['’]?t|nor)\b")
NEGATION_CHINESE = re.compile("(?:不要|没有|无需|避免|禁止|不能|不|无|没)[^，。；、]{0,2}$")
