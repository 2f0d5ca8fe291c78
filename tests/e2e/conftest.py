import pytest

from tests.e2e.server import Server
from tests.model_folder import write_models

ENGINES = ["null", "slow_steps", "raises", "fails_typed", "shows_previews", "names_maker"]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("server")
    running = Server(
        folder / "data",
        models=str(write_models(folder / "models", ENGINES)),
        engines=",".join(["preview", *(f"{name}=tests.engines.{name}:Engine" for name in ENGINES)]),
        fetch_allow="127.0.0.1",
        fetch_timeout_s="2",
    ).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client
