"""The low-rank packs that a request may name: those that the operator approved, in `<weights>/loras/approved.json`.

    {"crush": {"file": "crush_20_epochs.safetensors", "weights": ["wan2.1-i2v-14b-480p"],
               "trigger": "c5us4 crushes it", "max_strength": 1.2}}

`low_noise_file` is a second file for the second expert of weights that have two; without it both take the first.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from filmgate.domain.errors import EngineFailure, WeightsInvalid
from filmgate.domain.ports import Lora
from filmgate.engines.diffusers.catalog import load_catalog

__all__ = ["APPROVED", "ApprovedLora", "approved_loras", "lora_named"]

APPROVED = "approved.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class ApprovedLora:
    """A pack: one file for all experts or one for each, the sets that it fits, and how strongly it may act at most."""

    name: str
    files: tuple[Path, ...]
    weights: tuple[str, ...]
    trigger: str
    max_strength: float

    def called(self, prompt: str) -> str:
        """The prompt, begun with the trigger where it lacks it: what stands before all shots holds for all shots."""
        return prompt if self.trigger in prompt else f"{self.trigger}. {prompt}"


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator writes about one pack."""

    file: str
    weights: tuple[str, ...]
    max_strength: float
    trigger: str = ""
    low_noise_file: str | None = None

    def files(self) -> Iterator[tuple[str, str]]:
        """Field and file name."""
        yield "file", self.file
        if self.low_noise_file is not None:
            yield "low_noise_file", self.low_noise_file


def approved_loras(folder: Path) -> Mapping[str, ApprovedLora]:
    """The approved packs in the folder by name; none where it has no approved.json.

    Raises WeightsInvalid (`loras_invalid`) with a line for each fault: file, field and what is wrong.
    """
    path = folder / APPROVED
    if not path.exists():
        return {}
    try:
        texts = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
    except OSError as error:
        raise _invalid([f"{path}: cannot be read ({error.strerror or error})."]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _invalid([f"{path}: {error}."]) from error
    rows: dict[str, Row] = {}
    faults: list[str] = []
    for name, text in texts.items():
        try:
            rows[name] = msgspec.json.decode(text, type=Row)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            faults.append(f"{path}: {name}: {error}.")
    faults += [f"{path}: {fault}" for name, row in rows.items() for fault in _faults(name, row, folder)]
    if faults:
        raise _invalid(faults)
    return {
        name: ApprovedLora(
            name, tuple(folder / file for _, file in row.files()), row.weights, row.trigger, row.max_strength
        )
        for name, row in rows.items()
    }


def lora_named(approved: Mapping[str, ApprovedLora], lora: Lora, base: str) -> ApprovedLora:
    """The pack that a request names, for the weights `base`.

    Raises EngineFailure: `lora_unknown` naming the approved ones, `lora_wrong_base` or `lora_too_strong`.
    """
    found = approved.get(lora.name)
    if found is None:
        names = ", ".join(sorted(name for name, one in approved.items() if base in one.weights))
        rest = f"Name one of: {names}." if names else "None is approved for this model."
        raise EngineFailure(f'No LoRA of the name "{lora.name}" is approved here. {rest}', code="lora_unknown")
    if base not in found.weights:
        raise EngineFailure(
            f'The LoRA "{lora.name}" was made for {" and ".join(found.weights)}, but this request is made with {base}; '
            "leave it out or choose a model or resolution with those weights.",
            code="lora_wrong_base",
        )
    if abs(lora.strength) > found.max_strength:
        raise EngineFailure(
            f'The LoRA "{lora.name}" is approved up to the strength {found.max_strength:g}, not {lora.strength:g}.',
            code="lora_too_strong",
        )
    return found


def _faults(name: str, row: Row, folder: Path) -> Iterator[str]:
    """All that is wrong with a row of the right shape, each with its field."""
    catalog = load_catalog()
    if not _NAME.fullmatch(name):
        yield f"{name!r}: use up to 64 letters, digits, '_', '.' and '-' as a name."
    for field, file in row.files():
        if Path(file).name != file or not file.endswith(".safetensors"):
            yield f"{name}.{field}: is {file!r}, but must be the name of a .safetensors file in this folder."
        elif not (folder / file).is_file():
            yield f"{name}.{field}: there is no file {file} in this folder."
    if not row.weights:
        yield f"{name}.weights: name at least one set of weights that the pack was made for."
    for weights in row.weights:
        if weights not in catalog:
            yield f"{name}.weights: {weights!r} is not known; the sets are {', '.join(sorted(catalog))}."
    if row.low_noise_file is not None and not any(_has_two_experts(weights) for weights in row.weights):
        yield f"{name}.low_noise_file: none of the sets {', '.join(row.weights)} has a second expert."
    if not 0 < row.max_strength < float("inf"):
        yield f"{name}.max_strength: is {row.max_strength:g}, but must be above 0."


def _has_two_experts(weights: str) -> bool:
    known = load_catalog().get(weights)
    return known is not None and len(known.guidance) > 1


def _invalid(faults: list[str]) -> WeightsInvalid:
    return WeightsInvalid("\n".join(faults), code="loras_invalid")
