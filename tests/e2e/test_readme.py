"""The README's commands, run as they stand there."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.server import KEY, ROOT, finished

README = (ROOT / "README.md").read_text()


def curl_lines():
    block = next(block for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) if "curl" in block)
    return [line for line in block.replace("\\\n", " ").splitlines() if line.startswith("curl")]


def curl(line, server, **blanks):
    for name, value in {"$FILMGATE_URL": server.url, "$FILMGATE_KEY": KEY, **blanks}.items():
        line = line.replace(name, value)
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_curl_lines_lead_from_a_picture_to_a_clip(server, client):
    upload, submit, status, result, cancel = curl_lines()
    picture = str(ROOT / "docs" / "images" / "astronaut.jpg")
    url = curl(upload, server, **{"photo.jpg": picture})["url"]
    request_id = curl(submit, server, **{"<url>": url})["request_id"]
    blanks = {"<request_id>": request_id}
    assert curl(status, server, **blanks)["status"] in ("in_queue", "in_progress")
    finished(client, request_id)
    assert curl(result, server, **blanks)["output"]["video"].endswith(".mp4")
    assert curl(cancel, server, **blanks)["outcome"] == "not_cancellable"


def test_every_link_of_the_documentation_leads_to_a_file():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "bench" / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_make_targets_of_the_readme_exist():
    makefile = Path(ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
