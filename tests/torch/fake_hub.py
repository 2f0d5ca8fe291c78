"""The few calls of the Hugging Face hub that fetching weights takes, on loopback."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["FakeHub", "Shelf", "fake_hub"]

COMMIT = "c" * 40
LARGE_BYTES = 1000
"""Files from this size on have a checksum in the listing, as those in large file storage have."""


@dataclass
class Shelf:
    """One repository. `broken_after` cuts the next replies with a file after so many bytes, one reply each."""

    files: Mapping[str, bytes]
    gated: bool = False
    told_bytes: dict[str, int] = field(default_factory=dict)
    told_sha256: dict[str, str] = field(default_factory=dict)
    broken_after: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class FakeHub:
    """`fetched` has the name and first byte of each reply with a file."""

    url: str
    shelves: dict[str, Shelf]
    fetched: list[tuple[str, int]] = field(default_factory=list)

    def fetched_names(self) -> set[str]:
        return {name for name, _ in self.fetched}


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    hub = FakeHub("", {})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            _, *parts = self.path.partition("?")[0].split("/")
            listing = parts[:2] == ["api", "models"]
            name = "/".join(parts[2:4] if listing else parts[:2])
            shelf = hub.shelves.get(name)
            if shelf is None:
                self._refuse(404, "RepoNotFound")
            elif shelf.gated:
                self._refuse(403, "GatedRepo")
            elif listing:
                self._send(json.dumps(_listing(name, shelf)).encode())
            else:
                self._send_file(shelf, "/".join(parts[4:]))

        def _send_file(self, shelf: Shelf, name: str) -> None:
            content = shelf.files[name]
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
            hub.fetched.append((name, start))
            cuts = shelf.broken_after.get(name)
            self._send(content[start:], 206 if start else 200, cut=cuts.pop(0) if cuts else None)

        def _send(self, body: bytes, status: int = 200, cut: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut])

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listing(name: str, shelf: Shelf) -> dict[str, object]:
    siblings = []
    for file, content in shelf.files.items():
        size = shelf.told_bytes.get(file, len(content))
        entry: dict[str, object] = {"rfilename": file, "size": size, "blobId": "b" * 40}
        if len(content) >= LARGE_BYTES:
            sha256 = shelf.told_sha256.get(file, hashlib.sha256(content).hexdigest())
            entry["lfs"] = {"size": size, "sha256": sha256, "pointerSize": 134}
        siblings.append(entry)
    return {"_id": "1", "id": name, "modelId": name, "sha": COMMIT, "private": False, "siblings": siblings}
