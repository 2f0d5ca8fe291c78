"""One device at work: the models in its memory, and how a job goes through them.

A job that runs out of memory is tried once more with a leaner plan: all that is not needed leaves the memory, and the
VAE works in tiles. A device that fails for good ends the process, and the next one tries the request anew.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import diffusers
import torch

from filmgate import __version__
from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Capabilities, Estimate, Job, Report, Result
from filmgate.domain.sizes import VideoTarget
from filmgate.encoding.provenance import provenance
from filmgate.engines.diffusers.catalog import LORAS, Installed
from filmgate.engines.diffusers.checkpoint import fingerprint
from filmgate.engines.diffusers.clips import ClipMaker
from filmgate.engines.diffusers.cost import estimate
from filmgate.engines.diffusers.device import budget, device_memory_bytes, open_device, peak_bytes
from filmgate.engines.diffusers.faults import device_faults
from filmgate.engines.diffusers.keeper import Keeper
from filmgate.engines.diffusers.loras import approved_loras
from filmgate.engines.diffusers.options import Options
from filmgate.engines.diffusers.pictures import PictureMaker
from filmgate.engines.diffusers.profiles import Profile
from filmgate.engines.diffusers.qwen import QwenEditModel
from filmgate.engines.diffusers.residency import Residency
from filmgate.engines.diffusers.setup import Setup, set_up
from filmgate.engines.diffusers.suite import Suite
from filmgate.engines.diffusers.tuned.tune import float32_products
from filmgate.engines.diffusers.wan import WanModel
from filmgate.engines.diffusers.watch import Watch

__all__ = ["Studio"]

NAME = "diffusers"
NOTES: Mapping[str, str] = {
    "extend": "the prompt is not rewritten",
    "audio": "plays in the clip; the motion does not follow it",
    "sound": "a silent track where no sound is given",
    "screen": "no effect: nothing is screened",
}


class Studio:
    """Makes clips and pictures on one device, one at a time.

    Raises StartupError when the device is not there, or the list of approved adapters is not right.
    """

    def __init__(self, options: Options, profile: Profile) -> None:
        self._options = options
        self._profile = profile
        self.device = open_device(options.device)
        self.residency = Residency(self.device, budget(self.device, options.device_memory_gb, options.host_memory_gb))
        self._suites: dict[str, Suite] = {}

        self._approved = approved_loras(options.weights / LORAS)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            engine=NAME,
            version=f"{__version__}+diffusers{diffusers.__version__}.torch{torch.__version__}",
            device=str(self.device),
            memory_bytes=device_memory_bytes(self.device),
            notes=NOTES,
        )

    def estimate(self, job: Job) -> Estimate:
        return estimate(self._set_up(job), self.device)

    def run(self, job: Job, report: Report) -> Result:
        setup = self._set_up(job)
        with device_faults(), float32_products(self._profile):
            try:
                return self._attempt(setup, report, job.checkpoint)
            except torch.OutOfMemoryError:
                report.log("The device ran out of memory: trying once more with a leaner plan.")
            # Not in the handler: there the exception would keep the failed attempt's tensors alive.
            self.residency.clear()
            kept = job.scratch / Keeper.FILE
            try:
                return self._attempt(setup, report, kept if kept.exists() else job.checkpoint, lean=True)
            except torch.OutOfMemoryError as error:
                raise EngineFailure(
                    f"The device {self.device} has too little memory for this request, even with a lean plan; "
                    "ask for a smaller resolution, or run it on a larger device.",
                    code="out_of_memory",
                ) from error

    def _set_up(self, job: Job) -> Setup:
        if not job.images:
            raise EngineFailure("This model needs an input picture; the request has none.", code="input_missing")
        return set_up(job, self._options, self._profile, self._approved)

    def _attempt(self, setup: Setup, report: Report, checkpoint: Path | None, *, lean: bool = False) -> Result:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        watch = Watch(report, self.device)
        self.residency.loading = watch.loading
        suite = self._suite(setup.installed)
        suite.lean = lean
        keeper = Keeper(report, setup.job.scratch, self._key(setup), self._options.checkpoint_steps, checkpoint)
        comment = provenance(setup.job, self.capabilities())
        target = setup.job.target
        if isinstance(target, VideoTarget) and setup.plan is not None:
            clips = ClipMaker(setup, target, setup.plan, WanModel(suite), watch, keeper)
            setup = replace(setup, warnings=(*setup.warnings, *clips.warnings()))
            path = clips.make(comment, self._options.frame_interpolation)
        else:
            path = PictureMaker(setup, QwenEditModel(suite), watch, keeper).make(comment)
        return self._result(setup, path, watch, keeper, suite)

    def _result(self, setup: Setup, path: Path, watch: Watch, keeper: Keeper, suite: Suite) -> Result:
        warnings = setup.warnings
        if suite.lean:
            warnings += ("Memory was short, so the frames were decoded in tiles: seams may show.",)
        return Result(
            files=(path,),
            seed=setup.job.seed,
            actual_prompt=setup.prompt,
            served_by=setup.served_by,
            warnings=warnings,
            metrics={
                **{f"{stage}_s": round(seconds, 3) for stage, seconds in watch.timings.items()},
                "peak_memory_bytes": peak_bytes(self.device),
                "loaded_parts": watch.loaded_parts,
                "resumed_segments": keeper.resumed_segments,
                "resumed_steps": keeper.resumed_steps,
            },
            details={
                **setup.facts(),
                "changes": list(setup.profile.changes),
                "ran": [words for part in suite.ran.values() for words in part],
            },
        )

    def _suite(self, found: Installed) -> Suite:
        name = found.weights.name
        if name not in self._suites:
            self._suites[name] = Suite(found, self.residency, self.device, self._profile)
        return self._suites[name]

    def _key(self, setup: Setup) -> str:
        """What a checkpoint must have been made with to be taken up."""
        job = setup.job
        facts = {
            **setup.facts(),
            "prompts": [segment.prompt for segment in setup.plan.segments] if setup.plan else [setup.prompt],
            "negative_prompt": job.negative_prompt,
            "seed": job.seed,
            "version": self.capabilities().version,
            "device": self.device.type,
            "record": hashlib.sha256((setup.installed.folder / "model_index.json").read_bytes()).hexdigest(),
        }
        return fingerprint(facts, job.images)
