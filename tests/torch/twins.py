"""Models that are as published but for one input, for what the published input does not let a test see or afford."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from filmgate.domain.manifest import Manifest, parse_manifest
from filmgate.models import SHIPPED, load_catalog

__all__ = ["MANIFESTS", "SEEDED_25", "SMALL_26", "write_twins"]

SEEDED_25 = "test/wan-2-5/image-to-video"
"""Wan 2.5, which has no seed, with one: so that two requests can differ in one input alone."""
SMALL_26 = "test/wan-2-6/flash/image-to-video"
"""Wan 2.6 flash in the smallest size of the others: so that its many requests take half the time."""


def _twin(model_id: str, published: str, name: str, schema: Mapping[str, Any]) -> bytes:
    model = json.loads((SHIPPED / f"{published}.json").read_text())
    model["id"] = model_id
    model["input_schema"]["properties"][name] = schema
    if name == "seed":
        model["roles"]["seed"] = name
    return json.dumps(model).encode()


_DOCUMENTS = {
    SEEDED_25: _twin(SEEDED_25, "wan-ai/wan-2-5/image-to-video", "seed", {"type": "integer"}),
    SMALL_26: _twin(
        SMALL_26,
        "wan-ai/wan-2-6/flash/image-to-video",
        "resolution",
        {"type": "string", "enum": ["480P"], "default": "480P"},
    ),
}
MANIFESTS: Mapping[str, Manifest] = {
    **load_catalog([SHIPPED]),
    **{name: parse_manifest(document, PurePosixPath(f"{name}.json")) for name, document in _DOCUMENTS.items()},
}
"""The published models and these, by id."""


def write_twins(folder: Path) -> Path:
    """Writes a folder of models for a server."""
    for model_id, document in _DOCUMENTS.items():
        path = folder / f"{model_id}.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(document)
    return folder
