"""Writes what the documentation draws from the code: the settings, the roles of inputs, the table of a request's life.

`--check` writes nothing and fails when a page is not what it would write.
"""

import sys
import textwrap
from pathlib import Path
from typing import get_args

from filmgate.config import SETTINGS
from filmgate.domain.manifest import Role
from filmgate.domain.request import TRANSITIONS

DOCS = Path(__file__).parents[1] / "docs"

SETTINGS_HEAD = """\
# Settings

A flag beats an environment variable, that beats the config file, that beats the default. The config file is TOML with
the names of the flags (`port`, `fetch_allow` …): `--config FILE`, else `FILMGATE_CONFIG`, else `filmgate.toml` in the
data folder. A value that does not fit, or a name that is no setting, stops the start and says so.

| flag | variable | expects | default | what it does |
|---|---|---|---|---|
"""


def settings_page() -> str:
    rows = [
        f"| `{setting.flag or '–'}` | `{setting.variable}` | {setting.kind.expected} | "
        f"{f'`{default}`' if (default := setting.shown_default()) else ''} | {setting.help} |"
        for setting in SETTINGS
    ]
    return SETTINGS_HEAD + "\n".join(rows) + "\n"


def architecture_page(text: str) -> str:
    rows = "\n".join(f"| {state} | {event} | {after} |" for (state, event), after in TRANSITIONS.items())
    return _filled(text, "transitions", rows)


def models_page(text: str) -> str:
    return _filled(text, "roles", textwrap.fill(", ".join(f"`{role}`" for role in get_args(Role)), 120))


def _filled(text: str, mark: str, content: str) -> str:
    """The page with `content` between the mark and its end."""
    head, _, rest = text.partition(f"<!-- {mark} -->")
    _, _, tail = rest.partition(f"<!-- /{mark} -->")
    return f"{head}<!-- {mark} -->\n{content}\n<!-- /{mark} -->{tail}"


def main() -> None:
    architecture, models = DOCS / "architecture.md", DOCS / "models.md"
    pages = {
        DOCS / "settings.md": settings_page(),
        architecture: architecture_page(architecture.read_text()),
        models: models_page(models.read_text()),
    }
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        if stale:
            sys.exit(f"Run scripts/write_docs.py: {', '.join(path.name for path in stale)} are out of date.")
        return
    for path in stale:
        path.write_text(pages[path])


if __name__ == "__main__":
    main()
