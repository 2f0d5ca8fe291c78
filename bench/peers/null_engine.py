"""The thin job as an engine of Filmgate."""

from bench.peers import null_job
from filmgate.domain.ports import Capabilities, Estimate, Job, Report, Result

__all__ = ["NullEngine"]


class NullEngine:
    def capabilities(self) -> Capabilities:
        return Capabilities(engine="null", version="1", device="none", memory_bytes=0)

    def estimate(self, _: Job) -> Estimate:
        return Estimate(seconds=0.0, memory_bytes=0)

    def run(self, job: Job, _: Report) -> Result:
        done = null_job.run(job.scratch)
        files = (job.scratch / done["file"],)
        return Result(files=files, seed=job.seed, actual_prompt=job.prompt, details={"started": done["started"]})
