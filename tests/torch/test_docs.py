"""The commands of docs/gpu.md, run as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from filmgate.engines.diffusers.profiles import PROFILES
from tests.finished_file import read_clip

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gpu.md").read_text()


def test_the_first_commands_lead_to_a_clip(tmp_path: Path) -> None:
    block = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)[0]
    lines = [line for line in block.splitlines() if line.startswith(".venv/bin/filmgate")]
    (tmp_path / "photo.jpg").write_bytes((ROOT / "docs" / "images" / "astronaut.jpg").read_bytes())

    for line in lines:
        command = [sys.executable, "-m", "filmgate", *shlex.split(line)[1:]]
        if "run" in command:
            command += ["--data", str(tmp_path / "data")]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=100, capture_output=True)

    clip = read_clip(tmp_path / "noise.mp4")
    assert len(lines) == 2
    assert (len(clip.frames), clip.frame_rate) == (150, 30)


def test_every_profile_is_described() -> None:
    described = re.findall(r"^\| `([a-z-]+)` \| (?:nothing|attention|as)", PAGE, re.MULTILINE)

    assert described == list(PROFILES)
