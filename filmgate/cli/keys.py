"""`filmgate keys`: the keys of a data folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filmgate.cli.settings import takes_settings
from filmgate.cli.terminal import say, show, show_json, show_table
from filmgate.cli.usage import UsageInvalid
from filmgate.config import Settings

if TYPE_CHECKING:
    from filmgate.domain.records import Key
    from filmgate.wiring import KeyStore

__all__ = ["keys"]

keys = typer.Typer(help="Make, list and revoke keys.", no_args_is_help=True, rich_markup_mode=None)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@keys.command()
@takes_settings("data")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")] = "cli",
    as_json: JsonFlag = False,
    *,
    settings: Settings,
) -> None:
    """Make a key. Its secret is shown this once, on stdout."""
    from filmgate.wiring import first_start, key_store

    first_secret = first_start(settings)
    with key_store(settings) as store:
        # A new folder has its first key by now: that is the one.
        key, secret = store.create(name) if first_secret is None else (store.list()[-1], first_secret)
    if as_json:
        show_json({**_as_json(key), "secret": secret})
        return
    show(secret)
    say(f"This is the key {key.name!r} (id {key.id}). It is shown only now: keep it.")


@keys.command(name="list")
@takes_settings("data")
def list_keys(as_json: JsonFlag = False, *, settings: Settings) -> None:
    """List all keys, without their secrets."""
    with _store(settings) as store:
        found = store.list()
    if as_json:
        show_json([_as_json(key) for key in found])
        return
    rows = [(key.id, key.name, key.hint, _day(key.created_at), _state(key)) for key in found]
    show_table(("ID", "NAME", "KEY", "MADE", "STATE"), rows)


@keys.command()
@takes_settings("data")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, from `filmgate keys list`.")],
    *,
    settings: Settings,
) -> None:
    """Revoke a key: within seconds every server refuses it."""
    with _store(settings) as store:
        matching = [key for key in store.list() if key.revoked_at is None and key_id in (key.id, key.hint)]
        if len(matching) != 1 or not store.revoke(matching[0].id):
            found = "no key in use has" if not matching else f"{len(matching)} keys have"
            raise UsageInvalid(f"{found} the id {key_id!r}; `filmgate keys list` shows the ids.".capitalize())
    say(f"The key {matching[0].name!r} ({matching[0].hint}) is revoked.")


@contextmanager
def _store(settings: Settings) -> "Iterator[KeyStore]":
    """The keys of a folder that is there: a mistyped one is not made."""
    from filmgate.wiring import key_store

    if not settings.data.is_dir():
        raise UsageInvalid(f"There is no data folder {settings.data}; name it with --data or FILMGATE_DATA.")
    with key_store(settings) as store:
        yield store


def _state(key: "Key") -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    return "in use" if key.expires_at is None else f"until {_day(key.expires_at)}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _as_json(key: "Key") -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
