"""A server of one command: started on a free port before it, ended after it, gone with it whatever happens."""

import os
import secrets
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filmgate.cli.processes import role_command, role_environment
from filmgate.config import Settings
from filmgate.domain.errors import StartupError
from filmgate.supervise.health import HealthCall
from filmgate.supervise.inheritance import (
    LIFELINE_VARIABLE,
    LISTEN_VARIABLE,
    bind_socket,
    claim_folder,
    folder_is_free,
    http_url,
    reachable_address,
)

__all__ = ["EmbeddedServer", "embedded_server", "free_folder"]

START_S = 60.0
STOP_S = 30.0
DRAIN_S = 5.0
"""The command waits for its own request; whatever else runs has been left by an earlier one and is run again later."""

LOOK_S = 0.05
MOST_FOLDERS = 32
ERROR_MARK = "Error: "


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    url: str
    key: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def refusal(self) -> StartupError | None:
        """Why the server ended by itself, or None while it runs."""
        return None if self.process.poll() is None else StartupError(_last_words(self.log))


@contextmanager
def free_folder(parent: Path) -> Iterator[Path]:
    """A folder below `parent` that is this command's alone: commands that run at the same time have one each."""
    for number in range(1, MOST_FOLDERS + 1):
        folder = parent / f"embedded-{number}"
        with ExitStack() as stack:
            try:
                claimed = stack.enter_context(claim_folder(folder)) and folder_is_free(folder)
            except OSError as error:
                raise _unwritable(folder, error) from error
            if claimed:
                yield folder
                return
    raise StartupError(f"{MOST_FOLDERS} servers run in {parent} already; name another folder with --data.")


@contextmanager
def embedded_server(settings: Settings) -> Iterator[EmbeddedServer]:
    """A running server over the data folder of `settings`. Raises StartupError with the server's own sentence."""
    from filmgate.client.errors import ServerUnreachable

    if not folder_is_free(settings.data):
        raise StartupError(
            f"The data folder {settings.data} is in use by a running server; call that one with --url and --key, "
            "or name another folder with --data."
        )
    key = _own_key(settings.data)
    settings = replace(settings, host="127.0.0.1", port=0, public_url=None, bootstrap_key=key, drain_s=DRAIN_S)
    log = settings.data / "serve.log"
    lifeline, lifeline_end = os.pipe()
    try:
        with bind_socket(settings.host, settings.port) as listener:
            url, address = http_url(listener), reachable_address(listener)
            inherited = {LIFELINE_VARIABLE: str(lifeline), LISTEN_VARIABLE: str(listener.fileno())}
            with log.open("wb") as stream:
                process = subprocess.Popen(  # noqa: S603  # our own command
                    role_command("serve"),
                    env={**role_environment(settings), **inherited},
                    pass_fds=(lifeline, listener.fileno()),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    start_new_session=True,  # Ctrl-C is for the command, which then ends the server itself
                )
        server = EmbeddedServer(url, key, process, log)
        try:
            _wait_until_ready(server, address)
            yield server
        except ServerUnreachable as error:
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            if (refusal := server.refusal()) is not None:
                raise refusal from error
            raise
        finally:
            _stop(process)
    finally:
        os.close(lifeline_end)
        os.close(lifeline)


def _wait_until_ready(server: EmbeddedServer, address: tuple[str, int]) -> None:
    deadline = time.monotonic() + START_S
    with HealthCall(address) as call:
        while not call.answered:
            if (refusal := server.refusal()) is not None:
                raise refusal
            if time.monotonic() > deadline:
                raise StartupError(f"The server did not start within {START_S:g} s; its log is {server.log}.")
            waiting = [] if call.connection is None else [call.connection]
            select.select(waiting, [], [], LOOK_S)
            call.read()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its roles see the end of their lifeline
        process.wait()


def _own_key(data: Path) -> str:
    """The key of this folder's embedded servers, made at the first."""
    path = data / "embedded.key"
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(f"fg_{secrets.token_urlsafe(32)}\n", encoding="ascii")
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise _unwritable(data, error) from error


def _unwritable(folder: Path, error: OSError) -> StartupError:
    reason = error.strerror or error
    return StartupError(f"The folder {folder} cannot be written ({reason}); name another with --data.")


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line.removeprefix(ERROR_MARK) for line in lines if line.startswith(ERROR_MARK)]
    said = errors[0] if errors else "it does not say why."
    return f"The embedded server ended: {said} Its log is {log}."
