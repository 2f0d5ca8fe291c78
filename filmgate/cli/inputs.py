"""From what was typed to a request's inputs: flags by the part that an input plays, and `--set` for any of them.

All of it arrives as text; the model's published schema decides what the text means. Local files are uploaded and become
URLs. Where a server does not say which input plays which part, the names that published models use decide.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filmgate.cli.usage import UsageInvalid

if TYPE_CHECKING:
    from filmgate.client import Model

__all__ = ["MEDIA_ROLES", "ROLE_FLAGS", "build_inputs", "local_files", "parse_assignments"]

ROLE_FLAGS: Mapping[str, str] = {
    "prompt": "--prompt",
    "negative_prompt": "--negative-prompt",
    "images": "--image",
    "audio": "--audio",
    "tier": "--resolution",
    "image_size": "--size",
    "duration": "--duration",
    "seed": "--seed",
}
MEDIA_ROLES = ("images", "audio")

_PUBLISHED_NAMES: Mapping[str, Sequence[str]] = {
    "images": ("image_urls", "img_url", "image_url", "images", "image"),
    "audio": ("audio_url",),
    "tier": ("resolution",),
    "image_size": ("image_size", "size"),
}

_REMOTE = ("https://", "http://", "data:")
_FILE_MARK = "@"

Upload = Callable[[Path], str]


def parse_assignments(assignments: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The `--set name=value` flags: for each name its values in order."""
    values: dict[str, list[str]] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise UsageInvalid(f"--set {assignment!r} is not of the form name=value.")
        values.setdefault(name, []).append(value)
    return values


def local_files(roles: Mapping[str, Sequence[str]], assigned: Mapping[str, Sequence[str]]) -> Sequence[Path]:
    """The files of this machine that were named. Raises UsageInvalid for the first that is not there."""
    named = [(ROLE_FLAGS[role], Path(text)) for role in MEDIA_ROLES for text in roles.get(role, ()) if _is_local(text)]
    named += [
        (f"--set {name}", Path(text[1:])) for name, texts in assigned.items() for text in texts if _is_marked(text)
    ]
    for flag, path in named:
        if not path.is_file():
            raise UsageInvalid(f"{flag}: there is no file {str(path)!r} here.")
    return [path for _, path in named]


def build_inputs(
    model: "Model", roles: Mapping[str, Sequence[str]], assigned: Mapping[str, Sequence[str]], upload: Upload
) -> Mapping[str, Any]:
    """The body of the request. Raises UsageInvalid for a flag that the model has no input for."""
    inputs: dict[str, Any] = {}
    for role, texts in roles.items():
        if texts:
            name = _played_by(model, role)
            media = (
                [upload(Path(text)) if _is_local(text) else text for text in texts] if role in MEDIA_ROLES else texts
            )
            inputs[name] = _typed(name, model.properties[name], media, ROLE_FLAGS[role])
    for name, texts in assigned.items():
        if name not in model.properties:
            raise UsageInvalid(f"--set {name}: {model.id} has no such input. It has {', '.join(model.properties)}.")
        if name in inputs:
            raise UsageInvalid(f"{name} is given twice, by its flag and by --set; drop one.")
        values = [upload(Path(text[1:])) if _is_marked(text) else text for text in texts]
        inputs[name] = _typed(name, model.properties[name], values, f"--set {name}")
    return inputs


def _played_by(model: "Model", role: str) -> str:
    name = model.roles.get(role)
    if name is None and not model.roles:
        candidates = _PUBLISHED_NAMES.get(role, (role,))
        name = next((candidate for candidate in candidates if candidate in model.properties), None)
    if name is None or name not in model.properties:
        raise UsageInvalid(
            f"{model.id} has no input for {ROLE_FLAGS[role]}. It has {', '.join(model.properties)}; "
            "give any of them with --set name=value."
        )
    return name


def _typed(name: str, schema: Mapping[str, Any], texts: Sequence[str], flag: str) -> Any:
    if schema.get("type") == "array":
        items = schema.get("items")
        return _array(name, items if isinstance(items, dict) else {}, texts, flag)
    if len(texts) > 1:
        raise UsageInvalid(f"{flag} is given {len(texts)} times, but {name} takes one value.")
    return _value(name, schema, texts[0], flag)


def _array(name: str, items: Mapping[str, Any], texts: Sequence[str], flag: str) -> list[Any]:
    if len(texts) == 1 and texts[0].startswith("["):
        listed = _json(name, texts[0], flag)
        if isinstance(listed, list):
            return listed
    return [_value(name, items, text, flag) for text in texts]


def _value(name: str, schema: Mapping[str, Any], text: str, flag: str) -> Any:
    match schema.get("type"):
        case "string":
            return text
        case "integer":
            return _number(int, "a whole number", text, flag)
        case "number":
            return _number(float, "a number", text, flag)
        case "boolean":
            if text.lower() not in ("true", "false"):
                raise UsageInvalid(f"{flag} is {text!r}, but must be true or false.")
            return text.lower() == "true"
        case _:
            return _json(name, text, flag)


def _number(kind: Callable[[str], Any], expected: str, text: str, flag: str) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise UsageInvalid(f"{flag} is {text!r}, but must be {expected}.") from error


def _json(name: str, text: str, flag: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageInvalid(f"{flag} is {text!r}, but {name} takes JSON: {error}.") from error


def _is_local(text: str) -> bool:
    return not text.lower().startswith(_REMOTE)


def _is_marked(text: str) -> bool:
    return text.startswith(_FILE_MARK)
