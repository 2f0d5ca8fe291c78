"""What prompts say of sound, as tables of bounded patterns in English and Chinese.

A word can name a sound ("thunder"), or a place or an act that brings sounds with it ("a garden" has birds): the latter
are implied, and quieter. Homographs are told by the words beside them: "bird's-eye view", "watercolour", "the road
winds", "waves her hand", "fire engine", 风格 (style) and 上海 (Shanghai) are no sounds.
"""

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["NIGHT", "READ_AT_MOST", "RULES", "UNMADE", "Pattern", "Rule", "Source", "any_case"]

READ_AT_MOST = 20_000
"""Characters of a prompt that are read for sound; one model sets no limit of its own."""

Pattern = re.Pattern[str]
Source = Literal[
    "room",
    "open_air",
    "wind",
    "leaves",
    "water",
    "river",
    "waterfall",
    "sea",
    "rain",
    "thunder",
    "fire",
    "traffic",
    "engine",
    "birds",
    "insects",
    "crowd",
    "cheer",
    "applause",
    "footsteps",
    "snow_steps",
    "bell",
    "chimes",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """Words, and the sources that they name or imply, at this force (0.5 soft, 1, 2 hard)."""

    sources: tuple[Source, ...]
    pattern: Pattern
    force: float = 1.0
    implied: bool = False


def any_case(english: str, chinese: str = "") -> Pattern:
    # ASCII: a word boundary also between Latin and Chinese letters.
    return re.compile(f"{english}|{chinese}" if chinese else english, re.IGNORECASE | re.ASCII)


def _named(*sources: Source, says: str, chinese: str, force: float = 1.0) -> Rule:
    return Rule(sources, any_case(says, chinese), force)


def _implied(*sources: Source, says: str, chinese: str, force: float = 1.0) -> Rule:
    return Rule(sources, any_case(says, chinese), force, implied=True)


WEATHER: tuple[Rule, ...] = (
    _named("rain", "wind", "thunder", says=r"\bthunder-?storms?\b", chinese="雷雨|雷暴|雷电交加", force=1.3),
    _named(
        "rain",
        says=r"\b(?:downpour|rainstorm|heavy rain|torrential rain|pouring rain|pours? down)\b",
        chinese="大雨|暴雨|倾盆|瓢泼",
        force=1.7,
    ),
    _named(
        "rain", says=r"\b(?:drizzl\w{1,4}|light rain|soft rain|gentle rain)\b", chinese="小雨|细雨|毛毛雨", force=0.6
    ),
    _named(
        "rain",
        says=r"\brain(?:s|ing|y|fall|drops?)?\b(?![ -](?:coat|jacket|boots?|forest|hat|cover|check))",
        chinese="下雨|雨声|雨水|雨滴|雨中|雨夜|雨点|雨幕|雨天|雨景|春雨|秋雨|阵雨|风雨",
    ),
    _named("thunder", says=r"\bthunder(?:s|ing|ous|claps?)?\b|\blightning\b", chinese="雷声|打雷|闪电|惊雷|雷鸣|电闪"),
    _named(
        "wind",
        says=r"\b(?:gale|blizzard|sandstorm|snowstorm|hurricane|tornado|storm(?:s|y)?)\b"
        r"|\b(?:strong|howling|fierce) winds?\b",
        chinese="大风|狂风|暴风|飓风|台风|风暴|沙尘暴|暴雪",
        force=1.7,
    ),
    _named(
        "wind", says=r"\bbreez(?:e|es|y)\b|\b(?:gentle|light|soft) winds?\b", chinese="微风|清风|轻风|和风", force=0.6
    ),
    _named(
        "wind",
        says=r"\bwind\b(?![ -](?:up|down|around|chimes?|turbines?|instruments?|mill))"
        r"|\b(?:wind(?:y|swept|blown)|gusts?|gusty)\b|\bwinds (?:blow|howl|whistl|rustl|sweep|swirl|pick)\w{0,4}",
        chinese="风声|风吹|吹风|刮风|起风|寒风|海风|晚风|春风|秋风|北风|风沙|风中|随风|迎风",
    ),
    _implied(
        "wind", says=r"\bsnow(?:s|ing|y|fall|flakes?)?\b", chinese="下雪|飘雪|雪花|雪地|大雪|雪山|雪景", force=0.5
    ),
    _implied(
        "wind",
        says=r"\b(?:deserts?|mountains?|mountaintop|cliffs?|summit|prairie|dunes?|steppe|ruins?)\b",
        chinese="沙漠|山顶|高山|悬崖|草原|荒野|戈壁|废墟",
        force=0.7,
    ),
)
WATER: tuple[Rule, ...] = (
    _named("waterfall", says=r"\b(?:waterfalls?|cascades?)\b", chinese="瀑布"),
    _named(
        "sea",
        says=r"\b(?:ocean|seaside|surf(?:ing|er|ers)?|seashore|shoreline|beach(?:es)?|coast(?:al|line)?)\b"
        r"|\bsea\b(?! (?:of|level|food))|\bwaves (?:crash|break|roll|lap|pound|wash|hit)\w{0,4}"
        r"|\b(?:crashing|breaking|rolling|ocean|sea) waves\b",
        chinese="大海|海浪|海边|海滩|海洋|海面|海岸|海水|沙滩|浪花|波浪|潮水|涛声",
    ),
    _named(
        "river",
        says=r"\b(?:rivers?|creeks?|brooks?|rapids|fountains?|babbling|running water|flowing water|water flows)\b"
        r"|(?<!live )(?<!video )\bstream\b(?! of| from)",
        chinese="小溪|溪流|溪水|河流|河水|流水|江水|小河|河边|江边|喷泉|泉水",
    ),
    _named(
        "water",
        says=r"\bwater\b(?![ -]?(?:colou?rs?|bottles?|melons?|marks?|lil(?:y|ies)|tanks?|proof|towers?|falls?|s edge))"
        r"|\b(?:ripples?|rippling|splash(?:es|ing)?|drips?|dripping|bathtub|underwater)\b",
        chinese="水面|水波|水花|涟漪|滴水|水滴|浴缸|溅水|水声",
    ),
    _implied(
        "water",
        says=r"\b(?:lakes?|ponds?|(?:swimming )?pools?|puddles?|harbou?r|dock|pier)\b",
        chinese="湖|池塘|泳池|水池|码头",
    ),
)
LAND: tuple[Rule, ...] = (
    _named("fire", "open_air", says=r"\b(?:camp|bon)fires?\b", chinese="篝火|营火"),
    _named(
        "fire",
        says=r"\b(?:fireplace|hearth|flames?|embers|inferno|blaze|blazing)\b"
        r"|\bfire\b(?![ -](?:trucks?|engines?|hydrants?|extinguishers?|alarms?|escape|fl(?:y|ies)|works?))",
        chinese="火焰|壁炉|燃烧|烈火|大火|火堆|炉火",
    ),
    _named(
        "leaves",
        says=r"\brustl\w{1,4}\b|\bleaves (?:rustle|sway|flutter|whisper)\w{0,3}",
        chinese="沙沙|树叶.{0,4}(?:响|声)",
    ),
    _implied(
        "leaves",
        says=r"\b(?:foliage|tree ?tops|bamboo|swaying (?:trees|grass))\b"
        r"|\b(?:autumn|fallen|falling|dry|green|swaying) leaves\b",
        chinese="树叶|落叶|竹林|枝叶|麦浪",
    ),
    _named(
        "birds",
        says=r"\bbird(?:s|song)?\b(?!['’]?s?[- ]eye|['’]s)|\b(?:chirp|twitter|warbl)(?:s|ing|ed)?\b"
        r"|\b(?:songbirds?|sparrows?|robins?|nightingales?)\b",
        chinese="鸟鸣|鸟叫|鸟语|鸟声|小鸟|飞鸟|鸟儿|群鸟|喜鹊|麻雀",
    ),
    _implied(
        "birds",
        says=r"\b(?:forests?|woods|woodland|gardens?|park|orchard|meadows?|countryside|jungle)\b"
        r"|\b(?:morning|dawn|sunrise|spring day)\b",
        chinese="森林|树林|花园|公园|草地|田野|果园|清晨|早晨|黎明|日出|乡村|丛林",
        force=0.7,
    ),
    _named(
        "insects",
        says=r"\bcrickets?\b(?! (?:match|bat|ball|pitch|player|game))"
        r"|\b(?:cicadas?|grasshoppers?|chirring|insects?|fireflies)\b",
        chinese="蟋蟀|蝉|虫鸣|虫声|知了|昆虫|萤火虫",
    ),
    _implied(
        "insects",
        says=r"\b(?:summer|warm|still|quiet|country) nights?\b|\bmoonlit (?:gardens?|fields?|meadows?|lakes?|paths?)\b",
        chinese="夏夜|月夜|仲夏",
        force=0.7,
    ),
    _named(
        "bell",
        says=r"\b(?:church|temple|tower|tolling|great) bells?\b|\bbells? (?:toll|ring)\w{0,3}",
        chinese="钟声|敲钟|钟鸣|大钟",
    ),
    _named(
        "chimes",
        says=r"\b(?:wind[- ]?chimes?|jingl\w{1,4}|chimes?)\b|\bbells?\b(?![ -](?:peppers?|tower|bottoms?))",
        chinese="风铃|铃声|铃铛|铃响",
    ),
    _implied(
        "bell", says=r"\b(?:cathedral|monastery|church|temple)\b(?! bell)", chinese="教堂|寺庙|寺院|钟楼", force=0.8
    ),
)
TOWN: tuple[Rule, ...] = (
    _named(
        "traffic",
        says=r"\b(?:traffic|car horns?|honk\w{0,3}|rush hour|busy (?:street|road))\b",
        chinese="车流|车水马龙|交通|喇叭|鸣笛",
    ),
    _implied(
        "traffic",
        says=r"\b(?:city|cityscape|streets?|urban|downtown|avenue|boulevard|highway|intersection|crosswalk|metropolis)\b"
        r"(?! (?:lights?|food))",
        chinese="城市|街道|街头|马路|都市|公路|大街|十字路口",
        force=0.8,
    ),
    _named(
        "engine",
        says=r"\b(?:motor(?:cycles?|bikes?)?|rac(?:e|ing) cars?|sports cars?|revs?|revving|tractor)\b"
        r"|(?<!unreal )(?<!game )(?<!fire )\bengines?\b"
        r"|\b(?:cars?|vehicles?|taxis?|bus|van) (?:driv|speed|rac|pass|roar|rush)\w{1,4}"
        r"|\b(?:drives?|driving|speeds) (?:away|off|past|by|along|down|through)\b",
        chinese="引擎|发动机|摩托|赛车|跑车|马达|汽车.{0,4}(?:驶|开|行)|驾车|驶过|行驶",
    ),
    _implied(
        "engine",
        says=r"(?<!parked )\b(?:cars?|vehicles?|taxi|convertible|pickup)\b",
        chinese="汽车|轿车|卡车|车辆",
        force=0.6,
    ),
    _named(
        "cheer",
        says=r"\b(?:cheers?(?! for)|cheering|cheered|ovation|crowd roars?|roar of the crowd)\b",
        chinese="欢呼|喝彩|呐喊",
    ),
    _named("applause", says=r"\b(?:applause|applaud\w{0,3}|clap(?:s|ping|ped)?)\b", chinese="掌声|鼓掌|拍手"),
    _named(
        "crowd",
        says=r"\b(?:crowds?|crowded|audience|chatter\w{0,3}|murmurs?|bustling)\b",
        chinese="人群|观众|喧闹|嘈杂|人声|人山人海|热闹",
    ),
    _implied(
        "crowd",
        says=r"\b(?:market(?:place)?|restaurant|cafe|coffee shop|festival|party|concert|arena|mall|airport)\b"
        r"|\bcafé|\bpedestrians\b",
        chinese="市场|集市|餐厅|咖啡馆|派对|音乐会|商场|机场|车站|路人|行人|夜市",
        force=0.7,
    ),
    _named(
        "snow_steps",
        says=r"\bcrunch(?:es|ing|y)?\b(?! (?:on|into) (?:a|an|the) )"
        r"|\b(?:steps?|boots|walk(?:s|ing)?) (?:in|on|through) (?:the |deep |fresh )?snow\b",
        chinese="踏雪|踩雪|雪地.{0,3}(?:走|行|脚步)",
    ),
    _named(
        "footsteps",
        says=r"\b(?:footsteps?|footfalls?|steps echo\w{0,3}|high heels click\w{0,3})\b",
        chinese="脚步|足音",
    ),
    _implied(
        "footsteps",
        says=r"\b(?:walk(?:s|ing)?|stroll(?:s|ing)?|strid(?:es?|ing)|march(?:es|ing)|jog(?:s|ging))\b",
        chinese="走路|行走|走在|走过|走向|漫步|散步|跑步|奔跑",
        force=0.9,
    ),
    _implied("crowd", "open_air", says=r"\bstadiums?\b", chinese="体育场|球场", force=0.7),
    _implied(
        "room",
        says=r"\b(?:rooms?|bedroom|bathroom|living room|kitchen|office|indoors?|interior|hallway|corridor"
        r"|library|museum|classroom|cabin|attic|cellar|elevator)\b",
        chinese="房间|室内|客厅|卧室|厨房|办公室|浴室|教室|走廊|图书馆|博物馆|屋内|家里",
    ),
    _implied(
        "open_air",
        says=r"\b(?:outdoors?|outside|sky|fields?|hills?|valley|sunset|rooftop|balcony)\b",
        chinese="户外|室外|天空|山谷|夕阳|日落|屋顶|阳台",
    ),
)
RULES: tuple[Rule, ...] = (*TOWN, *LAND, *WATER, *WEATHER)
"""Where two rules match the same words, the earlier one has them."""

NIGHT = any_case(r"\b(?:night(?:time)?|midnight|moonlit|moonlight|starry)\b", "夜晚|深夜|月光|夜色|星空|夜空|月夜|夏夜")

UNMADE = any_case(
    r"\b(?:bark(?:s|ing)|meow(?:s|ing)?|purr(?:s|ing)?|growl(?:s|ing)?|neigh\w{0,3}|laugh(?:s|ing|ter)?"
    r"|giggl(?:es?|ing)|sings?|singing|singer|cr(?:ies|ying)|scream(?:s|ing)?|shout(?:s|ing)?|sirens?"
    r"|explo(?:des?|ding|sions?)|gunshots?|fireworks|trains?|helicopters?|(?:air|aero)planes?|typing"
    r"|phone rings|clock ticks|ticking|heartbeat|snor(?:es|ing))\b",
    "狗叫|猫叫|笑声|大笑|唱歌|歌声|哭声|尖叫|警笛|爆炸|枪声|烟花|火车|直升机|飞机|打字|心跳|滴答",
)
"""What would be heard but cannot be made here."""
