"""Where the files of a finished request go on this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from filmgate.cli.terminal import say
from filmgate.cli.usage import UsageInvalid

if TYPE_CHECKING:
    from filmgate.client import Client, Model, Result

__all__ = ["check_output", "download_outputs", "say_maker"]

EXTENSIONS: Mapping[str, str] = {"video": ".mp4", "image": ".png"}
"""What a model makes, by the last word of its category, and how its files are named."""


def check_output(output: Path | None, model: "Model") -> None:
    """Raises UsageInvalid when the file cannot be written, or its extension is not of what the model makes."""
    if output is None:
        return
    if not output.parent.is_dir():
        raise UsageInvalid(f"--output: there is no folder {str(output.parent)!r}; make it first.")
    made = EXTENSIONS.get(model.category.rpartition("-")[2], output.suffix)
    if output.suffix.lower() != made:
        raise UsageInvalid(f"--output: {model.id} makes {made} files; name it {output.with_suffix(made).name!r}.")


def download_outputs(client: "Client", result: "Result", output: Path | None) -> Sequence[Path]:
    """Writes all outputs: the first to `output`, further ones beside it with a number."""
    paths = []
    for index, url in enumerate(result.outputs):
        suffix = Path(unquote(urlsplit(url).path)).suffix
        first = output if output is not None else Path(f"{_stem(result)}{suffix}")
        path = first if index == 0 else first.with_name(f"{first.stem}-{index + 1}{suffix}")
        try:
            paths.append(client.download(url, path))
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageInvalid(f"{str(path)!r} cannot be written: {reason}. The server keeps it as {url}") from error
    return paths


def say_maker(result: "Result") -> None:
    """Names what made the outputs, where that is not the engine itself."""
    if result.served_by:
        say(f"made by {result.served_by}")


def _stem(result: "Result") -> str:
    return "-".join([*result.model_id.split("/")[1:], result.request_id[:8]])
