"""Model names as people type them: a whole id, or enough of it to mean one model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from filmgate.cli.usage import UsageInvalid

__all__ = ["complete_model", "named_model"]


def named_model(name: str, ids: Sequence[str]) -> str:
    """The id that `name` means. Raises UsageInvalid with the candidates when it is none or several."""
    if name in ids:
        return name
    matches: Mapping[str, Callable[[str], bool]] = {
        "parts": lambda model_id: _contains_parts(model_id.split("/"), name.split("/")),
        "text": lambda model_id: name.lower() in model_id.lower(),
    }
    for fits in matches.values():
        found = [model_id for model_id in ids if fits(model_id)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageInvalid(f"{name!r} can mean {_listed(found)}; write more of the name.")
    if not ids:
        raise UsageInvalid(f"There is no model {name!r}; the server offers none.")
    raise UsageInvalid(f"There is no model {name!r}. There are {_listed(ids)}.")


def complete_model(incomplete: str) -> Iterable[str]:
    """The shipped models and the operator's, for the shell's completion. Their ids are their files' paths."""
    from filmgate.config import load_settings
    from filmgate.models import SHIPPED

    for folder in (SHIPPED, *load_settings().models):
        for path in sorted(Path(folder).rglob("*.json")):
            model_id = path.relative_to(folder).with_suffix("").as_posix()
            if model_id.startswith(incomplete):
                yield model_id


def _contains_parts(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether all of `wanted` are among `parts`, in this order."""
    remaining = iter(parts)
    return all(part in remaining for part in wanted)


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids)
