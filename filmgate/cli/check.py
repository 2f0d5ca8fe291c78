"""`filmgate check`: judges manifests before a server does."""

from pathlib import Path
from typing import Annotated

import typer

from filmgate.cli.settings import takes_settings
from filmgate.cli.terminal import FAILED, show, show_json, styled
from filmgate.config import Settings

__all__ = ["check"]


@takes_settings("data", "models")
def check(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="FOLDER…", help="Folders of manifests. Default: all that are served.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    *,
    settings: Settings,
) -> None:
    """Judge manifests, each with all its faults.

    Exit code 1 when one is bad.
    """
    from filmgate.domain.errors import ManifestInvalid
    from filmgate.models import SHIPPED, judge_folder

    verdicts: list[tuple[Path, list[str]]] = []
    for folder in folders or (SHIPPED, *settings.models):
        try:
            for path, judged in judge_folder(folder):
                verdicts.append((path, judged.sentence.splitlines() if isinstance(judged, ManifestInvalid) else []))
        except ManifestInvalid as error:
            verdicts.append((folder, [error.sentence]))
    if as_json:
        show_json([{"path": str(path), "ok": not faults, "faults": faults} for path, faults in verdicts])
    else:
        for path, faults in verdicts:
            show(f"{styled('bad', 'red') if faults else styled('ok ', 'green')}  {path}")
            for fault in faults:
                show(f"       {fault}")
    if any(faults for _, faults in verdicts):
        raise typer.Exit(FAILED)
