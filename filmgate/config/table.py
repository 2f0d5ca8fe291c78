"""All settings, in one table: the fields of `Settings`. Each row has a name, a type, a default, what it expects and a
help line, and everything else is drawn from it: flags, environment variables, the config file, documentation, tests.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from filmgate.config import kinds

__all__ = ["CONFIG_VARIABLE", "PREFIX", "SETTINGS", "Setting", "Settings"]

PREFIX = "FILMGATE_"
CONFIG_VARIABLE = "FILMGATE_CONFIG"
"""Names the config file; not a setting itself, as it cannot stand in the file."""


def _row(kind: kinds.Kind, help_line: str) -> Mapping[str, Any]:
    return {"kind": kind, "help": help_line}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may set. Durations are in seconds unless the name says otherwise."""

    host: str = field(
        default="127.0.0.1", metadata=_row(kinds.HOST, "Address to listen on; 0.0.0.0 for all of the machine's.")
    )
    port: int = field(default=8000, metadata=_row(kinds.whole(0, 65535), "Port to listen on; 0 takes any free one."))
    data: Path = field(
        default=Path("filmgate-data"), metadata=_row(kinds.FOLDER, "Folder of the database and of all files.")
    )
    public_url: str | None = field(
        default=None, metadata=_row(kinds.PUBLIC_URL, "Where clients reach this server, if not where they call it.")
    )
    models: tuple[Path, ...] = field(
        default=(), metadata=_row(kinds.FOLDERS, "Folder with more manifests. Repeat for several.")
    )
    engines: tuple[str, ...] = field(
        default=("preview",),
        metadata=_row(
            kinds.ENGINES, "Engine to run: a name, or name=package.module:Callable. Repeat, the preferred first."
        ),
    )
    fetch_allow: tuple[str, ...] = field(
        default=(),
        metadata=_row(kinds.ALLOWED, "Host whose URLs are fetched even if it is not public. Repeat for several."),
    )
    fetch_http: bool = field(default=False, metadata=_row(kinds.SWITCH, "Also fetch http:// URLs of public hosts."))
    fetch_timeout_s: float = field(
        default=60.0, metadata=_row(kinds.seconds(1, 3600), "How long fetching one input may take.")
    )
    webhook_allow: tuple[str, ...] = field(
        default=(),
        metadata=_row(kinds.ALLOWED, "Host that webhooks may go to even if it is not public. Repeat for several."),
    )
    webhook_http: bool = field(
        default=False, metadata=_row(kinds.SWITCH, "Also deliver webhooks to http:// URLs of public hosts.")
    )
    webhook_key: str | None = field(
        default=None,
        repr=False,
        metadata=_row(
            kinds.KEY,
            "What all webhook signatures derive from, the same for every process; "
            "else one is made and kept in the data folder.",
        ),
    )
    bootstrap_key: str | None = field(
        default=None,
        repr=False,
        metadata=_row(kinds.KEY, "The first account's key, instead of one that is made and shown once."),
    )
    retention_days: int = field(
        default=7, metadata=_row(kinds.whole(1, 3650), "Days that finished requests and their files are kept.")
    )
    max_body_bytes: int = field(
        default=64 * 2**20, metadata=_row(kinds.whole(2**10, 2**34), "Largest body or upload, in bytes.")
    )
    lease_s: float = field(
        default=30.0, metadata=_row(kinds.seconds(1, 3600), "A worker that is silent this long has lost its request.")
    )
    stall_s: float = field(
        default=300.0, metadata=_row(kinds.seconds(1, 86400), "An engine that reports nothing this long is ended.")
    )
    drain_s: float = field(
        default=30.0, metadata=_row(kinds.seconds(0, 86400), "How long running requests may take to end at a stop.")
    )
    weights: Path = field(
        default=Path("filmgate-weights"),
        metadata=_row(kinds.FOLDER, "Folder of the open weights, for the engine diffusers."),
    )
    device: str = field(
        default="auto",
        metadata=_row(kinds.DEVICE, "Where open weights run; auto: each worker on a card of its own, else on the CPU."),
    )
    profile: str = field(
        default="exact",
        metadata=_row(
            kinds.one_of("exact", "balanced", "balanced-cached", "fast"), "How open weights are sped up, at what loss."
        ),
    )
    substitutes: bool = field(
        default=True,
        metadata=_row(kinds.SWITCH, "Serve a model that has no open weights with those of another, and say so."),
    )
    device_memory_gb: float = field(
        default=0.0, metadata=_row(kinds.gigabytes(10_000), "Device memory for weights; 0 for all that is there.")
    )
    host_memory_gb: float = field(
        default=0.0, metadata=_row(kinds.gigabytes(100_000), "Host memory for weights; 0 for all that is there.")
    )
    frame_interpolation: str = field(
        default="flow",
        metadata=_row(
            kinds.one_of("flow", "blend", "duplicate"), "How frames are added where weights make fewer than are due."
        ),
    )
    checkpoint_steps: int = field(
        default=5,
        metadata=_row(
            kinds.whole(0, 1000),
            "Steps from one checkpoint, where a request goes on after a crash, to the next; 0: none.",
        ),
    )
    serve: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            kinds.MODELS, "Model to run, by its id, instead of all that the engines can. Repeat for several."
        ),
    )
    workers: int = field(default=1, metadata=_row(kinds.whole(1, 64), "Workers that `filmgate serve` starts."))
    log_level: str = field(
        default="info", metadata=_row(kinds.one_of("debug", "info", "warning", "error"), "How much is logged.")
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
    kind: kinds.Kind
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


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return kinds.ITEM_SEPARATOR.join(map(str, value))
    return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)
