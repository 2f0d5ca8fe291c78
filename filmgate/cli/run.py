"""`filmgate run`: one request from files on this machine to a file on this machine."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filmgate.cli.embedded import EmbeddedServer, embedded_server, free_folder
from filmgate.cli.inputs import build_inputs, local_files, parse_assignments
from filmgate.cli.names import complete_model, named_model
from filmgate.cli.outputs import check_output, download_outputs, say_maker
from filmgate.cli.progress import shown_progress
from filmgate.cli.server import KeyFlag, UrlFlag, connect
from filmgate.cli.settings import takes_settings
from filmgate.cli.terminal import FAILED, INTERRUPTED, say, say_warning, show, show_json
from filmgate.config import Settings

if TYPE_CHECKING:
    from filmgate.client import Client, Result

__all__ = ["run"]

PRIVATE_FOLDER = "~/.cache/filmgate"
PATIENCE_S = 60.0
EMBEDDED_PATIENCE_S = 2.0
"""An embedded server's socket never refuses, so a call that fails means that it is gone."""


@takes_settings(
    "data", "models", "engines", "weights", "device", "profile", "log_level", defaults={"data": PRIVATE_FOLDER}
)
def run(
    model: Annotated[
        str, typer.Argument(help="The model's id, or enough of it: wan-2-5.", autocompletion=complete_model)
    ],
    prompt: Annotated[str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="What is to happen.")] = None,
    negative_prompt: Annotated[str | None, typer.Option(metavar="TEXT", help="What is not wanted.")] = None,
    image: Annotated[
        list[str] | None,
        typer.Option("--image", "-i", metavar="FILE", help="A picture: file, URL or data URI. Repeat for several."),
    ] = None,
    audio: Annotated[str | None, typer.Option(metavar="FILE", help="A sound: file, URL or data URI.")] = None,
    resolution: Annotated[str | None, typer.Option(metavar="TIER", help="The clip's tier, such as 720P.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The picture's size, such as '1280*960 (4:3)'.")
    ] = None,
    duration: Annotated[str | None, typer.Option(metavar="SECONDS", help="The clip's length.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="NUMBER", help="Same seed, same result.")] = None,
    assign: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any input by its name; @file uploads a file. Repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where the result is written.")
    ] = None,
    url: UrlFlag = None,
    key: KeyFlag = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole result as JSON, no progress.")] = False,
    *,
    settings: Settings,
) -> None:
    """Turn pictures into a clip, or into another picture.

    Without --url and --key a server is started for this one request, with a data folder of its own, and ended after it.
    """
    roles = {
        "prompt": _given(prompt), "negative_prompt": _given(negative_prompt), "images": image or (),
        "audio": _given(audio), "tier": _given(resolution), "image_size": _given(size),
        "duration": _given(duration), "seed": _given(seed),
    }  # fmt: skip
    assigned = parse_assignments(assign or ())
    local_files(roles, assigned)
    with _server(url, key, settings) as (client, embedded):
        chosen = client.model(named_model(model, [entry.id for entry in client.models()]))
        check_output(output, chosen)
        inputs = build_inputs(chosen, roles, assigned, client.upload)
        result = _wait(client, client.submit(chosen.id, inputs), embedded, quiet=as_json)
        paths = download_outputs(client, result, output)
    for warning in result.warnings:
        say_warning(warning)
    if as_json:
        show_json({**result.raw, "files": [str(path) for path in paths]})
        return
    for path in paths:
        show(str(path))
    say_maker(result)


def _given(value: str | None) -> Sequence[str]:
    return () if value is None else (value,)


@contextmanager
def _server(url: str | None, key: str | None, settings: Settings) -> "Iterator[tuple[Client, EmbeddedServer | None]]":
    """A client of the server that was named, or of one that lives as long as this block."""
    if url or key:
        with connect(url, key) as client:
            yield client, None
        return
    from filmgate.client import Client, ServerUnreachable

    with ExitStack() as stack:
        if settings.data == Path(PRIVATE_FOLDER).expanduser().resolve():
            settings = replace(settings, data=stack.enter_context(free_folder(settings.data)))
        server = stack.enter_context(embedded_server(settings))
        client = stack.enter_context(Client(server.url, server.key))
        try:
            yield client, server
        except ServerUnreachable as error:
            if (refusal := server.refusal()) is not None:
                raise refusal from error
            raise


def _wait(client: "Client", request_id: str, embedded: EmbeddedServer | None, *, quiet: bool) -> "Result":
    try:
        with shown_progress(quiet) as on_status:
            patience_s = PATIENCE_S if embedded is None else EMBEDDED_PATIENCE_S
            result = client.wait(request_id, on_status=on_status, patience_s=patience_s)
    except KeyboardInterrupt:
        _cancel(client, request_id)
        raise typer.Exit(INTERRUPTED) from None
    if result.word == "cancelled":
        say_warning(f"Request {request_id} was cancelled.")
        raise typer.Exit(FAILED)
    return result


def _cancel(client: "Client", request_id: str) -> None:
    from filmgate.client import ClientError

    try:
        outcome = client.cancel(request_id, force=True).outcome
    except ClientError as error:
        say_warning(f"Interrupted, but request {request_id} could not be cancelled: {error.sentence}")
        return
    told = {"cancelled": "was cancelled", "stopping": "was told to stop"}.get(outcome, "had finished already")
    say(f"Interrupted: request {request_id} {told}.")
