"""What the gateway process of Filmgate has loaded, as the interpreter and the kernel tell it."""

import base64
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

from bench.connection import Connection, request_bytes
from bench.peers.null_job import PNG
from bench.processes import Program, Started, free_port
from bench.systems import BODY, SYSTEMS, Place

__all__ = ["FORBIDDEN", "GatewayImports", "gateway_imports"]

FORBIDDEN = ("torch", "cv2", "numpy", "dbos", "diffusers", "PIL", "av")

START_S = 30.0


@dataclass(frozen=True, slots=True)
class GatewayImports:
    """`packages` were asked for, the few that are not there too; of `mapped` ones a shared object is in memory."""

    modules: int
    packages: frozenset[str]
    mapped: frozenset[str]

    def forbidden(self) -> frozenset[str]:
        return (self.packages | self.mapped) & set(FORBIDDEN)


def gateway_imports(folder: Path) -> GatewayImports:
    """Starts a gateway alone on the data of an ended Filmgate in `folder`, lets it answer, and looks inside."""
    filmgate = SYSTEMS["filmgate"]
    place = Place(folder, free_port(), 0, "")
    log = folder / "imports.log"
    started = Started([_gateway_alone(filmgate.programs(place)[0])], folder, log)
    try:
        _await_listening(started, place.port, log)
        picture = "data:image/png;base64," + base64.b64encode(PNG).decode()
        with Connection(place.port) as connection:
            for path in ("/v1/models", "/v1/requests/none/status", "/openapi.json", "/prod/v2/balance"):
                connection.call(request_bytes("GET", path, filmgate.headers))
            submit = json.dumps(BODY).encode()
            connection.call(request_bytes("POST", filmgate.submit_path, filmgate.headers, submit))
            # Read before a picture is judged: that is done by a child process, which logs its own imports here.
            modules = _imported(log)
            submit = json.dumps({**BODY, "image_urls": [picture]}).encode()
            connection.call(request_bytes("POST", filmgate.submit_path, filmgate.headers, submit))
        pid = started.pid_of(filmgate.gateway)
        mapped = frozenset() if pid is None else _mapped(pid)
    finally:
        started.end()
    return GatewayImports(len(modules), frozenset(name.partition(".")[0] for name in modules), mapped)


def _gateway_alone(serve: Program) -> Program:
    argv = ["gateway" if word == "serve" else word for word in serve.argv]
    return replace(serve, argv=argv, environment={**serve.environment, "PYTHONPROFILEIMPORTTIME": "1"})


def _await_listening(started: Started, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and not started.ended():
        try:
            Connection(port).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"The gateway alone does not answer. Its log ends with:\n{log.read_text()[-2000:]}")


def _imported(log: Path) -> frozenset[str]:
    lines = log.read_text(errors="replace").splitlines()
    told = [line.rpartition("|") for line in lines if line.startswith("import time:")]
    return frozenset(name.strip() for times, _, name in told if "[us]" not in times)


def _mapped(pid: int) -> frozenset[str]:
    """The packages whose shared objects are mapped into a process."""
    packages = set()
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        _, found, rest = line.partition("/site-packages/")
        if found:
            packages.add(rest.partition("/")[0].partition(".")[0])
    return frozenset(packages)
