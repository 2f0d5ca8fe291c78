"""`filmgate weights`: the open weights of a machine."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from filmgate.cli.finding import shown_size
from filmgate.cli.settings import takes_settings
from filmgate.cli.terminal import FAILED, INTERRUPTED, say, show, show_json, show_table, styled
from filmgate.cli.usage import UsageInvalid
from filmgate.config import Settings

if TYPE_CHECKING:
    from filmgate.engines.diffusers.weights.listing import PackState, SetState
    from filmgate.engines.diffusers.weights.verify import Progress

__all__ = ["weights"]

weights = typer.Typer(help="List, fetch, check and convert open weights.", no_args_is_help=True, rich_markup_mode=None)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_ENGINE = "diffusers"
_WORTH_TELLING_BYTES = 10**8
_NEEDED = {"huggingface_hub": ("huggingface_hub",), "torch": ("torch", "diffusers", "transformers", "safetensors")}


@weights.command(name="list")
@takes_settings("data", "models", "weights")
def list_weights(as_json: JsonFlag = False, *, settings: Settings) -> None:
    """Show what the models need and what is here."""
    from filmgate.engines.diffusers.weights.listing import list_packs, list_sets

    needs = list(_needs(settings))
    sets, packs = list(list_sets(settings.weights)), list(list_packs(settings.weights))
    if as_json:
        show_json(
            {
                "folder": str(settings.weights),
                "models": needs,
                "sets": [_set_as_json(found, needs) for found in sets],
                "packs": [asdict(pack) for pack in packs],
            }
        )
        return
    states = {found.weights.name: found.state for found in sets}
    show_table(("MODEL", "TIER", "NEEDS ONE OF"), [row for need in needs for row in _need_rows(need, states)])
    show()
    heads = ("SET", "STATE", "ON DISK", "DOWNLOAD", "MEMORY", "LICENCE", "REPOSITORY")
    show_table(heads, [_set_row(found) for found in sets])
    show()
    show_table(("PACK", "STATE", "FOR", "LICENCE", "REPOSITORY"), [_pack_row(pack) for pack in packs])
    for found in sets:
        if found.state == "partial":
            show(f"\n{styled('partial', 'yellow')}  {found.weights.name}: {found.fault}")
    say(f"\nThe folder is {settings.weights}. Memory is that of all parts in bf16.")


@weights.command()
@takes_settings("weights")
def pull(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME…", help="Sets, or templates: for these the pack is fetched.")
    ],
    distilled: Annotated[bool, typer.Option("--distilled", help="Also the packs that need few steps.")] = False,
    *,
    settings: Settings,
) -> None:
    """Fetch weights from the Hugging Face hub.

    HF_ENDPOINT names a mirror of it. A download that was broken off goes on where it ended.
    """
    from filmgate.engines.diffusers.catalog import load_catalog
    from filmgate.engines.diffusers.recipes import load_recipes

    catalog, recipes = load_catalog(), load_recipes()
    for name in names:
        _require_known(name, [*catalog, *recipes])
    _require("huggingface_hub")
    from filmgate.engines.diffusers.weights.hub import Hub
    from filmgate.engines.diffusers.weights.pull import pull_pack, pull_set

    hub, folder = Hub(), settings.weights
    for name in names:
        if name in recipes:
            recipe = recipes[name]
            told = f"{recipe.file} from {recipe.repository} ({recipe.license})"
            _pull(told, partial(pull_pack, hub, folder, recipe.repository, recipe.file))
            continue
        row = catalog[name]
        told = f"{name}, about {shown_size(row.download_bytes)}, from {row.repository} ({row.license})"
        _pull(told, partial(pull_set, hub, folder, row))
        if distilled and row.distilled is None:
            say(f"There is no pack of few steps for {name}.")
        elif distilled and row.distilled is not None:
            pack = row.distilled
            for file in pack.files:
                _pull(
                    f"{file} from {pack.repository} ({pack.license})",
                    partial(pull_pack, hub, folder, pack.repository, file),
                )


@weights.command()
@takes_settings("weights")
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME…", help="Sets. Default: all that are here, and the packs.")
    ] = None,
    as_json: JsonFlag = False,
    *,
    settings: Settings,
) -> None:
    """Compare all files with what was fetched or made.

    Exit code 1 when one is absent, cut off or changed.
    """
    from filmgate.engines.diffusers.catalog import LORAS, load_catalog
    from filmgate.engines.diffusers.weights.verify import verify_packs, verify_set

    folder = settings.weights
    for name in names or ():
        _require_known(name, load_catalog())
        if not (folder / name).is_dir():
            raise UsageInvalid(f"{name} is not in {folder}; `filmgate weights pull {name}` fetches it.")
    chosen = names or [name for name in (*load_catalog(), LORAS) if (folder / name).is_dir()]
    if not chosen:
        raise UsageInvalid(f"There are no weights in {folder}; name the folder with --weights.")
    verdicts = {}
    for name in chosen:
        judge = verify_packs if name == LORAS else verify_set
        with _shown_progress(name, quiet=as_json) as progress:
            verdicts[name] = [str(fault) for fault in judge(folder / name, progress)]
        if not as_json:
            _show_verdict(folder / name, verdicts[name])
    if as_json:
        show_json([{"name": name, "ok": not faults, "faults": faults} for name, faults in verdicts.items()])
    if any(verdicts.values()):
        raise typer.Exit(FAILED)


@weights.command()
@takes_settings("weights")
def convert(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A set that is here.")],
    wanted: Annotated[Literal["bf16", "fp8"], typer.Option("--format", help="How to store it.")],
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Another folder of weights. Default: in its place.")
    ] = None,
    *,
    settings: Settings,
) -> None:
    """Store a set in bf16 or fp8.

    That is half or a quarter of fp32. A device that computes in bf16 makes the same frames from bf16 as from fp32; with
    fp8 they differ a little.
    """
    from filmgate.engines.diffusers.catalog import load_catalog

    _require_known(name, load_catalog())
    _require("torch")
    from filmgate.engines.diffusers.weights.convert import convert_set

    with _shown_progress(f"{name} to {wanted}") as progress, _interruptible("the set is as it was"):
        found = convert_set(settings.weights, name, wanted, to or settings.weights, progress)
    say(f"{name} is stored as {found.format} in {found.folder}.")


@weights.command()
def make_tiny(
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder of weights to make or add to.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Sets. Default: all.")] = None,
) -> None:
    """Make tiny sets, to try everything out.

    They are random: the same code runs as with the real ones, in seconds, and what it makes is moving noise.
    """
    from filmgate.engines.diffusers.catalog import load_catalog

    for name in names or ():
        _require_known(name, load_catalog())
    _require("torch")
    from filmgate.engines.diffusers.weights import tiny

    tiny.make_tiny(to, names or tiny.ALL)
    say(f"Made in {to}: {', '.join(names or tiny.ALL)}. Use them with --weights {to}.")


# --------------------------------------------------------------------------------------------------------- what is said


def _needs(settings: Settings) -> Iterator[dict[str, Any]]:
    """For each model of the engine, the sets of which one is enough, by tier."""
    from filmgate.wiring import load_manifests

    for manifest in load_manifests(settings).values():
        options = manifest.engines.get(_ENGINE)
        if options is not None:
            yield {
                "model_id": manifest.id,
                "weights": options.get("weights", {}),
                "substitute": options.get("substitute", ""),
            }


def _need_rows(need: Mapping[str, Any], states: Mapping[str, str]) -> Iterator[Sequence[str]]:
    for tier, names in need["weights"].items():
        told = ", ".join(f"{name} ({states.get(name, 'unknown')})" for name in names)
        because = f"; {need['substitute']}" if need["substitute"] else ""
        yield (need["model_id"], "all" if tier == "*" else tier, told + because)


def _set_row(found: "SetState") -> Sequence[str]:
    row = found.weights
    state = f"{found.state} ({found.format})" if found.format else found.state
    sizes = (found.disk_bytes, row.download_bytes, row.memory_bytes)
    return (row.name, state, *(shown_size(size) if size else "" for size in sizes), row.license, row.repository)


def _pack_row(pack: "PackState") -> Sequence[str]:
    state = "installed" if pack.present else "absent"
    return (pack.file, state, f"{pack.weights}, {pack.purpose}", pack.license, pack.repository)


def _set_as_json(found: "SetState", needs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    models = [
        need["model_id"] for need in needs if any(found.weights.name in names for names in need["weights"].values())
    ]
    facts = asdict(found.weights)
    del facts["distilled"]
    return {
        **facts,
        "state": found.state,
        "format": found.format,
        "disk_bytes": found.disk_bytes,
        "fault": found.fault,
        "models": models,
    }


def _show_verdict(folder: Path, faults: Sequence[str]) -> None:
    from filmgate.engines.diffusers.weights.record import RECORD_NAME

    unrecorded = "" if (folder / RECORD_NAME).exists() else f" (no {RECORD_NAME}: lengths were compared, contents not)"
    show(f"{styled('bad', 'red') if faults else styled('ok ', 'green')}  {folder.name}{unrecorded}")
    for fault in faults:
        show(f"       {fault}")
    if faults:
        show(styled(f"       To mend it, {_remedy(folder)}.", "yellow"))


def _remedy(folder: Path) -> str:
    from filmgate.engines.diffusers.catalog import load_catalog, where_to_get

    if folder.name in load_catalog():
        return where_to_get(folder)
    return "delete the files named here and fetch them again; `filmgate weights list` says where each is from"


# ---------------------------------------------------------------------------------------------------------- how it runs


def _pull(told: str, fetch: Callable[["Progress"], bool]) -> None:
    say(told)
    with _shown_progress("fetching") as progress, _interruptible("what was fetched is kept"):
        new = fetch(progress)
    say("Done." if new else "It is here already.")


def _require_known(name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise UsageInvalid(f"There are no weights {name!r}. There are {', '.join(known)}.")


def _require(library: str) -> None:
    """Raises WeightsFault (`extra_missing`) where a library that the command needs is not installed."""
    missing = [name for name in _NEEDED[library] if find_spec(name) is None]
    if missing:
        from filmgate.engines.diffusers.weights.fault import WeightsFault

        torch = "install torch for this machine, then " if "torch" in missing else ""
        raise WeightsFault(
            f"This command needs {', '.join(missing)}: {torch}pip install 'filmgate[gpu]'.", code="extra_missing"
        )


@contextmanager
def _interruptible(kept: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(f"Interrupted; {kept}.")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _shown_progress(title: str, *, quiet: bool = False) -> Iterator["Progress"]:
    """A bar on a terminal, elsewhere a line for every tenth."""
    if quiet:
        yield lambda *_: None
    elif not sys.stderr.isatty():
        yield _tenths(title)
    else:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=None)
            yield lambda name, done, total: bar.update(task, description=name, completed=done, total=total)


def _tenths(title: str) -> "Progress":
    last = -1

    def tell(_: str, done_bytes: int, total_bytes: int) -> None:
        nonlocal last
        tenth = 10 * done_bytes // max(total_bytes, 1)
        if tenth > last and total_bytes > _WORTH_TELLING_BYTES:
            last = tenth
            say(f"{title}: {10 * tenth} % of {shown_size(total_bytes)}")

    return tell
