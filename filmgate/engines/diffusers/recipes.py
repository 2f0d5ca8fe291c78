"""Templates: an effect that a low-rank pack makes of any picture, with the prompt that calls it up.

`recipes.json` has a row for each published template that an open pack is known for. Pack, base weights, trigger and
settings are those of the pack's own card; the scenes are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from filmgate.domain.errors import EngineFailure

__all__ = ["Recipe", "load_recipes", "recipe_for"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one template is made: the pack `file` on the set `weights`, and `prompt` in place of the caller's."""

    template: str
    file: str
    repository: str
    license: str
    weights: str
    trigger: str
    prompt: str
    strength: float
    shift: float
    guidance: float


@cache
def load_recipes() -> Mapping[str, Recipe]:
    """The known recipes by template."""
    text = (Path(__file__).parent / "recipes.json").read_bytes()
    return {row.template: row for row in msgspec.json.decode(text, type=tuple[Recipe, ...])}


def recipe_for(template: str, loras_folder: Path) -> Recipe:
    """The recipe of a template whose pack is in the folder.

    Raises EngineFailure: `template_unsupported` where no open pack is known, `lora_missing` naming the file and where
    to get it. Both say which templates this worker has.
    """
    recipe = load_recipes().get(template)
    if recipe is None:
        raise EngineFailure(
            f'No open pack is known for the template "{template}", so it is not made here. {_present(loras_folder)}',
            code="template_unsupported",
        )
    if not (loras_folder / recipe.file).is_file():
        raise EngineFailure(
            f'The template "{template}" needs {recipe.file}, which this worker lacks: the operator gets it from '
            f"{recipe.repository} on the Hugging Face hub ({recipe.license}) and puts it into the folder "
            f"{loras_folder.name} of the weights. {_present(loras_folder)}",
            code="lora_missing",
        )
    return recipe


def _present(loras_folder: Path) -> str:
    """Which templates can be asked for, as a sentence."""
    names = sorted(name for name, recipe in load_recipes().items() if (loras_folder / recipe.file).is_file())
    return f"This worker has: {', '.join(names)}." if names else "This worker has no templates."
