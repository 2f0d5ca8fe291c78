"""All settings, in one table: the fields of `Settings`. Each row has a name, a type, a default, what it expects and a
help line, and everything else is drawn from it: flags, environment variables, the config file, documentation, tests.

A flag beats an environment variable, that beats the config file, that beats the default. Nothing is guessed: a value
that does not fit, or a name that is no setting, stops the start with a sentence that says where it was found.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filmgate.domain.errors import SettingInvalid

__all__ = ["CONFIG_VARIABLE", "OTHER_VARIABLES", "PREFIX", "SETTINGS", "Kind", "Setting", "Settings", "load_settings"]

PREFIX = "FILMGATE_"
CONFIG_VARIABLE = "FILMGATE_CONFIG"
CONFIG_NAME = "filmgate.toml"

OTHER_VARIABLES: Mapping[str, str] = {
    CONFIG_VARIABLE: "The config file.",
    "FILMGATE_URL": "The server that the client commands call.",
    "FILMGATE_KEY": "The key that the client commands send.",
    "FILMGATE_LIFELINE_FD": "Set by `filmgate serve` for its roles: they end when this pipe does.",
    "FILMGATE_LISTEN_FD": "Set by `filmgate serve` for its gateway: the socket on which it listens.",
}
"""Variables of ours that are no settings."""

_SHOWN_CHARACTERS = 80
_MIN_KEY_CHARACTERS = 20

_ITEM_SEPARATOR = ","
"""Between the items of a list in an environment variable or a flag; so no item can contain it."""

_KUBERNETES = re.compile(r"FILMGATE_(?:SERVICE_(?:HOST|PORT)(?:_.*)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_.*)?)?)")
"""What Kubernetes sets in every container beside a service that is named `filmgate`."""

_KUBERNETES_HINT = " Kubernetes sets it for a service named 'filmgate': set enableServiceLinks to false in the pod."


# -------------------------------------------------------------------------------------------------- kinds of values


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read from text. `read` gets the folder that relative paths start from; it raises ValueError."""

    metavar: str
    expected: str
    read: Callable[[str, Path], Any]
    many: bool = False
    switch: bool = False
    secret: bool = False


def _whole(low: int, high: int) -> Kind:
    def read(text: str, _: Path) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Kind("NUMBER", f"a whole number from {low} to {high}", read)


def _seconds(low: float, high: float) -> Kind:
    def read(text: str, _: Path) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", text) or not low <= float(text) <= high:
            raise ValueError(text)
        return float(text)

    return Kind("SECONDS", f"a number of seconds from {low:g} to {high:g}", read)


def _one_of(*words: str) -> Kind:
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


def _read_allowed(text: str, _: Path) -> str:
    match = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?", text)
    if match is None or not 1 <= int(match[1] or 1) <= 65535:
        raise ValueError(text)
    return text


def _read_key(text: str, _: Path) -> str:
    if len(text) < _MIN_KEY_CHARACTERS or not re.fullmatch(r"[!-~]+", text):
        raise ValueError
    return text


_HOST = Kind("HOST", "a host name or an IP address", _read_host)
_SWITCH = Kind("", "true or false", _read_switch, switch=True)
_FOLDER = Kind("FOLDER", "a path", _read_folder)
_FOLDERS = Kind("FOLDER", "a list of paths", _read_folder, many=True)
_PUBLIC_URL = Kind("URL", "a URL such as https://film.example.org, without query", _read_public_url)
_ENGINES = Kind(
    "ENGINE", "a list of at least one engine, each a name or name=package.module:Callable", _read_engine, many=True
)
_ALLOWED = Kind("HOST[:PORT]", "a list of hosts, each a name, an address or host:port", _read_allowed, many=True)
_KEY = Kind("KEY", f"at least {_MIN_KEY_CHARACTERS} visible ASCII characters without spaces", _read_key, secret=True)


# -------------------------------------------------------------------------------------------------------- the table


def _row(kind: Kind, help_line: str) -> Mapping[str, Any]:
    return {"kind": kind, "help": help_line}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may set. Durations are in seconds unless the name says otherwise."""

    host: str = field(
        default="127.0.0.1", metadata=_row(_HOST, "Address to listen on; 0.0.0.0 for all of the machine's.")
    )
    port: int = field(default=8000, metadata=_row(_whole(0, 65535), "Port to listen on; 0 takes any free one."))
    data: Path = field(
        default=Path("filmgate-data"), metadata=_row(_FOLDER, "Folder of the database and of all files.")
    )
    public_url: str | None = field(
        default=None, metadata=_row(_PUBLIC_URL, "Where clients reach this server, if not where they call it.")
    )
    models: tuple[Path, ...] = field(
        default=(), metadata=_row(_FOLDERS, "Folder with more manifests. Repeat for several.")
    )
    engines: tuple[str, ...] = field(
        default=("preview",),
        metadata=_row(_ENGINES, "Engine to run: a name, or name=package.module:Callable. Repeat, the preferred first."),
    )
    fetch_allow: tuple[str, ...] = field(
        default=(), metadata=_row(_ALLOWED, "Host whose URLs are fetched even if it is not public. Repeat for several.")
    )
    fetch_http: bool = field(default=False, metadata=_row(_SWITCH, "Also fetch http:// URLs of public hosts."))
    fetch_timeout_s: float = field(
        default=60.0, metadata=_row(_seconds(1, 3600), "How long fetching one input may take.")
    )
    bootstrap_key: str | None = field(
        default=None,
        repr=False,
        metadata=_row(_KEY, "The first account's key, instead of one that is made and shown once."),
    )
    retention_days: int = field(
        default=7, metadata=_row(_whole(1, 3650), "Days that finished requests and their files are kept.")
    )
    max_body_bytes: int = field(
        default=64 * 2**20, metadata=_row(_whole(2**10, 2**34), "Largest body or upload, in bytes.")
    )
    lease_s: float = field(
        default=30.0, metadata=_row(_seconds(1, 3600), "A worker that is silent this long has lost its request.")
    )
    stall_s: float = field(
        default=300.0, metadata=_row(_seconds(1, 86400), "An engine that reports nothing this long is ended.")
    )
    drain_s: float = field(
        default=30.0, metadata=_row(_seconds(0, 86400), "How long running requests may take to end at a stop.")
    )
    workers: int = field(default=1, metadata=_row(_whole(1, 64), "Workers that `filmgate serve` starts."))
    log_level: str = field(
        default="info", metadata=_row(_one_of("debug", "info", "warning", "error"), "How much is logged.")
    )

    def environment(self) -> Mapping[str, str]:
        """These settings as environment variables: a process started with them alone has equal settings."""
        variables = {CONFIG_VARIABLE: os.devnull}
        for setting in SETTINGS:
            value = getattr(self, setting.name)
            if value != setting.default:
                variables[setting.variable] = _as_text(value)
        return variables


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table."""

    name: str
    kind: Kind
    default: Any
    help: str

    @property
    def flag(self) -> str | None:
        """None for a secret: every user of a machine can read the flags of its processes."""
        return None if self.kind.secret else "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    def shown_default(self) -> str:
        """The default as people would write it; empty where nothing is set."""
        return "" if self.default in (None, ()) else _as_text(self.default)


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(row.name, row.metadata["kind"], row.default, row.metadata["help"]) for row in fields(Settings)
)

_BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}
_BY_VARIABLE: Mapping[str, Setting] = {setting.variable: setting for setting in SETTINGS}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return _ITEM_SEPARATOR.join(map(str, value))
    return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)


# ---------------------------------------------------------------------------------------------------------- loading


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    defaults: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """The settings from flags (by setting name; None is not given), environment, config file and defaults.

    The config file is `config` (the flag), else FILMGATE_CONFIG, else `filmgate.toml` in the data folder if it is
    there. Relative paths start at the config file's folder in a config file, else at `folder` (the working directory).
    `defaults` replaces defaults of the table. An empty variable counts as not set. Raises SettingInvalid.
    """
    variables = os.environ if environment is None else environment
    start = Path.cwd() if folder is None else folder
    _refuse_unknown_variables(variables)
    given = {
        **dict(_from_variables(variables, start)),
        **dict(_from_flags({} if flags is None else flags, start)),
    }
    replaced = {"data": str(_BY_NAME["data"].default), **({} if defaults is None else defaults)}
    otherwise = {name: _read(_BY_NAME[name], text, f"The default of {name}", start) for name, text in replaced.items()}
    config = config or (Path(variables[CONFIG_VARIABLE]) if variables.get(CONFIG_VARIABLE) else None)
    if config is not None:
        from_file = _from_file(start / config.expanduser())
    else:
        from_file = _from_data_folder({**otherwise, **given}["data"])
    return Settings(**{**otherwise, **from_file, **given})


def _from_flags(flags: Mapping[str, Any], start: Path) -> Iterator[tuple[str, Any]]:
    for name, value in flags.items():
        if value is not None and value != []:
            setting = _BY_NAME[name]
            yield name, _read(setting, value, setting.flag or name, start)


def _from_variables(variables: Mapping[str, str], start: Path) -> Iterator[tuple[str, Any]]:
    for setting in SETTINGS:
        text = variables.get(setting.variable, "")
        if text:
            yield setting.name, _read(setting, text, f"The environment variable {setting.variable}", start)


def _from_data_folder(data: Path) -> Mapping[str, Any]:
    path = data / CONFIG_NAME
    if not path.is_file():
        return {}
    values = _from_file(path)
    if values.get("data", data) != data:
        raise SettingInvalid(
            f"{path}: data is {str(values['data'])!r}, but this file counts only for the folder that it is in; "
            f"remove the line, or name the file with --config or {CONFIG_VARIABLE}."
        )
    return values


def _from_file(path: Path) -> Mapping[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or error
        raise SettingInvalid(f"The config file {path} cannot be read: {reason}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingInvalid(f"The config file {path} is not TOML: {error}.") from error
    values = {}
    for name, value in document.items():
        if name not in _BY_NAME:
            raise SettingInvalid(f"{path}: {name} is no setting.{_nearest(name, _BY_NAME)}")
        values[name] = _read(_BY_NAME[name], value, f"{path}: {name}", path.parent)
    return values


def _refuse_unknown_variables(variables: Mapping[str, str]) -> None:
    for name in sorted(variables):
        if name.startswith(PREFIX) and name not in _BY_VARIABLE and name not in OTHER_VARIABLES:
            hint = _KUBERNETES_HINT if _KUBERNETES.fullmatch(name) else _nearest(name, _BY_VARIABLE)
            raise SettingInvalid(f"The environment variable {name} is no setting.{hint}")


def _nearest(name: str, known: Mapping[str, Setting]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f" Do you mean {near[0]}?" if near else f" Known are {', '.join(known)}."


# ------------------------------------------------------------------------------------------------------ one value


def _read(setting: Setting, raw: Any, subject: str, start: Path) -> Any:
    """The value of a setting. `subject` is where it was found, as the beginning of a sentence."""
    kind = setting.kind
    try:
        if not kind.many:
            return kind.read(_text(raw), start)
        items = tuple(kind.read(text, start) for text in _items(raw))
        if not items and setting.default:
            raise ValueError(raw)
    except ValueError as error:
        raise SettingInvalid(_complaint(setting, raw, subject)) from error
    return items


def _complaint(setting: Setting, raw: Any, subject: str) -> str:
    expected = setting.kind.expected
    if setting.kind.secret:
        return f"{subject} must be {expected} (its value is not shown here)."
    shown = repr(raw) if not isinstance(raw, Sequence) or isinstance(raw, str) else repr(list(raw))
    if len(shown) > _SHOWN_CHARACTERS:
        shown = shown[: _SHOWN_CHARACTERS - 1] + "…"
    hint = _KUBERNETES_HINT if setting.name == "port" and str(raw).startswith(("tcp://", "udp://")) else ""
    commas = " Commas separate items, so none may contain one." if setting.kind.many and isinstance(raw, list) else ""
    return f"{subject} is {shown}, but must be {expected}.{commas}{hint}"


def _text(raw: Any) -> str:
    """A value of a flag, a variable or a TOML file as text."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float):
        return f"{raw:f}"
    if isinstance(raw, str | int | Path):
        return str(raw).strip()
    raise ValueError(raw)


def _items(raw: Any) -> Iterator[str]:
    if isinstance(raw, str):
        yield from (item.strip() for item in raw.split(_ITEM_SEPARATOR) if item.strip())
    elif isinstance(raw, list | tuple):
        for item in raw:
            if not isinstance(item, str) or _ITEM_SEPARATOR in item:
                raise ValueError(raw)
            yield item.strip()
    else:
        raise ValueError(raw)
