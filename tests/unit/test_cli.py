"""The command line in this process, and what it loads in a process of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from filmgate import __version__
from filmgate.cli import run_command
from filmgate.cli.doctor_diffusers import examine_diffusers
from filmgate.cli.inputs import build_inputs, local_files, parse_assignments
from filmgate.cli.names import complete_model, named_model
from filmgate.cli.usage import UsageInvalid
from filmgate.client.replies import model
from filmgate.config import SETTINGS, Settings
from filmgate.models import SHIPPED

IDS = [
    "wan-ai/wan-2-5/image-to-video",
    "wan-ai/wan-2-6/flash/image-to-video",
    "wan-ai/wan-2-6/image-to-image",
]
COMMANDS = ["serve", "gateway", "courier", "worker", "run", "models", "weights", "keys", "status", "result", "cancel",
            "check", "doctor", "version"]  # fmt: skip
SCHEMA = {
    "type": "object",
    "properties": {
        "prompt": {"type": "string"},
        "pictures": {"type": "array", "items": {"type": "string"}},
        "sound": {"type": "string"},
        "seed": {"type": "integer"},
        "strength": {"type": "number"},
        "loop": {"type": "boolean"},
        "extra": {"type": "object"},
    },
}
ROLES = {"prompt": "prompt", "images": "pictures", "audio": "sound", "seed": "seed"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in [*(setting.variable for setting in SETTINGS), "FILMGATE_CONFIG", "FILMGATE_URL", "FILMGATE_KEY"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def offered(roles=ROLES, schema=SCHEMA, extra=None):
    extra_inputs = {} if extra is None else {"extra_inputs": extra}
    return model({"model_id": "a/b/image-to-video", "input_schema": schema, "roles": roles, **extra_inputs})


def built(given=None, assigned=(), **of_model):
    return build_inputs(offered(**of_model), given or {}, parse_assignments(assigned), lambda path: f"up:{path.name}")


def modules_after(*arguments):
    """What a fresh process has imported after a command."""
    code = "import sys; from filmgate.cli import run_command; code = run_command(sys.argv[1:]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split()), done


def test_help_loads_the_parser_and_nothing_else():
    modules, done = modules_after("--help")

    assert "typer" in modules
    heavy = {"rich", "starlette", "uvicorn", "httpx2", "msgspec", "jsonschema_rs", "numpy", "cv2", "PIL", "av",
             "asyncio", "sqlite3", "aiohttp", "obstore", "filmgate.wiring"}  # fmt: skip
    assert modules & heavy == set()
    assert all(command in done.stdout for command in COMMANDS)


def test_a_role_does_not_load_the_parser():
    modules, done = modules_after("gateway", "a-name", "surplus")

    assert "typer" not in modules
    assert "takes no argument 'surplus'" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    assert run_command([command, "--help"]) == 0

    told = capsys.readouterr().out
    assert told.startswith("Usage: filmgate")
    assert "None" not in told


def test_help_of_serve_shows_every_setting_with_its_variable(capsys):
    run_command(["serve", "--help"])

    told = " ".join(capsys.readouterr().out.split())
    for setting in SETTINGS:
        if setting.flag is None:
            assert setting.variable not in told
        else:
            assert setting.flag in told
            assert setting.variable in told


def test_version(capsys):
    assert run_command(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "No such command 'rnu'."),
        (["serve", "--prot", "1"], "--prot"),
        (["serve", "--port", "99999"], "--port is '99999', but must be a whole number from 0 to 65535."),
        (["worker", "--lease-s", "x"], "--lease-s is 'x'"),
        (["status", "abc"], "Name the server with --url URL, or set FILMGATE_URL."),
        (["status", "abc", "--url", "http://127.0.0.1:1"], "--key KEY, or set FILMGATE_KEY"),
        (["status", "abc", "--url", "nonsense", "--key", "k"], "'nonsense' is not a server's URL"),
        (["cancel"], "Missing argument"),
        (["run", "wan-2-5", "--image", "none.jpg"], "--image: there is no file 'none.jpg' here."),
        (["run", "wan-2-5", "--set", "novalue"], "--set 'novalue' is not of the form name=value."),
        (["run", "wan-2-5", "--set", "a=@none.wav"], "--set a: there is no file 'none.wav' here."),
        (["models", "show"], "models show: name one"),
        (["models", "list", "x"], "only `show` takes a model"),
        (["models", "show", "wan-2-6"], "'wan-2-6' can mean wan-ai/wan-2-6/flash/image-to-video, wan-ai/wan-2-6/im"),
        (["models", "show", "nothing"], "There is no model 'nothing'. There are wan-ai/"),
        (["keys", "list", "--data", "none"], "There is no data folder"),
        (["keys", "revoke", "x", "--data", "none"], "There is no data folder"),
        (["prepare", "--port", "1"], "No such command 'prepare'"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(arguments, said, capsys):
    code = run_command(arguments)

    output = capsys.readouterr()
    assert code == 2
    assert output.err.startswith("Error: ")
    assert said in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_an_unreachable_server_is_one_sentence_and_exit_code_1(capsys):
    code = run_command(["status", "abc", "--url", "http://127.0.0.1:1", "--key", "k"])

    assert code == 1
    assert "The server at http://127.0.0.1:1 cannot be reached" in capsys.readouterr().err


def test_a_bad_variable_stops_every_command_that_takes_settings(monkeypatch, capsys):
    monkeypatch.setenv("FILMGATE_PORTT", "1")

    assert run_command(["models"]) == 2
    assert "FILMGATE_PORTT is no setting" in capsys.readouterr().err


def test_models_are_listed_for_people_and_programs(capsys):
    assert run_command(["models"]) == 0
    for_people = capsys.readouterr().out
    assert run_command(["models", "list", "--json"]) == 0
    for_programs = json.loads(capsys.readouterr().out)

    assert len(for_programs) == 5
    assert all(entry["model_id"] in for_people for entry in for_programs)
    assert "\x1b" not in for_people


def test_a_model_is_shown_with_every_input_and_how_to_give_it(capsys):
    assert run_command(["models", "show", "flash"]) == 0

    told = capsys.readouterr().out
    for shown in (
        "--image",
        "--audio",
        "--duration",
        "--set shot_type=",
        "--set loras=",
        "multi, single",
        "0 to 2147483647",
    ):
        assert shown in told


def test_check_accepts_the_shipped_manifests(capsys):
    assert run_command(["check", str(SHIPPED)]) == 0
    assert capsys.readouterr().out.count("ok ") == 5


def test_check_names_every_fault_by_file_and_field(tmp_path, capsys):
    shutil.copytree(SHIPPED / "wan-ai", tmp_path / "m" / "wan-ai")
    path = tmp_path / "m" / "wan-ai" / "wan-2-5" / "image-to-video.json"
    manifest = json.loads(path.read_text())
    manifest["roles"]["audio"] = "nothing"
    manifest["pricing"]["base_price_usd"] = -1
    path.write_text(json.dumps(manifest))

    assert run_command(["check", str(tmp_path / "m")]) == 1
    told = capsys.readouterr().out
    assert run_command(["check", str(tmp_path / "m"), "--json"]) == 1
    [bad] = [verdict for verdict in json.loads(capsys.readouterr().out) if not verdict["ok"]]

    assert f"bad  {path}" in told
    assert told.count("ok ") == 4
    assert any("roles.audio" in fault for fault in bad["faults"])
    assert any("pricing.base_price_usd" in fault for fault in bad["faults"])


def test_check_of_an_empty_folder_fails(tmp_path, capsys):
    assert run_command(["check", str(tmp_path)]) == 1
    assert "no manifest" in capsys.readouterr().out


def test_a_key_is_made_listed_and_revoked(tmp_path, capsys):
    data = ["--data", str(tmp_path / "new")]
    run_command(["keys", "create", *data])
    first = capsys.readouterr().out.strip()
    run_command(["keys", "create", "laptop", "--json", *data])
    made = json.loads(capsys.readouterr().out)

    assert run_command(["keys", "revoke", made["id"], *data]) == 0
    assert run_command(["keys", "revoke", made["id"], *data]) == 2
    assert "No key in use has the id" in capsys.readouterr().err
    run_command(["keys", "list", "--json", *data])
    listed = json.loads(capsys.readouterr().out)

    assert first != made["secret"]
    assert {key["name"]: key["revoked_at"] is None for key in listed} == {"first": True, "laptop": False}
    assert all("secret" not in key for key in listed)


def test_doctor_finds_what_is_missing_and_says_how_to_get_it(tmp_path, capsys):
    code = run_command(["doctor", "--json", "--data", str(tmp_path), "--engines", "mine=tests.no_such_module:Engine"])

    findings = {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert code == 1
    assert all(findings[name]["ok"] for name in ("python", "packages", "sqlite", "data folder", "database", "disk"))
    assert "no_such_module" in findings["engine mine"]["detail"]
    assert findings["models"]["remedy"].startswith("Without one: wan-ai/")
    assert all(finding["ok"] or finding["remedy"] for finding in findings.values())


@pytest.mark.parametrize(("engine", "ok"), [("preview", True), ("diffusers", False)])
def test_doctor_says_how_to_get_open_weights_and_misses_them_only_where_they_are_wanted(engine, ok, monkeypatch):
    monkeypatch.setattr("filmgate.cli.doctor_diffusers.LIBRARIES", ("json", "no_such_library"))

    (finding,) = examine_diffusers(Settings(engines=(engine,)))

    assert finding.ok is ok
    assert "no_such_library not installed" in finding.detail
    assert "pip install 'filmgate[gpu]'" in finding.detail + finding.remedy


def test_doctor_finds_a_damaged_database(tmp_path, capsys):
    (tmp_path / "filmgate.db").write_bytes(b"SQLite format 3\0" + b"damage" * 1000)

    assert run_command(["doctor", "--data", str(tmp_path), "--engines", "null=tests.engines.null:Engine"]) == 1
    assert "is damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("wan-ai/wan-2-6/image-to-image", "wan-ai/wan-2-6/image-to-image"),
        ("wan-2-5", "wan-ai/wan-2-5/image-to-video"),
        ("flash", "wan-ai/wan-2-6/flash/image-to-video"),
        ("wan-2-6/image-to-video", "wan-ai/wan-2-6/flash/image-to-video"),
        ("FLASH", "wan-ai/wan-2-6/flash/image-to-video"),
        ("2-5", "wan-ai/wan-2-5/image-to-video"),
    ],
)
def test_a_short_name_means_the_one_model_that_it_fits(name, meant):
    assert named_model(name, IDS) == meant


def test_a_short_name_that_fits_several_lists_them():
    with pytest.raises(UsageInvalid, match="can mean wan-ai/wan-2-5/image-to-video, wan-ai/wan-2-6/flash/"):
        named_model("image-to-video", IDS)


def test_the_shell_completes_model_ids():
    assert list(complete_model("wan-ai/wan-2-6/f")) == ["wan-ai/wan-2-6/flash/image-to-video"]
    assert len(list(complete_model(""))) == 5


def test_the_shell_is_answered_with_model_ids(monkeypatch, capsys):
    monkeypatch.setenv("_FILMGATE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "filmgate run wan-ai/wan-2-1")
    monkeypatch.setenv("COMP_CWORD", "2")

    with pytest.raises(SystemExit) as ended:
        run_command([])

    assert not ended.value.code
    assert capsys.readouterr().out.split() == ["wan-ai/wan-2-1/image-to-video"]


def test_flags_fill_the_inputs_that_play_their_part(tmp_path):
    photo = tmp_path / "photo.jpg"
    roles = {"prompt": ["go"], "images": [str(photo), "https://x/y.png"], "audio": ["data:,"], "seed": ["5"]}

    assert built(roles) == {
        "prompt": "go", "pictures": ["up:photo.jpg", "https://x/y.png"], "sound": "data:,", "seed": 5,
    }  # fmt: skip


def test_set_types_its_values_by_the_schema():
    assigned = ["strength=0.5", "loop=TRUE", 'extra={"a": 1}', "pictures=@a.png", "pictures=https://x", "prompt=a=b"]

    assert built(assigned=assigned) == {
        "strength": 0.5, "loop": True, "extra": {"a": 1}, "pictures": ["up:a.png", "https://x"], "prompt": "a=b",
    }  # fmt: skip


def test_a_list_may_be_given_as_json():
    assert built(assigned=['pictures=["a", "b"]']) == {"pictures": ["a", "b"]}


def test_an_extra_input_is_given_like_the_published_ones():
    extra = {"loras": {"type": "array", "items": {"type": "object"}}}

    assert built(assigned=['loras={"name": "film"}'], extra=extra) == {"loras": [{"name": "film"}]}
    with pytest.raises(UsageInvalid, match="has no such input"):
        built(assigned=['loras={"name": "film"}'])


def test_where_a_server_names_no_parts_the_published_names_count():
    schema = {"properties": {"img_url": {"type": "string"}, "resolution": {"type": "string"}}}

    assert built({"images": ["https://x"], "tier": ["720P"]}, roles={}, schema=schema) == {
        "img_url": "https://x", "resolution": "720P",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("roles", "assigned", "said"),
    [
        ({"tier": ["720P"]}, [], "has no input for --resolution. It has prompt, pictures"),
        ({"seed": ["five"]}, [], "--seed is 'five', but must be a whole number."),
        ({"audio": ["https://a", "https://b"]}, [], "--audio is given 2 times, but sound takes one value."),
        ({"seed": ["5"]}, ["seed=6"], "seed is given twice"),
        ({}, ["nothing=1"], "has no such input. It has prompt"),
        ({}, ["loop=1"], "--set loop is '1', but must be true or false."),
        ({}, ["extra={"], "extra takes JSON"),
        ({}, ["strength=much"], "must be a number"),
    ],
)
def test_a_value_that_cannot_be_meant_is_said(roles, assigned, said):
    with pytest.raises(UsageInvalid) as caught:
        built(roles, assigned)
    assert said in caught.value.sentence


def test_local_files_are_those_without_a_scheme(tmp_path):
    photo, sound = tmp_path / "p.jpg", tmp_path / "s.wav"
    photo.touch(), sound.touch()

    found = local_files({"images": [str(photo), "https://x/y"], "prompt": ["p"]}, {"sound": [f"@{sound}", "data:,"]})

    assert found == [photo, sound]


def test_the_module_and_the_program_are_the_same():
    done = subprocess.run([sys.executable, "-m", "filmgate", "version"], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")
    assert Path(sys.executable).with_name("filmgate").exists()
