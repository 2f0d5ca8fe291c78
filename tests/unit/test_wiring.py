"""What the settings make of engines and models, before anything is started."""

import pytest

from filmgate.config import load_settings
from filmgate.domain.errors import SettingInvalid
from filmgate.wiring import engine_factories, served_manifests, webhook_store
from filmgate.worker.factory import EngineFactory

I2V_22, I2I_26 = "wan-ai/wan-2-2/image-to-video", "wan-ai/wan-2-6/image-to-image"


def settings(**given):
    return load_settings({"engines": ["diffusers", "preview", "mine=my.engine:Engine"], **given}, environment={})


def test_an_engine_with_options_is_made_with_the_settings_of_the_same_name(tmp_path):
    factories = engine_factories(settings(weights=str(tmp_path), profile="fast", checkpoint_steps="0"))

    assert factories["diffusers"].options == {
        "weights": str(tmp_path), "device": "auto", "profile": "fast", "substitutes": True, "device_memory_gb": 0.0,
        "host_memory_gb": 0.0, "frame_interpolation": "flow", "checkpoint_steps": 0,
    }  # fmt: skip


def test_other_engines_and_the_operators_own_are_made_without_options():
    factories = engine_factories(settings())

    assert list(factories) == ["diffusers", "preview", "mine"]
    assert factories["preview"].options == {}
    assert factories["mine"] == EngineFactory("my.engine:Engine")


@pytest.mark.parametrize(
    ("device", "worker", "option"),
    [
        ("auto", "worker-1", "auto:0"), ("auto", "worker-12", "auto:11"), ("auto", "render-box-2", "auto"),
        ("auto", "", "auto"), ("cuda:1", "worker-3", "cuda:1"), ("cpu", "worker-2", "cpu"),
    ],
)  # fmt: skip
def test_each_of_one_machines_workers_is_told_its_number_where_the_device_is_open(device, worker, option):
    assert engine_factories(settings(device=device), worker)["diffusers"].options["device"] == option


def test_an_unknown_engine_is_named_with_the_known_ones():
    with pytest.raises(SettingInvalid, match=r"'prevue' is none of preview, diffusers"):
        engine_factories(settings(engines=["prevue"]))


def test_a_worker_serves_all_models_or_those_that_are_named():
    assert len(served_manifests(settings())) == 5
    assert list(served_manifests(settings(serve=[I2V_22, I2I_26]))) == [I2V_22, I2I_26]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"serve": ["wan-ai/wan-9"]}, r"serve: there is no model 'wan-ai/wan-9'; known are wan-ai/"),
        ({"serve": [I2V_22], "engines": ["mine=a:B"]}, f"serve: {I2V_22} is run by preview, diffusers, none of which"),
    ],
)
def test_a_model_that_cannot_be_served_stops_the_start(given, sentence):
    with pytest.raises(SettingInvalid, match=sentence):
        served_manifests(settings(**given))


def test_webhook_signatures_derive_from_one_secret_that_stays_and_that_only_its_owner_may_read(tmp_path):
    with webhook_store(settings(data=str(tmp_path))) as store:
        first = store.rotate_keys()
    with webhook_store(settings(data=str(tmp_path))) as store:
        second = store.rotate_keys()

    assert {key.id for key in first} & {key.id for key in second}
    assert (tmp_path / "webhook.key").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("webhook.key.*"))


def test_a_webhook_secret_that_was_cut_off_signs_nothing(tmp_path):
    (tmp_path / "webhook.key").touch()

    with (
        pytest.raises(SettingInvalid, match=r"webhook\.key is too short to sign with"),
        webhook_store(settings(data=str(tmp_path))),
    ):
        pass
