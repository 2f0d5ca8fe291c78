"""Where settings come from.

A flag beats an environment variable, that beats the config file, that beats the default. Nothing is guessed: a value
that does not fit, or a name that is no setting, stops the start with a sentence that says where it was found.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filmgate.config.kinds import ITEM_SEPARATOR
from filmgate.config.table import CONFIG_VARIABLE, PREFIX, SETTINGS, Setting, Settings
from filmgate.domain.errors import SettingInvalid

__all__ = ["OTHER_VARIABLES", "load_settings"]

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

_KUBERNETES = re.compile(r"FILMGATE_(?:SERVICE_(?:HOST|PORT)(?:_.*)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_.*)?)?)")
"""What Kubernetes sets in every container beside a service that is named `filmgate`."""

_KUBERNETES_HINT = " Kubernetes sets it for a service named 'filmgate': set enableServiceLinks to false in the pod."

_BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}
_BY_VARIABLE: Mapping[str, Setting] = {setting.variable: setting for setting in SETTINGS}


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
    folders = {setting.name: str(setting.default) for setting in SETTINGS if isinstance(setting.default, Path)}
    replaced = {**folders, **({} if defaults is None else defaults)}
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
        yield from (item.strip() for item in raw.split(ITEM_SEPARATOR) if item.strip())
    elif isinstance(raw, list | tuple):
        for item in raw:
            if not isinstance(item, str) or ITEM_SEPARATOR in item:
                raise ValueError(raw)
            yield item.strip()
    else:
        raise ValueError(raw)
