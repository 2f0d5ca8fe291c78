"""How a file was made, for its own metadata."""

import hashlib
import json

from filmgate.domain.ports import Capabilities, Job

__all__ = ["provenance"]


def provenance(job: Job, maker: Capabilities) -> str:
    """JSON for the file's comment. The prompt is in it as a hash only, because files are shared."""
    made = {
        "engine": maker.engine,
        "version": maker.version,
        "model": job.model_id,
        "seed": job.seed,
        "prompt_sha256": hashlib.sha256(job.prompt.encode()).hexdigest(),
    }
    return json.dumps(made, separators=(",", ":"))
