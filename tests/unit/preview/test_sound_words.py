"""What prompts say of sound: sources, their manner, silence, music, spoken lines; in English and Chinese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.preview.sound.reading import Heard, Mention, read_sounds
from filmgate.engines.preview.sound.speech import Speech, find_speech


def heard(text: str) -> Heard:
    return read_sounds(text, (0, len(text)))


def sources(text: str) -> list[str]:
    return [mention.source for mention in heard(text).mentions if not mention.refused]


def only(text: str) -> Mention:
    (mention,) = heard(text).mentions
    return mention


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rain falls on the roof", "rain"),
        ("a drizzle", "rain"),
        ("a thunderstorm", "rain wind thunder"),
        ("lightning strikes", "thunder"),
        ("A cold wind blows", "wind"),
        ("a gentle breeze", "wind"),
        ("leaves rustle", "leaves"),
        ("a waterfall", "waterfall"),
        ("waves crash", "sea"),
        ("the ocean", "sea"),
        ("a babbling creek", "river river"),
        ("water drips", "water water"),
        ("flames in a fireplace", "fire fire"),
        ("busy street", "traffic"),
        ("a car drives off", "engine"),
        ("a motorcycle", "engine"),
        ("Birds chirp", "birds birds"),
        ("crickets", "insects"),
        ("a crowd", "crowd"),
        ("people cheering", "cheer"),
        ("applause", "applause"),
        ("footsteps", "footsteps"),
        ("She walks through the snow", "snow_steps"),
        ("church bells", "bell"),
        ("a small bell jingles", "chimes chimes"),
        ("下雨了", "rain"),
        ("雷声", "thunder"),
        ("微风吹过", "wind"),
        ("海浪拍打沙滩", "sea sea"),
        ("小溪", "river"),
        ("瀑布", "waterfall"),
        ("壁炉里的火焰", "fire fire"),
        ("鸟鸣", "birds"),
        ("蝉鸣", "insects"),
        ("人群欢呼", "crowd cheer"),
        ("掌声", "applause"),
        ("脚步声", "footsteps"),
        ("踏雪", "snow_steps"),
        ("钟声", "bell"),
        ("车流", "traffic"),
        ("引擎", "engine"),
    ],
)
def test_words_name_their_source(text: str, expected: str) -> None:
    assert sources(text) == expected.split()


@pytest.mark.parametrize(
    "text",
    [
        "bird's-eye view of a valley road",
        "a watercolor painting",
        "The road winds up",
        "She waves her hand",
        "a rainbow",
        "her raincoat",
        "rendered in Unreal Engine",
        "a fire truck",
        "a window",
        "He leaves",
        "a cricket match",
        "the sea of people",
        "a water bottle",
        "live stream of data",
        "city lights",
        "中国风的风景",
        "上海的海报",
        "俯瞰，鸟瞰",
        "雨伞",
    ],
)
def test_homographs_are_no_sounds(text: str) -> None:
    assert [source for source in sources(text) if source not in ("open_air", "room")] == []


@pytest.mark.parametrize(
    "text", ["no wind", "without any birds", "There is never rain", "no music or rain", "没有雨声", "不要鸟鸣"]
)
def test_what_is_refused_is_marked(text: str) -> None:
    assert sources(text) == []
    assert len(heard(text).mentions) == 1


def test_a_refusal_ends_with_its_clause() -> None:
    assert sources("no people, rain falls") == ["rain"]


def test_words_beside_a_sound_colour_it() -> None:
    assert only("loud waves crash").force > 1.2
    assert only("rain falls softly").force < 0.8
    assert only("heavy rain").force > only("rain").force > only("a drizzle").force
    assert only("thunder in the distance").far
    assert only("远处的雷声").far
    assert (only("a bell on the left").place or 0) < 0 < (only("a bell on the right").place or 0)
    assert only("then thunder").late
    assert not only("thunder").late


def test_a_place_implies_and_a_name_does_not() -> None:
    assert only("a garden").implied
    assert not only("birdsong").implied


@pytest.mark.parametrize(
    "text",
    [
        "no sound",
        "A man waits, without audio.",
        "completely silent",
        "a silent film",
        "mute the sound",
        "Dancing, muted",
        "静音",
        "无声的画面",
    ],
)
def test_silence_is_asked_for(text: str) -> None:
    assert heard(text).silence


@pytest.mark.parametrize(
    "text", ["a silent woman", "muted colors", "a quiet street", "the sound of rain", "no sound of birds"]
)
def test_a_silent_woman_is_no_silent_clip(text: str) -> None:
    assert not heard(text).silence


@pytest.mark.parametrize("text", ["a quiet room", "the silent forest", "安静的房间"])
def test_quiet_is_less_of_everything(text: str) -> None:
    assert heard(text).hush


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("an epic battle", "epic"),
        ("calm and serene", "calm"),
        ("a playful puppy", "cheerful"),
        ("melancholy", "sad"),
        ("eerie fog", "dark"),
        ("史诗般的", "epic"),
        ("宁静", "calm"),
        ("欢快", "cheerful"),
        ("悲伤", "sad"),
        ("恐怖", "dark"),
    ],
)
def test_moods_are_read(text: str, mood: str) -> None:
    assert heard(text).moods[0][0] == mood


def test_the_mood_that_is_named_first_comes_first() -> None:
    assert [mood for mood, _ in heard("A sad, then happy, then dark tone").moods] == ["sad", "cheerful", "dark"]


def test_music_has_instruments_and_a_pace() -> None:
    music = heard("slow piano music with drums at 80 bpm").music

    assert (music.instrument, music.drum, music.beats_per_minute) == ("struck", True, 80.0)
    assert music.pace < 1
    assert heard("忧伤的吉他").music.instrument == "plucked"


def test_music_can_be_refused() -> None:
    music = heard("no music, only rain").music

    assert (music.asked, len(music.refused)) == ((), 1)


def test_what_cannot_be_made_is_listed() -> None:
    text = "A dog barks, she laughs, birds sing"

    assert [text[start:end] for start, end in heard(text).unmade] == ["barks", "laughs"]


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    for mention in heard(text).mentions:
        assert 0 <= mention.span[0] < mention.span[1] <= len(text)
    find_speech(text)


def lines(text: str) -> list[tuple[str, str]]:
    return [(line.text, line.speaker) for line in find_speech(text).lines]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('A woman says "Hello there."', [("Hello there.", "woman")]),
        ("The man whispers: “Come here.”", [("Come here.", "man")]),
        ('Boy: "Look!"', [("Look!", "child")]),
        ("She says: We are going home.", [("We are going home.", "woman")]),
        ('A man asks "Why?" and a girl replies "Because."', [("Why?", "man"), ("Because.", "child")]),
        ("他说：“你好。”", [("你好。", "man")]),
        ('A sign that reads "OPEN"', []),
        ('a poster titled "The End", she says nothing', []),
        ("rock 'n' roll", []),
    ],
)
def test_spoken_lines_are_told_from_written_ones(text: str, expected: list[tuple[str, str]]) -> None:
    assert lines(text) == expected


def test_only_latin_lines_are_english() -> None:
    (chinese,), (english,) = find_speech("他说：“你好。”").lines, find_speech('He says "Café."').lines

    assert (chinese.is_english, english.is_english) == (False, True)


def test_a_narrator_is_not_seen_to_talk() -> None:
    assert not find_speech('Narrator: "Once upon a time."').talks
    assert find_speech("She sings").talks
    assert find_speech("她在唱歌").talks


def test_a_negative_prompt_that_names_talking_ends_it() -> None:
    assert find_speech('She says "Hello."', "talking") == Speech((), talks=False)
