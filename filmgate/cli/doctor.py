"""`filmgate doctor`: what is there, what is missing, and how to get it."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filmgate import __version__
from filmgate.cli.doctor_diffusers import examine_diffusers
from filmgate.cli.finding import Finding, shown_size
from filmgate.cli.settings import takes_settings
from filmgate.cli.terminal import FAILED, show, show_json, styled
from filmgate.config import Settings
from filmgate.domain.errors import ManifestInvalid, StartupError

if TYPE_CHECKING:
    from filmgate.worker.factory import EngineFactory

__all__ = ["doctor", "examine"]

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 37)
LEAST_FREE_BYTES = 2 * 2**30

_REINSTALL = "Install Filmgate again: pip install --force-reinstall filmgate."


@takes_settings("data", "models", "engines", "weights", "device", "serve")
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, *, settings: Settings) -> None:
    """Look at what is installed, what can run, what is missing.

    Exit code 1 when something is missing.
    """
    findings = []
    for finding in examine(settings):
        findings.append(finding)
        if not as_json:
            _show(finding)
    if as_json:
        show_json([asdict(finding) for finding in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, each as soon as it is known."""
    yield _python()
    yield _packages()
    yield _sqlite()
    yield _data_folder(settings.data)
    yield _database(settings.data / "filmgate.db")
    yield _probe()
    yield _disk(settings.data)
    yield from _models(settings)
    yield from _engines(settings)
    yield from examine_diffusers(settings)


def _show(finding: Finding) -> None:
    mark = styled("ok     ", "green") if finding.ok else styled("missing", "red")
    show(f"{mark}  {finding.name}: {finding.detail}")
    if finding.remedy:
        show(f"         {styled(finding.remedy, 'yellow')}")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= OLDEST_PYTHON
    remedy = "" if ok else "Install Python 3.11 or later."
    return Finding("python", ok, f"{version} at {sys.executable}", remedy)


def _packages() -> Finding:
    from importlib import metadata

    missing, present = [], []
    for requirement in metadata.requires("filmgate") or ():
        clause, _, condition = requirement.partition(";")
        name = "".join(c if c.isalnum() or c in "-_." else " " for c in clause).split()[0]
        if "extra ==" in condition or ("sys_platform" in condition and sys.platform == "win32"):
            continue
        try:
            present.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", False, f"{', '.join(missing)} not installed", _REINSTALL)
    return Finding("packages", True, f"filmgate {__version__}, {', '.join(present)}")


def _sqlite() -> Finding:
    import sqlite3

    ok = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    remedy = "" if ok else "Use a Python that is built with SQLite 3.37 or later."
    return Finding("sqlite", ok, sqlite3.sqlite_version, remedy)


def _data_folder(data: Path) -> Finding:
    import tempfile

    from filmgate.supervise.inheritance import folder_is_free

    existing = _existing(data)
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        state = "writable" if data.exists() else "will be made"
        if data.exists() and not folder_is_free(data):
            state += ", in use by a running server"
    except OSError as error:
        remedy = "Name a folder that this user may write with --data or FILMGATE_DATA."
        return Finding("data folder", False, f"{existing} cannot be written: {error.strerror or error}", remedy)
    return Finding("data folder", True, f"{data}, {state}")


def _database(path: Path) -> Finding:
    import sqlite3

    if not path.exists():
        return Finding("database", True, "none yet; the first start makes it")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            faults = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        faults = [str(error)]
    if faults != ["ok"]:
        remedy = "Stop the server, keep a copy of the file, and put back a backup of the data folder."
        return Finding("database", False, f"{path} is damaged: {'; '.join(faults)}", remedy)
    return Finding("database", True, f"{path} is whole, {shown_size(path.stat().st_size)}")


def _disk(data: Path) -> Finding:
    free = shutil.disk_usage(_existing(data)).free
    ok = free >= LEAST_FREE_BYTES
    remedy = "" if ok else f"Free some space, or name another folder; have {shown_size(LEAST_FREE_BYTES)} at least."
    return Finding("disk", ok, f"{shown_size(free)} free", remedy)


def _probe() -> Finding:
    from filmgate.courier.probe import lockdown_level

    level = lockdown_level()
    locked = "landlock" in level
    remedy = "" if locked else "A Linux kernel with Landlock locks down the process that opens strangers' files."
    return Finding("probe", locked, level, remedy)


def _models(settings: Settings) -> Iterator[Finding]:
    from filmgate.wiring import engine_factories, load_manifests

    try:
        manifests = load_manifests(settings)
    except ManifestInvalid as error:
        yield Finding("models", False, error.sentence.replace("\n", "; "), "Run `filmgate check` for each fault.")
        return
    try:
        engines = set(engine_factories(settings))
    except StartupError:
        engines = set()
    unserved = [model_id for model_id, manifest in manifests.items() if engines.isdisjoint(manifest.engines)]
    served = f"{len(manifests) - len(unserved)} of {len(manifests)} have an engine"
    remedy = f"Without one: {', '.join(unserved)}. Name an engine of theirs with --engines." if unserved else ""
    yield Finding("models", not unserved, served, remedy)


def _engines(settings: Settings) -> Iterator[Finding]:
    from filmgate.wiring import engine_factories

    try:
        factories = engine_factories(settings)
    except StartupError as error:
        yield Finding("engines", False, error.sentence, "Correct the setting `engines`.")
        return
    for name, factory in factories.items():
        yield _engine(name, factory)


def _engine(name: str, factory: "EngineFactory") -> Finding:
    """Loads the engine as a worker does: in a child process."""
    import asyncio

    from filmgate.worker.child import EngineChild
    from filmgate.worker.limits import WorkerLimits

    async def load() -> str:
        child = EngineChild(name, factory, WorkerLimits())
        try:
            found = await child.start()
        finally:
            await child.close()
        return f"{found.engine} {found.version} on {found.device}"

    try:
        return Finding(f"engine {name}", True, asyncio.run(load()))
    except StartupError as error:
        return Finding(f"engine {name}", False, error.sentence, "Mend what the sentence names, or leave it out.")


def _existing(folder: Path) -> Path:
    """The folder, or its nearest parent that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())
