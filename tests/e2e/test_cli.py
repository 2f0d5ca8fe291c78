"""The program as people type it: real processes, a real server, real files."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from filmgate.cli import run_command
from filmgate.client import Client, InputsInvalid
from tests.e2e.server import KEY, ROOT, wait_for
from tests.engines.null import MP4
from tests.model_folder import model_id

NULL = "preview=tests.engines.null:Engine"
SLOW = "preview=tests.engines.slow_steps:Engine"


def start(*arguments, home=None, **settings):
    """A `filmgate` process with these settings and no others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FILMGATE_")}
    environment |= {"PYTHONPATH": str(ROOT)} | ({} if home is None else {"HOME": str(home)})
    environment |= {f"FILMGATE_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "filmgate", *map(str, arguments)],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def ended(process):
    """Exit code, stdout and stderr."""
    try:
        out, err = process.communicate(timeout=100)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


def filmgate(*arguments, **settings):
    return ended(start(*arguments, **settings))


def processes_about(text):
    """The commands of all living processes that name `text` in their arguments or settings."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_text()
            if text in line + (folder / "environ").read_text(errors="replace"):
                found.append(line.replace("\0", " "))
        except OSError:
            continue
    return found


def pids_of(role, data):
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line, settings = (folder / "cmdline").read_text(), (folder / "environ").read_text(errors="replace")
        except OSError:
            continue
        if f"\0{role}\0" in line and str(data) in settings:
            found.append(int(folder.name))
    return found


def lines_until(stream, last):
    """What is said on `stream` up to the line that contains `last`."""
    lines = []
    for line in stream:
        lines.append(line)
        if last in line:
            return lines
    raise AssertionError(f"{last!r} was never said, only {lines}")


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (640, 480), "teal").save(path)
    return path


@pytest.fixture
def here(server, capsys, monkeypatch):
    """Runs a command on the server in this process: much faster than starting one."""
    for name in [name for name in os.environ if name.startswith("FILMGATE_")]:
        monkeypatch.delenv(name)

    def run(name, *arguments, key=KEY):
        code = run_command([name, *map(str, arguments), "--url", server.url, "--key", key])
        return code, *capsys.readouterr()

    return run


# -------------------------------------------------------------------------------------------------------------- run


def test_run_starts_a_server_of_its_own_and_leaves_a_file_and_nothing_else(tmp_path, photo):
    output, data = tmp_path / "out.mp4", tmp_path / "data"

    code, out, err = filmgate("run", "wan-2-5", "-p", "go", "-i", photo, "-o", output, data=data, engines=NULL)

    assert (code, out) == (0, f"{output}\n"), err
    assert output.read_bytes() == MP4
    assert processes_about(str(data)) == []
    assert (data / "embedded.key").stat().st_mode & 0o077 == 0


def test_runs_at_the_same_time_have_a_server_each(tmp_path, photo):
    outputs = [tmp_path / "1.mp4", tmp_path / "2.mp4"]

    runs = [start("run", "2-2", "-p", "go", "-i", photo, "-o", path, home=tmp_path, engines=NULL) for path in outputs]

    assert [ended(run)[0] for run in runs] == [0, 0]
    assert [path.read_bytes() for path in outputs] == [MP4, MP4]


def test_run_on_a_named_server_reports_as_json(server, tmp_path):
    output = tmp_path / "out.png"
    arguments = ("run", model_id("null"), "-p", "go", "--set", "seed=7", "-o", output, "--json")

    code, out, err = filmgate(*arguments, url=server.url + "/v1", key=KEY)

    reply = json.loads(out)
    assert (code, err) == (0, "")
    assert (reply["status"], reply["seed"], reply["files"]) == ("succeeded", 7, [str(output)])
    assert output.read_bytes().startswith(b"\x89PNG")


def test_a_request_that_fails_says_why_and_ends_with_1(here):
    code, out, err = here("run", model_id("raises"), "-p", "misbehave")

    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "null", "-p", "go", "-o", "out.mp4"], "makes .png files; name it 'out.png'"),
        (["run", "null", "-p", "go", "-o", "none/out.png"], "there is no folder 'none'"),
        (["run", "null", "-p", "go", "--audio", "https://example.org/a.wav"], "has no input for --audio"),
        (["run", "null"], "prompt is required"),
        (["run", "nothing", "-p", "go"], "There is no model 'nothing'"),
        (["status", "no-such-request"], "There is no request 'no-such-request'"),
        (["result", "no-such-request"], "There is no request 'no-such-request'"),
        (["cancel", "no-such-request"], "There is no request 'no-such-request'"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(here, arguments, said):
    code, out, err = here(*arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1


def test_a_wrong_key_is_a_sentence_and_exit_code_2(here):
    code, _, err = here("models", key="fg_wrong")

    assert code == 2
    assert "This key is not known here" in err


def test_every_fault_of_the_inputs_has_a_line(here):
    code, _, err = here("run", "null", "--size", "5*5", "--seed", "-1")

    assert code == 2
    assert len(err.splitlines()) == 3
    assert all(line.startswith("Error: ") for line in err.splitlines())


def test_a_broken_picture_is_refused_at_the_upload(here, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"<html>no picture</html>")

    code, _, err = here("run", "null", "-p", "go", "-i", broken)

    assert code == 2
    assert err.startswith("Error: file: ")


def test_ctrl_c_cancels_the_running_request_and_says_so(server):
    run = start("run", model_id("slow_steps"), "-p", "misbehave", url=server.url, key=KEY)
    lines_until(run.stderr, "rendering")

    run.send_signal(signal.SIGINT)

    code, out, err = ended(run)
    assert (code, out) == (130, "")
    assert "Interrupted: request " in err
    with Client(server.url, KEY) as client:
        request_id = err.partition("request ")[2].split()[0]
        assert client.wait(request_id, timeout_s=20).word == "cancelled"


def test_ctrl_c_ends_the_embedded_server_too(tmp_path, photo):
    data = tmp_path / "data"
    run = start("run", "wan-2-5", "-p", "misbehave", "-i", photo, data=data, engines=SLOW)
    lines_until(run.stderr, "rendering")

    run.send_signal(signal.SIGINT)

    assert ended(run)[0] == 130
    assert processes_about(str(data)) == []


def test_when_run_is_killed_its_server_is_gone_too(tmp_path, photo):
    data = tmp_path / "data"
    run = start("run", "wan-2-5", "-p", "misbehave", "-i", photo, data=data, engines=SLOW)
    lines_until(run.stderr, "rendering")

    run.kill()

    wait_for(lambda: not processes_about(str(data)), what="the end of the embedded server")
    run.communicate()


def test_an_embedded_server_that_cannot_start_says_why(tmp_path, photo):
    engines = "preview=tests.engines.broken_constructor:Engine"

    code, _, err = filmgate("run", "2-5", "-p", "go", "-i", photo, data=tmp_path / "data", engines=engines)

    assert code == 2
    assert "The embedded server ended: The engine preview" in err
    assert processes_about(str(tmp_path / "data")) == []


# ------------------------------------------------------------------------------------------- status, result, cancel


def test_a_request_can_be_followed_by_its_id(server, here, tmp_path):
    with Client(server.url, KEY) as client:
        request_id = client.submit(model_id("null"), {"prompt": "go"})
        client.wait(request_id, timeout_s=60)

    assert here("status", request_id) == (0, "completed\n", "")
    assert json.loads(here("status", request_id, "--json")[1])["status"] == "completed"
    assert here("result", request_id, "-o", tmp_path / "again.png") == (0, f"{tmp_path / 'again.png'}\n", "")
    assert here("cancel", request_id)[:2] == (1, "not_cancellable\n")


def test_what_served_a_request_is_said_beside_its_result(here, tmp_path):
    output = tmp_path / "out.png"

    made = here("run", model_id("names_maker"), "-p", "misbehave", "--set", 'loras={"name": "film"}', "-o", output)

    assert made[:2] == (0, f"{output}\n")
    assert made[2].splitlines()[-1] == "made by Wan 2.2 I2V A14B"


def test_a_running_request_is_cancelled_with_force_only(server, here):
    with Client(server.url, KEY) as client:
        request_id = client.submit(model_id("slow_steps"), {"prompt": "misbehave"})
        wait_for(lambda: client.status(request_id).word == "in_progress", what="the request's start")

        assert here("cancel", request_id) == (1, "not_cancellable\n", "It is running; --force stops it.\n")
        assert here("cancel", request_id, "--force")[:2] == (0, "stopping\n")

        assert client.wait(request_id, timeout_s=30).word == "cancelled"
    assert here("result", request_id)[:2] == (1, "cancelled\n")


# ----------------------------------------------------------------------------------------------- catalog and client


def test_the_models_of_a_server_are_listed_and_shown(here):
    listed = json.loads(here("models", "--json")[1])
    code, out, _ = here("models", "show", "raises")

    assert model_id("null") in {entry["model_id"] for entry in listed}
    assert code == 0
    assert out.startswith(model_id("raises"))
    assert "--prompt" in out


def test_the_client_makes_a_clip_from_an_upload(server, photo, tmp_path):
    with Client(server.url, KEY) as client:
        url = client.upload(photo)
        request_id = client.submit(model_id("null"), {"prompt": "go", "image_urls": [url]})
        result = client.wait(request_id, timeout_s=60)
        path = client.download(result.outputs[0], tmp_path / "out.png")

        assert path.stat().st_size > 0
        with pytest.raises(InputsInvalid) as caught:
            client.submit(model_id("null"), {"prompt": 5, "seed": "x"})
        assert len(caught.value.faults) == 2


# ------------------------------------------------------------------------------------------------------------ serve


def test_the_first_start_shows_a_key_that_works_once_and_the_second_does_not(tmp_path):
    settings = {"data": tmp_path / "data", "engines": NULL, "port": 0}
    first = start("serve", **settings)
    banner = "".join(lines_until(first.stdout, "-d "))
    url, key = (banner.partition(f"{name}  ")[2].split()[0] for name in ("URL ", "Key "))

    with Client(url, key) as client:
        assert len(client.models()) == 5
    first.terminate()
    assert ended(first)[0] == 0

    second = start("serve", **settings)
    banner = "".join(lines_until(second.stdout, "-d "))
    second.terminate()
    assert ended(second)[0] == 0
    assert "one of yours" in banner
    assert key not in banner


def test_flags_and_variables_are_the_same(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        by_flag = filmgate("serve", "--port", port, "--data", tmp_path / "1")
        by_variable = filmgate("serve", port=port, data=tmp_path / "2")

    said = f"Error: Port {port} of 127.0.0.1 is in use by another program; choose another with --port.\n"
    assert by_flag == by_variable == (2, "", said)


def test_a_gateway_that_is_killed_is_back_at_the_same_port_and_no_call_is_refused(tmp_path):
    serve = start("serve", data=tmp_path / "data", engines=NULL, port=0)
    url = "".join(lines_until(serve.stdout, "URL")).split()[-1]
    [gateway] = pids_of("gateway", tmp_path / "data")

    os.kill(gateway, signal.SIGKILL)

    assert httpx2.get(f"{url}/healthz", timeout=30, trust_env=False).status_code == 200
    assert pids_of("gateway", tmp_path / "data") != [gateway]
    serve.terminate()
    assert ended(serve)[0] == 0


def test_a_first_key_is_shown_even_when_a_role_cannot_start(tmp_path):
    code, out, err = filmgate(
        "serve", data=tmp_path / "data", engines="preview=tests.engines.broken_constructor:Engine", port=0
    )

    assert code == 2
    assert "The first key was made: fg_" in out or "Key   fg_" in out
    assert "worker-1 cannot start" in err


def test_serve_refuses_a_bad_manifest_by_file_and_field(tmp_path):
    (tmp_path / "m" / "a").mkdir(parents=True)
    (tmp_path / "m" / "a" / "b.json").write_text("{}")

    code, out, err = filmgate("serve", data=tmp_path / "data", models=tmp_path / "m", port=0)

    assert (code, out) == (2, "")
    assert "a/b.json" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_model_to_serve_that_is_not_there_stops_the_start(command, tmp_path):
    code, out, err = filmgate(command, data=tmp_path / "data", serve="wan-ai/wan-9/image-to-video")

    assert (code, out) == (2, "")
    assert "serve: there is no model 'wan-ai/wan-9/image-to-video'" in err


def test_a_role_alone_ends_cleanly(tmp_path):
    gateway = start("gateway", "--port", "0", "--data", tmp_path / "data")
    address = tmp_path / "data" / "gateway.url"
    url = wait_for(lambda: address.exists() and address.read_text().strip(), what="the gateway's address")
    assert httpx2.get(f"{url}/healthz", timeout=30, trust_env=False).status_code == 200

    gateway.send_signal(signal.SIGINT)

    assert ended(gateway)[0] == 0
