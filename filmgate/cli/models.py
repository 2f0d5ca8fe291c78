"""`filmgate models`: what can be asked for, on a server or by the manifests of this machine."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from filmgate.cli.inputs import ROLE_FLAGS
from filmgate.cli.names import complete_model, named_model
from filmgate.cli.server import KeyFlag, UrlFlag, connect
from filmgate.cli.settings import takes_settings
from filmgate.cli.terminal import show, show_json, show_table, styled
from filmgate.cli.usage import UsageInvalid
from filmgate.config import Settings

if TYPE_CHECKING:
    from filmgate.client import Model
    from filmgate.domain.manifest import Manifest

__all__ = ["models"]


@takes_settings("data", "models")
def models(
    action: Annotated[Literal["list", "show"], typer.Argument(help="All models, or one with its inputs.")] = "list",
    model: Annotated[
        str | None, typer.Argument(help="For show: the id, or enough of it.", autocompletion=complete_model)
    ] = None,
    url: UrlFlag = None,
    key: KeyFlag = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    *,
    settings: Settings,
) -> None:
    """List the models, or show one and its inputs.

    Those of the server at --url, else those of this machine's manifests.
    """
    if (action == "show") != (model is not None):
        wanted = "name one: `filmgate models show ID`" if action == "show" else "only `show` takes a model"
        raise UsageInvalid(f"models {action}: {wanted}.")
    offered = _offered(url, key, settings)
    if model is None:
        if as_json:
            show_json([entry.raw for entry in offered])
        else:
            show_table(("MODEL", "MAKES", "PRICE"), [_row(entry) for entry in offered])
        return
    chosen = named_model(model, [entry.id for entry in offered])
    entry = _entry(url, key, chosen) or next(entry for entry in offered if entry.id == chosen)
    if as_json:
        show_json(entry.raw)
    else:
        _show(entry)


def _offered(url: str | None, key: str | None, settings: Settings) -> "Sequence[Model]":
    if url or key:
        with connect(url, key) as client:
            return client.models()
    from filmgate.wiring import load_manifests

    return [_local_model(manifest) for manifest in load_manifests(settings).values()]


def _local_model(manifest: "Manifest") -> "Model":
    """A manifest as a server would show it."""
    from filmgate.client.replies import model

    return model(
        {
            "model_id": manifest.id,
            "display_name": manifest.display_name,
            "description": manifest.description,
            "categories": [manifest.category],
            "base_price_usd": manifest.pricing.base_price_usd,
            "price_unit": manifest.pricing.price_unit,
            "engines": list(manifest.engines),
            "roles": {str(role): name for role, name in manifest.roles.items()},
            "input_schema": manifest.input_schema,
            "extra_inputs": manifest.extra_inputs,
        }
    )


def _entry(url: str | None, key: str | None, model_id: str) -> "Model | None":
    """One model in full; None where it came from this machine, in full already."""
    if not url and not key:
        return None
    with connect(url, key) as client:
        return client.model(model_id)


def _row(model: "Model") -> Sequence[str]:
    makes = model.category.rpartition("-")[2] or "?"
    price = f"${model.base_price_usd:g} per {model.price_unit}" if model.base_price_usd else "free"
    return (model.id, makes, price)


def _show(model: "Model") -> None:
    show(styled(model.id, "bold"))
    show(f"{model.display_name}. {model.description}")
    show()
    show_table(("INPUT", "TYPE", "GIVE IT WITH", "DEFAULT", "ALLOWED"), list(_inputs(model)))


def _inputs(model: "Model") -> Iterator[Sequence[str]]:
    required = model.input_schema.get("required", [])
    flags = {name: ROLE_FLAGS[role] for role, name in model.roles.items() if role in ROLE_FLAGS}
    for name, schema in model.properties.items():
        default = "required" if name in required else _short(schema.get("default", ""))
        yield (name, str(schema.get("type", "")), flags.get(name, f"--set {name}="), default, _allowed(schema))


def _allowed(schema: Any) -> str:
    if "enum" in schema:
        return ", ".join(str(option) if option != "" else "''" for option in schema["enum"])
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        return f"{'' if low is None else low} to {'' if high is None else high}"
    return ""


def _short(value: Any) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= 30 else text[:29] + "…"
