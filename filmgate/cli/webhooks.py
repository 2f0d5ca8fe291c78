"""`filmgate webhooks`: the owner's webhooks in a data folder, and the keys that sign all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from filmgate.cli.settings import takes_settings
from filmgate.cli.terminal import say, show, show_table
from filmgate.cli.usage import UsageInvalid
from filmgate.config import Settings

if TYPE_CHECKING:
    from filmgate.domain.webhook import Delivery
    from filmgate.wiring import WebhookStore

__all__ = ["webhooks"]

webhooks = typer.Typer(
    help="Make signing secrets, list and resend deliveries.", no_args_is_help=True, rich_markup_mode=None
)


@webhooks.command()
@takes_settings("data")
def secret(*, settings: Settings) -> None:
    """Make a new signing secret, shown this once, on stdout. The one before it goes on signing for a day."""
    with _store(settings) as store:
        made = store.replace_secret()
    show(made.text or "")
    say("Webhooks are signed with this secret from now on. It is shown only now: keep it.")


@webhooks.command()
@takes_settings("data")
def deliveries(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, latest first.")] = 50, *, settings: Settings
) -> None:
    """List deliveries with how their last try went."""
    with _store(settings) as store:
        found = store.deliveries(limit)
    rows = [(one.event.id, one.state.value, str(len(one.tries)), _latest(one), one.url) for one in found]
    show_table(("ID", "STATE", "TRIES", "LATEST", "URL"), rows)


@webhooks.command()
@takes_settings("data")
def resend(
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="From `filmgate webhooks deliveries`.")],
    *,
    settings: Settings,
) -> None:
    """Deliver an event once more, now."""
    with _store(settings) as store:
        if not store.resend(delivery_id):
            raise UsageInvalid(f"There is no delivery {delivery_id!r}; `filmgate webhooks deliveries` lists them.")
    say(f"{delivery_id} is due now.")


@webhooks.command()
@takes_settings("data")
def rotate_keys(*, settings: Settings) -> None:
    """Let the server's next key pair sign; the one before it goes on signing for a week."""
    with _store(settings) as store:
        current, *_ = store.rotate_keys()
    say(f"The key {current.id} signs from now on.")


@contextmanager
def _store(settings: Settings) -> "Iterator[WebhookStore]":
    """The webhooks of a folder that is there: a mistyped one is not made."""
    from filmgate.wiring import webhook_store

    if not settings.data.is_dir():
        raise UsageInvalid(f"There is no data folder {settings.data}; name it with --data or FILMGATE_DATA.")
    with webhook_store(settings) as store:
        yield store


def _latest(delivery: "Delivery") -> str:
    if not delivery.tries:
        return ""
    latest = delivery.tries[-1]
    at = datetime.fromtimestamp(latest.at, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{at} {latest.error if latest.status is None else latest.status}"
