"""A folder of models that need no picture, one for each test engine: `test/<engine>/image-to-image`."""

import json
from pathlib import Path

TEXT_SCHEMA = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string"},
        "image_urls": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        "size": {"type": "string", "enum": ["64*64 (1:1)"], "default": "64*64 (1:1)"},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2147483647},
    },
}

LORAS = {
    "type": "array",
    "maxItems": 4,
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "strength": {"type": "number", "maximum": 2}},
    },
}


def model_id(engine: str) -> str:
    return f"test/{engine}/image-to-image"


def write_models(folder: Path, engines: list[str], price_usd: float = 0.25) -> Path:
    for engine in engines:
        path = folder / f"{model_id(engine)}.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(text_model(engine, price_usd)))
    return folder


def text_model(engine: str, price_usd: float = 0.25) -> dict:
    return {
        "id": model_id(engine),
        "display_name": f"Test of {engine}",
        "description": "Needs no picture.",
        "category": "image-to-image",
        "pricing": {"price_unit": "output", "base_price_usd": price_usd},
        "engines": {engine: {}},
        "roles": {"prompt": "prompt", "images": "image_urls", "image_size": "size", "seed": "seed", "loras": "loras"},
        "media": {
            "image_urls": {
                "kind": "image",
                "formats": ["png", "jpeg", "webp", "bmp"],
                "formats_sentence": "Send a PNG, JPEG, WebP or BMP picture.",
            }
        },
        "example": {"prompt": "anything"},
        "input_schema": TEXT_SCHEMA,
        "extra_inputs": {"loras": LORAS},
        "output_schema": {"type": "object"},
    }
