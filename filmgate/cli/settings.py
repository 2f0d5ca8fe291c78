"""Draws flags from the table of settings and hands a command the finished Settings."""

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from filmgate.config import CONFIG_VARIABLE, SETTINGS, Setting, load_settings

__all__ = ["takes_settings"]

R = TypeVar("R")

_PANEL = "Settings"


def takes_settings(
    *names: str, defaults: Mapping[str, str] | None = None
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Gives a command the flags of the settings `names` (of all by default) and `--config`.

    The command gets the result as `settings`. `defaults` replaces defaults of the table for this command, in the
    notation of an environment variable.
    """
    chosen = [setting for setting in SETTINGS if setting.flag is not None and (not names or setting.name in names)]
    replaced = {} if defaults is None else defaults

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def with_settings(**values: Any) -> R:
            config = values.pop("config")
            flags = {setting.name: values.pop(setting.name) for setting in chosen}
            return command(**values, settings=load_settings(flags, config=config, defaults=replaced))

        own = inspect.signature(command, eval_str=True)
        kept = [parameter for parameter in own.parameters.values() if parameter.name != "settings"]
        drawn = [_parameter(setting, replaced.get(setting.name)) for setting in chosen]
        parameters = [*kept, *drawn, _config_parameter()]
        with_settings.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        with_settings.__dict__["__signature__"] = own.replace(parameters=parameters)
        del with_settings.__dict__["__wrapped__"]  # typer would read the flags of the command beneath
        return with_settings

    return decorate


def _parameter(setting: Setting, default: str | None) -> inspect.Parameter:
    flag = setting.flag or ""
    shown = default or setting.shown_default()
    told = f"{setting.help} [{setting.variable}{f'; default: {shown}' if shown else ''}]"
    annotation: Any = str | None
    if setting.kind.switch:
        annotation, flag = bool | None, f"{flag}/--no-{flag.removeprefix('--')}"
    elif setting.kind.many:
        annotation = list[str] | None
    metavar = setting.kind.metavar or None
    option = typer.Option(flag, help=told, metavar=metavar, show_default=False, rich_help_panel=_PANEL)
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[annotation, option]
    )


def _config_parameter() -> inspect.Parameter:
    told = f"Config file in TOML. [{CONFIG_VARIABLE}; default: filmgate.toml in the data folder, if it is there]"
    option = typer.Option("--config", help=told, metavar="FILE", show_default=False, rich_help_panel=_PANEL)
    return inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[Path | None, option]
    )
