"""The part of `filmgate doctor` that looks at the engine `diffusers`: its libraries, devices and weights.

Who has not set it up, and does not name it in the settings, is missing nothing: then a line says how to get it.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from filmgate.cli.finding import Finding, shown_size
from filmgate.config import Settings
from filmgate.domain.errors import EngineFailure, ManifestInvalid

if TYPE_CHECKING:
    from filmgate.domain.manifest import Manifest

__all__ = ["examine_diffusers"]

ENGINE = "diffusers"
LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors", "ftfy")

_HOW_TO_GET = "pip install torch, then pip install 'filmgate[gpu]'"


def examine_diffusers(settings: Settings) -> Iterator[Finding]:
    """All findings, each as soon as it is known. torch is imported only where all libraries are installed."""
    from filmgate.wiring import load_manifests

    wanted = any(entry.partition("=")[0] == ENGINE for entry in settings.engines)
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        yield _libraries_missing(missing, wanted=wanted)
        return
    yield _devices(settings.device)
    yield _parts()
    if not wanted and not settings.weights.is_dir():
        yield Finding("weights", True, f"none in {settings.weights}; `filmgate weights list` names them")
        return
    try:
        manifests = load_manifests(settings)
    except ManifestInvalid:
        return  # a finding of its own
    for manifest in manifests.values():
        if ENGINE in manifest.engines and (not settings.serve or manifest.id in settings.serve):
            yield _weights(manifest, settings.weights, wanted=wanted)


def _libraries_missing(missing: list[str], *, wanted: bool) -> Finding:
    named = ", ".join(missing)
    if wanted:
        return Finding("open weights", False, f"{named} not installed", f"Install them: {_HOW_TO_GET}.")
    return Finding("open weights", True, f"not set up ({named} not installed); for them, {_HOW_TO_GET}")


def _devices(wanted: str) -> Finding:
    import torch

    cards = [
        f"cuda:{number} {card.name} with {shown_size(card.total_memory)}"
        for number, card in enumerate(map(torch.cuda.get_device_properties, range(torch.cuda.device_count())))
    ]
    detail = f"torch {torch.__version__}, {', '.join(cards) or 'no CUDA device: open weights run on the CPU, slowly'}"
    asked = int(wanted.partition(":")[2] or 0)
    if wanted.startswith("cuda") and asked >= len(cards):
        remedy = "Install the driver and a torch that is built for it, or set device to one that is there."
        return Finding("device", False, f"{wanted} is set, but there is {detail}", remedy)
    return Finding("device", True, detail)


def _parts() -> Finding:
    from filmgate.engines.diffusers.parts import optional_parts

    parts = optional_parts(device=True)
    there = ", ".join(f"{part.name} ({part.detail})" for part in parts if part.available)
    without = ", ".join(f"{part.name} ({part.detail})" for part in parts if not part.available)
    return Finding("optional parts", True, f"{there or 'none'}; without {without or 'none'}")


def _weights(manifest: "Manifest", folder: Path, *, wanted: bool) -> Finding:
    """Whether each tier of a model has a set of weights that is whole; one of those that it may have will do."""
    name = f"weights of {manifest.id}"
    there, faults, to_get = dict[str, str](), dict[str, str](), list[str]()
    for sets in manifest.engines[ENGINE].get("weights", {}).values():
        looked = {each: _look(folder, each) for each in sets}
        whole = {each: found for each, (found, fault) in looked.items() if not fault}
        there |= whole
        if not whole:
            faults |= {each: fault for each, (_, fault) in looked.items()}
            to_get.append(sets[0])
    told = [*(f"{each} ({found})" for each, found in there.items()), *faults.values()]
    if not to_get or not wanted:
        return Finding(name, True, "; ".join(told))
    return Finding(name, False, "; ".join(told), f"Get them: filmgate weights pull {' '.join(to_get)}")


def _look(folder: Path, name: str) -> tuple[str, str]:
    """The format of a set of weights, and what is wrong with it if anything is."""
    from filmgate.engines.diffusers.catalog import installed, load_catalog

    if name not in load_catalog():
        return "", f"{name} is not known"
    try:
        return installed(folder, name).format, ""
    except EngineFailure as error:
        return "", f"{name} is not there" if error.code == "weights_missing" else error.sentence
