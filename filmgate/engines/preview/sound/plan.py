"""From a prompt to a plan of a clip's sound: which sources play in which shot, how loud, where, and under what music.

Shots that the prompt lists hear their own passage and the overall line; any others hear the whole prompt. What the
negative prompt names is not heard.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from filmgate.domain.shots import Span, find_shots
from filmgate.engines.preview.chance import generator
from filmgate.engines.preview.plan import Shot
from filmgate.engines.preview.prompt.clauses import quoted
from filmgate.engines.preview.sound.music import Mood, Score
from filmgate.engines.preview.sound.reading import Heard, Mention, read_sounds
from filmgate.engines.preview.sound.takes import Take, hear_takes
from filmgate.engines.preview.sound.vocabulary import READ_AT_MOST, Source

__all__ = ["Layer", "SoundPlan", "plan_sound"]

LAYERS_PER_SHOT = 5
QUOTES_AT_MOST = 24
LATE_SHARE = 0.45
"""Where in its shot a sound begins that comes "then" or "suddenly"."""

NORMAL_LUFS, STRONG_LUFS, BARE_LUFS = -35.0, -31.0, -41.0
"""How loud a clip is: sound that is there without asking for attention; a storm; nothing but the air of a place."""
HUSH_LU = -4.0
STRONG: frozenset[Source] = frozenset({"thunder", "waterfall", "cheer", "applause"})
STRONG_FORCE = 1.4

IMPLIED_DB, BASE_DB, FAR_DB = -6.0, -13.0, -7.0
"""How much quieter than what is named: what a place implies, the air of the place, what is far."""
MUSIC_DB, MOOD_DB = 2.0, -7.0
"""The level of music that is asked for, which leads, and of music that a mood brings."""
FORCE_DB = 6.0
"""How much louder it is at twice the force."""
BALANCE_DB: Mapping[Source, float] = {
    "rain": -3,
    "waterfall": -2,
    "leaves": -7,
    "water": -4,
    "river": -3,
    "thunder": 5,
    "fire": -2,
    "birds": -7,
    "insects": -9,
    "crowd": -4,
    "applause": -2,
    "footsteps": -6,
    "snow_steps": -7,
    "bell": -4,
    "chimes": -10,
    "engine": -3,
}
"""What a mixer would do to sources of one loudness: those that the ear picks out anyway come down, thunder goes up."""

BASES: frozenset[Source] = frozenset({"room", "open_air"})
OUTDOORS: frozenset[Source] = frozenset(
    {"open_air", "wind", "leaves", "water", "river", "waterfall", "sea", "rain", "thunder", "traffic", "engine",
     "birds", "insects", "snow_steps"}
)  # fmt: skip
FROM_ONE_PLACE: frozenset[Source] = frozenset(
    {"fire", "engine", "footsteps", "snow_steps", "bell", "chimes", "thunder"}
)
WIDEST_PLACE = 0.5


@dataclass(frozen=True, slots=True)
class Layer:
    """One source over a stretch of the clip: how hard it plays (0.5 … 2), its level in the mix, its place (-1 … 1)."""

    source: Source
    start_s: float
    end_s: float
    force: float
    level_db: float
    place: float | None
    far: bool


@dataclass(frozen=True, slots=True)
class SoundPlan:
    """What will be heard. `loudness_lufs` is None for a silent track; `takes` is how each shot hears the layers.

    `applied` quotes the phrases of the prompt that act on the sound, `ignored` those that ask for what is not made.
    """

    duration_s: float
    layers: tuple[Layer, ...]
    takes: tuple[Take, ...]
    score: Score | None
    score_db: float
    loudness_lufs: float | None
    indoors: bool
    applied: tuple[str, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What each shot hears: its own passages, the overall one first."""

    shots: tuple[Shot, ...]
    heard: tuple[tuple[Heard, ...], ...]
    negative: Heard

    @property
    def passages(self) -> list[Heard]:
        """Every passage once."""
        return list(dict.fromkeys(passage for passages in self.heard for passage in passages))


def plan_sound(
    prompt: str, *, negative_prompt: str, shots: Sequence[Shot], duration_s: float, seed: int, extend: bool
) -> SoundPlan:
    """The sound of a clip of these shots; never raises, whatever the texts are.

    With `extend` a mood that the prompt sets, or the lack of anything to hear, is filled in with a little music.
    """
    script = _script(prompt[:READ_AT_MOST], negative_prompt[:READ_AT_MOST], shots)
    silence = _silence(script)
    if silence is not None:
        return SoundPlan(duration_s, (), (), None, 0.0, None, False, tuple(_quotes(prompt, silence)), ())
    chosen = [_chosen(passages, script) for passages in script.heard]
    named = [mention for mentions in chosen for mention in mentions]
    alone = all(mention.source in BASES for mention in named)
    score, score_db, score_spans = _score(script, extend=extend, alone=alone)
    indoors = any(mention.source == "room" for mention in named)
    hush = [span for passage in script.passages for span in passage.hush] if not script.negative.hush else []
    heard = {mention.source for mention in named}
    acting = [one.span for passage in script.passages for one in passage.mentions if one.source in heard]
    used = [*acting, *score_spans, *hush]
    unmade = [span for passage in script.passages for span in passage.unmade]
    unread = [f"everything after the first {READ_AT_MOST} characters"] if len(prompt) > READ_AT_MOST else []
    return SoundPlan(
        duration_s=duration_s,
        layers=_layers(script.shots, chosen, seed, bare=score is None),
        takes=hear_takes(script.shots),
        score=score,
        score_db=score_db,
        loudness_lufs=_loudness(named, score) + (HUSH_LU if hush else 0.0),
        indoors=indoors,
        applied=tuple(_quotes(prompt, used)),
        ignored=(*_quotes(prompt, [*unmade, *_left_out(script, named)]), *unread),
    )


def _script(prompt: str, negative_prompt: str, shots: Sequence[Shot]) -> Script:
    negative = read_sounds(negative_prompt, (0, len(negative_prompt)))
    listed = find_shots(prompt) if len(shots) > 1 else None
    if listed is None:
        whole = read_sounds(prompt, (0, len(prompt)))
        return Script(tuple(shots), ((whole,),) * len(shots), negative)
    overall = read_sounds(prompt, listed.head)
    own = [read_sounds(prompt, shot.text) for shot in listed.shots]
    heard = [(overall, own[min(number, len(own) - 1)]) for number in range(len(shots))]
    return Script(tuple(shots), tuple(heard), negative)


def _silence(script: Script) -> list[Span] | None:
    """The words that ask for a silent track; empty if only the negative prompt has them, None if nobody asks."""
    asked = [span for passage in script.passages for span in passage.silence]
    return asked if asked or script.negative.sound_itself else None


def _chosen(passages: Sequence[Heard], script: Script) -> list[Mention]:
    """What one shot hears, each source once, the named before the implied."""
    refused = {mention.source for mention in script.negative.mentions}
    refused |= {mention.source for passage in script.passages for mention in passage.mentions if mention.refused}
    mentions = [mention for passage in passages for mention in passage.mentions if mention.source not in refused]
    if any(passage.night for passage in passages):
        mentions = [_by_night(mention) for mention in mentions]
    mentions = [mention for mention in mentions if mention.source not in refused]
    inside = any(mention.source == "room" for mention in mentions)
    if inside:
        # Walls: what a place outside would bring is not heard, and what is named comes through them.
        mentions = [mention for mention in mentions if not (mention.implied and mention.source in OUTDOORS)]
        mentions = [replace(one, far=True) if one.source in OUTDOORS - {"water"} else one for one in mentions]
    first: dict[Source, Mention] = {}
    for mention in sorted(mentions, key=lambda one: (one.implied, one.span)):
        first.setdefault(mention.source, mention)
    sources = [mention for mention in first.values() if mention.source not in BASES][:LAYERS_PER_SHOT]
    return [*sources, *(mention for mention in first.values() if mention.source in BASES)]


def _by_night(mention: Mention) -> Mention:
    """The birds that a wood would have by day are crickets by night."""
    if mention.implied and mention.source == "birds":
        return replace(mention, source="insects")
    return mention


def _layers(shots: Sequence[Shot], chosen: Sequence[Sequence[Mention]], seed: int, *, bare: bool) -> tuple[Layer, ...]:
    """All shots' layers; one that goes on beyond a cut stays one, and plays on. `bare`: there is no music."""
    layers: list[Layer] = []
    for shot, mentions in zip(shots, chosen, strict=True):
        playing = [_layer(mention, shot, seed) for mention in mentions if mention.source not in BASES]
        base = _base(shot, mentions, 0.0 if bare and not playing else BASE_DB)
        for layer in (*playing, base):
            before = next((one for one in layers if _goes_on(one, layer)), None)
            if before is not None:
                layers[layers.index(before)] = replace(before, end_s=layer.end_s)
            else:
                layers.append(layer)
    return tuple(layers)


def _goes_on(before: Layer, after: Layer) -> bool:
    return replace(before, start_s=after.start_s, end_s=after.end_s) == after and before.end_s == after.start_s


def _layer(mention: Mention, shot: Shot, seed: int) -> Layer:
    level = BALANCE_DB.get(mention.source, 0.0) + (IMPLIED_DB if mention.implied else 0.0)
    level += (FAR_DB if mention.far else 0.0) + FORCE_DB * (mention.force - 1)
    start_s = shot.start_s + (LATE_SHARE * (shot.end_s - shot.start_s) if mention.late else 0.0)
    place = mention.place
    if place is None and mention.source in FROM_ONE_PLACE:
        place = float(generator(seed, f"sound place {mention.source}").uniform(-WIDEST_PLACE, WIDEST_PLACE))
    return Layer(mention.source, start_s, shot.end_s, mention.force, level, place, mention.far)


def _base(shot: Shot, mentions: Sequence[Mention], level_db: float) -> Layer:
    """The air of the place, under everything."""
    inside = any(mention.source == "room" for mention in mentions)
    outside = any(mention.source in OUTDOORS for mention in mentions)
    source: Source = "open_air" if outside and not inside else "room"
    return Layer(source, shot.start_s, shot.end_s, 1.0, level_db, None, far=False)


def _score(script: Script, *, extend: bool, alone: bool) -> tuple[Score | None, float, list[Span]]:
    """The music, its level, and the words that ask for it."""
    words = [passage.music for passage in script.passages]
    asked = [span for music in words for span in music.asked]
    if script.negative.music.asked or (not asked and any(music.refused for music in words)):
        return None, 0.0, []
    banned = {mood for mood, _ in script.negative.moods}
    moods = [(mood, span) for passage in script.passages for mood, span in passage.moods if mood not in banned]
    if not asked and not (extend and (moods or alone)):
        return None, 0.0, []
    mood: Mood = moods[0][0] if moods else "calm"
    score = Score(
        mood,
        pace=next((music.pace for music in words if music.pace != 1.0), 1.0),
        beats_per_minute=next((music.beats_per_minute for music in words if music.beats_per_minute), None),
        instrument=next((music.instrument for music in words if music.instrument), None),
        drum=any(music.drum for music in words),
    )
    return score, MUSIC_DB if asked or alone else MOOD_DB, [*asked, *(span for one, span in moods if one == mood)]


def _loudness(named: Sequence[Mention], score: Score | None) -> float:
    if any(not mention.far and (mention.source in STRONG or mention.force >= STRONG_FORCE) for mention in named):
        return STRONG_LUFS
    if score is not None or any(mention.source not in BASES for mention in named):
        return NORMAL_LUFS
    return BARE_LUFS


def _left_out(script: Script, named: Iterable[Mention]) -> list[Span]:
    """What was named, and neither refused nor heard: one sound too many."""
    heard = {mention.source for mention in named}
    refused = {mention.source for mention in script.negative.mentions}
    return [
        mention.span
        for passage in script.passages
        for mention in passage.mentions
        if not (mention.implied or mention.refused or mention.source in heard or mention.source in refused)
    ]


def _quotes(prompt: str, spans: Iterable[Span]) -> list[str]:
    """The phrases at these places in order, each once."""
    phrases = [quoted(prompt, span) for span in sorted(spans)]
    return list({phrase.casefold(): phrase for phrase in phrases}.values())[:QUOTES_AT_MOST]
