"""Sentences about inputs that have no effect in this engine, or less than their documentation says."""

from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Job
from filmgate.domain.sizes import VideoTarget

__all__ = ["refuse_template", "shortfalls"]


def refuse_template(job: Job) -> None:
    """Raises EngineFailure before any work when the job names a template: this engine has none."""
    if job.template:
        raise EngineFailure(
            f'The CPU preview engine has no templates, so "{job.template}" was not made. '
            "An engine with open weights has them; leave the template empty to get a preview from the prompt.",
            code="template_unsupported",
        )


def shortfalls(job: Job) -> tuple[str, ...]:
    """One sentence per input of this job that does nothing here, or less than it should."""
    sentences = []
    if job.extend:
        sentences.append(
            "The prompt was used as it is: the preview engine has no language model to rewrite it and only adds gentle "
            "motion where the prompt names none."
        )
    if job.steps is not None:
        sentences.append(
            f"The number of inference steps ({job.steps}) had no effect: the preview engine does not sample."
        )
    if job.loras:
        named = ", ".join(lora.name for lora in job.loras)
        sentences.append(f"The LoRAs had no effect ({named}): the preview engine has no weights that they could adapt.")
    if job.negative_prompt.strip():
        heard = ", grain and sounds" if job.sound and job.audio is None else " and grain"
        sentences.append(
            f"The negative prompt acts in part only: it takes away moves, hand-held motion{heard} that it names."
        )
    if job.screen:
        sentences.append("The safety check was asked for, but the preview engine has none: nothing was screened.")
    if len(job.images) > 1 and isinstance(job.target, VideoTarget):
        sentences.append("Only the first picture was used.")
    return tuple(sentences)
