"""Settings: where they come from, which of them wins, and what is said of a bad one."""

import os
from pathlib import Path

import pytest

from filmgate.config import OTHER_VARIABLES, SETTINGS, Settings, load_settings
from filmgate.domain.errors import SettingInvalid

KEY = "fg_for-tests-only-0123456789"

GOOD = {
    "host": "0.0.0.0",
    "port": "1234",
    "data": "/var/lib/filmgate",
    "public_url": "https://film.example.org/api",
    "models": "/models/one,/models/two",
    "engines": "preview,mine=my_engines.fast:Engine",
    "fetch_allow": "intranet,10.0.0.5:8080,[fd00::1]:443",
    "fetch_http": "true",
    "fetch_timeout_s": "2.5",
    "webhook_allow": "receiver.intranet,10.0.0.6:8080",
    "webhook_http": "true",
    "webhook_key": KEY,
    "bootstrap_key": KEY,
    "retention_days": "30",
    "max_body_bytes": "1048576",
    "lease_s": "1.5",
    "stall_s": "10",
    "drain_s": "0",
    "weights": "/var/lib/weights",
    "device": "CUDA:1",
    "profile": "fast",
    "substitutes": "no",
    "device_memory_gb": "22.5",
    "host_memory_gb": "64",
    "frame_interpolation": "blend",
    "checkpoint_steps": "0",
    "serve": "wan-ai/wan-2-2/image-to-video,acme/zoom",
    "workers": "2",
    "log_level": "DEBUG",
}

BAD = [
    ("host", "http://example.org"), ("host", "two words"), ("host", "a/b"),
    ("port", "-1"), ("port", "65536"), ("port", "eighty"), ("port", "1e3"), ("port", "٣"), ("port", "80.0"),
    ("data", "bad\0name"), ("data", "~no-such-user-here/x"),
    ("public_url", "film.example.org"), ("public_url", "ftp://example.org"), ("public_url", "https://h/?a=1"),
    ("public_url", "https://user:secret@example.org"), ("public_url", "https://h:99999"),
    ("engines", "no spaces"), ("engines", "mine="), ("engines", "mine=module"), ("engines", "=a:b"), ("engines", ","),
    ("fetch_allow", "https://example.org"), ("fetch_allow", "host:0"), ("fetch_allow", "host:99999"),
    ("fetch_allow", "*.example.org"),
    ("fetch_http", "maybe"),
    ("fetch_timeout_s", "0"), ("fetch_timeout_s", "nan"), ("fetch_timeout_s", "inf"), ("fetch_timeout_s", "-3"),
    ("webhook_allow", "https://example.org"), ("webhook_http", "maybe"), ("webhook_key", "short"),
    ("bootstrap_key", "short"), ("bootstrap_key", "twenty characters or more, but spaces"),
    ("retention_days", "0"), ("retention_days", "1.5"),
    ("max_body_bytes", "64 MiB"), ("lease_s", "0.5"), ("stall_s", "forever"), ("drain_s", "-1"),
    ("device", "gpu"), ("device", "cuda:"), ("device", "cuda:-1"), ("device", "auto:1"), ("profile", "quick"),
    ("substitutes", "some"), ("device_memory_gb", "-1"), ("host_memory_gb", "64 GB"), ("checkpoint_steps", "1001"),
    ("frame_interpolation", "none"), ("serve", "wan-2-2"), ("serve", "/wan"), ("weights", "bad\0name"),
    ("workers", "0"), ("workers", "65"), ("log_level", "loud"),
]  # fmt: skip


def load(flags=None, environment=None, **more):
    return load_settings(flags, environment=environment or {}, **more)


def defaults_in(folder):
    return Settings(data=folder / "filmgate-data", weights=folder / "filmgate-weights")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_read_from_its_variable(setting, tmp_path):
    environment = {"FILMGATE_DATA": str(tmp_path), setting.variable: GOOD[setting.name]}

    value = getattr(load(environment=environment), setting.name)

    assert value != setting.default
    assert type(value) is type(setting.default) or setting.default is None or isinstance(setting.default, Path)


def test_the_table_and_these_examples_name_the_same_settings():
    assert GOOD.keys() == {setting.name for setting in SETTINGS}
    assert all(setting.help.endswith(".") for setting in SETTINGS)


def test_without_anything_the_defaults_count(tmp_path):
    settings = load(folder=tmp_path)

    assert settings == defaults_in(tmp_path)
    assert (settings.host, settings.port, settings.engines) == ("127.0.0.1", 8000, ("preview",))


def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text("port = 1\nworkers = 2\nlease_s = 3\n")
    environment = {"FILMGATE_PORT": "4", "FILMGATE_WORKERS": "5"}

    settings = load({"port": "6", "workers": None}, environment, config=file, folder=tmp_path)

    assert (settings.port, settings.workers, settings.lease_s, settings.stall_s) == (6, 5, 3.0, 300.0)


def test_all_settings_may_stand_in_a_file_with_toml_types(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text(
        "host = '::1'\nport = 9\nfetch_http = true\nlease_s = 1.25\nmodels = ['more', '/else']\ndata = 'kept'\n"
    )

    settings = load(config=file)

    assert (settings.host, settings.port, settings.fetch_http, settings.lease_s) == ("::1", 9, True, 1.25)
    assert settings.models == (tmp_path / "more", Path("/else"))
    assert settings.data == tmp_path / "kept"


def test_the_config_file_is_the_flags_then_the_variables_then_the_data_folders(tmp_path):
    for number, name in enumerate(("flag.toml", "variable.toml", "filmgate.toml"), start=1):
        (tmp_path / name).write_text(f"port = {number}\n")
    variable = {"FILMGATE_CONFIG": str(tmp_path / "variable.toml")}
    data = {"data": str(tmp_path)}

    assert load(data, variable, config=tmp_path / "flag.toml").port == 1
    assert load(data, variable).port == 2
    assert load(data).port == 3
    assert load(data, {"FILMGATE_CONFIG": os.devnull}).port == 8000
    assert load(data, {"FILMGATE_CONFIG": ""}).port == 3


def test_a_flag_that_is_repeated_is_a_list(tmp_path):
    settings = load({"models": ["one", "/two"], "engines": []}, folder=tmp_path)

    assert settings.models == (tmp_path / "one", Path("/two"))
    assert settings.engines == ("preview",)


def test_a_process_that_is_started_with_the_environment_has_equal_settings(tmp_path):
    (tmp_path / "filmgate.toml").write_text("port = 7\n")
    settings = load(environment={f"FILMGATE_{name.upper()}": value for name, value in GOOD.items()})
    settings_in_folder = load({"data": str(tmp_path), "port": "8"})

    assert load(environment=settings.environment()) == settings
    assert load(environment=settings_in_folder.environment()) == settings_in_folder


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_variable_is_named_with_its_value_and_what_is_expected(name, value):
    with pytest.raises(SettingInvalid) as caught:
        load(environment={f"FILMGATE_{name.upper()}": value})

    assert f"FILMGATE_{name.upper()}" in caught.value.sentence
    assert "must be" in caught.value.sentence
    assert repr(value) in caught.value.sentence or name in ("bootstrap_key", "webhook_key")


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, v in BAD if n not in ("bootstrap_key", "webhook_key", "models")]
)
def test_a_bad_flag_is_named_as_it_was_typed(name, value):
    with pytest.raises(SettingInvalid, match=f"^--{name.replace('_', '-')} is "):
        load({name: value})


@pytest.mark.parametrize(
    "line",
    ["port = true", "port = [1]", "port = 1.5", "models = 'a,b'\nengines = []", "models = ['a,b']", "models = [1]",
     "fetch_http = 2", "data = 1979-05-27", "lease_s = {a = 1}", "engines = 5"],
)  # fmt: skip
def test_a_bad_value_in_a_file_is_named_by_file_and_key(line, tmp_path):
    file = tmp_path / "my.toml"
    file.write_text(line)

    with pytest.raises(SettingInvalid) as caught:
        load(config=file)

    assert caught.value.sentence.startswith(f"{file}: ")
    assert "must be" in caught.value.sentence


def test_the_bootstrap_key_is_never_shown():
    secret = "too short, secret"

    with pytest.raises(SettingInvalid) as caught:
        load(environment={"FILMGATE_BOOTSTRAP_KEY": secret})

    assert secret not in caught.value.sentence
    assert secret not in repr(caught.value)
    assert KEY not in repr(Settings(bootstrap_key=KEY))
    assert next(s for s in SETTINGS if s.name == "bootstrap_key").flag is None


def test_an_unknown_variable_is_an_error_that_names_the_nearest():
    with pytest.raises(SettingInvalid, match=r"FILMGATE_PROT is no setting\. Do you mean FILMGATE_PORT\?"):
        load(environment={"FILMGATE_PROT": "1"})


def test_an_unknown_key_in_a_file_is_an_error_that_names_the_nearest(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text("worker = 2\n")

    with pytest.raises(SettingInvalid, match=r"my\.toml: worker is no setting\. Do you mean workers\?"):
        load(config=file)


@pytest.mark.parametrize(
    "variables",
    [
        {"FILMGATE_PORT": "tcp://10.0.0.7:80"},
        {"FILMGATE_SERVICE_HOST": "10.0.0.7"},
        {"FILMGATE_PORT_80_TCP_ADDR": "10.0.0.7"},
    ],
)
def test_what_kubernetes_sets_by_itself_is_explained(variables):
    with pytest.raises(SettingInvalid, match="enableServiceLinks"):
        load(environment=variables)


def test_variables_of_others_and_of_the_client_are_left_alone(tmp_path):
    environment = {**dict.fromkeys(OTHER_VARIABLES, ""), "PATH": "/bin", "_FILMGATE_COMPLETE": "bash"}

    assert load(environment=environment, folder=tmp_path) == defaults_in(tmp_path)


def test_an_empty_variable_counts_as_not_set(tmp_path):
    environment = {setting.variable: "" for setting in SETTINGS}

    assert load(environment=environment, folder=tmp_path) == defaults_in(tmp_path)


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"port 5"])
def test_a_file_that_is_not_toml_is_named(content, tmp_path):
    file = tmp_path / "my.toml"
    file.write_bytes(content)

    with pytest.raises(SettingInvalid, match=r"my\.toml is not TOML"):
        load(config=file)


def test_a_config_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingInvalid, match=r"none\.toml cannot be read: No such file"):
        load(environment={"FILMGATE_CONFIG": str(tmp_path / "none.toml")})


def test_the_file_in_a_data_folder_cannot_lead_to_another_folder(tmp_path):
    (tmp_path / "filmgate.toml").write_text("data = '/elsewhere'\n")

    with pytest.raises(SettingInvalid, match=r"data is '/elsewhere', but this file counts only for the folder"):
        load({"data": str(tmp_path)})


def test_the_shortest_good_bootstrap_key_has_twenty_characters():
    assert load(environment={"FILMGATE_BOOTSTRAP_KEY": "k" * 20}).bootstrap_key == "k" * 20
    with pytest.raises(SettingInvalid):
        load(environment={"FILMGATE_BOOTSTRAP_KEY": "k" * 19})


def test_a_long_bad_value_is_cut():
    with pytest.raises(SettingInvalid) as caught:
        load(environment={"FILMGATE_HOST": "x" * 100_000 + "!"})

    assert len(caught.value.sentence) < 300
