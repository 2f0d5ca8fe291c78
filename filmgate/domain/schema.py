"""From a JSON object that anybody sent to checked inputs: every fault at once, each with its place and a sentence.

The published schema and the extra inputs decide; then the limits that the prose states. `""` and `null` for an
optional input mean that it was left out, and what was left out takes the schema's default, unless it is required.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from filmgate.domain.errors import Fault, InputsInvalid
from filmgate.domain.manifest import Manifest

__all__ = ["CheckedInputs", "InputCheck", "media_loc"]

_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class CheckedInputs:
    """Inputs that fit. `media` holds (property, value) pairs in order, not yet looked at."""

    values: Mapping[str, Any]
    media: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


class InputCheck:
    """The compiled check of one manifest."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._validator = jsonschema_rs.validator_for(manifest.full_schema)
        self._known = frozenset(manifest.properties)
        self._required = frozenset(manifest.required)
        self._integers = tuple(n for n, p in manifest.properties.items() if p.get("type") == "integer")
        self._defaults = {
            name: schema["default"]
            for name, schema in manifest.properties.items()
            if "default" in schema and name not in self._required and name not in manifest.media
        }

    def __call__(self, body: Mapping[str, Any]) -> CheckedInputs:
        """The checked inputs of `body`. Raises InputsInvalid with all faults."""
        given = {
            name: value
            for name, value in body.items()
            if name in self._known and (name in self._required or (value is not None and value != ""))
        }
        faults = list(self._text_faults(given))
        broken = {fault.loc[1] for fault in faults}
        faults += self._schema_faults(given, broken)
        faults += self._limit_faults(given, {fault.loc[1] for fault in faults if len(fault.loc) > 1})
        if faults:
            raise InputsInvalid(faults)
        values = {**self._defaults, **given}
        media = tuple(self._media(given))
        for name in self._manifest.media:
            values.pop(name, None)
        for name in self._integers:
            if name in values:
                values[name] = int(values[name])
        unknown = sorted(body.keys() - self._known)
        return CheckedInputs(values, media, tuple(f"{_shown(name)} is no input of this model." for name in unknown))

    def _media(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name in self._manifest.media:
            value = given.get(name, ())
            for item in [value] if isinstance(value, str) else value:
                yield name, item

    def _text_faults(self, given: Mapping[str, Any]) -> Iterator[Fault]:
        for name, value in given.items():
            for item in _texts(value):
                if "\0" in item:
                    yield Fault(("body", name), f"{name} contains the character NUL; remove it.", "text_nul")
                elif not item.isascii() and not _is_unicode(item):
                    yield Fault(
                        ("body", name), f"{name} contains half a surrogate pair; send whole characters.", "text"
                    )

    def _schema_faults(self, given: Mapping[str, Any], broken: set[str | int]) -> Iterator[Fault]:
        # Broken text cannot be shown to the validator; an empty value in its place keeps it from being missed.
        shown = {name: "" if name in broken else value for name, value in given.items()}
        typed_wrong: set[tuple[str | int, ...]] = set()
        for error in self._validator.iter_errors(shown):
            path = tuple(error.instance_path)
            kind = error.kind.name
            if path and path[0] in broken:
                continue
            if kind == "type":
                typed_wrong.add(path)
            elif path in typed_wrong and kind == "enum":
                continue
            if kind == "required":
                path = (*path, error.kind.as_dict()["property"])
            yield Fault(("body", *path), _sentence(kind, path, error.kind.as_dict(), given), kind)

    def _limit_faults(self, given: Mapping[str, Any], faulty: set[str | int]) -> Iterator[Fault]:
        for name, limits in self._manifest.limits.items():
            if name in given and name not in faulty and not limits.allows(given[name]):
                value = given[name]
                told = f"{len(value)} characters" if limits.max_length is not None else _shown(value)
                yield Fault(("body", name), f"{name} is {told}. {limits.sentence}", "limit")


def media_loc(manifest: Manifest, name: str, index: int) -> tuple[str | int, ...]:
    """The place of the `index`-th value of a media property, as in a fault."""
    listed = manifest.properties[name].get("type") == "array"
    return ("body", name, index) if listed else ("body", name)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of properties included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += [*item, *item.values()]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any) -> str:
    """A caller's value as a sentence may show it: short, on one line."""
    text = {True: "true", False: "false", None: "null"}.get(value) if isinstance(value, bool | None) else None
    text = text or (f"{value!r}" if isinstance(value, str | int | float) else f"a JSON {_json_type(value)}")
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _json_type(value: Any) -> str:
    return "array" if isinstance(value, list) else "object"


def _sentence(kind: str, path: tuple[str | int, ...], rule: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    name = ".".join(map(str, path)) or "the body"
    value: Any = given
    for step in path:
        value = value[step] if kind != "required" else None
    match kind:
        case "required":
            return f"{name} is required; add it."
        case "type":
            wanted = " or ".join(rule["types"])
            return f"{name} is {_shown(value)}, but must be of type {wanted}."
        case "enum":
            options = ", ".join(_shown(option) for option in rule["options"])
            return f"{name} is {_shown(value)}, but must be one of {options}."
        case "minimum":
            return f"{name} is {_shown(value)}, but must be at least {rule['limit']}."
        case "maximum":
            return f"{name} is {_shown(value)}, but must be at most {rule['limit']}."
        case "maxLength":
            return f"{name} has {len(value)} characters, but at most {rule['limit']} are allowed; shorten it."
        case "minLength":
            return f"{name} has {len(value)} characters, but must have at least {rule['limit']}."
        case "minItems":
            return f"{name} has {len(value)} items, but must have at least {rule['limit']}."
        case "maxItems":
            return f"{name} has {len(value)} items, but at most {rule['limit']} are allowed."
        case "pattern":
            return f"{name} is {_shown(value)}, but must match {rule['pattern']}."
        case "additionalProperties":
            return f"{name} has {', '.join(map(_shown, rule['unexpected']))}, which it cannot have; remove it."
        case _:
            return f"{name} is {_shown(value)}, which the schema's {kind} does not allow."
