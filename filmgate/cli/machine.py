"""What `filmgate serve` runs: the roles of one machine, and the banner that says that they are ready."""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from filmgate import __version__
from filmgate.cli.processes import role_command, role_environment
from filmgate.cli.terminal import FAILED, show, styled
from filmgate.config import Settings
from filmgate.domain.errors import StartupError
from filmgate.supervise.inheritance import bind_socket, hold_folder, http_url, inherited_socket
from filmgate.supervise.supervisor import Role, Supervisor

__all__ = ["run_machine"]


def run_machine(settings: Settings) -> None:
    """Supervises all roles until a signal. Raises StartupError when one cannot start."""
    with hold_folder(settings.data) as lock:
        # Bound before the first key is made: a port that is taken must not cost the one moment at which it is shown.
        listener = inherited_socket() or bind_socket(settings.host, settings.port)
        environment = role_environment(settings)
        banner = _Banner(settings, settings.public_url or http_url(listener), **_prepare(environment))
        roles = [
            Role("gateway", role_command("gateway", "gateway-1"), front=True),
            Role("courier", role_command("courier", "courier-1")),
            *(Role(f"worker-{n}", role_command("worker", f"worker-{n}")) for n in range(1, settings.workers + 1)),
        ]
        supervisor = Supervisor(
            roles, environment=environment, listener=listener, lock=lock, drain_s=settings.drain_s, ready=banner.show
        )
        try:
            clean = supervisor.run()
        finally:
            banner.show_key_if_unseen()
        if not clean:
            sys.exit(FAILED)


def _prepare(environment: Mapping[str, str]) -> Mapping[str, Any]:
    done = subprocess.run(  # noqa: S603  # our own command
        role_command("prepare"), env=dict(environment), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        raise StartupError("Filmgate cannot start; the message above says why.")
    first: Mapping[str, Any] = json.loads(done.stdout)
    return first


class _Banner:
    """What is shown when the gateway answers. `secret` is the first key's, where one was made just now."""

    def __init__(self, settings: Settings, url: str, secret: str | None, example: Mapping[str, Any] | None) -> None:
        self._settings = settings
        self._url = url
        self._secret = secret
        self._example = example
        self._seen = False

    def show(self) -> None:
        with suppress(BrokenPipeError):  # nobody reads, as after `| head`; the server serves
            self._show()

    def _show(self) -> None:
        self._seen = True
        show(styled(f"Filmgate {__version__} is ready.", "bold"))
        show(f"  URL   {styled(self._url, 'green')}")
        show(f"  Data  {self._settings.data}")
        show(f"  Key   {self._key_line()}")
        if self._example is not None:
            show("\nA first request, with a photo.jpg of yours:")
            show(_curl(self._url, self._secret or "$FILMGATE_KEY", self._example))

    def show_key_if_unseen(self) -> None:
        """A key that was made but not shown, because a role could not start, would be lost."""
        if self._secret is not None and not self._seen:
            show(f"The first key was made: {self._key_line()}")

    def _key_line(self) -> str:
        if self._secret is not None:
            return f"{styled(self._secret, 'green')}  (shown only now: keep it)"
        if self._settings.bootstrap_key is not None:
            return "the preset one"
        return "one of yours; `filmgate keys create` makes another"


def _curl(url: str, key: str, example: Mapping[str, Any]) -> str:
    """The call as lines for the shell, with a picture of the caller's own; a key not at hand is a variable."""
    body = json.dumps({"prompt": "The camera slowly pushes in.", example["input"]: "data:image/jpeg;base64,%s"})
    return (
        f"  printf {shlex.quote(body)} \"$(base64 < photo.jpg | tr -d '\\n')\" |\n"
        f'  curl {url}/v1/models/{example["model_id"]} -H "Authorization: Bearer {key}" \\\n'
        "    -H 'Content-Type: application/json' -d @-"
    )
