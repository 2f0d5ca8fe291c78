"""The engine of the open weights as the rest of Filmgate sees it: a job in, a finished clip or picture out.

from filmgate.engines.diffusers.engine import DiffusersEngine
result = DiffusersEngine(weights="filmgate-weights").run(job, report)

Importing this module needs no torch; making an engine does.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from filmgate.domain.errors import StartupError
from filmgate.domain.ports import Capabilities, Estimate, Job, Report, Result
from filmgate.engines.diffusers.catalog import load_catalog
from filmgate.engines.diffusers.options import Options
from filmgate.engines.diffusers.profiles import find_profile

__all__ = ["DiffusersEngine"]

_NEEDED = ("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors", "ftfy")


class DiffusersEngine:
    """Wan 2.1, Wan 2.2 and Qwen-Image-Edit on one device; one job at a time.

    The options are those of `Options`. Raises StartupError: `extra_missing` when a library is not installed,
    `weights_missing` when the folder has no set of weights, `device_missing`, `profile_unknown`.
    """

    def __init__(self, *, weights: str | Path, **options: str | float | bool) -> None:
        chosen = Options(weights=Path(weights), **options)  # type: ignore[arg-type]  # checked where settings are read
        profile = find_profile(chosen.profile)
        _require_libraries()
        _require_weights(chosen.weights)
        # Everything comes from the folder of weights; a library must not go and look on the network.
        os.environ["HF_HUB_OFFLINE"] = "1"
        from filmgate.engines.diffusers.studio import Studio

        self._studio = Studio(chosen, profile)

    def capabilities(self) -> Capabilities:
        return self._studio.capabilities()

    def estimate(self, job: Job) -> Estimate:
        return self._studio.estimate(job)

    def run(self, job: Job, report: Report) -> Result:
        """Make the job's file in its scratch folder.

        Raises EngineFailure with a sentence, RequestStopped, or EngineBroken when the device is beyond use.
        """
        return self._studio.run(job, report)


def _require_libraries() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise StartupError(
            f"The engine diffusers needs {', '.join(missing)}: install torch for this machine, "
            "then `pip install 'filmgate[gpu]'`.",
            code="extra_missing",
        )


def _require_weights(folder: Path) -> None:
    if not any((folder / name).is_dir() for name in load_catalog()):
        raise StartupError(
            f"There are no weights in {folder}: `filmgate weights list` shows what there is to get, "
            "`filmgate weights pull` gets it; or set weights to the folder that has them.",
            code="weights_missing",
        )
