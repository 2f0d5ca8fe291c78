"""Kinds of values: how each is read from the text of a flag, a variable or a file, and what is expected of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = [
    "ALLOWED",
    "DEVICE",
    "ENGINES",
    "FOLDER",
    "FOLDERS",
    "HOST",
    "ITEM_SEPARATOR",
    "KEY",
    "MODELS",
    "PUBLIC_URL",
    "SWITCH",
    "Kind",
    "gigabytes",
    "one_of",
    "seconds",
    "whole",
]

ITEM_SEPARATOR = ","
"""Between the items of a list in an environment variable or a flag; so no item can contain it."""

_MIN_KEY_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read from text. `read` gets the folder that relative paths start from; it raises ValueError."""

    metavar: str
    expected: str
    read: Callable[[str, Path], Any]
    many: bool = False
    switch: bool = False
    secret: bool = False


def whole(low: int, high: int) -> Kind:
    def read(text: str, _: Path) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Kind("NUMBER", f"a whole number from {low} to {high}", read)


def seconds(low: float, high: float) -> Kind:
    def read(text: str, _: Path) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", text) or not low <= float(text) <= high:
            raise ValueError(text)
        return float(text)

    return Kind("SECONDS", f"a number of seconds from {low:g} to {high:g}", read)


def gigabytes(high: int) -> Kind:
    def read(text: str, _: Path) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", text) or float(text) > high:
            raise ValueError(text)
        return float(text)

    return Kind("GB", f"a number of gigabytes from 0 to {high}", read)


def one_of(*words: str) -> Kind:
    def read(text: str, _: Path) -> str:
        if text.lower() not in words:
            raise ValueError(text)
        return text.lower()

    return Kind("|".join(words), "one of " + ", ".join(words), read)


def _read_switch(text: str, _: Path) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _read_folder(text: str, start: Path) -> Path:
    if not text or "\0" in text:
        raise ValueError(text)
    try:
        return (start / Path(text).expanduser()).resolve()
    except RuntimeError as error:  # `~name` of a user that is not there
        raise ValueError(text) from error


def _read_host(text: str, _: Path) -> str:
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,32})?", host):
        raise ValueError(text)
    return host


def _read_public_url(text: str, _: Path) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(text)
    if not re.fullmatch(r"[!-~]+", text) or "@" in parts.netloc or (parts.port or 1) < 1:
        raise ValueError(text)
    return text.rstrip("/")


def _read_engine(text: str, _: Path) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*(?:=[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*)?", text):
        raise ValueError(text)
    return text


def _read_model(text: str, _: Path) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+", text):
        raise ValueError(text)
    return text


def _read_device(text: str, _: Path) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(?::[0-9]{1,3})?", text.lower()):
        raise ValueError(text)
    return text.lower()


def _read_allowed(text: str, _: Path) -> str:
    match = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?", text)
    if match is None or not 1 <= int(match[1] or 1) <= 65535:
        raise ValueError(text)
    return text


def _read_key(text: str, _: Path) -> str:
    if len(text) < _MIN_KEY_CHARACTERS or not re.fullmatch(r"[!-~]+", text):
        raise ValueError
    return text


HOST = Kind("HOST", "a host name or an IP address", _read_host)
SWITCH = Kind("", "true or false", _read_switch, switch=True)
FOLDER = Kind("FOLDER", "a path", _read_folder)
FOLDERS = Kind("FOLDER", "a list of paths", _read_folder, many=True)
PUBLIC_URL = Kind("URL", "a URL such as https://film.example.org, without query", _read_public_url)
ENGINES = Kind(
    "ENGINE", "a list of at least one engine, each a name or name=package.module:Callable", _read_engine, many=True
)
MODELS = Kind("MODEL", "a list of model ids", _read_model, many=True)
DEVICE = Kind("DEVICE", "one of auto, cpu, cuda, cuda:N", _read_device)
ALLOWED = Kind("HOST[:PORT]", "a list of hosts, each a name, an address or host:port", _read_allowed, many=True)
KEY = Kind("KEY", f"at least {_MIN_KEY_CHARACTERS} visible ASCII characters without spaces", _read_key, secret=True)
