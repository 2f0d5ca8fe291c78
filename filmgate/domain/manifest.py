"""A model is one JSON file. Everything that differs between models is in it; adding one writes no code.

`input_schema` is the published schema, verbatim; `extra_inputs` are properties beyond it, which are ours. `roles` says
which property an engine knows under which meaning. `limits` and `media` are the limits that the published prose states,
made machine-readable, each with the sentence that a caller reads when it is broken.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

import jsonschema_rs
import msgspec

from filmgate.domain.errors import Fault, ManifestInvalid
from filmgate.domain.media import MEASURES, MediaLimits
from filmgate.domain.sizes import TIER_AREAS_PX, image_size

__all__ = ["Manifest", "Pricing", "Role", "ValueLimits", "manifest_faults", "parse_manifest"]

Role = Literal[
    "prompt", "negative_prompt", "images", "audio", "template", "tier", "duration", "frames", "frame_rate",
    "image_size", "shot_type", "seed", "steps", "extend", "sound", "screen", "loras",
]  # fmt: skip

_ROLE_TYPES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("prompt", "negative_prompt", "template", "tier", "image_size", "shot_type"), frozenset({"string"})
    ),
    **dict.fromkeys(("duration", "frames", "frame_rate", "seed", "steps"), frozenset({"integer"})),
    **dict.fromkeys(("extend", "sound", "screen"), frozenset({"boolean"})),
    "images": frozenset({"string", "array"}),
    "audio": frozenset({"string"}),
    "loras": frozenset({"array"}),
}

_ID = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")


class ValueLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What prose says of a value beyond its schema. Lengths count Unicode code points."""

    sentence: str
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    one_of: tuple[str, ...] | None = None

    def allows(self, value: Any) -> bool:
        if isinstance(value, str):
            fits = self.max_length is None or len(value) <= self.max_length
            return fits and (self.one_of is None or value == "" or value in self.one_of)
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


class Pricing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars per unit of output: a second of video, or one picture."""

    price_unit: Literal["second", "output"]
    base_price_usd: float = 0.0
    pricing_note: str = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model, as its file says it. `frame_rate` is the fixed rate of models that have no such input."""

    id: str
    display_name: str
    description: str
    category: Literal["image-to-video", "image-to-image"]
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    roles: dict[Role, str]
    media: dict[str, MediaLimits]
    engines: dict[str, dict[str, Any]]
    pricing: Pricing
    example: dict[str, Any]
    limits: dict[str, ValueLimits] = {}
    frame_rate: int | None = None
    extra_inputs: dict[str, dict[str, Any]] = {}

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """Every input: the published ones first."""
        return {**self.input_schema["properties"], **self.extra_inputs}

    @property
    def full_schema(self) -> dict[str, Any]:
        """The published schema with the extra inputs: what is checked."""
        return {**self.input_schema, "properties": dict(self.properties)}

    @property
    def required(self) -> Sequence[str]:
        required: Sequence[str] = self.input_schema.get("required", [])
        return required

    def value(self, role: Role, values: Mapping[str, Any], absent: Any = None) -> Any:
        """The value that plays `role`, or `absent` where the model has no such input or it was left out."""
        name = self.roles.get(role)
        return absent if name is None else values.get(name, absent)


def parse_manifest(document: bytes, origin: PurePosixPath) -> Manifest:
    """The manifest in `document`; `origin` is its path inside its folder. Raises ManifestInvalid naming all faults."""
    try:
        manifest = msgspec.json.decode(document, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ManifestInvalid(f"{origin}: {error}.") from error
    faults = list(manifest_faults(manifest, origin))
    if faults:
        raise ManifestInvalid("\n".join(f"{origin}: {'.'.join(map(str, f.loc))}: {f.message}" for f in faults))
    return manifest


def manifest_faults(manifest: Manifest, origin: PurePosixPath) -> Iterator[Fault]:
    """All that is wrong with a manifest of the right shape."""
    if not _ID.fullmatch(manifest.id):
        yield _fault("use letters, digits, '_', '.', '-' in segments joined by '/', at least two.", "id")
    elif manifest.id != str(origin.with_suffix("")):
        yield _fault(f"is {manifest.id!r}, but the file's path says {str(origin.with_suffix(''))!r}; move one.", "id")
    if not manifest.engines:
        yield _fault("name at least one engine that serves this model.", "engines")
    if not 0 <= manifest.pricing.base_price_usd < float("inf"):
        yield _fault("must be a finite number of dollars, 0 or more.", "pricing", "base_price_usd")
    schema_faults = list(_schema_faults(manifest))
    yield from schema_faults
    if not schema_faults:
        yield from _role_faults(manifest)
        yield from _media_faults(manifest)
        for name in manifest.limits:
            if name not in manifest.properties:
                yield _fault("the schema has no such property.", "limits", name)
        yield from _example_faults(manifest)


def _fault(message: str, *loc: str | int) -> Fault:
    return Fault(loc, message, "manifest")


def _schema_faults(manifest: Manifest) -> Iterator[Fault]:
    try:
        jsonschema_rs.validator_for(manifest.input_schema)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        yield _fault(f"is no JSON Schema: {error.args[0].splitlines()[0]}.", "input_schema")
        return
    properties = manifest.input_schema.get("properties")
    if manifest.input_schema.get("type") != "object" or not isinstance(properties, dict) or not properties:
        yield _fault("must have type 'object' and at least one property.", "input_schema")
        return
    for name in manifest.input_schema.get("required", []):
        if name not in properties:
            yield _fault(f"requires {name!r}, which is no property.", "input_schema", "required")
    for name, schema in manifest.extra_inputs.items():
        if name in properties:
            yield _fault("the published schema has this property already; name it otherwise.", "extra_inputs", name)
        try:
            jsonschema_rs.validator_for(schema)
        except (jsonschema_rs.ValidationError, ValueError) as error:
            yield _fault(f"is no JSON Schema: {error.args[0].splitlines()[0]}.", "extra_inputs", name)


def _role_faults(manifest: Manifest) -> Iterator[Fault]:
    for role, name in manifest.roles.items():
        if name not in manifest.properties:
            yield _fault(f"names {name!r}, which the schema does not have.", "roles", role)
        elif manifest.properties[name].get("type") not in _ROLE_TYPES[role]:
            wanted = " or ".join(sorted(_ROLE_TYPES[role]))
            yield _fault(f"{name!r} must be of type {wanted} to play this role.", "roles", role)
        elif role == "loras" and "name" not in _item_schema(manifest.properties[name]).get("required", ()):
            yield _fault(f"the items of {name!r} must be objects that require 'name'.", "roles", role)
    roles = manifest.roles
    if "prompt" not in roles or "images" not in roles:
        yield _fault("both 'prompt' and 'images' must be played.", "roles")
    if manifest.category == "image-to-image":
        if "image_size" not in roles:
            yield _fault("an image-to-image model needs 'image_size'.", "roles")
        else:
            yield from _enum_faults(manifest, "image_size")
        return
    if "tier" not in roles:
        yield _fault("an image-to-video model needs 'tier'.", "roles")
    else:
        yield from _enum_faults(manifest, "tier")
    if ("frames" in roles) == ("duration" in roles):
        yield _fault("an image-to-video model needs either 'duration' or 'frames'.", "roles")
    if ("frame_rate" in roles) == (manifest.frame_rate is not None):
        yield _fault("give a fixed frame rate, or an input that plays 'frame_rate', not both.", "frame_rate")


def _item_schema(listed: Mapping[str, Any]) -> Mapping[str, Any]:
    items = listed.get("items")
    return items if isinstance(items, dict) and items.get("type") == "object" else {}


def _enum_faults(manifest: Manifest, role: Literal["tier", "image_size"]) -> Iterator[Fault]:
    name = manifest.roles[role]
    for label in manifest.properties.get(name, {}).get("enum", []):
        if role == "tier" and label.upper() not in TIER_AREAS_PX:
            yield _fault(f"{label!r} is no tier; known are {', '.join(TIER_AREAS_PX)}.", "input_schema", name)
        if role == "image_size":
            try:
                image_size(label)
            except ValueError:
                yield _fault(f"{label!r} does not begin like '1024*768'.", "input_schema", name)


def _media_faults(manifest: Manifest) -> Iterator[Fault]:
    for role in ("images", "audio"):
        name = manifest.roles.get(role)
        if name is not None and name not in manifest.media:
            yield _fault(f"say which files {name!r} takes.", "media")
    for name, limits in manifest.media.items():
        if name not in manifest.properties:
            yield _fault("the schema has no such property.", "media", name)
            continue
        for index, rule in enumerate(limits.rules):
            if rule.measure not in MEASURES[limits.kind]:
                known = ", ".join(sorted(MEASURES[limits.kind]))
                yield _fault(f"{rule.measure!r} is not measured; known are {known}.", "media", name, "rules", index)
        sentences = {rule.sentence for rule in limits.rules}
        for validation in manifest.properties[name].get("validations", []):
            if validation["validation_error"] not in sentences:
                yield _fault(f"no rule has the sentence {validation['validation_error']!r}.", "media", name, "rules")


def _example_faults(manifest: Manifest) -> Iterator[Fault]:
    for error in jsonschema_rs.validator_for(manifest.input_schema).iter_errors(manifest.example):
        yield _fault(error.message, "example", *error.instance_path)
