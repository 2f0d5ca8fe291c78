"""The list of optional parts, as `filmgate doctor` shows it."""

import subprocess
import sys

from filmgate.engines.diffusers.parts import optional_parts


def test_a_part_that_is_not_there_says_why() -> None:
    rows = {part.name: part for part in optional_parts()}

    assert rows["kernels"].available or rows["kernels"].detail == "not installed"
    assert all(part.detail and part.use for part in rows.values())


def test_the_units_of_a_device_are_not_looked_at_unless_asked() -> None:
    row = next(part for part in optional_parts() if part.name == "8-bit matrix units")

    assert not row.available
    assert "torch" in row.detail


def test_looking_imports_no_heavy_library() -> None:
    program = (
        "import sys; from filmgate.engines.diffusers.parts import optional_parts; optional_parts(); "
        "print(sorted({'torch', 'triton', 'diffusers', 'numpy'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
