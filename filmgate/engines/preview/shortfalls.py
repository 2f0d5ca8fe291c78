"""Sentences about inputs that have no effect in this engine, or less than their documentation says."""

from filmgate.domain.ports import Job
from filmgate.domain.sizes import VideoTarget
from filmgate.engines.preview.scene import Scene
from filmgate.engines.preview.templates.recipe import Recipe

__all__ = ["shortfalls", "template_shortfalls"]


def shortfalls(job: Job) -> tuple[str, ...]:
    """One sentence per input of this job that does nothing here, or less than it should."""
    sentences = []
    if job.extend and not job.template:
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
    if job.template and job.negative_prompt.strip():
        sentences.append("The negative prompt had no effect: a template alone decides what moves.")
    elif job.negative_prompt.strip():
        heard = ", grain and sounds" if job.sound and job.audio is None else " and grain"
        sentences.append(
            f"The negative prompt acts in part only: it takes away moves, hand-held motion{heard} that it names."
        )
    if job.screen:
        sentences.append("The safety check was asked for, but the preview engine has none: nothing was screened.")
    if len(job.images) > 1 and isinstance(job.target, VideoTarget):
        sentences.append("Only the first picture was used.")
    return tuple(sentences)


def template_shortfalls(name: str, recipe: Recipe, scene: Scene) -> tuple[str, ...]:
    """What this picture lacks for the template: a subject, or as many people as it is meant for."""
    if scene.subject is None:
        return (f"No subject was found in the picture, so {name} moves all of it.",)
    if recipe.people > 1 and len(scene.faces) < recipe.people:
        return (f"{name} is meant for two people, but two faces were not found: the subject {recipe.made} as one.",)
    return ()
